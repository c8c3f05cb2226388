"""A space and its catalogue become one release of the collections."""

from melon.ingest.check import CheckFailed
from melon.ingest.contents import SparseWeights
from melon.ingest.release import IngestProgress, IngestResult, Outcome, Step, ingest, release_name

__all__ = [
    "CheckFailed",
    "IngestProgress",
    "IngestResult",
    "Outcome",
    "SparseWeights",
    "Step",
    "ingest",
    "release_name",
]
