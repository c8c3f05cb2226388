"""The default settings: what `melon tune` found on playlists held out of Melon's training data.

Settings that cost time were chosen by what that time gains on the same questions: the numbers of
candidates, the floors, 500 instead of 1,000 neighbours where songs are given, and no reweighting
for tags. See docs/quality.md.
"""

from __future__ import annotations

from typing import Any


def _item(weight: float, discount: float) -> dict[str, float]:
    return {"weight": weight, "discount": discount}


TAG_CANDIDATES = 100

NEIGHBOURS: dict[str, Any] = {
    "songs": {
        "songs": {
            "songs": _item(1, 0.25),
            "bigrams": _item(0.2, 0.25),
            "discount": 0.1,
            "candidates": 200,
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
            "songs": _item(2, 0.2),
            "tags": _item(0.6, 0.2),
            "title_tags": _item(0.6, 0.2),
            "words": _item(0.2, 0.15),
            "discount": 0.1,
            "reweighting": {"penalty": 100},
        },
        "tags": {
            "songs": _item(1, 0.25),
            "tags": _item(0.5, 0.1),
            "title_tags": _item(0.5, 0.1),
            "neighbours": 300,
            "power": 1.75,
            "candidates": TAG_CANDIDATES,
        },
    },
    "tags": {
        "songs": {
            "tags": _item(0.1, 0.3),
            "words": _item(0.5, 0.1),
            "bigrams": _item(1, 0.25),
            "neighbours": 750,
            "least_songs": 5,
            "power": 2,
            "discount": -0.1,
        },
        "tags": {
            "tags": _item(0.75, 0.05),
            "title_tags": _item(0.2, 0.05),
            "words": _item(0.75, 0.1),
            "bigrams": _item(1, 0.25),
            "neighbours": 100,
            "power": 2.5,
            "discount": 0.05,
            "candidates": TAG_CANDIDATES,
        },
    },
    "title": {
        "songs": {
            "title_tags": _item(0.2, 0.25),
            "words": _item(2, 0.25),
            "bigrams": _item(0.5, 0.25),
            "neighbours": 2000,
            "least_songs": 2,
            "discount": -0.05,
        },
        "tags": {
            "words": _item(1, 0.25),
            "bigrams": _item(0.5, 0.4),
            "neighbours": 500,
            "power": 2.5,
            "candidates": TAG_CANDIDATES,
        },
    },
}

FLOORS: dict[str, Any] = {"floors": [0, 10, 50], "candidates": 200}

DENSE: dict[str, Any] = {
    "songs": {
        "songs": {"discount": -0.1, "sharpness": 12, "prior": 0.8, **FLOORS},
        "tags": {"playlists": 400, "sharpness": 15},
    },
    "songs_and_text": {
        "songs": {
            "songs": 2,
            "tags": 0.2,
            "discount": -0.1,
            "sharpness": 12,
            "prior": 1.0,
            **FLOORS,
        },
        "tags": {"discount": 0.15, "playlists": 50, "sharpness": 30},
    },
    "tags": {
        "songs": {"tags": 0.5, "discount": 0.4, "sharpness": 5, "prior": 0.7, **FLOORS},
        "tags": {"tags": 0.5, "discount": 0.1, "playlists": 200, "sharpness": 25},
    },
    "title": {
        "songs": {"sharpness": 8, "prior": 1.0, **FLOORS},
        "tags": {"discount": 0, "playlists": 400, "sharpness": 5},
    },
}

HYBRID: dict[str, Any] = {
    "songs": {"songs": {"weight": 0.1, "power": 0.5}, "tags": {"weight": 0.3, "power": 1}},
    "songs_and_text": {
        "songs": {"weight": 0.2, "power": 0.5},
        "tags": {"weight": 4, "power": 0.75},
    },
    "tags": {"songs": {"weight": 0.2, "power": 2}, "tags": {"weight": 0.02, "power": 0.75}},
    "title": {"songs": {"weight": 0, "power": 1}, "tags": {"weight": 0, "power": 1}},
}

DEFAULTS: dict[str, Any] = {"neighbours": NEIGHBOURS, "dense": DENSE, "hybrid": HYBRID}
