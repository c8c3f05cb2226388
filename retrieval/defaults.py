"""The default settings. docs/quality.md says how they were found.

Weights and exponents: on playlists held out of training. Candidate counts and floors: for speed.
"""

from __future__ import annotations

from typing import Any


def _item(weight: float, discount: float) -> dict[str, float]:
    return {"weight": weight, "discount": discount}


TAG_CANDIDATES = 100

NEIGHBOURS: dict[str, Any] = {
    "songs": {
        "songs": {
            "songs": _item(1, 0.2),
            "discount": 0.1,
            "reweighting": {"penalty": 50},
        },
        "tags": {
            "songs": _item(1, 0.25),
            "neighbours": 100,
            "power": 1.25,
            "candidates": TAG_CANDIDATES,
        },
    },
    "songs_and_text": {
        "songs": {
            "songs": _item(1, 0.2),
            "tags": _item(0.6, 0.2),
            "title_tags": _item(0.6, 0.2),
            "discount": 0.1,
            "reweighting": {"penalty": 100},
        },
        "tags": {
            "songs": _item(1, 0.25),
            "tags": _item(0.5, 0.1),
            "title_tags": _item(0.5, 0.1),
            "neighbours": 300,
            "power": 1.25,
            "candidates": TAG_CANDIDATES,
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
            "candidates": TAG_CANDIDATES,
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
            "neighbours": 500,
            "power": 2.5,
            "candidates": TAG_CANDIDATES,
        },
    },
}

FLOORS = {"floors": [0, 10, 50], "candidates": 200}

DENSE: dict[str, Any] = {
    "songs": {
        "songs": {"sharpness": 12, "prior": 1.0, **FLOORS},
        "tags": {"playlists": 200, "sharpness": 20},
    },
    "songs_and_text": {
        "songs": {"tags": 0.5, "sharpness": 12, "prior": 1.0, **FLOORS},
        "tags": {"playlists": 200, "sharpness": 20},
    },
    "tags": {
        "songs": {"sharpness": 5, "prior": 0.7, **FLOORS},
        "tags": {"playlists": 200, "sharpness": 20, "discount": 0},
    },
    "title": {
        "songs": {"sharpness": 8, "prior": 1.3, **FLOORS},
        "tags": {"playlists": 400, "sharpness": 10, "discount": 0},
    },
}

HYBRID: dict[str, Any] = {
    "songs": {"songs": {"weight": 0.3, "power": 0.5}, "tags": {"weight": 0.5, "power": 1}},
    "songs_and_text": {
        "songs": {"weight": 0.1, "power": 0.5},
        "tags": {"weight": 2, "power": 1},
    },
    "tags": {"songs": {"weight": 0.2, "power": 2}, "tags": {"weight": 0.5, "power": 1}},
    "title": {"songs": {"weight": 0.2, "power": 0.5}, "tags": {"weight": 0, "power": 1}},
}

DEFAULTS: dict[str, Any] = {"neighbours": NEIGHBOURS, "dense": DENSE, "hybrid": HYBRID}
