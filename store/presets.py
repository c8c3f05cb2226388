"""The presets of an index, and how wide both engines search: one place keeps them alike.

docs/performance.md has the measurements that these numbers are from, but for the sizes at which a
preset is chosen: 20 MB and 2 GB are round numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Preset(StrEnum):
    """Ways to index a release.

    `balanced`: an HNSW graph over vectors in single precision. `small`: vectors in half
    precision, read from disk as they are needed. `exact`: no graph, every search is a scan.
    """

    SMALL = "small"
    BALANCED = "balanced"
    EXACT = "exact"

    @property
    def has_graph(self) -> bool:
        """Whether two builds may differ in the last of many hits, for their graphs do."""
        return INDEX_SETTINGS[self].graph


@dataclass(frozen=True, slots=True)
class IndexSettings:
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


INDEX_SETTINGS: dict[Preset, IndexSettings] = {
    Preset.SMALL: IndexSettings(half_precision=True, on_disk=True),
    Preset.BALANCED: IndexSettings(),
    Preset.EXACT: IndexSettings(graph=False),
}

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
