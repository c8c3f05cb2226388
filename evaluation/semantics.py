"""Whether a release's co-embedding holds what playlists, genres and tags mean.

Samples are drawn from the points by a seed, and each figure says how many it is of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melon.evaluation.distributions import Spread, kl_divergence, rank_correlation, skewness
from melon.evaluation.nearest import Floats, neighbours
from melon.progress import Progress, ignore
from melon.store import DENSE, Collection, Filter, HasId, PointId, ReleaseReader, VectorQuery

PLAYLISTS = 2_000
"""Playlists whose vectors are compared with the means of their songs."""

OF_GENRES = 3_000
"""Songs of which all pairs are compared by their genres."""

HUBS = 10_000
"""Songs among which hubs are looked for."""

K = 10
"""Neighbours of a song: one is as often a neighbour as it is among the first K of others."""

SHOWN, NEAR_TAGS = 12, 5
"""Genres and tags that are shown, the commonest, and how many of the nearest of each tag."""

BATCH = 5_000
"""Points that are read at a time."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many points of a collection have a vector, and from where.

    `sources` counts them by `vector_source`, most frequent first.
    """

    points: int
    with_vector: int
    sources: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PlaylistFit:
    """How near the vector of a playlist is to the mean of its songs' vectors.

    Attributes:
        own: the cosines of some playlists' vectors and the means of their own songs.
        other: those of the same vectors and the means of another playlist's songs.
        nearer: the share of the playlists to which the mean of their own songs is nearer.
    """

    own: Spread
    other: Spread
    nearer: float


@dataclass(frozen=True, slots=True)
class GenreFit:
    """How alike the songs of one genre are: mean cosines to each other, and to all others."""

    genre: str
    name: str
    songs: int
    within: float | None
    between: float | None


@dataclass(frozen=True, slots=True)
class Genres:
    """How much more alike songs with a genre in common are than songs without.

    Attributes:
        songs: how many were drawn; all their pairs are compared.
        within: the cosines of pairs with a genre in common.
        between: those of the others.
        kl_divergence: of the first distribution from the second, in bits; see `kl_divergence`.
        by_genre: of the largest genres among them.
    """

    songs: int
    within: Spread
    between: Spread
    kl_divergence: float
    by_genre: tuple[GenreFit, ...]


@dataclass(frozen=True, slots=True)
class TagNear:
    """A tag, how many playlists carry it, and the tags nearest to it with their cosines."""

    tag: str
    popularity: int
    nearest: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Hubness:
    """Whether a few songs are near to everything, and whether these are the popular ones.

    A song's k-occurrence is among the `K` nearest of how many others it is: `K` on average.

    Attributes:
        songs: how many were drawn, and looked for among each other.
        skewness: of the k-occurrences; see `skewness`.
        most: the largest of them.
        never: the share of songs that are near to none.
        popularity_correlation: of k-occurrence and popularity by rank (Spearman); None where all
            are the same.
        popularity: how many playlists hold a song, on average.
        near_popularity: how many hold a neighbour, on average.
        histogram: how many songs have a k-occurrence of 0, 1, 2, …, the last of that or more.
    """

    songs: int
    skewness: float
    most: int
    never: float
    popularity_correlation: float | None
    popularity: float
    near_popularity: float
    histogram: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Semantics:
    """What a release's vectors say; a part is None where there is nothing to say it of."""

    release: str
    seed: int
    coverage: Mapping[Collection, Coverage]
    playlists: PlaylistFit | None
    genres: Genres | None
    tags: tuple[TagNear, ...]
    hubness: Hubness | None

    def to_json(self) -> dict[str, Any]:
        """As `melon inspect --json` prints it: fields may be added, never renamed."""
        found = asdict(self)
        found["coverage"] = {str(name): one for name, one in found["coverage"].items()}
        found["tags"] = [
            {
                "tag": one.tag,
                "popularity": one.popularity,
                "nearest": [{"tag": tag, "score": score} for tag, score in one.nearest],
            }
            for one in self.tags
        ]
        rounded: dict[str, Any] = _rounded(found)
        return rounded


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    return value


