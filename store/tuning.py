"""How both engines index: one place, so that they stay alike."""

from __future__ import annotations

HNSW_M = 16
"""Links of a point in the graph."""

HNSW_EF_CONSTRUCT = 128
"""Beam of the search for a new point's links."""

FULL_SCAN_THRESHOLD_KB = 10_000
"""A filter that leaves fewer vectors than this is answered by a scan: exact, and faster."""

INDEXING_THRESHOLD_KB = 10_000
"""Collections whose vectors take less than this get no graph and are scanned."""
