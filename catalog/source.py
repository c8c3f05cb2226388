"""The validated records of one file, and a report of those that are not valid."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from melon.catalog.dates import known_date
from melon.catalog.errors import BadCorpus, BadRecord, shortened
from melon.catalog.json_stream import JsonArray
from melon.catalog.numbers import whole_number
from melon.catalog.report import Cause, Finding, ReadReport, RecordKind
from melon.errors import Problem, counted, place_of, problems
from melon.fields import Field, FieldType, read_fields
from melon.progress import Progress

KEYED_FIELDS = {"id", "songs"}
"""Fields whose values are ids, or strings: the keys of what has these ids."""

UNUSUAL = {"key"}
"""Fields that most files lack, and rightly."""

COMPARED = 1000
"""Records whose fields are looked at, to see which are misnamed; of those after them, each 64th."""

DROPPED = object()
"""In place of a member of a list that cannot be read."""

_STRING_OR_NUMBER = core_schema.union_schema([core_schema.str_schema(), core_schema.int_schema()])
_SCHEMAS: dict[FieldType, CoreSchema] = {
    FieldType.TEXT: core_schema.str_schema(),
    FieldType.KEYWORD: core_schema.str_schema(),
    FieldType.FLOAT: core_schema.float_schema(allow_inf_nan=False),
    FieldType.BOOL: core_schema.bool_schema(),
    FieldType.DATE: _STRING_OR_NUMBER,
    FieldType.DATETIME: _STRING_OR_NUMBER,
}

_CAUSES = {
    "missing": Cause.MISSING_FIELD,
    "greater_than_equal": Cause.OUT_OF_RANGE,
    "less_than_equal": Cause.OUT_OF_RANGE,
}


OTHER_FORMATS = (
    "give one JSON array of records, [{…}, {…}]; `melon import` makes it of other formats"
)


class RecordSource:
    """The records of one file.

    Args:
        path: The file.
        kind: What its records are, for the report.
        report: Counts findings.
        advance: Called with the number of bytes, each time some were read.
        fields: What a record may have.
        strict: Raise `BadRecord` where a record would be skipped, or a value dropped.
        lenient: Take what there is of a file of which less than half can be used.
    """

    def __init__(
        self,
        path: Path,
        kind: RecordKind,
        report: ReadReport,
        advance: Callable[[int], None],
        fields: Iterable[Field],
        *,
        strict: bool,
        lenient: bool,
    ) -> None:
        self._array = JsonArray(path, advance=advance, hint=OTHER_FORMATS, constants=True)
        self.kind = kind
        self._report = report
        self.fields = {str(field.source): field for field in read_fields(fields)}
        self._strict = strict
        self._lenient = lenient
        self._compared = 0
        self._filled: Counter[str] = Counter()
        self._skipped = 0
        self._lost: Counter[str] = Counter()
        self._first_lost: dict[str, Finding] = {}

    @property
    def path(self) -> Path:
        """The file."""
        return self._array.path

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield the values of each record's fields, as far as it has them and they can be read.

        What cannot be read is reported: optional values and members of lists are dropped, and a
        record is left out where nothing else helps.

        Raises:
            BadCorpus: less than half of the records are used, or of the values that they have in
                a field, or there is none, unless that is to be taken.
        """
        schema = core_schema.typed_dict_schema(
            {
                name: core_schema.typed_dict_field(_schema(field), required=field.required)
                for name, field in self.fields.items()
            },
            config=core_schema.CoreConfig(strict=True),
        )
        validate = SchemaValidator(schema).validate_python
        skip = 0
        for number, value in enumerate(self._array):
            if not number & skip and isinstance(value, dict):
                skip = 0 if number < COMPARED else 63
                self._compared += 1
                self._filled.update([name for name in value if not _is_nothing(value[name])])
            try:
                values = validate(value)
            except ValidationError as error:
                mended = self._mended(value, error)
                if mended is None:
                    continue
                values = validate(mended)
            yield values
        self._check_yield(self._array.number)

    def _mended(self, value: Any, error: ValidationError) -> dict[str, Any] | None:
        """The record with whole numbers for what is written like one, without what is unreadable.

        None, and a report, if nothing is left that could be used.
        """
        wrong: dict[tuple[int | str, ...], Problem] = {}
        for problem in problems(error):
            # After the field and the index, a location names members of a union.
            steps = problem.location[: 2 if isinstance([*problem.location, 0, 0][1], int) else 1]
            wrong.setdefault(steps, problem)
        mended: dict[str, Any] = {}
        dropped: list[Problem] = []
        for (name, *index), problem in (
            (place or (None,), problem) for place, problem in wrong.items()
        ):
            field = self.fields.get(str(name))
            fits = field is not None and field.many == bool(index)
            number = _meant(field, problem.value) if field and fits else None
            needed = field is None or (field.required and not index)
            if number is None and (needed or problem.kind == "missing"):
                self.note(*self._described(problem))
                return None
            if number is None and (index or not _is_nan(problem.value)):
                dropped.append(problem)
            if not index:
                mended[str(name)] = number
            else:
                members = mended.setdefault(str(name), list(value[name]))
                members[index[0]] = DROPPED if number is None else number
        for name, members in mended.items():
            if isinstance(members, list):
                mended[name] = [member for member in members if member is not DROPPED]
        for problem in dropped:
            _, place, detail = self._described(problem)
            self.note(Cause.UNREADABLE_VALUE, place, detail)
        return {**value, **mended}

    def _check_yield(self, count: int) -> None:
        """Refuse a file that yields nothing, or less than half; remark on what it misnames.

        Half of the records, that is, or of the values that they have in any of the fields.
        """
        remark = self._misnamed()
        if remark:
            self._report.remarks.append(f"{self.path}: {remark}")
        if self._lenient:
            return
        if 2 * self._skipped <= count > self._skipped:
            self._check_fields()
            return
        used = count - self._skipped
        of_them = f"only {used:,} of {counted(count, 'record')}" if used else "none of its records"
        raise BadCorpus(
            f"{of_them if count else 'it holds no records: none'} can be used"
            + (f"; {remark}" if remark else ""),
            where=str(self.path),
            hint="correct the file, or leave it out; --lenient takes what there is",
        )

    def _check_fields(self) -> None:
        """Refuse a file of whose values in a field nothing could be used, or less than half."""
        given = self._given()
        most = {name: lost for name, lost in self._lost.items() if lost <= given[name] < 2 * lost}
        if not most:
            return
        lines = []
        for name, lost in most.items():
            first = self._first_lost[name]
            used = f"only {given[name] - lost:,}" if given[name] > lost else "none"
            values = counted(given[name], "value")
            where = f"record {first.record} (byte {first.offset}), field {first.field!r}"
            lines.append(f"{used} of {values} of {name!r} can be used: {where}: {first.detail}")
        raise BadCorpus(
            "; ".join(lines),
            where=str(self.path),
            hint="correct them, or leave the field out; --lenient takes what there is",
        )

    def _given(self) -> Counter[str]:
        """How many values there are in the fields of which some were lost.

        The file is read again for that, as far as it takes to see that most are not lost.
        """
        given: Counter[str] = Counter()
        doubtful = set(self._lost) if self.path.is_file() else set()
        if not doubtful:
            return given
        for record in JsonArray(self.path, constants=True):
            if not isinstance(record, dict):
                continue
            for name in doubtful:
                given[name] += _count(self.fields[name], record.get(name))
            doubtful = {name for name in doubtful if given[name] < 2 * self._lost[name]}
            if not doubtful:
                break
        return given

    def _misnamed(self) -> str | None:
        """Which fields most records have that are not known, and which known ones most lack."""
        most = [name for name, count in self._filled.items() if 2 * count >= self._compared]
        unknown = [name for name in most if name not in self.fields]
        lacking = [
            name
            for name in self.fields
            if name not in UNUSUAL and 2 * self._filled[name] <= self._compared
        ]
        if not unknown or not lacking:
            return None
        if any(self._filled[name] < self._compared for name in unknown) or any(
            self._filled[name] for name in lacking
        ):
            return f"most records have {_quoted(unknown)}, most lack {_quoted(lacking)}"
        records = counted(self._compared, "record")
        have = "has" if self._compared == 1 else "have"
        return f"{records} {have} {_quoted(unknown)}, none has {_quoted(lacking)}"

    def note(self, cause: Cause, field: str | None, detail: str) -> None:
        """Report something about the last record that was yielded.

        Raises:
            BadRecord: reading is strict, and the cause is one that skips a record.
        """
        finding = Finding(
            self.kind,
            cause,
            self._array.path,
            self._array.number,
            self._array.offset,
            field,
            detail,
        )
        if self._strict and cause.stops:
            raise BadRecord(finding)
        self._skipped += cause.skips
        name = (field or "").partition("[")[0]
        if cause.loses and name in self.fields:
            self._lost[name] += 1
            self._first_lost.setdefault(name, finding)
        self._report.add(finding)

    def readable(self, values: dict[str, Any]) -> dict[str, Any] | None:
        """The last record without texts that are not Unicode; None if it needs one of them."""
        readable = dict(values)
        for name, value in values.items():
            if isinstance(value, str) and not _is_unicode(value):
                if self.fields[name].required:
                    self.note(Cause.INVALID_TEXT, name, _half(value))
                    return None
                del readable[name]
                self.note(Cause.UNREADABLE_VALUE, name, _half(value))
            elif isinstance(value, list):
                for at, member in enumerate(value):
                    if isinstance(member, str) and not _is_unicode(member):
                        self.note(Cause.UNREADABLE_VALUE, f"{name}[{at}]", _half(member))
                readable[name] = [
                    member for member in value if not isinstance(member, str) or _is_unicode(member)
                ]
        return readable

    def _described(self, problem: Problem) -> tuple[Cause, str | None, str]:
        """The cause, the place and the detail of what pydantic refused."""
        # After the field and the index, a location names members of a union.
        field, *index = problem.location[:2] or ("",)
        place = place_of((field, *(part for part in index if isinstance(part, int))))
        if not problem.location:
            cause, detail = Cause.NOT_AN_OBJECT, f"{shortened(problem.value)} is not a record"
        elif problem.kind == "missing":
            cause, detail = Cause.MISSING_FIELD, f"the record has no {place!r}"
        else:
            cause = _CAUSES.get(problem.kind, Cause.WRONG_TYPE)
            detail = f"{problem.what}, not {shortened(problem.value)}"
        return cause, place or None, detail


