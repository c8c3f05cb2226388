"""A space whose songs have ten fields of their own, and filters over these."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from melon.embedding import EmbeddingSpace
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
