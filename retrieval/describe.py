"""The songs and tags of answers as results show them: described, with where each score is from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.keys import keys_of
from melon.retrieval.reader import CachingReader
from melon.retrieval.results import Because, Song, Tag
from melon.retrieval.strategies.ranking import EMPTY, Answer, Explanation, SeedRef, Shares
from melon.store import Collection, PointId


def describe(
    reader: CachingReader, answers: Sequence[Answer], reasons: Sequence[Explanation]
) -> tuple[list[tuple[Song, ...]], list[tuple[Tag, ...]]]:
    """The songs and the tags of each answer."""
    keys = _keys_of(reader, reasons)
    return _songs(reader, answers, reasons, keys), _tags(reader, answers, reasons, keys)


def tag_names(reader: CachingReader, answers: Sequence[Answer]) -> list[list[str]]:
    """The names of the tags of each answer."""
    reader.load_tags([tag for answer in answers for tag in answer.tags.ids.tolist()])
    return [reader.tags(answer.tags.ids) for answer in answers]


def _keys_of(reader: CachingReader, reasons: Sequence[Explanation]) -> Mapping[SeedRef, str]:
    """The keys of the songs and playlists that have shares, where they have one."""
    refs = {
        ref
        for reason in reasons
        for shares in (reason.songs, reason.tags)
        for ref in (*shares.seeds, *shares.playlists)
    }
    keys: dict[SeedRef, str] = {}
    for kind, collection in (("song", Collection.SONGS), ("playlist", Collection.PLAYLISTS)):
        ids = [int(named) for of_kind, named in refs if of_kind == kind]
        for point, key in keys_of(reader, collection, ids).items():
            keys[kind, point] = key
    return keys


def _songs(
    reader: CachingReader,
    answers: Sequence[Answer],
    reasons: Sequence[Explanation],
    keys: Mapping[SeedRef, str],
) -> list[tuple[Song, ...]]:
    described = reader.load_descriptions(
        [
            song
            for answer in answers
            for ranked in (answer.songs, *answer.versions.values())
            for song in ranked.ids.tolist()
        ]
    )

    def versions(answer: Answer, song: PointId) -> tuple[Song, ...]:
        others = answer.versions.get(song, EMPTY).pairs()
        return tuple(Song.of(int(one), score, described[one]) for one, score in others)

    return [
        tuple(
            Song.of(
                int(song),
                score,
                described[song],
                *_because(reason.songs, row, score, keys),
                versions(answer, song),
            )
            for row, (song, score) in enumerate(answer.songs.pairs())
        )
        for answer, reason in zip(answers, reasons, strict=True)
    ]


def _tags(
    reader: CachingReader,
    answers: Sequence[Answer],
    reasons: Sequence[Explanation],
    keys: Mapping[SeedRef, str],
) -> list[tuple[Tag, ...]]:
    return [
        tuple(
            Tag(name, score, *_because(reason.tags, row, score, keys))
            for row, (name, score) in enumerate(
                zip(names, answer.tags.scores.tolist(), strict=True)
            )
        )
        for names, answer, reason in zip(tag_names(reader, answers), answers, reasons, strict=True)
    ]


def _because(
    shares: Shares, row: int, score: float, keys: Mapping[SeedRef, str]
) -> tuple[tuple[Because, ...], tuple[Because, ...]]:
    """The shares of the seeds and of the playlists in one result's score, largest first.

    What only fills an answer up scores 0 and has none, though seeds may have voted against it.
    """
    if score <= 0 or not (shares.seeds or shares.playlists):
        return (), ()

    def ranked(parts: Mapping[SeedRef, NDArray[np.float64]]) -> tuple[Because, ...]:
        shares = [
            Because(*ref, float(share[row]), keys.get(ref))
            for ref, share in parts.items()
            if share[row]
        ]
        return tuple(sorted(shares, key=lambda part: -abs(part.share)))

    return ranked(shares.seeds), ranked(shares.playlists)