def inspect(reader: ReleaseReader, *, seed: int = 0, progress: Progress = ignore) -> Semantics:
    """Look at the vectors of a release.

    Args:
        seed: of the samples.
        progress: told of the steps `read points`, `playlists`, `genres`, `tags`, `nearest`.
    """
    ids: dict[Collection, list[PointId]] = {}
    coverage: dict[Collection, Coverage] = {}
    with_genre: list[PointId] = []
    kinds = (Collection.SONGS, Collection.TAGS, Collection.PLAYLISTS)
    for number, collection in enumerate(kinds):
        progress("read points", number, len(kinds))
        count = reader.manifest.counts[collection]
        fields = ("vector_source", *(("genres",) if collection is Collection.SONGS else ()))
        records = reader.find(collection, None, count, payload=fields) if count else []
        held = [record for record in records if record.payload.get("vector_source")]
        ids[collection] = [record.id for record in held]
        sources = Counter(str(record.payload["vector_source"]) for record in held)
        coverage[collection] = Coverage(len(records), len(held), dict(sources.most_common()))
        if collection is Collection.SONGS:
            with_genre = [record.id for record in held if record.payload.get("genres")]
    progress("read points", len(kinds), len(kinds))
    return Semantics(
        release=reader.manifest.release,
        seed=seed,
        coverage=coverage,
        playlists=_playlists(
            reader, _drawn(ids[Collection.PLAYLISTS], PLAYLISTS, seed), seed, progress
        ),
        genres=_genres(reader, _drawn(with_genre, OF_GENRES, seed), progress),
        tags=_tags(reader, progress),
        hubness=_hubness(reader, _drawn(ids[Collection.SONGS], HUBS, seed), progress),
    )


def _drawn(ids: Sequence[PointId], count: int, seed: int) -> list[PointId]:
    """Some of the ids, in their order."""
    if len(ids) <= count:
        return list(ids)
    rows = np.random.default_rng(seed).choice(len(ids), count, replace=False)
    return [ids[row] for row in sorted(rows.tolist())]


def _vectors(
    reader: ReleaseReader, collection: Collection, ids: Sequence[PointId]
) -> dict[PointId, Floats]:
    """The unit vectors of the points that have one."""
    found: dict[PointId, Floats] = {}
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        for record in reader.retrieve(collection, some, payload=False, vectors=True):
            if record.vector is not None:
                found[record.id] = _unit(record.vector)
    return found


