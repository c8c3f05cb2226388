"""The validated records of one file, and a report of those that are not valid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from melon.catalog.errors import BadCorpus, BadRecord, shortened
from melon.catalog.json_stream import JsonArray
from melon.catalog.numbers import whole_number
from melon.catalog.report import Cause, Finding, ReadReport, RecordKind
from melon.errors import Problem, counted, place_of, problems
from melon.fields import Field, FieldType
from melon.progress import Progress

RawT = TypeVar("RawT", bound=BaseModel)

_CAUSES = {
    "missing": Cause.MISSING_FIELD,
    "greater_than_equal": Cause.OUT_OF_RANGE,
    "less_than_equal": Cause.OUT_OF_RANGE,
}


class RecordSource:
    """The records of one file.

    Args:
        path: The file.
        kind: What its records are, for the report.
        report: Counts findings.
        advance: Called with the number of bytes, each time some were read.
        fields: What a record may have, by their names in the file.
        strict: Raise `BadRecord` where a record would be skipped, or a value dropped.
        lenient: Take what there is of a file of which less than half can be used.
    """

    def __init__(
        self,
        path: Path,
        kind: RecordKind,
        report: ReadReport,
        advance: Callable[[int], None],
        fields: Mapping[str, Field],
        *,
        strict: bool,
        lenient: bool,
    ) -> None:
        self._array = JsonArray(path, advance=advance)
        self.kind = kind
        self._report = report
        self._fields = fields
        self._strict = strict
        self._lenient = lenient
        self._layouts: Counter[tuple[str, ...]] = Counter()
        self._skipped = 0

    @property
    def path(self) -> Path:
        """The file."""
        return self._array.path

    def records(self, model: type[RawT]) -> Iterator[RawT]:
        """Yield the records that `model` accepts, as they are or without what it refuses of them.

        What cannot be read is reported: optional values and members of lists are dropped, and a
        record is left out where nothing else helps.

        Raises:
            BadCorpus: less than half of the records are used, or there is none, unless that is
                to be taken.
        """
        # `TypeAdapter.validate_python`, which calls this one, takes a fifth longer.
        validate = TypeAdapter(model).validator.validate_python
        for value in self._array:
            if type(value) is dict and len(self._layouts) < MAX_LAYOUTS:
                self._layouts[tuple(value)] += 1
            try:
                raw = validate(value)
            except ValidationError as error:
                mended = self._mended(value, error)
                if mended is None:
                    continue
                raw = validate(mended)
            yield raw
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
            field = self._fields.get(str(name))
            fits = field is not None and field.many == bool(index)
            number = _meant(field, problem.value) if field and fits else None
            needed = field is None or (field.required and not index)
            if number is None and (needed or problem.kind == "missing"):
                self.note(*self._described(problem))
                return None
            if number is None:
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
        """Refuse a file that yields nothing, or less than half; remark on what it misnames."""
        remark = self._misnamed()
        if remark:
            self._report.remarks.append(f"{self.path}: {remark}")
        if self._lenient or 2 * self._skipped <= count > self._skipped:
            return
        used = count - self._skipped
        of_them = f"only {used:,} of {counted(count, 'record')}" if used else "none of its records"
        raise BadCorpus(
            f"{of_them if count else 'it holds no records: none'} can be used"
            + (f"; {remark}" if remark else ""),
            where=str(self.path),
            hint="correct the file, or leave it out; --lenient takes what there is",
        )

    def _misnamed(self) -> str | None:
        """Which fields all records have that are not known, and which known ones none has."""
        if not self._layouts or len(self._layouts) >= MAX_LAYOUTS:
            return None
        everywhere = set.intersection(*map(set, self._layouts))
        anywhere = {name for layout in self._layouts for name in layout}
        layout = next(iter(self._layouts))
        unknown = [name for name in layout if name in everywhere and name not in self._fields]
        lacking = [name for name in self._fields if name not in anywhere | UNUSUAL]
        if not unknown or not lacking:
            return None
        records = counted(self._layouts.total(), "record")
        have = "has" if self._layouts.total() == 1 else "have"
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
        self._report.add(finding)

    def readable(self, raw: RawT) -> RawT | None:
        """The last record without texts that are not Unicode; None if it needs one of them."""
        values = dict(raw.__dict__)
        for attribute, value in values.items():
            name = str(type(raw).model_fields[attribute].alias)
            if isinstance(value, str) and not _is_unicode(value):
                if self._fields[name].required:
                    self.note(Cause.INVALID_TEXT, name, _half(value))
                    return None
                values[attribute] = None
                self.note(Cause.UNREADABLE_VALUE, name, _half(value))
            elif isinstance(value, list):
                for at, member in enumerate(value):
                    if isinstance(member, str) and not _is_unicode(member):
                        self.note(Cause.UNREADABLE_VALUE, f"{name}[{at}]", _half(member))
                values[attribute] = [
                    member for member in value if not isinstance(member, str) or _is_unicode(member)
                ]
        return raw.model_copy(update=values)

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


MAX_LAYOUTS = 1000
"""Sets of fields, in their orders, that are counted of a file: with more, fields are no columns."""

UNUSUAL = {"key"}
"""Fields that most files lack, and rightly."""

DROPPED = object()
"""In place of a member of a list that cannot be read."""


def _meant(field: Field, value: object) -> int | None:
    """The whole number that a value of a field is written for; None if it cannot be one."""
    if field.type not in (FieldType.INTEGER, FieldType.DATE, FieldType.DATETIME):
        return None
    number = whole_number(value)
    if number is None or field.type is not FieldType.INTEGER:
        return number
    return number if field.minimum <= number <= field.maximum else None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _half(text: str) -> str:
    return f"{shortened(text)} has half a surrogate pair"


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def byte_counter(step: str, paths: Sequence[Path], progress: Progress) -> Callable[[int], None]:
    """A function to call with the bytes just read, which tells how far all of the files are."""
    done, total = 0, sum(path.stat().st_size for path in paths if path.is_file())

    def advance(size: int) -> None:
        nonlocal done
        done += size
        progress(step, done, total)

    return advance
