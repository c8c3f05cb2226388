"""A space and its catalogue become one release of the collections."""

from melon.ingest.backup import BadBackup, back_up, restore
from melon.ingest.check import CheckFailed
from melon.ingest.contents import Contents, SparseWeights, contents
from melon.ingest.release import IngestResult, Outcome, ingest, manifest_of, release_name
from melon.ingest.transfer import copy_release

__all__ = [
    "BadBackup",
    "CheckFailed",
    "Contents",
    "IngestResult",
    "Outcome",
    "SparseWeights",
    "back_up",
    "contents",
    "copy_release",
    "ingest",
    "manifest_of",
    "release_name",
    "restore",
]