def _schema(field: Field) -> CoreSchema:
    """What a value of a field has to be in a file."""
    one = _SCHEMAS.get(field.type) or core_schema.int_schema(ge=field.minimum, le=field.maximum)
    if field.name in KEYED_FIELDS:
        one = core_schema.union_schema([one, core_schema.str_schema()])
    value = core_schema.list_schema(one) if field.many else one
    return value if field.required else core_schema.nullable_schema(value)


def _meant(field: Field, value: object) -> int | str | None:
    """The whole number, or the key of digits, that a value stands for; None if it cannot be one."""
    if field.name == "key":
        number = None if isinstance(value, str) else whole_number(value)
        return None if number is None else str(number)
    if field.type not in (FieldType.INTEGER, FieldType.DATE, FieldType.DATETIME):
        return None
    number = whole_number(value)
    if number is None or field.type is not FieldType.INTEGER:
        return number
    return number if field.minimum <= number <= field.maximum else None


def _count(field: Field, value: object) -> int:
    """How many values a field of a record has."""
    if isinstance(value, list):
        return len(value) if field.many else 1
    if _is_nothing(value):
        return 0
    if field.type in (FieldType.DATE, FieldType.DATETIME):
        return known_date(value) is not None
    return 1


def _is_nothing(value: object) -> bool:
    return value is None or value == "" or _is_nan(value)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _half(text: str) -> str:
    return f"{shortened(text)} has half a surrogate pair"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def byte_counter(step: str, paths: Sequence[Path], progress: Progress) -> Callable[[int], None]:
    """A function to call with the bytes just read, which tells how far all of the files are."""
    done, total = 0, sum(path.stat().st_size for path in paths if path.is_file())

    def advance(size: int) -> None:
        nonlocal done
        done += size
        progress(step, done, total)

    return advance
