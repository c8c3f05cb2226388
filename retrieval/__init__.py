"""Playlist continuation and auto-tagging from a store: no training library is ever imported."""

from melon.embedding.title import compact
from melon.retrieval.constraints import Constraints, parse_day
from melon.retrieval.metadata import ConstraintError
from melon.retrieval.names import AmbiguousSong, UnknownSong
from melon.retrieval.popularity import most_popular
from melon.retrieval.query import ModalityWeights, PlaylistQuery
from melon.retrieval.results import Because, Ranking, Recommendation, Song, Tag
from melon.retrieval.retriever import DEFAULT_STRATEGY, STRATEGIES, Retriever, UnknownStrategy
from melon.retrieval.seeds import Unknown
from melon.retrieval.settings import BadSettings, QueryKind, RetrievalSettings
from melon.retrieval.similar import Item, Neighbour, UnknownItem
from melon.retrieval.variety import Variety

__all__ = [
    "DEFAULT_STRATEGY",
    "STRATEGIES",
    "AmbiguousSong",
    "BadSettings",
    "Because",
    "ConstraintError",
    "Constraints",
    "Item",
    "ModalityWeights",
    "Neighbour",
    "PlaylistQuery",
    "QueryKind",
    "Ranking",
    "Recommendation",
    "RetrievalSettings",
    "Retriever",
    "Song",
    "Tag",
    "Unknown",
    "UnknownItem",
    "UnknownSong",
    "UnknownStrategy",
    "Variety",
    "compact",
    "most_popular",
    "parse_day",
]
