"""A small release made by chance, and what a filter should find in it, told without an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melon.ranking import Ranking
from melon.store import (
    Collection,
    Condition,
    DateRange,
    Filter,
    HasId,
    HasValue,
    HasWords,
    MatchAny,
    NumberRange,
    PointBatch,
    PointId,
    ReleaseManifest,
    ReleaseReader,
    SparseRows,
    VectorStore,
    tag_point_id,
)
from melon.word_index import finds, indexed_words

DIM = 8
SONGS = 300
PLAYLIST_DIMENSIONS = 40
FIRST_SONG = 1000
DAY = datetime(2000, 1, 1, tzinfo=UTC)

GENRES = ("ballad", "jazz", "힙합", "R&B/Soul", "lo-fi ☕")
ARTISTS = tuple(f"artist {n}" for n in range(12))
MOODS = ("calm", "wet", "밤")
OWN_FIELDS = [
    {"name": "bpm", "type": "float"},
    {"name": "loudness", "type": "integer"},
    {"name": "peaks", "type": "float", "many": True},
    {"name": "explicit", "type": "bool"},
    {"name": "분위기", "type": "keyword", "many": True},
    {"name": "added_at", "type": "datetime"},
    {"name": "lyrics", "type": "text"},
]
TAGS = ("rainy day", "비 오는 날", "비오는날", "☔", 'quotes "and" \\slashes', "\u00e9", "e\u0301")
"""The last two look the same and are not: one letter, and two."""


def manifest(release: str = "r1", **changes: Any) -> ReleaseManifest:
    """A manifest with every field filled."""
    fields: dict[str, Any] = {
        "release": release,
        "melon_version": "0.0",
        "created": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "space": "f" * 64,
        "dim": DIM,
        "counts": dict.fromkeys(Collection, 0),
        "training": {"epochs": 3, "kinds": ["song", "tag"], "alpha": 0.025},
        "weights": {"song_length": -0.5},
        "genres": {"GN0100": "발라드"},
        "fields": OWN_FIELDS,
        "title_tokenizer": bytes(range(256)) * 5,
        "ranking": Ranking(strategy="vote", questions=99),
    }
    return ReleaseManifest(**fields | changes)


def publish(
    store: VectorStore,
    contents: Mapping[Collection, PointBatch],
    release: str = "r1",
    **changes: Any,
) -> None:
    """Build a release of these points, and make it live."""
    counts = {part: len(contents[part].ids) if part in contents else 0 for part in Collection}
    builder = store.build(manifest(release, **{"counts": counts} | changes))
    try:
        for collection, batch in contents.items():
            builder.upsert(collection, batch)
        builder.finish()
        builder.seal()
    except BaseException:
        builder.abandon()
        raise
    store.promote(release)


def points(ids: Sequence[PointId], dim: int = DIM, seed: int = 0) -> PointBatch:
    """Points with a vector each and an empty payload."""
    rng = np.random.default_rng(seed)
    dense = rng.normal(size=(len(ids), dim)).astype(np.float32)
    return PointBatch(ids, dense, None, [{} for _ in ids])


@dataclass(frozen=True)
class Sample:
    """300 songs, of which some lack a field or a vector, and a few tags."""

    songs: PointBatch
    tags: PointBatch
    unit: NDArray[np.float32]
    """(300, dim): rows of zeros where a song has no dense vector."""

    @property
    def contents(self) -> dict[Collection, PointBatch]:
        return {Collection.SONGS: self.songs, Collection.TAGS: self.tags}

    def passing(self, filter: Filter | None) -> set[PointId]:
        """The songs that a filter lets pass."""
        rows = zip(self.songs.ids, self.songs.payloads, strict=True)
        return {id_ for id_, payload in rows if filter is None or passes(filter, id_, payload)}

    def nearest(self, vector: NDArray[np.float32], filter: Filter | None) -> dict[PointId, float]:
        """The cosine of every song that passes and has a dense vector, largest first."""
        scores = self.unit @ (vector / np.linalg.norm(vector))
        allowed = self.passing(filter)
        has_vector = self.unit.any(axis=1)
        return {
            self.songs.ids[row]: float(scores[row])
            for row in np.argsort(-scores, kind="stable")
            if has_vector[row] and self.songs.ids[row] in allowed
        }

    def sparse_matrix(self) -> NDArray[np.float32]:
        """(300, dimensions): the sparse vectors, written out."""
        rows = self.songs.sparse
        assert rows is not None
        matrix = np.zeros((len(self.songs.ids), PLAYLIST_DIMENSIONS), np.float32)
        for row in range(len(matrix)):
            indices, values = rows.row(row)
            matrix[row, indices] = values
        return matrix


class BothReaders(dict[str, ReleaseReader]):
    """A reader on each engine, by its name."""

    def __repr__(self) -> str:  # hypothesis prints arguments
        return "both readers"


def sample(seed: int = 0) -> Sample:
    """The same sample for the same seed."""
    rng = np.random.default_rng(seed)
    dense = rng.normal(size=(SONGS, DIM)).astype(np.float32) * 3
    dense[::17] = 0
    counts = rng.integers(0, 6, size=SONGS)
    indices = [rng.choice(PLAYLIST_DIMENSIONS, n, replace=False) for n in counts]
    sparse = SparseRows(
        indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        indices=np.concatenate(indices).astype(np.uint32),
        values=rng.uniform(0.1, 2, size=int(counts.sum())).astype(np.float32),
    )
    norms = np.linalg.norm(dense, axis=1, keepdims=True)
    ids = list(range(FIRST_SONG, FIRST_SONG + SONGS))
    songs = PointBatch(ids, dense, sparse, [_payload(row, rng) for row in range(SONGS)])
    tags = PointBatch(
        [tag_point_id(tag) for tag in TAGS],
        rng.normal(size=(len(TAGS), DIM)).astype(np.float32),
        None,
        [{"tag": tag, "popularity": n} for n, tag in enumerate(TAGS)],
    )
    return Sample(songs, tags, dense / np.where(norms > 0, norms, 1))


def _payload(row: int, rng: np.random.Generator) -> dict[str, Any]:
    issued = DAY + timedelta(days=int(rng.integers(0, 40)))
    payload: dict[str, Any] = {
        "name": f"노래 {row} — “{GENRES[row % len(GENRES)]}”",
        "genres": rng.choice(GENRES, int(rng.integers(1, 4)), replace=False).tolist(),
        "artists": rng.choice(ARTISTS, int(rng.integers(1, 3)), replace=False).tolist(),
        "artist_ids": [int(rng.integers(0, 12))],
        "issue_date": issued.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "issue_year": issued.year,
        "popularity": int(rng.zipf(1.5)) % 50,
        "vector_source": "trained" if row % 3 else "artist",
    }
    payload["search_words"] = indexed_words(payload["name"])
    payload["artist_words"] = [indexed_words(artist) for artist in payload["artists"]]
    known = {key: value for key, value in payload.items() if key == "name" or rng.random() > 0.15}
    return known | _own_fields(np.random.default_rng([row, len(known)]))


def _own_fields(rng: np.random.Generator) -> dict[str, Any]:
    added = DAY + timedelta(days=int(rng.integers(0, 40)), microseconds=int(rng.integers(0, 3)))
    own: dict[str, Any] = {
        "bpm": float(rng.choice([119.5, 120, 120.1, 121.1, 128])),
        "loudness": int(rng.integers(-5, 5)),
        "peaks": rng.choice([0.1, 0.2, 0.3, 119.5], int(rng.integers(1, 4))).tolist(),
        "explicit": bool(rng.integers(0, 2)),
        "분위기": rng.choice(MOODS, int(rng.integers(1, 3)), replace=False).tolist(),
        "added_at": added.isoformat().replace("+00:00", "Z"),
        "lyrics": "la la la",
    }
    return {key: value for key, value in own.items() if rng.random() > 0.15}


def passes(condition: Condition, point_id: PointId, payload: Mapping[str, Any]) -> bool:
    """What a condition means; an absent field satisfies none."""
    match condition:
        case Filter(must, should, must_not):
            return (
                all(passes(part, point_id, payload) for part in must)
                and (not should or any(passes(part, point_id, payload) for part in should))
                and not any(passes(part, point_id, payload) for part in must_not)
            )
        case HasId(ids):
            return point_id in ids
        case HasValue(field):
            return field in payload
        case HasWords(field, words):
            return finds(words, " ".join(_listed(payload.get(field))))
        case MatchAny(field, values):
            return bool(set(_listed(payload.get(field))) & set(values))
        case NumberRange(field, gte, lte, gt, lt):
            return any(_lies(value, gte, lte, gt, lt) for value in _listed(payload.get(field)))
        case DateRange(field, gte, lte, gt, lt):
            bounds = [bound and _aware(bound) for bound in (gte, lte, gt, lt)]
            moments = [datetime.fromisoformat(text) for text in _listed(payload.get(field))]
            return any(_lies(moment, *bounds) for moment in moments)


def _lies(value: Any, gte: Any, lte: Any, gt: Any, lt: Any) -> bool:
    """Whether a value lies between bounds."""
    return (
        (gte is None or value >= gte)
        and (lte is None or value <= lte)
        and (gt is None or value > gt)
        and (lt is None or value < lt)
    )


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
