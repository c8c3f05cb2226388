"""The kind of a query, by what of it is known: each has settings of its own."""

from __future__ import annotations

from melon.retrieval.seeds import Seeds
from melon.retrieval.settings import Given
from melon.retrieval.strategies.strategy import Ask


def given(ask: Ask) -> Given:
    """The kind of an ask, by its seeds."""
    return given_by(ask.seeds)


def given_by(seeds: Seeds) -> Given:
    """The kind of a query: songs alone, songs and text, tags (and perhaps a title), or a title.

    Beside songs only known tags are text, those that are given and those found in the title: with
    a title in which there is none, a query counts as songs alone. Without songs, a query whose
    tags are all unknown counts as a title, for its words. The settings were tuned that way.
    """
    if len(seeds.songs):
        text = len(seeds.tags) + len(seeds.title_tags)
        return Given.SONGS_AND_TEXT if text else Given.SONGS
    return Given.TAGS if len(seeds.tags) else Given.TITLE
