"""The typed collections, and the one `VectorStore` protocol with its two engines."""

from melon.store.connect import open_store
from melon.store.errors import (
    BadReleaseName,
    IndexingFailed,
    NoRelease,
    SchemaMismatch,
    StoreBusy,
    StoreUnavailable,
)
from melon.store.filters import (
    Condition,
    DateRange,
    Filter,
    FilterError,
    HasId,
    MatchAny,
    NumberRange,
)
from melon.store.manifest import ReleaseManifest
from melon.store.points import (
    BadPoints,
    Hit,
    Hits,
    Payload,
    PointBatch,
    PointId,
    Record,
    RequestRefused,
    SparseRows,
    SparseVector,
    VectorQuery,
)
from melon.store.protocol import (
    IndexProgress,
    ReleaseBuilder,
    ReleaseInfo,
    ReleaseReader,
    VectorStore,
)
from melon.store.schema import (
    DENSE,
    SCHEMA,
    SCHEMA_VERSION,
    Collection,
    FieldType,
    bigram_point_id,
    tag_point_id,
    word_point_id,
)
from melon.store.text import name_key
from melon.store.tuning import Preset, preset_for

__all__ = [
    "DENSE",
    "SCHEMA",
    "SCHEMA_VERSION",
    "BadPoints",
    "BadReleaseName",
    "Collection",
    "Condition",
    "DateRange",
    "FieldType",
    "Filter",
    "FilterError",
    "HasId",
    "Hit",
    "Hits",
    "IndexProgress",
    "IndexingFailed",
    "MatchAny",
    "NoRelease",
    "NumberRange",
    "Payload",
    "PointBatch",
    "PointId",
    "Preset",
    "Record",
    "ReleaseBuilder",
    "ReleaseInfo",
    "ReleaseManifest",
    "ReleaseReader",
    "RequestRefused",
    "SchemaMismatch",
    "SparseRows",
    "SparseVector",
    "StoreBusy",
    "StoreUnavailable",
    "VectorQuery",
    "VectorStore",
    "bigram_point_id",
    "name_key",
    "open_store",
    "preset_for",
    "tag_point_id",
    "word_point_id",
]
