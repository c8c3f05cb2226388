"""Playlists, questions and results to evaluate."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from melon.catalog import Playlist
from melon.evaluation import SONGS, TAGS, Result, read_questions

FIRST_FILLER = 1_000_000
"""Songs from here on are misses."""


def playlist(
    id: int = 1,
    *,
    songs: Iterable[int] = (),
    tags: Iterable[str] = (),
    title: str | None = None,
    updated: datetime | None = None,
) -> Playlist:
    return Playlist(id, title, tuple(songs), tuple(tags), 0, updated)


def result(
    id: int = 1, *, songs: dict[int, int] | None = None, tags: dict[int, str] | None = None
) -> Result:
    """A result of misses, but for the songs and tags that are given by their 0-based rank."""
    all_songs = {rank: FIRST_FILLER + rank for rank in range(SONGS)} | (songs or {})
    all_tags = {rank: f"miss {rank}" for rank in range(TAGS)} | (tags or {})
    return Result(id, tuple(all_songs.values()), tuple(all_tags.values()))


def write_json(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def record(result: Result) -> dict[str, object]:
    return {"id": result.id, "songs": list(result.songs), "tags": list(result.tags)}


@dataclass(frozen=True)
class HeldOut:
    """A corpus of which a part is held out as questions, and a store of the rest."""

    questions_file: Path
    answers_file: Path
    store: Path

    @property
    def questions(self) -> list[Playlist]:
        return read_questions(self.questions_file)
