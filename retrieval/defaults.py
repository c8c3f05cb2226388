"""The default settings, as `melon tune` found them on playlists held out of training."""

from __future__ import annotations

from typing import Any


def _item(weight: float, discount: float) -> dict[str, float]:
    return {"weight": weight, "discount": discount}


def _everywhere(songs: dict[str, Any], tags: dict[str, Any]) -> dict[str, Any]:
    kinds = ("songs", "songs_and_text", "tags", "title")
    return {kind: {"songs": songs, "tags": tags} for kind in kinds}


NEIGHBOURS: dict[str, Any] = {
    "songs": {
        "songs": {
            "songs": _item(1, 0.2),
            "discount": 0.1,
            "reweighting": {"penalty": 50},
        },
        "tags": {"songs": _item(1, 0.25), "neighbours": 100, "power": 1.25},
    },
    "songs_and_text": {
        "songs": {
            "songs": _item(1, 0.2),
            "tags": _item(0.6, 0.2),
            "discount": 0.1,
            "reweighting": {"penalty": 100},
        },
        "tags": {
            "songs": _item(1, 0.25),
            "tags": _item(0.5, 0.1),
            "neighbours": 300,
            "power": 1.25,
        },
    },
    "tags": {
        "songs": {
            "tags": _item(0.75, 0.2),
            "words": _item(1, 0.1),
            "bigrams": _item(1, 0.25),
            "neighbours": 1000,
            "least_songs": 5,
        },
        "tags": {
            "tags": _item(0.6, 0.0),
            "words": _item(1, 0.1),
            "bigrams": _item(1, 0.25),
            "power": 3,
            "discount": 0.05,
        },
    },
    "title": {
        "songs": {
            "words": _item(1, 0.25),
            "bigrams": _item(1, 0.25),
            "neighbours": 1500,
            "least_songs": 5,
        },
        "tags": {
            "words": _item(1, 0.25),
            "bigrams": _item(0.5, 0.25),
            "neighbours": 300,
            "power": 2.5,
        },
    },
}

DENSE: dict[str, Any] = _everywhere(
    songs={"sharpness": 12, "prior": 1.3},
    tags={"sharpness": 12, "prior": 0.8, "floors": [3, 20, 100], "candidates": 300},
)

HYBRID: dict[str, Any] = _everywhere(songs={"weight": 0.2}, tags={"weight": 0.2})

DEFAULTS: dict[str, Any] = {"neighbours": NEIGHBOURS, "dense": DENSE, "hybrid": HYBRID}
