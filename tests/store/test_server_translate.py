"""Points as the server's messages, filled in place, are those that qdrant-client would send."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qdrant_client import models
from qdrant_client.conversions.conversion import GrpcToRest
from store_samples import DIM, sample

from melon.store import DENSE, BadPoints, PointBatch, tag_point_id
from melon.store.server.upsert import to_upsert


def test_messages_hold_what_the_batch_holds() -> None:
    batch = sample().songs
    assert batch.sparse is not None
    for row, message in enumerate(to_upsert("songs", batch, "playlists").points):
        point = GrpcToRest.convert_point_struct(message)
        assert point.id == batch.ids[row]
        assert point.payload == batch.payloads[row]
        vectors = point.vector
        assert isinstance(vectors, dict)
        expected = {DENSE} if batch.dense[row].any() else set()
        indices, values = batch.sparse.row(row)
        expected |= {"playlists"} if len(indices) else set()
        assert set(vectors) == expected
        if DENSE in vectors:
            np.testing.assert_array_equal(np.array(vectors[DENSE], np.float32), batch.dense[row])
        if "playlists" in vectors:
            sparse = vectors["playlists"]
            assert isinstance(sparse, models.SparseVector)
            assert sparse.indices == indices.tolist()
            assert sparse.values == values.tolist()


@pytest.mark.parametrize("layout", ["column order", "every second row", "float64"])
def test_the_layout_in_memory_does_not_matter(layout: str) -> None:
    rows = np.random.default_rng(3).normal(size=(4, DIM)).astype(np.float32)
    laid_out: dict[str, Any] = {
        "column order": np.asfortranarray(rows),
        "every second row": np.repeat(rows, 2, axis=0)[::2],
        "float64": rows.astype(np.float64),
    }
    batch = PointBatch([tag_point_id(str(n)) for n in range(4)], laid_out[layout], None, [{}] * 4)
    for expected, message in zip(rows, to_upsert("songs", batch, None).points, strict=True):
        data = message.vectors.vectors.vectors[DENSE].dense.data
        np.testing.assert_array_equal(np.array(data, np.float32), expected)


@pytest.mark.parametrize("value", ["비", 2**40, 1.5, True, ["a", "b"], [1, 2], [0.5], [False]])
def test_payloads_keep_their_types(value: object) -> None:
    batch = PointBatch([1], np.ones((1, DIM), np.float32), None, [{"field": value}])
    [message] = to_upsert("songs", batch, None).points
    payload = GrpcToRest.convert_point_struct(message).payload
    assert payload == {"field": value}
    assert type(payload["field"]) is type(value)


@pytest.mark.parametrize("value", [None, {"nested": 1}, [None], ("a",)])
def test_payloads_of_other_types_are_refused(value: object) -> None:
    batch = PointBatch([1], np.ones((1, DIM), np.float32), None, [{"field": value}])
    with pytest.raises(BadPoints, match="field field"):
        to_upsert("songs", batch, None)
