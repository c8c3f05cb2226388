"""Translation of the neutral models into Qdrant Edge's, and back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import qdrant_edge as edge

from melon.fields import Field, FieldType
from melon.store.filters import (
    Condition,
    DateRange,
    Filter,
    HasId,
    HasValue,
    HasWords,
    MatchAny,
    NumberRange,
    checked,
    is_scanned,
    utc,
)
from melon.store.points import (
    NO_PAYLOAD,
    Hits,
    PointBatch,
    PointId,
    Record,
    SparseVector,
    VectorQuery,
    dense_of,
    id_array,
    payload_selector,
)
from melon.store.presets import hnsw_ef
from melon.store.schema import DENSE, CollectionSchema
from melon.word_index import WORD_LETTERS

PayloadIndex = (
    edge.KeywordIndexParams
    | edge.IntegerIndexParams
    | edge.FloatIndexParams
    | edge.BoolIndexParams
    | edge.DatetimeIndexParams
    | edge.TextIndexParams
)


def payload_index(field: Field) -> PayloadIndex:
    """The index of a payload field, in Edge's terms.

    Raises:
        ValueError: the field has none.
    """
    index = field.index
    if index is None:
        raise ValueError(f"the field {field.name} has no index")
    memory = edge.Memory.Pinned if index.pinned else edge.Memory.Cold
    match field.type:
        case FieldType.TEXT:
            return edge.TextIndexParams(
                tokenizer=edge.TokenizerType.Prefix,
                min_token_len=1,
                max_token_len=WORD_LETTERS,
                lowercase=True,
                enable_hnsw=index.in_graph,
                memory=memory,
            )
        case FieldType.KEYWORD:
            return edge.KeywordIndexParams(
                is_tenant=index.tenant, enable_hnsw=index.in_graph, memory=memory
            )
        case FieldType.INTEGER:
            return edge.IntegerIndexParams(
                lookup=not index.range_only,
                range=True,
                enable_hnsw=index.in_graph,
                memory=memory,
            )
        case FieldType.FLOAT:
            return edge.FloatIndexParams(enable_hnsw=index.in_graph, memory=memory)
        case FieldType.BOOL:
            return edge.BoolIndexParams(enable_hnsw=index.in_graph, memory=memory)
        case FieldType.DATE | FieldType.DATETIME:
            return edge.DatetimeIndexParams(enable_hnsw=index.in_graph, memory=memory)


def to_filter(filter: Filter | None, schema: CollectionSchema) -> edge.Filter | None:
    """The same filter on a collection, in Edge's terms; None if it asks for nothing.

    Raises:
        FilterError: the collection has no such index.
    """
    return _to_filter(checked(filter, schema)) if filter else None


def _to_filter(filter: Filter) -> edge.Filter:
    def part(conditions: tuple[Condition, ...]) -> list[edge.ConditionType] | None:
        return [_to_condition(condition) for condition in conditions] or None

    return edge.Filter(
        must=part(filter.must), should=part(filter.should), must_not=part(filter.must_not)
    )


def _to_condition(condition: Condition) -> edge.ConditionType:
    match condition:
        case MatchAny(field, values) if isinstance(values[0], bool):  # Qdrant takes one at a time
            # numpy's, for Edge takes Python's for the integers 0 and 1
            one_of = [edge.MatchValue(np.bool_(value)) for value in values]  # type: ignore[arg-type]
            return edge.Filter(should=[edge.FieldCondition(field, match=match) for match in one_of])
        case MatchAny(field, values):
            return edge.FieldCondition(field, match=edge.MatchAny(list(values)))  # type: ignore[arg-type]
        case NumberRange(field, gte, lte, gt, lt):
            numbers = edge.RangeFloat(gte=gte, lte=lte, gt=gt, lt=lt)
            return edge.FieldCondition(field, range=numbers)
        case DateRange(field, gte, lte, gt, lt):
            moments = edge.RangeDateTime(
                gte=rfc3339(gte), lte=rfc3339(lte), gt=rfc3339(gt), lt=rfc3339(lt)
            )
            return edge.FieldCondition(field, range=moments)
        case HasWords(field, words):
            return edge.FieldCondition(field, match=edge.MatchText(words))
        case HasValue(field):
            return edge.Filter(must_not=[edge.IsEmptyCondition(field)])
        case HasId(ids):
            return edge.HasIdCondition(set(ids))
        case Filter():
            return _to_filter(condition)


def rfc3339(moment: datetime | None) -> str | None:
    """A moment as Qdrant reads it."""
    return utc(moment).isoformat() if moment else None


def to_query(query: VectorQuery, schema: CollectionSchema) -> edge.QueryRequest:
    """One search of a collection, in Edge's terms.

    Raises:
        FilterError: the collection has no such index.
    """
    vector: list[float] | edge.SparseVector
    if isinstance(query.vector, SparseVector):
        vector = edge.SparseVector(query.vector.indices.tolist(), query.vector.values.tolist())
    else:
        vector = query.vector.tolist()
    return edge.QueryRequest(
        limit=query.limit,
        query=edge.Query.Nearest(vector, using=query.using),
        filter=to_filter(query.filter, schema),
        params=edge.SearchParams(
            exact=query.exact or is_scanned(query.filter, schema),
            hnsw_ef=hnsw_ef(query.limit, query.ef),
        ),
        with_payload=payload_selector(query.payload),
        with_vector=False,
    )


def to_points(batch: PointBatch, sparse_name: str | None) -> list[edge.Point]:
    """Points with their vectors; a row of zeros is a point without a dense vector."""
    dense = batch.dense.tolist()
    has_dense = np.any(batch.dense, axis=1).tolist()
    points = []
    for i, point_id in enumerate(batch.ids):
        vector: dict[str, Any] = {}
        if has_dense[i]:
            vector[DENSE] = dense[i]
        if batch.sparse is not None and sparse_name is not None:
            indices, values = batch.sparse.row(i)
            if len(indices):
                vector[sparse_name] = edge.SparseVector(indices.tolist(), values.tolist())
        points.append(edge.Point(point_id, vector, batch.payloads[i]))
    return points


def from_hits(query: VectorQuery, points: Sequence[edge.ScoredPoint]) -> Hits:
    """Scored points; what the query did not ask for is not looked at, which halves the time."""
    return Hits(
        ids=id_array(_ids(points)),
        scores=np.array([point.score for point in points], np.float64),
        payloads=[p.payload or NO_PAYLOAD for p in points] if query.payload else (),
    )


def from_ordered(points: Sequence[edge.Record]) -> dict[PointId, int]:
    """Points with the integers that they were ordered by."""
    values = (int(point.order_value) for point in points)  # type: ignore[arg-type]
    return dict(zip(_ids(points), values, strict=True))


def from_record(point: edge.Record) -> Record:
    """A point without a score. Its parts are looked at once: Edge makes them anew each time."""
    vector = point.vector
    if not vector:
        return Record(_id(point.id), point.payload or {})
    sparse = _sparse(vector) if len(vector) > 1 or DENSE not in vector else None
    return Record(_id(point.id), point.payload or {}, dense_of(vector), sparse)


def _ids(points: Sequence[edge.ScoredPoint] | Sequence[edge.Record]) -> list[PointId]:
    """The ids of points of one collection: all of them numbers, or all of them UUIDs."""
    ids = [point.id for point in points]
    return ids if not ids or isinstance(ids[0], int) else list(map(str, ids))  # type: ignore[return-value]


def _id(value: edge.PointId) -> PointId:
    return value if isinstance(value, int) else str(value)


def _sparse(vector: object) -> SparseVector | None:
    for part in vector.values() if isinstance(vector, dict) else ():
        if isinstance(part, edge.SparseVector):
            return SparseVector(
                np.asarray(part.indices, np.uint32), np.asarray(part.values, np.float32)
            )
    return None
