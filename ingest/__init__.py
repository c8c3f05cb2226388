"""A space and its catalogue become one release of the collections."""

from melon.ingest.check import CheckFailed
from melon.ingest.contents import Contents, SparseWeights, contents
from melon.ingest.release import IngestResult, Outcome, ingest, manifest_of, release_name

__all__ = [
    "CheckFailed",
    "Contents",
    "IngestResult",
    "Outcome",
    "SparseWeights",
    "contents",
    "ingest",
    "manifest_of",
    "release_name",
]
