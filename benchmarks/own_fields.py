"""A space whose songs have ten fields of their own, and filters over these.

    python benchmarks/own_fields.py OUT [--songs 110000]

makes a space that takes no training: songs around 400 random places, in 100 dimensions.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from melon.catalog import Playlist, Song
from melon.embedding import EmbeddingSpace, build_space, training_settings
from melon.fields import FieldType, own_field
from melon.store import Condition, DateRange, Filter, MatchAny, NumberRange

FIELDS = tuple(
    own_field(name, type, name == "moods")
    for name, type in {
        "format": FieldType.KEYWORD,
        "language": FieldType.KEYWORD,
        "label": FieldType.KEYWORD,
        "scene": FieldType.KEYWORD,
        "moods": FieldType.KEYWORD,
        "plays": FieldType.INTEGER,
        "bpm": FieldType.FLOAT,
        "explicit": FieldType.BOOL,
        "added_at": FieldType.DATETIME,
        "notes": FieldType.TEXT,
    }.items()
)
DAY, DAYS = datetime(2015, 1, 1), 4_000


def with_own_fields(space: EmbeddingSpace, seed: int = 0) -> EmbeddingSpace:
    """The same space with `FIELDS`, drawn at random but for `scene`: near songs share that.

    `format` has 2 values, `language` and `scene` 20, `label` 200, `moods` three of 50; of
    each, some are rare.
    """
    rng = np.random.default_rng(seed)
    songs = len(space.songs)

    def draw(values: int, count: int = songs) -> list[str]:
        """Values of which the most frequent are ten times as frequent as the rarest."""
        weights = np.geomspace(10, 1, values)
        return [f"{n:03}" for n in rng.choice(values, count, p=weights / weights.sum()).tolist()]

    moods = draw(50, 3 * songs)
    places = rng.normal(size=(space.dim, 20)).astype(np.float32)
    columns = {
        "format": draw(2),
        "language": draw(20),
        "label": draw(200),
        "scene": [f"{n:02}" for n in (space.song_vectors @ places).argmax(axis=1).tolist()],
        "moods": [sorted(set(moods[row : row + 3])) for row in range(0, 3 * songs, 3)],
        "plays": rng.integers(0, 1_000_000, songs),
        "bpm": rng.normal(120, 20, songs),
        "explicit": rng.random(songs) < 0.3,
        "added_at": [DAY + timedelta(days=float(day)) for day in rng.uniform(0, DAYS, songs)],
        "notes": [f"note of song {row}" for row in range(songs)],
    }
    table = space.songs
    for name, values in columns.items():
        table = table.append_column(name, pa.array(values))
    return replace(space, songs=table, fields=FIELDS, manifest={})


def own_filters() -> dict[str, Filter]:
    """Filters over `FIELDS`, by name."""
    every_10th = DateRange("added_at", DAY, DAY + timedelta(days=DAYS // 10))
    conditions: dict[str, Condition] = {
        "keyword, one of 2": MatchAny("format", ("001",)),
        "keyword, one of 20": MatchAny("language", ("010",)),
        "keyword, three of 20": MatchAny("language", ("005", "010", "015")),
        "keyword, one of 200": MatchAny("label", ("100",)),
        "keyword, ten of 200": MatchAny("label", tuple(f"{n:03}" for n in range(0, 200, 20))),
        "keyword, one of 20 of which each is of near songs": MatchAny("scene", ("03",)),
        "keywords, one of 50, three a song": MatchAny("moods", ("025",)),
        "integer, the top half": NumberRange("plays", gte=500_000),
        "integer, the top 10 %": NumberRange("plays", gte=900_000),
        "integer, the top 1 %": NumberRange("plays", gte=990_000),
        "float, the middle third": NumberRange("bpm", gte=111.4, lt=128.6),
        "float, the top 7 %": NumberRange("bpm", gte=150),
        "bool, 30 %": MatchAny("explicit", (True,)),
        "bool, 70 %": MatchAny("explicit", (False,)),
        "datetime, the first 10 %": every_10th,
    }
    filters = {f"own {name}": Filter(must=(one,)) for name, one in conditions.items()}
    filters["own keyword, none of 3 of 20"] = Filter(
        must_not=(MatchAny("language", ("000", "001", "002")),)
    )
    filters["own keyword and float"] = Filter(
        must=(MatchAny("language", ("000", "001")), NumberRange("bpm", gte=120))
    )
    return filters


def planted_space(
    songs: int, *, places: int = 400, dim: int = 100, seed: int = 3
) -> EmbeddingSpace:
    """A space of songs around random places; 3,000 playlists hold 20 songs of one place each."""
    rng = np.random.default_rng(seed)
    centres, place = rng.normal(size=(places, dim)), rng.integers(places, size=songs)
    vectors = centres[place] + rng.normal(size=(songs, dim)) * 0.9
    near = [np.flatnonzero(place == one) for one in range(places)]
    playlists = []
    for number in range(3_000):
        one = int(rng.integers(places))
        held = rng.choice(near[one], 20, replace=False).tolist()
        playlists.append(Playlist(number, f"t{one}", tuple(held), (f"c{one}",), None, None))
    settings = training_settings(dim=dim, epochs=1, title_pieces=64)
    space = build_space(playlists, map(Song, range(songs)), settings=settings)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return replace(space, song_vectors=unit.astype(np.float32), manifest={})


if __name__ == "__main__":
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("out", type=Path, help="directory of the space")
    made.add_argument("--songs", type=int, default=110_000)
    args = made.parse_args()
    planted_space(args.songs).save(args.out)
