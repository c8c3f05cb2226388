"""What conditions on fields mean in a release: a filter, or what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from unicodedata import normalize

from melon.fields import Field, FieldType
from melon.retrieval.errors import ConstraintError
from melon.retrieval.spans import KINDS, Span, between, intersection, whole_numbers
from melon.retrieval.where import IN, NOT_IN, Clause
from melon.store import (
    SCHEMA,
    Collection,
    CollectionSchema,
    Condition,
    DateRange,
    Filter,
    HasValue,
    MatchAny,
    NumberRange,
    Record,
    ReleaseReader,
)
from melon.text import did_you_mean

POPULAR = 1000
"""Songs whose values are looked through for the one that a misspelt keyword may mean."""

SHOWN = 5
"""Values that a message names where none is near."""

MAX_KNOWN = 100_000
"""Keywords that are remembered at most, some 10 MB; past that, all are forgotten."""


class SongFields:
    """The fields by which a release's songs can be filtered. May be shared by threads.

    Args:
        schema: declares them.
        reader: is asked whether a song has a keyword; without one, any may have it.
    """

    def __init__(self, schema: CollectionSchema, reader: ReleaseReader | None = None) -> None:
        self._fields = {
            normalize("NFC", field.name): field
            for field in schema.indexed
            if field.type is not FieldType.TEXT  # which is for `melon find`
        }
        self._reader = reader
        self._known: set[tuple[str, str]] = set()
        self._held: set[str] = set()

    def filter(self, clauses: Iterable[Clause]) -> Filter:
        """The songs of which all conditions hold.

        Raises:
            ConstraintError: a field is not known, a value is not of its type or in no song, or
                the conditions contradict each other.
        """
        by_field: dict[str, list[Clause]] = {}
        for clause in clauses:
            by_field.setdefault(normalize("NFC", clause.field), []).append(clause)
        found = Filter()
        for name, of_field in by_field.items():
            found = found & self._filter(self._field(name), of_field)
        return found

    def _filter(self, field: Field, clauses: Sequence[Clause]) -> Filter:
        spans = [(clause.operator, self._spans(field, clause)) for clause in clauses]
        wanted = [some for operator, some in spans if operator == IN]
        excluded = [span for operator, some in spans if operator == NOT_IN for span in some]
        bounds = [some for operator, some in spans if operator not in (IN, NOT_IN)]
        if field.many:  # one of its values has to lie between all bounds, any meets a list
            groups = [*wanted, *([intersection(bounds)] if bounds else [])]
        else:
            groups = [intersection([*wanted, *bounds])] if wanted or bounds else []
        for group in groups:
            if all(any(span.is_within(out) for out in excluded) for span in group):
                raise ConstraintError(f"no song can have {' and '.join(map(str, clauses))}")
        if field.type is FieldType.KEYWORD:
            self._check_known(field, [span.value for _, some in spans for span in some])
        elif groups:
            self.check_held(field.name)
        return Filter(
            must=tuple(_condition(field, group) for group in groups),
            must_not=(_condition(field, excluded),) if excluded else (),
        )

    def _field(self, name: str) -> Field:
        if field := self._fields.get(name):
            return field
        near = did_you_mean(name, self._fields)
        raise ConstraintError(
            f"songs cannot be filtered by {name!r}",
            hint=f"{near} {self._there_are()}" if near else self._there_are(),
        )

    def _there_are(self) -> str:
        # The catalogue's own come first: the others are named in the documents.
        fields = sorted(self._fields.values(), key=SCHEMA[Collection.SONGS].fields.__contains__)
        return f"fields are {', '.join(f'{field.name} ({field.type})' for field in fields)}"

    def _spans(self, field: Field, clause: Clause) -> list[Span]:
        """What each value of a condition stands for."""
        kind = KINDS[field.type]
        if clause.operator not in (IN, NOT_IN) and not kind.ordered:
            raise ConstraintError(
                f"{clause}: {field.name} is of type {field.type}, which has no order",
                hint="write = or !=, or a list of values",
            )
        spans = []
        for value in clause.values:
            try:
                span = between(clause.operator, (kind.read if clause.written else kind.take)(value))
                if field.type is FieldType.INTEGER and not (span := whole_numbers(span)):
                    raise ValueError(value)
            except (ConstraintError, ValueError, TypeError, OverflowError) as error:
                blank = isinstance(value, str) and not value.strip()
                reason = f"{value!r} is not {kind.wanted}"
                if isinstance(error, ConstraintError):  # no calendar has that day
                    reason = error.what
                raise ConstraintError(
                    f"the value of {field.name} is empty" if blank else f"{clause}: {reason}",
                    hint=f"{field.name} is of type {field.type}; {self._there_are()}",
                ) from None
            spans.append(span)
        return list(dict.fromkeys(spans))

    def check_held(self, name: str) -> None:
        """Refuse to look for values of a field that no song has.

        Raises:
            ConstraintError: there are none.
        """
        if self._reader is None or name in self._held:
            return
        there = Filter(must=(HasValue(name),))
        if not self._reader.find(Collection.SONGS, there, 1, payload=False):
            raise ConstraintError(
                f"no song of this release has {'an' if name[0] in 'aeiou' else 'a'} {name}",
                hint="leave out what is asked of it",
            )
        self._held.add(name)

    def _check_known(self, field: Field, keywords: Sequence[str]) -> None:
        """Refuse keywords that no song has: they are misspelt.

        One request finds out most, where songs differ in them all; then each is one.
        """
        new = [word for word in keywords if (field.name, word) not in self._known]
        if self._reader is None or not new:
            return
        some = self._having(field, new, len(new))
        there = {value for song in some for value in _listed(song.payload.get(field.name, ()))}
        for word in new:
            if word not in there and not self._having(field, [word], 1):
                raise ConstraintError(
                    f"no song has the {field.name} {word!r}", hint=self._near(field, word)
                )
        if len(self._known) + len(new) > MAX_KNOWN:
            self._known = set()
        self._known.update((field.name, word) for word in new)

    def _having(self, field: Field, keywords: Sequence[str], limit: int) -> list[Record]:
        """Songs that have one of these keywords."""
        assert self._reader is not None
        holding = Filter(must=(MatchAny(field.name, tuple(keywords)),))
        return self._reader.find(Collection.SONGS, holding, limit, payload=(field.name,))

    def _near(self, field: Field, keyword: str) -> str | None:
        """A hint at the keywords of popular songs: those written alike, or else some."""
        assert self._reader is not None
        songs = self._reader.top(Collection.SONGS, "popularity", POPULAR, payload=(field.name,))
        values = (value for song in songs for value in _listed(song.payload.get(field.name, ())))
        known = list(dict.fromkeys(map(str, values)))
        return did_you_mean(keyword, known) or (
            f"others are {', '.join(known[:SHOWN])}" if known else None
        )


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _condition(field: Field, spans: Sequence[Span]) -> Condition:
    """A value of the field lies in one of the spans."""
    is_date = field.type in (FieldType.DATE, FieldType.DATETIME)
    is_range = is_date or field.type is FieldType.FLOAT or (field.index and field.index.range_only)
    values = [] if is_range else [span.value for span in spans if span.value is not None]
    parts: list[Condition] = [MatchAny(field.name, tuple(values))] if values else []
    range_of = DateRange if is_date else NumberRange
    parts += (
        range_of(field.name, **_bounds(span)) for span in spans if is_range or span.value is None
    )
    return parts[0] if len(parts) == 1 else Filter(should=tuple(parts))


def _bounds(span: Span) -> dict[str, Any]:
    """The ends of a span as ranges name them."""
    bounds = {}
    if span.low is not None:
        bounds["gt" if span.low[1] else "gte"] = span.low[0]
    if span.high is not None:
        bounds["lt" if span.high[1] else "lte"] = span.high[0]
    return bounds
