"""Translation of the neutral models into qdrant-client's, and back.

Reads go over REST, which is the faster one where payloads or vectors come back; what is written
goes over gRPC (`upsert.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
from qdrant_client import models

from melon.fields import Field, FieldType
from melon.store.facets import Facets
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
    replaced,
    utc,
)
from melon.store.points import (
    NO_PAYLOAD,
    Hits,
    PointId,
    Record,
    SparseVector,
    VectorQuery,
    dense_of,
    id_array,
    payload_selector,
)
from melon.store.presets import hnsw_ef
from melon.store.schema import CollectionSchema
from melon.store.server.limits import UNLIMITED, WIDE_EF, Limits
from melon.word_index import WORD_LETTERS

Points = list[dict[str, Any]]
"""As JSON has them."""

PayloadIndex = (
    models.KeywordIndexParams
    | models.IntegerIndexParams
    | models.FloatIndexParams
    | models.BoolIndexParams
    | models.DatetimeIndexParams
    | models.TextIndexParams
)


def payload_index(field: Field) -> PayloadIndex:
    """The index of a payload field, in qdrant-client's terms.

    Raises:
        ValueError: the field has none.
    """
    index = field.index
    if index is None:
        raise ValueError(f"the field {field.name} has no index")
    match field.type:
        case FieldType.TEXT:
            return models.TextIndexParams(
                type=models.TextIndexType.TEXT,
                tokenizer=models.TokenizerType.PREFIX,
                min_token_len=1,
                max_token_len=WORD_LETTERS,
                lowercase=True,
                enable_hnsw=index.in_graph,
            )
        case FieldType.KEYWORD:
            return models.KeywordIndexParams(
                type=models.KeywordIndexType.KEYWORD,
                is_tenant=index.tenant,
                enable_hnsw=index.in_graph,
            )
        case FieldType.INTEGER:
            return models.IntegerIndexParams(
                type=models.IntegerIndexType.INTEGER,
                lookup=True,
                range=True,
                enable_hnsw=index.in_graph,
            )
        case FieldType.FLOAT:
            return models.FloatIndexParams(
                type=models.FloatIndexType.FLOAT, enable_hnsw=index.in_graph
            )
        case FieldType.BOOL:
            return models.BoolIndexParams(
                type=models.BoolIndexType.BOOL, enable_hnsw=index.in_graph
            )
        case FieldType.DATE | FieldType.DATETIME:
            return models.DatetimeIndexParams(
                type=models.DatetimeIndexType.DATETIME, enable_hnsw=index.in_graph
            )


def to_filter(
    filter: Filter | None, schema: CollectionSchema, limits: Limits = UNLIMITED
) -> models.Filter | None:
    """The same filter on a collection, in qdrant-client's terms; None if it asks for nothing.

    Raises:
        FilterError: the collection has no such index.
    """
    if not filter:
        return None
    return _to_filter(replaced(checked(filter, schema), partial(_split, limits=limits)))


def _to_filter(filter: Filter) -> models.Filter:
    def part(conditions: tuple[Condition, ...]) -> list[models.Condition]:
        return [_to_condition(condition) for condition in conditions]

    must, should, must_not = part(filter.must), part(filter.should), part(filter.must_not)
    if _fields(filter.must_not) & _fields(filter.must + filter.should):
        # Server 1.16.3 ignores in `must_not` what stands beside it in `must` or `should`, too,
        # in whatever order its values are.
        must, must_not = [*must, models.Filter(must_not=must_not)], []
    return models.Filter(must=must or None, should=should or None, must_not=must_not or None)


def _split(condition: Condition, limits: Limits) -> Condition:
    """The same, in parts of which each has no more values than a condition may have."""
    match condition:
        case MatchAny(field, values):
            make: Callable[[Any], Condition] = partial(MatchAny, field)
        case HasId(values):
            make = HasId
        case _:
            return condition
    size = limits.values(len(values))
    if size == len(values):
        return condition
    return Filter(
        should=tuple(make(values[start : start + size]) for start in range(0, len(values), size))
    )


def _fields(conditions: tuple[Condition, ...]) -> set[str]:
    """The payload fields that conditions are about; "" for the id."""
    fields: set[str] = set()
    for condition in conditions:
        match condition:
            case Filter(must, should, must_not):
                fields |= _fields(must + should + must_not)
            case HasId():
                fields.add("")
            case _:
                fields.add(condition.field)
    return fields


def _to_condition(condition: Condition) -> models.Condition:
    match condition:
        case MatchAny(field, values) if isinstance(values[0], bool):  # Qdrant takes one at a time
            one_of = [models.MatchValue(value=value) for value in values]
            return models.Filter(
                should=[models.FieldCondition(key=field, match=match) for match in one_of]
            )
        case MatchAny(field, values):
            any_of = models.MatchAny(any=list(values))
            return models.FieldCondition(key=field, match=any_of)
        case NumberRange(field, gte, lte, gt, lt):
            numbers = models.Range(gte=gte, lte=lte, gt=gt, lt=lt)
            return models.FieldCondition(key=field, range=numbers)
        case DateRange(field, gte, lte, gt, lt):
            moments = models.DatetimeRange(gte=_utc(gte), lte=_utc(lte), gt=_utc(gt), lt=_utc(lt))
            return models.FieldCondition(key=field, range=moments)
        case HasWords(field, words):
            return models.FieldCondition(key=field, match=models.MatchText(text=words))
        case HasValue(field):
            empty = models.IsEmptyCondition(is_empty=models.PayloadField(key=field))
            return models.Filter(must_not=[empty])
        case HasId(ids):
            return models.HasIdCondition(has_id=list(ids))
        case Filter():
            return _to_filter(condition)


def _utc(moment: datetime | None) -> datetime | None:
    return utc(moment) if moment else None


def to_query(
    query: VectorQuery, schema: CollectionSchema, limits: Limits = UNLIMITED
) -> models.QueryRequest:
    """One search of a collection, in qdrant-client's terms.

    Raises:
        FilterError: the collection has no such index.
    """
    vector: list[float] | models.SparseVector
    if isinstance(query.vector, SparseVector):
        vector = models.SparseVector(
            indices=query.vector.indices.tolist(), values=query.vector.values.tolist()
        )
    else:
        vector = query.vector.tolist()
    exact = query.exact or is_scanned(query.filter, schema)
    ef = hnsw_ef(query.limit, query.ef)
    if exact and not limits.allows_exact:
        exact, ef = False, max(ef, WIDE_EF)
    return models.QueryRequest(
        query=models.NearestQuery(nearest=vector),
        using=query.using,
        limit=limits.page(query.limit),
        filter=to_filter(query.filter, schema, limits),
        params=models.SearchParams(exact=exact, hnsw_ef=limits.ef(ef)),
        with_payload=payload_selector(query.payload),
    )


# On answers of another shape, the functions below raise whatever Python does. `ServerErrors` makes
# an error of melon's of it.


def from_hits(query: VectorQuery, points: Points) -> Hits:
    """Scored points."""
    scores = np.array([point["score"] for point in points], np.float64)
    if not np.isfinite(scores).all():
        raise ValueError("a score is not finite")
    return Hits(
        ids=id_array([point["id"] for point in points]),
        scores=scores,
        payloads=[p.get("payload") or NO_PAYLOAD for p in points] if query.payload else (),
    )


def from_ordered(page: Any) -> dict[PointId, int]:
    """The points of a page with the integers that they were ordered by."""
    return {point["id"]: int(point["order_value"]) for point in _checked_points(page["points"])}


def from_page(page: Any) -> tuple[list[Record], PointId | None]:
    """The points of a page, and where the next one begins."""
    following = page["next_page_offset"]
    if following is not None:
        _check_id(following)
    return from_records(page["points"]), following


def from_records(points: Any) -> list[Record]:
    """Points without scores."""
    return [_record(point) for point in _checked_points(points)]


def from_batch(answers: Any, number: int) -> list[Points]:
    """The points of each of so many queries."""
    found = [_checked_points(answer["points"]) for answer in answers]
    if len(found) != number:
        raise ValueError(f"{number} queries have {len(found)} answers")
    return found


def from_facet(answer: Any) -> Facets:
    """The values of a field, each with its count."""
    counts = [(hit["value"], hit["count"]) for hit in answer["hits"]]
    for value, count in counts:
        if not isinstance(value, str | int) or type(count) is not int:
            raise TypeError(f"{count!r:.80} of {value!r:.80} is no count")
    return counts


def _checked_points(points: Any) -> Points:
    for point in points:
        _check_id(point["id"])
        if not isinstance(point.get("payload") or {}, dict):
            raise TypeError(f"{point['payload']!r:.80} is no payload")
    return list(points)


def _check_id(point_id: object) -> None:
    if type(point_id) is not int and type(point_id) is not str:
        raise TypeError(f"{point_id!r:.80} is no id of a point")


def _record(point: dict[str, Any]) -> Record:
    vector = point.get("vector")
    return Record(point["id"], point.get("payload") or {}, dense_of(vector), _sparse(vector))


def _sparse(vector: object) -> SparseVector | None:
    for part in vector.values() if isinstance(vector, dict) else ():
        if isinstance(part, dict):
            return SparseVector(
                np.asarray(part["indices"], np.uint32), np.asarray(part["values"], np.float32)
            )
    return None