def _unit(vectors: NDArray[Any]) -> Floats:
    """Rows of length 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


def _playlists(
    reader: ReleaseReader, ids: Sequence[PointId], seed: int, progress: Progress
) -> PlaylistFit | None:
    progress("playlists", 0, len(ids))
    records = [
        record
        for start in range(0, len(ids), BATCH)
        for record in reader.retrieve(
            Collection.PLAYLISTS, ids[start : start + BATCH], payload=("songs",), vectors=True
        )
    ]
    songs = {song: None for record in records for song in record.payload.get("songs", ())}
    known = _vectors(reader, Collection.SONGS, list(songs))
    vectors, means = [], []
    for record in records:
        held = [known[song] for song in record.payload.get("songs", ()) if song in known]
        mean = np.mean(held, axis=0) if held else np.zeros(1, np.float32)
        if record.vector is not None and mean.any():
            vectors.append(_unit(record.vector))
            means.append(_unit(mean))
    progress("playlists", len(ids), len(ids))
    if len(vectors) < 2:
        return None
    own = np.einsum("nd,nd->n", vectors, means)
    order = np.random.default_rng(seed).permutation(len(vectors))
    another = np.empty(len(vectors), np.int64)
    another[order] = np.roll(order, 1)
    other = np.einsum("nd,nd->n", vectors, np.stack(means)[another])
    return PlaylistFit(Spread.of(own), Spread.of(other), float((own > other).mean()))


def _genres(reader: ReleaseReader, ids: Sequence[PointId], progress: Progress) -> Genres | None:
    progress("genres", 0, len(ids))
    known = _vectors(reader, Collection.SONGS, ids)
    records = reader.retrieve(Collection.SONGS, list(known), payload=("genres",))
    if len(records) < 2:
        return None
    vectors = np.stack([known[record.id] for record in records])
    counts = Counter(genre for record in records for genre in record.payload["genres"])
    codes = sorted(counts, key=lambda code: (-counts[code], code))
    number = {code: place for place, code in enumerate(codes)}
    has = np.zeros((len(records), len(codes)), np.float32)
    for row, record in enumerate(records):
        has[row, [number[code] for code in record.payload["genres"]]] = 1
    upper = np.triu_indices(len(records), 1)
    cosines = (vectors @ vectors.T)[upper]
    alike = (has @ has.T)[upper] > 0
    progress("genres", len(ids), len(ids))
    if alike.all() or not alike.any():
        return None
    within, between = Spread.of(cosines[alike]), Spread.of(cosines[~alike])
    fits = [
        GenreFit(
            code,
            reader.manifest.genres.get(code, code),
            counts[code],
            *_mean_cosines(vectors, has[:, number[code]] > 0),
        )
        for code in codes[:SHOWN]
    ]
    divergence = kl_divergence(within.histogram, between.histogram)
    return Genres(len(records), within, between, divergence, tuple(fits))


def _mean_cosines(vectors: Floats, some: Bools) -> tuple[float | None, float | None]:
    """The mean cosine of pairs of some unit vectors, and of each of them with each of the others.

    Of sums: those of all pairs are the squared length of the vectors' sum, less n of each with
    itself.
    """
    inside, outside = (vectors[part].sum(axis=0, dtype=float) for part in (some, ~some))
    n, m = int(some.sum()), int((~some).sum())
    within = (float(inside @ inside) - n) / (n * (n - 1)) if n > 1 else None
    return within, float(inside @ outside) / (n * m) if n and m else None


def _tags(reader: ReleaseReader, progress: Progress) -> tuple[TagNear, ...]:
    """The commonest tags, of equally common ones the first by name."""
    progress("tags", 0, SHOWN)
    held = [
        record
        for record in reader.top(Collection.TAGS, "popularity", 4 * SHOWN, payload=True)
        if record.payload.get("vector_source")
    ]
    held.sort(key=lambda record: (-record.payload["popularity"], record.payload["tag"]))
    shown = held[:SHOWN]
    vectors = _vectors(reader, Collection.TAGS, [record.id for record in shown])
    found = []
    for record in shown:
        other = Filter(must_not=(HasId((record.id,)),))
        query = VectorQuery(
            vectors[record.id], DENSE, NEAR_TAGS, other, payload=("tag",), exact=True
        )
        [hits] = reader.query(Collection.TAGS, [query])
        near = tuple((str(hit.payload["tag"]), hit.score) for hit in hits)
        found.append(TagNear(record.payload["tag"], record.payload["popularity"], near))
    progress("tags", SHOWN, SHOWN)
    return tuple(found)


def _hubness(reader: ReleaseReader, ids: Sequence[PointId], progress: Progress) -> Hubness | None:
    known = _vectors(reader, Collection.SONGS, ids)
    if len(known) < 2:
        return None
    counts = reader.values(Collection.SONGS, "popularity", list(known))
    popularity = np.array([counts.get(point, 0) for point in known], float)
    rows, _ = neighbours(np.stack(list(known.values())), K, progress)
    occurrences = np.bincount(rows.ravel(), minlength=len(known))
    last = 4 * K - 1
    return Hubness(
        songs=len(known),
        skewness=skewness(occurrences.astype(float)),
        most=int(occurrences.max()),
        never=float((occurrences == 0).mean()),
        popularity_correlation=rank_correlation(occurrences.astype(float), popularity),
        popularity=float(popularity.mean()),
        near_popularity=float(popularity[rows].mean()),
        histogram=tuple(np.bincount(np.minimum(occurrences, last), minlength=last + 1).tolist()),
    )
