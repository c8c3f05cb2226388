"""A space and its catalogue become one release of the collections."""

from melon.ingest.check import CheckFailed
from melon.ingest.contents import SparseWeights
from melon.ingest.release import IngestResult, Outcome, ingest, release_name

__all__ = [
    "CheckFailed",
    "IngestResult",
    "Outcome",
    "SparseWeights",
    "ingest",
    "release_name",
]
