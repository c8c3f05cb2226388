"""Questions and answers: playlists with parts blanked, and what was blanked."""

from __future__ import annotations

from pathlib import Path

from melon.catalog import BadRecord, Playlist, ReadReport, read_playlists
from melon.evaluation.errors import BadQuestions

KINDS = ("songs", "songs+tags", "tags+title", "title")
"""The kinds of question that the challenge asks, in its order."""


def read_questions(path: Path) -> list[Playlist]:
    """Read masked playlists, or what is hidden of them; each counts, so none is skipped.

    Raises:
        BadQuestions: a record cannot be used, or there is none.
        MalformedJson, UnreadableFile: the file is not a JSON array, or cannot be opened.
    """
    try:
        playlists = list(read_playlists([path], report=ReadReport(), strict=True))
    except BadRecord as error:
        raise BadQuestions(error.what, where=error.where, hint="correct the record") from error
    if not playlists:
        raise BadQuestions("there is no playlist", where=str(path))
    return playlists


def kind_of(question: Playlist) -> str:
    """What a question gives: `songs`, `songs+tags`, `tags+title`, `title`, and so on.

    Any mix is named in this manner; `nothing` if all is blank.
    """
    given = {
        "songs": question.songs,
        "tags": question.tags,
        "title": question.title,
    }
    return "+".join(name for name, value in given.items() if value) or "nothing"


def order_of_kind(kind: str) -> tuple[int, str]:
    """Sorts the challenge's kinds first, in its order, and others after them by name."""
    return (KINDS.index(kind) if kind in KINDS else len(KINDS), kind)
