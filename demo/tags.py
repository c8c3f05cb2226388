"""The tags of the demo corpus: words of the moods, genres and eras, and their playlists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count, islice, pairwise, product

import numpy as np

from melon.demo import words
from melon.demo.draws import Ints, Pools

NO_TAGS_SHARE = 0.12
MAX_TAGS = 6
GENRE_TAG_SHARE = 0.12
STRAY_TAG_SHARE = 0.05

NEUTRAL = -1
"""Mood of the tags that belong to no mood: those of genres and eras."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The tags, and the mood of each: (tags,) indices of moods, or `NEUTRAL`."""

    tags: tuple[str, ...]
    mood: Ints


def vocabulary(size: int) -> Vocabulary:
    """Make `size` distinct tags, as many for each mood.

    The tags of the moods come first, then those of genres and eras, then combinations of words
    such as `jazz rainy day diary`.
    """
    moods = range(len(words.MOODS))
    of_moods = ((mood.tags[rank], n) for rank in range(6) for n, mood in enumerate(words.MOODS))
    neutral = ((tag, NEUTRAL) for tag in (*map(str.lower, words.GENRE_NAMES), *words.ERA_TAGS))
    combined = (
        (tag, n)
        for tags in zip(*(_combined_tags(words.MOODS[n]) for n in moods), strict=True)
        for n, tag in enumerate(tags)
    )
    tags, mood = zip(*islice(chain(of_moods, neutral, combined), size), strict=True)
    return Vocabulary(tags, np.array(mood))


def plant_tags(
    vocabulary: Vocabulary, mood: Ints, genre: Ints, rng: np.random.Generator
) -> list[tuple[str, ...]]:
    """Draw tags for playlists, from their moods and genres: mostly those of their mood.

    A few tags are used often, and every tag at least once.
    """
    playlists, moods = len(mood), len(words.MOODS)
    tag_count = rng.integers(1, MAX_TAGS + 1, size=playlists)
    tag_count[rng.random(playlists) < NO_TAGS_SHARE] = 0
    playlist = np.repeat(np.arange(playlists), tag_count)

    rank = np.arange(len(vocabulary.tags))
    by_mood = Pools(vocabulary.mood, (rank // moods + 1.0) ** -0.9)
    tag = by_mood.draw(mood[playlist], mood[playlist] + 1, rng)
    genre_tags = np.array(
        [
            vocabulary.tags.index(name.lower()) if name.lower() in vocabulary.tags else NEUTRAL
            for name in words.GENRE_NAMES
        ]
    )[genre[playlist]]
    of_genre = (rng.random(len(tag)) < GENRE_TAG_SHARE) & (genre_tags != NEUTRAL)
    tag[of_genre] = genre_tags[of_genre]
    stray = rng.random(len(tag)) < STRAY_TAG_SHARE
    tag[stray] = rng.integers(len(vocabulary.tags), size=int(stray.sum()))

    unused = np.setdiff1d(rank, tag)
    may_have_tags = tag_count > 0 if tag_count.any() else np.ones(playlists, bool)
    takers = Pools(mood, may_have_tags.astype(float))
    taker = takers.draw(vocabulary.mood[unused], vocabulary.mood[unused] + 1, rng)
    pairs = np.unique(np.concatenate([playlist, taker]) * len(rank) + np.concatenate([tag, unused]))
    bounds = np.searchsorted(pairs, np.arange(playlists + 1) * len(rank)).tolist()
    names = [vocabulary.tags[n] for n in (pairs % len(rank)).tolist()]
    return [tuple(names[start:end]) for start, end in pairwise(bounds)]


def _combined_tags(mood: words.Mood) -> Iterator[str]:
    """Yield tags made from those of a mood, without end."""
    modified = [
        f"{tag} {modifier}"
        for english, korean in zip(
            words.ENGLISH_TAG_MODIFIERS, words.KOREAN_TAG_MODIFIERS, strict=True
        )
        for tag in mood.tags
        for modifier in [english if tag.isascii() else korean]
    ]
    yield from modified
    for genre, tag in product(words.GENRE_NAMES, modified):
        yield f"{genre.lower()} {tag}"
    for number, tag in product(count(2), modified):
        yield f"{tag} {number}"
