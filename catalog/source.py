"""The validated records of one file, and a report of those that are not valid."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from melon.catalog.errors import BadRecord, shortened
from melon.catalog.json_stream import JsonArray
from melon.catalog.report import Cause, Finding, ReadReport, RecordKind
from melon.errors import first_problem, place_of
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
        strict: Raise `BadRecord` where a record would be skipped.
    """

    def __init__(
        self,
        path: Path,
        kind: RecordKind,
        report: ReadReport,
        advance: Callable[[int], None],
        *,
        strict: bool,
    ) -> None:
        self._array = JsonArray(path, advance=advance)
        self.kind = kind
        self._report = report
        self._strict = strict

    def records(self, model: type[RawT]) -> Iterator[RawT]:
        """Yield the records that `model` accepts, and report the others."""
        # `TypeAdapter.validate_python`, which calls this one, takes a fifth longer.
        validate = TypeAdapter(model).validator.validate_python
        for value in self._array:
            try:
                raw = validate(value)
            except ValidationError as error:
                self._report_invalid(error)
            else:
                yield raw

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
        if self._strict and cause.skips:
            raise BadRecord(finding)
        self._report.add(finding)

    def note_invalid_text(self, raw: BaseModel, text: str) -> None:
        """Report that a text in the last record is not Unicode.

        Raises:
            BadRecord: reading is strict.
        """
        field = None
        for attribute, value in raw:
            name = type(raw).model_fields[attribute].alias
            if value == text:
                field = name
            elif isinstance(value, list) and text in value:
                field = f"{name}[{value.index(text)}]"
        self.note(Cause.INVALID_TEXT, field, f"{shortened(text)} has half a surrogate pair")

    def _report_invalid(self, error: ValidationError) -> None:
        problem = first_problem(error)
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
        self.note(cause, place or None, detail)


def byte_counter(step: str, paths: Sequence[Path], progress: Progress) -> Callable[[int], None]:
    """A function to call with the bytes just read, which tells how far all of the files are."""
    done, total = 0, sum(path.stat().st_size for path in paths if path.is_file())

    def advance(size: int) -> None:
        nonlocal done
        done += size
        progress(step, done, total)

    return advance
