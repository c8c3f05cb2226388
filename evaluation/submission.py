"""The official submission, `results.json`: replaced as a whole, read with the official checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from melon.catalog import JsonArray, RecordId, array_writer
from melon.errors import counted, first_problem
from melon.evaluation.errors import BadResults
from melon.files import make_directory
from melon.text import clean_text

SONGS = 100
TAGS = 10
"""How many songs and tags a submission gives for each question, neither more nor fewer."""


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to one question: `SONGS` song ids and `TAGS` tags, best first, no repeats."""

    id: int
    songs: tuple[int, ...]
    tags: tuple[str, ...]


def write_results(path: Path, results: Iterable[Result]) -> int:
    """Write a submission as its results come, and return how many there were.

    The file is replaced when the last one is written, and left alone if that never happens; its
    directory is made if it does not exist.

    Raises:
        BadResults: a list is not as long as it must be, or holds a repeat.
        UnwritableFile: the file, or the temporary one beside it, cannot be written.
    """
    count = 0
    make_directory(path.parent)
    with array_writer(path) as append:
        for result in results:
            if problem := _problem(result):
                raise BadResults(problem, where=f"result for playlist {result.id}")
            append({"id": result.id, "songs": result.songs, "tags": result.tags})
            count += 1
    return count


def read_results(path: Path) -> Iterator[Result]:
    """Stream a submission, and check what the official scorer checks of a record.

    Tags are composed and stripped as the catalogue's are.

    Raises:
        BadResults: a field is missing or has the wrong type, a list has the wrong length or a
            repeat, or a playlist comes twice.
        MalformedJson, UnreadableFile: the file is not a JSON array, or cannot be opened.
    """
    seen: set[int] = set()
    array = JsonArray(path)
    for value in array:
        try:
            result = _parse(value)
            if result.id in seen:
                raise ValueError("the playlist has a result already")
        except ValueError as problem:
            where = f"{path}, record {array.number} (byte {array.offset})"
            if isinstance(value, dict) and "id" in value:
                where += f", playlist {value['id']!r:.60}"
            raise BadResults(str(problem), where=where) from None
        seen.add(result.id)
        yield result


def _parse(value: object) -> Result:
    """A record, checked.

    Raises:
        ValueError: with what is wrong.
    """
    try:
        raw = _RawResult.model_validate(value)
    except ValidationError as error:
        raise ValueError(_first_problem(error)) from None
    tags = tuple([clean_text(tag) or "" for tag in raw.tags])
    result = Result(raw.id, tuple(raw.songs), tags)
    if problem := _problem(result):
        raise ValueError(problem)
    return result


class _RawResult(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    id: RecordId
    songs: list[RecordId]
    tags: list[str]


def _problem(result: Result) -> str | None:
    """What the official scorer would reject, or None."""
    for kind, items, length in (("songs", result.songs, SONGS), ("tags", result.tags, TAGS)):
        if len(items) != length:
            are = "is" if len(items) == 1 else "are"
            some = counted(len(items), kind.removesuffix("s"))
            return f"{some} {are} recommended, exactly {length} are wanted"
        if len(set(items)) != length:
            item, count = Counter[int | str](items).most_common(1)[0]
            return f"{kind[:-1]} {item!r} is recommended {count} times"
    return None


def _first_problem(error: ValidationError) -> str:
    problem = first_problem(error)
    if not problem.location:
        return "the record is not an object with id, songs and tags"
    if problem.kind == "missing":
        return f"field {problem.place!r} is missing"
    return f"field {problem.place!r}: {problem.what}, not {problem.value!r:.60}"
