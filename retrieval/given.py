"""The kind of a query, by what of it is known: each has settings of its own."""

from __future__ import annotations

from melon.retrieval.seeds import Seeds
from melon.retrieval.settings import Given
from melon.retrieval.strategy import Ask


def given(ask: Ask) -> Given:
    """The kind of an ask, by its seeds."""
    return given_by(ask.seeds)


def given_by(seeds: Seeds) -> Given:
    """Songs, songs with tags or a title, tags (and a title), or a title alone."""
    if len(seeds.songs):
        text = len(seeds.tags) + len(seeds.title_tags)
        return Given.SONGS_AND_TEXT if text else Given.SONGS
    return Given.TAGS if len(seeds.tags) else Given.TITLE
