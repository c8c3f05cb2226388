"""The kind of a query, by what of it is known: each has settings of its own."""

from __future__ import annotations

from melon.retrieval.seeds import Seeds
from melon.retrieval.settings import QueryKind
from melon.retrieval.strategies.strategy import ResolvedQuery


def query_kind(query: ResolvedQuery) -> QueryKind:
    """The kind of a query, by its seeds."""
    return kind_of_seeds(query.seeds)


def kind_of_seeds(seeds: Seeds) -> QueryKind:
    """The kind of a query: songs alone, songs and text, tags (and perhaps a title), or a title.

    Beside songs only known tags are text, those that are given and those found in the title: with
    a title in which there is none, a query counts as songs alone. Without songs, a query whose
    tags are all unknown counts as a title, for its words. The settings were tuned that way.
    """
    if len(seeds.songs):
        text = len(seeds.tags) + len(seeds.title_tags)
        return QueryKind.SONGS_AND_TEXT if text else QueryKind.SONGS
    return QueryKind.TAGS if len(seeds.tags) else QueryKind.TITLE
