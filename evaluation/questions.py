"""Questions and answers: playlists with parts blanked, and what was blanked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from melon.catalog import BadRecord, Keys, Playlist, ReadReport, read_playlists
from melon.errors import InputError, counted
from melon.evaluation.errors import BadQuestions
from melon.retrieval import PlaylistQuery


def read_questions(path: Path, keys: Keys | None = None) -> list[Playlist]:
    """Read questions, or answers; as each counts, none is skipped.

    Args:
        path: the file.
        keys: says which ids strings stand for, such as `StoreKeys`; by default the file alone does.

    Raises:
        BadQuestions: a record cannot be used, or there is none.
        MalformedJson, UnreadableFile: the file is not a JSON array, or cannot be opened.
    """
    try:
        playlists = list(
            read_playlists([path], report=ReadReport(), keys=keys, strict=True, lenient=True)
        )
    except BadRecord as error:
        raise BadQuestions(error.what, where=error.where, hint="correct the record") from error
    if not playlists:
        raise BadQuestions("there is no playlist", where=str(path))
    return playlists


Pair = tuple[Playlist, Playlist]
"""A question and its answer."""

SHOWN = 5
"""Playlists that an error names at most."""


def paired(questions: Sequence[Playlist], answers: Sequence[Playlist]) -> list[Pair]:
    """Each question with its answer, in the questions' order.

    Raises:
        BadQuestions: a question has no answer, an answer has no question, or a question gives
            what its answer hides.
    """
    check_same([question.id for question in questions], answers, "questions", BadQuestions)
    by_id = {answer.id: answer for answer in answers}
    pairs = [(question, by_id[question.id]) for question in questions]
    giving = [question.id for question, answer in pairs if _gives_away(question, answer)]
    if giving:
        some = ", ".join(map(str, sorted(giving)[:SHOWN]))
        raise BadQuestions(
            f"{len(giving):,} of {counted(len(pairs), 'question')} "
            f"{'gives' if len(giving) == 1 else 'give'} songs or tags that the answers hide, "
            f"such as {'that of playlist' if len(giving) == 1 else 'those of playlists'} {some}",
            hint="answers hold what was blanked, and no more; and QUESTIONS come before ANSWERS",
        )
    return pairs


def _gives_away(question: Playlist, answer: Playlist) -> bool:
    return not (
        set(question.songs).isdisjoint(answer.songs) and set(question.tags).isdisjoint(answer.tags)
    )


def check_same(
    ids: Iterable[int], answers: Sequence[Playlist], what: str, error: type[InputError]
) -> None:
    """Make sure that questions, or results, are about the playlists that the answers are about.

    Args:
        ids: of the playlists of the questions, or results.
        what: `questions` or `results`.
        error: raised if the answers are about other playlists.
    """
    asked, answered = set(ids), {answer.id for answer in answers}
    for differing, problem in (
        (answered - asked, f"the {what} lack playlists of the answers"),
        (asked - answered, f"the {what} hold playlists that the answers do not"),
    ):
        if differing:
            some = ", ".join(map(str, sorted(differing)[:SHOWN]))
            raise error(
                f"{problem}: {len(differing)}, such as {some}",
                hint=f"give the {what} and the answers of the same questions",
            )


KINDS = ("songs", "songs+tags", "tags+title", "title")
"""The kinds of the challenge's questions, by what they give, in its order."""


def kind_of(question: Playlist) -> str:
    """What a question gives: `songs`, `songs+tags`, `tags+title`, `title`, and so on.

    Any mix is named in this manner; `nothing` if all is blank.
    """
    parts = ("songs", "tags", "title")
    return "+".join(part for part in parts if getattr(question, part)) or "nothing"


def order_of_kind(kind: str) -> tuple[int, str]:
    """Sorts the challenge's kinds first, in its order, and others after them, by name."""
    return (KINDS.index(kind) if kind in KINDS else len(KINDS), kind)


def as_query(question: Playlist) -> PlaylistQuery:
    """A question as a query whose playlist, if the store has it, is not among its neighbours.

    A blank title is None already, and blank tags are gone: `melon.catalog` reads them so.
    """
    return PlaylistQuery(
        songs=question.songs,
        tags=question.tags,
        title=question.title,
        playlist=question.id,
    )
