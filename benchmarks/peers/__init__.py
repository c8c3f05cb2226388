"""Methods that melon is measured against: same playlists in, same questions, same scorer.

A peer learns from the playlists that melon learns from, sees of a question what melon sees of it,
and cuts titles into the words that melon cuts them into. It scores every song and tag; what it
leaves unscored is filled with what is popular, as melon's own lists are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from peers.als import AlternatingLeastSquares
from peers.bags import Bags
from peers.ease import Ease
from peers.item_neighbours import Bm25Neighbours, CosineNeighbours
from peers.nothing import Nothing
from peers.playlist_knn import PlaylistKnn
from peers.ranking import BATCH, Peer, answer
from peers.second_place import SecondPlace
from peers.word2vec import PlainWord2Vec

PEERS: Mapping[str, Callable[[Bags], Peer]] = {
    "most popular": Nothing,
    "playlist kNN": PlaylistKnn,
    "2nd place's formula": SecondPlace,
    "implicit cosine": CosineNeighbours,
    "implicit BM25": Bm25Neighbours,
    "implicit ALS": AlternatingLeastSquares,
    "EASE": Ease,
}
"""The peers that learn from bags alone; plain word2vec needs a trained space besides."""

__all__ = ["BATCH", "PEERS", "Bags", "Peer", "PlainWord2Vec", "answer"]
