"""What comes back with a point: Edge and qdrant-client say it in the same way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from melon.store.schema import DENSE, SCHEMA, Collection


def payload_selector(payload: tuple[str, ...] | bool) -> bool | list[str]:
    """The payload fields that come back, or all, or none."""
    return payload if isinstance(payload, bool) else list(payload)


def vector_selector(collection: Collection, *, dense: bool, sparse: bool) -> list[str] | bool:
    """The names of the vectors that come back."""
    own = SCHEMA[collection].sparse
    names = [*([DENSE] if dense else []), *([own] if sparse and own else [])]
    return names or False


def dense_of(vectors: object) -> NDArray[np.float32] | None:
    """The dense vector, (dim,), among those of a point by their names, if it has one."""
    if not isinstance(vectors, dict) or DENSE not in vectors:
        return None
    return np.asarray(vectors[DENSE], dtype=np.float32)
