"""A map made by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from melon.plots import Map

HOSTILE = "</script><script>document.title = 'owned'</script><b>&amp;\u202ertl\x1b[31m"


def some_map(n: int = 60, **other: Any) -> Map:
    """Points on a circle, most of them songs; the first has a name that is no good."""
    kinds = ["tag" if row % 10 == 9 else "playlist" if row % 3 == 2 else "song" for row in range(n)]
    turns = np.arange(n) / n * 2 * np.pi
    values: dict[str, Any] = {
        "release": "r0123456789ab",
        "created": datetime(2026, 1, 2, tzinfo=UTC),
        "places": 50_000,
        "seed": 0,
        "rule": f"All {n} points.",
        "kind": kinds,
        "id": list(range(n)),
        "name": [HOSTILE, None, *(f"노래 {row}" for row in range(2, n))],
        "artists": ["The Rain" if kind == "song" else None for kind in kinds],
        "popularity": [None, *range(1, n)],
        "x": (100 * np.cos(turns)).round(3).tolist(),
        "y": (100 * np.sin(turns)).round(3).tolist(),
        "near": [[(row + step) % n for step in range(1, 6)] for row in range(n)],
        "genre": [None if row % 7 == 0 else ("Jazz", "발라드")[row % 2] for row in range(n)],
        "year": [None if row % 5 == 0 else 1950 + row for row in range(n)],
        "fields": {"tempo": [row / 2 for row in range(n)], "mood": ["calm"] * n},
    }
    return Map(**(values | other))
