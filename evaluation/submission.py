"""The official submission, `results.json`: replaced as a whole, read with the official checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, ValidationError, WrapValidator

from melon.catalog import (
    CorpusFiles,
    CorpusKeys,
    JsonArray,
    Keys,
    Playlist,
    RecordId,
    array_writer,
    key_of,
)
from melon.errors import counted, first_problem
from melon.evaluation.errors import BadResults
from melon.evaluation.popular import PopularItems
from melon.outputs import make_directory
from melon.retrieval import keys_of
from melon.store import Collection, ReleaseReader
from melon.text import clean_text

SONGS = 100
TAGS = 10
"""How many songs and tags a submission gives for each question, neither more nor fewer."""

Lengths = tuple[int, int]
"""Of a list of songs and of a list of tags."""


def official(_: int) -> Lengths:
    """How long the lists of a playlist's result have to be for the official scorer."""
    return SONGS, TAGS


SHORT_HINT = (
    "lists may be shorter where the store that is named (--path or --url) holds no more beside the "
    "--questions"
)


class _ShortList(ValueError):
    """A list is shorter than it has to be."""


def as_held(
    answers: Sequence[Playlist], questions: Sequence[Playlist] | None, reader: ReleaseReader | None
) -> Callable[[int], Lengths]:
    """How long the lists of a playlist's result have to be, whatever the catalogue.

    That is as long as the official scorer wants them, but for two cases: where no answer hides a
    tag (or a song), lists of tags (or songs) may be of any length, for none is scored; and where
    a store holds no more beside what the question gives, a list has as many as it holds.

    Args:
        answers: what is hidden of each playlist.
        questions: what each gives; without them, nothing.
        reader: of the release that the results are from; without it, there is enough of all.
    """
    songs, tags = (
        whole if any(getattr(answer, name) for answer in answers) else 0
        for name, whole in (("songs", SONGS), ("tags", TAGS))
    )
    if reader is None:
        return lambda _: (songs, tags)
    popular, given = PopularItems(reader), {q.id: q for q in questions or ()}

    def held(playlist: int) -> Lengths:
        question = given.get(playlist)
        seeds, seed_tags = (question.songs, question.tags) if question else ((), ())
        return (
            len(popular.fill_songs((), songs, without=seeds, until=None)),
            len(popular.fill_tags((), tags, without=seed_tags)),
        )

    return held


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to one question: song ids and tags, best first, no repeats.

    There are `SONGS` and `TAGS` of them, or fewer where the store holds no more.
    """

    id: int
    songs: tuple[int, ...]
    tags: tuple[str, ...]


class ResultKeys:
    """What results call songs and playlists where they are to be called by keys, if they have one.

    Args:
        reader: of the release that the results are from.
        questions: whose playlists they are about.
    """

    def __init__(self, reader: ReleaseReader, questions: Iterable[Playlist]) -> None:
        self._reader = reader
        self._playlists = {question.id: question.key for question in questions if question.key}
        self._songs: dict[int, int | str] = {}

    def playlist(self, playlist: int) -> int | str:
        """The key of a playlist, or its id if it has none."""
        return self._playlists.get(playlist, playlist)

    def songs(self, songs: Sequence[int]) -> list[int | str]:
        """The keys of songs, or their ids if they have none; each is looked up once."""
        if new := [song for song in songs if song not in self._songs]:
            self._songs.update(zip(new, new, strict=True))
            self._songs.update(keys_of(self._reader, Collection.SONGS, new))
        return [self._songs[song] for song in songs]


def write_results(path: Path, results: Iterable[Result], keys: ResultKeys | None = None) -> int:
    """Write a submission as its results come, and return how many there were.

    The file is replaced when the last one is written, and left alone if that never happens; its
    directory is made if it does not exist.

    Args:
        path: the submission.
        results: what it consists of.
        keys: says by which keys songs and playlists are written; without, they are by ids.

    Raises:
        BadResults: a list is longer than the official scorer takes it, or holds a repeat.
        UnwritableFile: the file, or the temporary one beside it, cannot be written.
    """
    count = 0
    make_directory(path.parent)
    with array_writer(path) as append:
        for result in results:
            if problem := _problem(result, (0, 0)):
                raise BadResults(problem, where=f"result for playlist {result.id}")
            named = (keys.playlist(result.id), keys.songs(result.songs)) if keys else None
            playlist, songs = named or (result.id, result.songs)
            append({"id": playlist, "songs": songs, "tags": result.tags})
            count += 1
    return count


def read_results(
    path: Path, least: Callable[[int], Lengths] = official, keys: Keys | None = None
) -> Iterator[Result]:
    """Stream a submission, and check what the official scorer checks of a record.

    Tags are composed and stripped as the catalogue's are.

    Args:
        path: the submission.
        least: how long the lists of each playlist have to be; `as_held` gives that of catalogues
            that the official scorer does not know.
        keys: says which ids strings stand for, such as `StoreKeys`; by default the file alone does.

    Raises:
        BadResults: a field is missing or has the wrong type, a list has the wrong length or a
            repeat, or a playlist comes twice.
        MalformedJson, UnreadableFile: the file is not a JSON array, or cannot be opened.
    """
    seen: set[int] = set()
    array = JsonArray(path)
    keys = keys or CorpusKeys(CorpusFiles((path,)))
    for value in array:
        try:
            result = _parse(value, least, keys)
            if result.id in seen:
                raise ValueError("the playlist has a result already")
        except ValueError as problem:
            where = f"{path}, record {array.number} (byte {array.offset})"
            if isinstance(value, dict) and "id" in value:
                where += f", playlist {value['id']!r:.60}"
            hint = SHORT_HINT if isinstance(problem, _ShortList) else None
            raise BadResults(str(problem), where=where, hint=hint) from None
        seen.add(result.id)
        yield result


def _parse(value: object, least: Callable[[int], Lengths], keys: Keys) -> Result:
    """A record, checked.

    Raises:
        ValueError: with what is wrong.
    """
    try:
        raw = _RawResult.model_validate(value)
    except ValidationError as error:
        raise ValueError(_first_problem(error)) from None
    tags = tuple([clean_text(tag) or "" for tag in raw.tags])
    songs = tuple([_id(song, keys.song) for song in raw.songs])
    result = Result(_id(raw.id, keys.playlist), songs, tags)
    fewest = least(result.id)
    if problem := _problem(result, fewest):
        is_short = len(songs) < fewest[0] or len(tags) < fewest[1]
        raise (_ShortList if is_short else ValueError)(problem)
    return result


def _id(named: int | str, id_of: Callable[[str], int]) -> int:
    """The id of a song or playlist that stands in a record by its id or its key.

    Raises:
        ValueError: the key is blank.
    """
    if isinstance(named, int):
        return named
    if (key := key_of(named)) is None:
        raise ValueError("a key is blank")
    return id_of(key)


_Named = Annotated[
    RecordId, WrapValidator(lambda value, check: value if isinstance(value, str) else check(value))
]
"""An id, or a key."""


class _RawResult(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    id: _Named
    songs: list[_Named]
    tags: list[str]


def _problem(result: Result, least: Lengths) -> str | None:
    """What the official scorer would reject, were the lists as long as it wants them; or None."""
    lists: tuple[tuple[str, tuple[int | str, ...], int], ...] = (
        ("songs", result.songs, SONGS),
        ("tags", result.tags, TAGS),
    )
    for (kind, items, most), fewest in zip(lists, least, strict=True):
        if not fewest <= len(items) <= most:
            are = "is" if len(items) == 1 else "are"
            some = counted(len(items), kind.removesuffix("s"))
            wanted = f"exactly {most}" if fewest == most else f"{fewest} to {most}"
            return f"{some} {are} recommended, {wanted} are wanted"
        if len(set(items)) != len(items):
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
