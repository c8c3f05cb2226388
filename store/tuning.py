"""How both engines index and search: one place, so that they stay alike.

docs/performance.md has the measurements that these numbers are from, but for the sizes at which a
preset is chosen: 20 MB and 2 GB are round numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from melon.store.schema import Collection


class Preset(StrEnum):
    """Ways to index a release.

    `balanced`: an HNSW graph over vectors in single precision. `small`: vectors in half
    precision, read from disk as they are needed. `exact`: no graph, every search is a scan.
    """

    SMALL = "small"
    BALANCED = "balanced"
    EXACT = "exact"


@dataclass(frozen=True, slots=True)
class IndexTuning:
    """What a preset means to an engine.

    Attributes:
        graph: whether there is an HNSW graph at all.
        m: links of a point in the graph.
        ef_construct: width of the beam in the search for a new point's links.
        indexing_threshold_kb: vectors of a segment that take less than this get no graph and are
            scanned.
        full_scan_threshold_kb: a filter that leaves fewer vectors than this is answered by a scan.
        half_precision: float16 vectors.
        on_disk: vectors are read from disk when they are needed; nothing warms them up.
    """

    graph: bool = True
    m: int = 16
    ef_construct: int = 64
    indexing_threshold_kb: int = 10_000
    full_scan_threshold_kb: int = 5_000
    half_precision: bool = False
    on_disk: bool = False


TUNINGS: dict[Preset, IndexTuning] = {
    Preset.SMALL: IndexTuning(half_precision=True, on_disk=True),
    Preset.BALANCED: IndexTuning(),
    Preset.EXACT: IndexTuning(graph=False),
}

HNSW_FIELDS: Mapping[Collection, frozenset[str]] = {
    Collection.SONGS: frozenset({"genres", "detail_genres", "issue_date", "popularity"}),
    Collection.TAGS: frozenset({"popularity"}),
    Collection.PLAYLISTS: frozenset({"genres", "tags", "updt_date"}),
    Collection.WORDS: frozenset(),
}
"""Fields by whose values the graph has links of its own, so that a filter does not cut it apart.

Not those that say the same as others (`genre_names`, `genre_years`, `issue_year`), and not those of
which a value has so few points that a filter on it is answered by a scan (names, artists).
"""

TENANT_FIELDS: Mapping[Collection, frozenset[str]] = {
    Collection.SONGS: frozenset({"genres", "detail_genres"}),
    Collection.TAGS: frozenset(),
    Collection.PLAYLISTS: frozenset(),
    Collection.WORDS: frozenset(),
}
"""HNSW fields that engines are told hold the names of tenants, so that they link every value.

Of other fields they leave out the values that they take for connected enough already: in every
other build, a genre that a tenth of the songs have was then found with a recall of .86.

Playlists have no tenants. Qdrant stores a tenant's points together, which changes the order of
equal scores; playlists have many of those, and tag nDCG would be .469 instead of .473. (That was
checked on the dev questions, as docs/quality.md says.)
"""

PINNED_FIELDS: Mapping[Collection, frozenset[str]] = {
    Collection.SONGS: frozenset({"genres", "genre_years", "issue_date", "popularity"}),
    Collection.TAGS: frozenset({"popularity"}),
    Collection.PLAYLISTS: frozenset({"song_count"}),
    Collection.WORDS: frozenset(),
}
"""Fields whose index an embedded shard holds in memory of its own, for queries pass their filter
point by point. The others are read from disk: 708,000 songs open in 1.7 s, not in 5 to 8, and take
150 MB, not 460."""

RANGE_ONLY_FIELDS = frozenset({"popularity", "like_count", "song_count"})
"""Integers that nobody looks up but by a range, so that an embedded shard indexes them for that."""

EXACT_BYTES = 20_000_000
"""Vectors of a collection that take less are scanned in about a millisecond."""

SMALL_BYTES = 2_000_000_000
"""Vectors that take more are kept in half precision, on disk."""

MIN_HNSW_EF = 256
HNSW_EF_PER_HIT = 4


def preset_for(points: int, dim: int) -> Preset:
    """The preset, where nobody chose one, of a release whose largest collection has `points`."""
    size = 4 * points * dim
    if size < EXACT_BYTES:
        return Preset.EXACT
    return Preset.SMALL if size > SMALL_BYTES else Preset.BALANCED


def hnsw_ef(limit: int, ef: int | None = None) -> int:
    """The `hnsw_ef` of a search: `ef`, else one that is wide enough for filters, too.

    It found 98.8 % of the 100 nearest songs at least, under every filter in docs/performance.md.
    """
    return max(ef or max(MIN_HNSW_EF, HNSW_EF_PER_HIT * limit), limit)
