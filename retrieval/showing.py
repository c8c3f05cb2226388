"""What is shown of ranked candidates: their names and metadata, and why they are there."""

from __future__ import annotations

from collections.abc import Sequence

from melon.retrieval.caching import CachingReader
from melon.retrieval.results import Ranking, Song, Tag, because, fallback
from melon.retrieval.strategies.strategy import Answer, Explanation, ResolvedQuery


def shown_songs(
    reader: CachingReader, answers: Sequence[Answer], reasons: Sequence[Explanation]
) -> list[tuple[Song, ...]]:
    """The songs of each answer."""
    described = reader.load_descriptions(
        [song for answer in answers for song in answer.songs.ids.tolist()]
    )
    return [
        tuple(
            Song.of(int(song), score, described[song], *because(why.songs, row, score))
            for row, (song, score) in enumerate(answer.songs.pairs())
        )
        for answer, why in zip(answers, reasons, strict=True)
    ]


def shown_tags(
    reader: CachingReader, answers: Sequence[Answer], reasons: Sequence[Explanation]
) -> list[tuple[Tag, ...]]:
    """The tags of each answer."""
    names = _tag_names(reader, answers)
    return [
        tuple(
            Tag(name, score, *because(why.tags, row, score))
            for row, (name, score) in enumerate(zip(own, answer.tags.scores.tolist(), strict=True))
        )
        for own, answer, why in zip(names, answers, reasons, strict=True)
    ]


def rankings(
    reader: CachingReader, queries: Sequence[ResolvedQuery], answers: Sequence[Answer]
) -> list[Ranking]:
    """The ids of the songs and the names of the tags of each answer."""
    return [
        Ranking(
            songs=tuple(answer.songs.ids.tolist()),
            tags=tuple(names),
            fallback=fallback(answer),
            known=bool(query.seeds),
            unknown=query.seeds.unknown,
        )
        for query, answer, names in zip(queries, answers, _tag_names(reader, answers), strict=True)
    ]


def _tag_names(reader: CachingReader, answers: Sequence[Answer]) -> list[list[str]]:
    reader.load_tags([tag for answer in answers for tag in answer.tags.ids.tolist()])
    return [reader.tags(answer.tags.ids) for answer in answers]
