"""Playlist continuation and auto-tagging from a store: no training library is ever imported."""

from melon.retrieval.asynchronous import AsyncRetriever
from melon.retrieval.constraints import Constraints
from melon.retrieval.counts import Counts, counted_fields, wanted_fields
from melon.retrieval.days import parse_day
from melon.retrieval.errors import (
    AmbiguousSong,
    BadSettings,
    ConstraintError,
    UnknownItem,
    UnknownSong,
    UnknownStrategy,
)
from melon.retrieval.find import KINDS, Artist, Found
from melon.retrieval.keys import ids_of, keys_of
from melon.retrieval.known import Known
from melon.retrieval.listing import LISTINGS, Counted, Listing
from melon.retrieval.playlist_file import PLAYLIST_FORMATS, playlist_file
from melon.retrieval.playlists import PlaylistPage
from melon.retrieval.query import ModalityWeights, PlaylistQuery
from melon.retrieval.recommend import most_popular
from melon.retrieval.results import (
    ORDERS,
    Because,
    Description,
    Order,
    Ranking,
    Recommendation,
    Song,
    Tag,
    Unknown,
)
from melon.retrieval.retriever import Retriever
from melon.retrieval.settings import QueryKind, RetrievalSettings
from melon.retrieval.show import SHOWN_KINDS, Shown
from melon.retrieval.similar import Item, Nearest
from melon.retrieval.strategies import DEFAULT_STRATEGY, STRATEGIES, check_answers, check_strategy
from melon.retrieval.strategies.inputs import SONG_INPUTS, TAG_INPUTS
from melon.retrieval.strategies.learned import Candidates
from melon.retrieval.variety import Variety

__all__ = [
    "DEFAULT_STRATEGY",
    "KINDS",
    "LISTINGS",
    "ORDERS",
    "PLAYLIST_FORMATS",
    "SHOWN_KINDS",
    "SONG_INPUTS",
    "STRATEGIES",
    "TAG_INPUTS",
    "AmbiguousSong",
    "Artist",
    "AsyncRetriever",
    "BadSettings",
    "Because",
    "Candidates",
    "ConstraintError",
    "Constraints",
    "Counted",
    "Counts",
    "Description",
    "Found",
    "Item",
    "Known",
    "Listing",
    "ModalityWeights",
    "Nearest",
    "Order",
    "PlaylistPage",
    "PlaylistQuery",
    "QueryKind",
    "Ranking",
    "Recommendation",
    "RetrievalSettings",
    "Retriever",
    "Shown",
    "Song",
    "Tag",
    "Unknown",
    "UnknownItem",
    "UnknownSong",
    "UnknownStrategy",
    "Variety",
    "check_answers",
    "check_strategy",
    "counted_fields",
    "ids_of",
    "keys_of",
    "most_popular",
    "parse_day",
    "playlist_file",
    "wanted_fields",
]
