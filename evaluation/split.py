"""Playlists become questions and answers, with the challenge's masks, and the rest to train on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate
from math import inf
from pathlib import Path
from typing import TypeVar

import numpy as np

from melon.catalog import Playlist, ReadReport, array_writer, playlist_record, read_playlists
from melon.errors import InputError, counted
from melon.evaluation.errors import NothingToHide
from melon.evaluation.questions import KINDS
from melon.evaluation.submission import SONGS, TAGS
from melon.files import check_directory, check_not_read, claim_directory

CHALLENGE_SHARES = (30.0, 50.0, 15.0, 5.0)
"""How many of each hundred questions are of each of `KINDS`, in the challenge."""

TRAIN_FILE, QUESTIONS_FILE, ANSWERS_FILE = "train.json", "questions.json", "answers.json"
WRITER = "`melon split`"
_WRITTEN = (TRAIN_FILE, QUESTIONS_FILE, ANSWERS_FILE)

MIN_SONGS = 2
"""Songs that a playlist needs: one to give, and one to hide."""

Item = TypeVar("Item", int, str)


@dataclass(frozen=True, slots=True)
class SplitCounts:
    """How many playlists went where."""

    train: int
    held_out: int


def split(
    playlists: Sequence[Path],
    out_dir: Path,
    *,
    hold_out: float = 0.1,
    min_songs: int = MIN_SONGS,
    shares: Sequence[float] = CHALLENGE_SHARES,
    seed: int = 0,
    report: ReadReport | None = None,
    strict: bool = False,
) -> SplitCounts:
    """Hold out playlists as questions and answers, and leave the rest for training.

    Writes `train.json`, `questions.json` and `answers.json`, in the order in which the playlists
    are read. By default 30 % of the questions give songs, 50 % songs and tags, 15 % tags and the
    title, 5 % the title alone. A question that gives songs or tags gives half of them, rounded
    down, and hides the others: a single tag is always hidden, so that some questions give less
    than their kind says. One that gives songs has no title. As in the challenge, an answer keeps
    the first 100 songs and 10 tags.

    Only playlists with a title, a tag and `min_songs` songs are held out. The same playlists,
    options and seed give the same bytes, with the same version of numpy. The files are read
    twice, so that only a few numbers of each playlist are kept in memory.

    Args:
        playlists: files in the format of `train.json`.
        out_dir: made if it does not exist.
        hold_out: the share of all playlists that is held out, or from 1 on their number.
        min_songs: playlists with fewer songs stay in training; `MIN_SONGS` at least.
        shares: how many questions of each of `KINDS` there are, in any unit.
        seed: of all random draws.
        report: counts what is read and skipped.
        strict: raise at the first record that would be skipped.

    Raises:
        NothingToHide: there are too few playlists to hold out so many.
        ForeignFile: one of the files is there, and `melon split` did not write it.
        UnwritableFile: the directory or a file in it cannot be written.
        ReplacedInput: a file would replace one that is read.
        InputError: a number is out of range.
    """
    _check(playlists, out_dir, float(hold_out), min_songs, shares)
    rng = np.random.default_rng(seed)
    total = 0
    eligible: list[int] = []
    for playlist in read_playlists(playlists, report=report or ReadReport(), strict=strict):
        total += 1
        if playlist.title and playlist.tags and len(playlist.songs) >= min_songs:
            eligible.append(playlist.id)
    wanted = int(_exact(hold_out) * (1 if hold_out >= 1 else total))
    if total and not wanted:
        raise NothingToHide(
            f"{hold_out:g} of {counted(total, 'playlist')} is less than one",
            where=", ".join(map(str, playlists)),
            hint="hold out a larger share, or from 1 on a number of playlists",
        )
    if not 0 < wanted <= len(eligible):
        raise NothingToHide(
            f"{wanted:,} of {counted(total, 'playlist')} should be held out, but "
            f"{len(eligible):,} {'has' if len(eligible) == 1 else 'have'} a title, a tag and "
            f"{counted(min_songs, 'song')}",
            where=", ".join(map(str, playlists)),
        )
    drawn = rng.choice(np.array(eligible, np.int64), wanted, replace=False)
    kinds = _kinds(drawn.tolist(), shares)
    claim_directory(out_dir, WRITER)
    with (
        array_writer(out_dir / TRAIN_FILE) as train,
        array_writer(out_dir / QUESTIONS_FILE) as asked,
        array_writer(out_dir / ANSWERS_FILE) as hidden,
    ):
        for playlist in read_playlists(playlists, report=ReadReport(), strict=strict):
            if (kind := kinds.get(playlist.id)) is None:
                train(playlist_record(playlist))
            else:
                question, answer = mask(playlist, kind, rng)
                asked(playlist_record(question))
                hidden(playlist_record(answer))
    return SplitCounts(train=total - wanted, held_out=wanted)


def _check(
    playlists: Sequence[Path],
    out_dir: Path,
    hold_out: float,
    min_songs: int,
    shares: Sequence[float],
) -> None:
    if (
        len(shares) != len(KINDS)
        or not all(0 <= share < inf for share in shares)
        or not any(shares)
    ):
        raise InputError(
            f"{'/'.join(f'{share:g}' for share in shares)} are no shares of {len(KINDS)} kinds of "
            "question",
            hint=f"give one number for each of {', '.join(KINDS)}",
        )
    if not (0 < hold_out < 1 or (hold_out >= 1 and hold_out.is_integer())):
        raise InputError(
            f"{hold_out:g} playlists cannot be held out",
            hint="give a share below 1, or a whole number of playlists",
        )
    if min_songs < MIN_SONGS:
        raise InputError(f"playlists of {min_songs} songs have none to give and none to hide")
    for name in _WRITTEN:
        check_not_read(out_dir / name, playlists)
    check_directory(out_dir, _WRITTEN, WRITER)


def _kinds(drawn: Sequence[int], shares: Sequence[float]) -> dict[int, str]:
    """The kind of question that each held-out playlist becomes.

    A kind and those before it together get their share of the playlists, rounded down, so that
    every playlist becomes a question.
    """
    ends = list(accumulate(map(_exact, shares)))
    stops = [int(end / ends[-1] * len(drawn)) for end in ends]
    starts = [0, *stops[:-1]]
    return {
        playlist: kind
        for kind, start, stop in zip(KINDS, starts, stops, strict=True)
        for playlist in drawn[start:stop]
    }


def _exact(number: float) -> Fraction:
    """The number as it was written, where 0.29 of 100 is 29."""
    return Fraction(str(number))


def mask(playlist: Playlist, kind: str, rng: np.random.Generator) -> tuple[Playlist, Playlist]:
    """Blank parts of a playlist: a question of what is left, and an answer of what was blanked.

    Args:
        playlist: a whole playlist.
        kind: what the question gives, one of `KINDS`.
        rng: draws the songs and tags that stay in the question.
    """
    parts = kind.split("+")
    songs, hidden_songs = _halves(playlist.songs, rng) if "songs" in parts else ((), playlist.songs)
    tags, hidden_tags = _halves(playlist.tags, rng) if "tags" in parts else ((), playlist.tags)
    title = playlist.title if "title" in parts else None
    return (
        replace(playlist, songs=songs, tags=tags, title=title),
        replace(playlist, songs=hidden_songs[:SONGS], tags=hidden_tags[:TAGS]),
    )


def _halves(
    items: tuple[Item, ...], rng: np.random.Generator
) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Half of the items, rounded down, drawn at random, and the others; both keep their order."""
    drawn = set(rng.permutation(len(items))[: len(items) // 2].tolist())
    half = tuple([item for index, item in enumerate(items) if index in drawn])
    return half, tuple([item for index, item in enumerate(items) if index not in drawn])
