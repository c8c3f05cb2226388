"""Playlists become questions and answers, with the challenge's masks, and the rest to train on."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TypeVar

import numpy as np

from melon.catalog import (
    FIELDS_FILE,
    GENRE_FILE,
    SONG_FILE,
    CorpusFiles,
    CorpusKeys,
    Playlist,
    ReadReport,
    array_writer,
    find_corpus,
    playlist_record,
    read_playlists,
)
from melon.errors import ForeignFile, InputError, counted
from melon.evaluation.drawing import (
    BOTH_HALVES,
    CHALLENGE_SHARES,
    Draw,
    counts_by_kind,
    exact,
    fitting,
    needs,
)
from melon.evaluation.errors import NothingToHide
from melon.evaluation.questions import KINDS
from melon.evaluation.submission import SONGS, TAGS
from melon.files import copy_atomically
from melon.outputs import check_directory, check_not_read, claim_directory

TRAIN_FILE, QUESTIONS_FILE, ANSWERS_FILE = "train.json", "questions.json", "answers.json"
WRITER = "`melon split`"

Item = TypeVar("Item", int, str)


@dataclass(frozen=True, slots=True)
class SplitCounts:
    """What became of the playlists.

    Attributes:
        train: how many are left to train on.
        held_out: how many became questions.
        kinds: how many of these are of each of `KINDS`.
        wanted: how many of each there would be, had enough playlists what that takes.
        untagged: how many give no tag although their kind does, for their only one is hidden.
        copies: how many have the songs of a playlist that is left to train on.
    """

    train: int
    held_out: int
    kinds: Mapping[str, int]
    wanted: Mapping[str, int]
    untagged: int
    copies: int


def split(
    corpus: Sequence[Path],
    out_dir: Path,
    *,
    hold_out: float = 0.1,
    min_songs: int = BOTH_HALVES,
    shares: Sequence[float] | None = None,
    seed: int = 0,
    replace: bool = False,
    report: ReadReport | None = None,
    strict: bool = False,
    lenient: bool = False,
) -> SplitCounts:
    """Hold out playlists as questions and answers, and leave the rest for training.

    Writes `train.json`, `questions.json` and `answers.json`, in the order in which the playlists
    are read, and beside them a copy of each file of metadata, for training on the directory to
    read: with an integer id and a key for each song, where strings stand in place of ids. By
    default 30 % of the questions give songs, 50 % songs and tags, 15 % tags and the title, 5 % the
    title alone; where too few playlists have what a kind takes, there are more questions of the
    others. A question that gives songs or tags gives half of them, rounded down, and hides the
    others: a single tag is always hidden, so that some questions give less than their kind says.
    One that gives songs has no title. As in the challenge, an answer keeps the first 100 songs and
    10 tags.

    A playlist becomes a question only of a kind that it has enough for: two songs where songs are
    given, a tag where tags are, a title where that is. The same playlists, options and seed give
    the same bytes, with the same version of numpy. The playlists are read twice, so that only a
    few numbers of each are kept in memory.

    Args:
        corpus: directories in Melon's format, and files of playlists: see `find_corpus`.
        out_dir: made if it does not exist.
        hold_out: the share of all playlists that is held out, or from 1 on their number.
        min_songs: playlists with fewer songs stay in training.
        shares: how many questions of each of `KINDS` there are, in any unit; None for the
            challenge's, as far as the playlists allow.
        seed: of all random draws.
        replace: take the place of a split that is in the directory.
        report: counts what is read and skipped.
        strict: raise at the first record that would be skipped.
        lenient: take what there is of a file of which less than half can be used.

    Raises:
        NothingToHide: there are too few playlists to hold out so many, or with what the `shares`
            ask for, or none would be left to train on.
        ForeignFile: a split is there and is not to be replaced, or one of the files is there that
            `melon split` did not write, or a file of metadata that does not belong to these
            playlists.
        UnwritableFile: the directory or a file in it cannot be written.
        ReplacedInput: a file would replace one that is read.
        UnreadableFile, BadCorpus: see `find_corpus`.
        InputError: a number is out of range.
    """
    _check_numbers(float(hold_out), min_songs, shares)
    files = find_corpus(corpus)
    metadata = _check_files(files, out_dir, replace)
    rng = np.random.default_rng(seed)
    ids: list[int] = []
    fits: list[int] = []
    total = 0
    asked = sum((share > 0) << kind for kind, share in enumerate(shares or CHALLENGE_SHARES))
    keys = CorpusKeys(files)
    report = report or ReadReport()
    for playlist in read_playlists(
        files.playlists, report=report, keys=keys, strict=strict, lenient=lenient
    ):
        total += 1
        if fit := asked & fitting(
            len(playlist.songs), len(playlist.tags), playlist.title is not None, min_songs
        ):
            ids.append(playlist.id)
            fits.append(fit)
    for name in _METADATA:
        if name != SONG_FILE or not keys.met:  # else it is written anew
            _check_absent(metadata, out_dir / name)
    where = ", ".join(map(str, files.playlists))
    wanted = int(exact(hold_out) * (1 if hold_out >= 1 else total))
    _check_count(hold_out, wanted, total, where)
    by_kind = counts_by_kind(wanted, shares or CHALLENGE_SHARES)
    if wanted > len(ids):
        raise _too_few(wanted, total, fits, by_kind, min_songs, where)
    draw = Draw(fits, wanted, rng)
    missing = [count - draw.take(kind, count) for kind, count in enumerate(by_kind)]
    if shares is None:
        left = sum(missing)
        missing = [left - draw.take_any(left)]
    if any(missing):
        raise _too_few(wanted, total, fits, by_kind, min_songs, where)
    kinds = {ids[index]: kind for index, kind in draw.kinds().items()}
    claim_directory(out_dir, WRITER)
    if keys.write_songs(out_dir / SONG_FILE):
        metadata.pop(SONG_FILE, None)
    for name, file in metadata.items():
        copy_atomically(file, out_dir / name)
    untagged, copies = _write(files.playlists, out_dir, kinds, rng, keys)
    counts = Counter(kinds.values())
    return SplitCounts(
        train=total - wanted,
        held_out=wanted,
        kinds={kind: counts[kind] for kind in KINDS},
        wanted=dict(zip(KINDS, by_kind, strict=True)),
        untagged=untagged,
        copies=copies,
    )


def _check_numbers(hold_out: float, min_songs: int, shares: Sequence[float] | None) -> None:
    if shares is not None and (
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
    if min_songs < 0:
        raise InputError(f"no playlist has {min_songs} songs")


def _metadata(files: CorpusFiles) -> dict[str, Path | None]:
    """The files that belong to the playlists, by the names that a directory has for them."""
    return {SONG_FILE: files.songs, GENRE_FILE: files.genres, FIELDS_FILE: files.fields}


_METADATA = tuple(_metadata(CorpusFiles(())))
_WRITTEN = (TRAIN_FILE, QUESTIONS_FILE, ANSWERS_FILE, *_METADATA)


def _check_files(files: CorpusFiles, out_dir: Path, replace: bool) -> dict[str, Path]:
    """The files of metadata to copy, by name, if nothing is in the way of what is written."""
    metadata = {name: file for name, file in _metadata(files).items() if file}
    for name in _WRITTEN:
        check_not_read(out_dir / name, files.all)
    check_directory(out_dir, _WRITTEN, WRITER)
    if not replace and (out_dir / TRAIN_FILE).exists():
        raise ForeignFile(
            "a split is there already, which a space may have been trained on: it is left alone",
            where=str(out_dir),
            hint="give another directory, or --replace to hold out others there",
        )
    return metadata


def _check_absent(metadata: Mapping[str, Path], path: Path) -> None:
    """Refuse a file of metadata that would not be replaced, and is not that of the playlists."""
    if path.name not in metadata and path.exists():
        raise ForeignFile(
            "is there already, and training would take it for that of these playlists",
            where=str(path),
            hint=f"remove it, or name a {path.name} beside the playlists",
        )


def _check_count(hold_out: float, wanted: int, total: int, where: str) -> None:
    if total and not wanted:
        raise NothingToHide(
            f"{hold_out:g} of {counted(total, 'playlist')} is less than one",
            where=where,
            hint="hold out a larger share, or from 1 on a number of playlists",
        )
    if total and wanted >= total:
        raise NothingToHide(
            f"{wanted:,} of {counted(total, 'playlist')} should be held out, which leaves none to "
            "train on",
            where=where,
            hint="hold out fewer",
        )
    if not total:
        raise NothingToHide("there are no playlists to hold out", where=where)


def _too_few(
    wanted: int, total: int, fits: Sequence[int], by_kind: Sequence[int], min_songs: int, where: str
) -> NothingToHide:
    counts = Counter(fits)
    lines = [
        f"{count:,} {'is' if count == 1 else 'are'} to give {kind}, which takes "
        f"{needs(kind, min_songs)}: {sum(n for fit, n in counts.items() if fit >> i & 1):,} "
        f"of {counted(total, 'playlist')} would do"
        for i, (kind, count) in enumerate(zip(KINDS, by_kind, strict=True))
        if count
    ]
    return NothingToHide(
        f"too few playlists have what {counted(wanted, 'question')} "
        f"{'takes' if wanted == 1 else 'take'}: " + "; ".join(lines),
        where=where,
        hint="hold out fewer, or other kinds of question (`--kinds`)"
        + (", or shorter playlists (`--min-songs`)" if min_songs else ""),
    )


def _write(
    playlists: Sequence[Path],
    out_dir: Path,
    kinds: Mapping[int, str],
    rng: np.random.Generator,
    keys: CorpusKeys,
) -> tuple[int, int]:
    """Write the parts; how many questions give no tag although their kind does, and how many are
    about copies of what is trained on.
    """
    untagged = 0
    trained: set[int] = set()
    held_out: list[int] = []
    with (
        array_writer(out_dir / TRAIN_FILE) as train,
        array_writer(out_dir / QUESTIONS_FILE) as asked,
        array_writer(out_dir / ANSWERS_FILE) as hidden,
    ):
        for playlist in read_playlists(playlists, report=ReadReport(), keys=keys, lenient=True):
            songs = hash(frozenset(playlist.songs))
            if (kind := kinds.get(playlist.id)) is None:
                train(playlist_record(playlist))
                trained.add(songs)
            else:
                question, answer = mask(playlist, kind, rng)
                untagged += "tags" in kind and not question.tags
                asked(playlist_record(question))
                hidden(playlist_record(answer))
                held_out += [songs] * (len(playlist.songs) >= BOTH_HALVES)
    return untagged, sum(songs in trained for songs in held_out)


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
        dataclasses.replace(playlist, songs=songs, tags=tags, title=title),
        dataclasses.replace(playlist, songs=hidden_songs[:SONGS], tags=hidden_tags[:TAGS]),
    )


def _halves(
    items: tuple[Item, ...], rng: np.random.Generator
) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Half of the items, rounded down, drawn at random, and the others; both keep their order."""
    drawn = set(rng.permutation(len(items))[: len(items) // 2].tolist())
    half = tuple([item for index, item in enumerate(items) if index in drawn])
    return half, tuple([item for index, item in enumerate(items) if index not in drawn])
