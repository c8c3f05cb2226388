"""Explanations add up: the shares of the seeds are the score, those of the playlists its part."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from melon.ingest import ingest
from melon.learning import train_corpus
from melon.retrieval import STRATEGIES, PlaylistQuery, Recommendation, Retriever, Variety
from melon.store import Collection, Hits, ReleaseReader, VectorQuery, VectorStore
from melon.store.protocol import ForwardingReader
from melon.titles import TitleTokenizer

QUERIES = {
    "songs": PlaylistQuery(songs=(3, 5, 8, 13)),
    "songs+tags": PlaylistQuery(songs=(3, 5), tags=("rain", "cafe")),
    "tags": PlaylistQuery(tags=("rain",)),
    "title": PlaylistQuery(title="비 오는 날"),
    "mix": PlaylistQuery(songs=(3,), tags=("rain",), title="rainy day"),
    "dislikes": PlaylistQuery(songs=(3, 5, 8), not_songs=(40, 41), not_tags=("party",)),
}


ALL = {"limit": 1000, "tag_limit": 1000}
"""More than there is: popular songs and tags fill the answer up."""


def asked(
    retriever: Retriever, query: PlaylistQuery, strategy: str, **options: Any
) -> Recommendation:
    wanted = {"limit": 20, "tag_limit": 6} | options
    return retriever.recommend(query, strategy=strategy, explain=True, **wanted)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_the_shares_of_the_seeds_are_the_score(
    retriever: Retriever, query: PlaylistQuery, strategy: str
):
    found = asked(retriever, query, strategy, **ALL)
    for result in (*found.songs, *found.tags):
        total = sum(part.share for part in result.because)
        assert total == pytest.approx(result.score, rel=1e-3)


def test_shares_are_the_score_where_only_a_distant_playlist_carries_tags(
    store: VectorStore, tmp_path: Path
):
    """What it counts is next to nothing, until it is scaled."""
    playlists = [
        {"id": 1, "songs": [1, 2, 3, 4], "tags": ["rain", "night"], "plylst_title": "rain"},
        {"id": 2, "songs": [5, 6, 7, 8], "tags": ["sun", "party"], "plylst_title": "sun"},
    ]
    (tmp_path / "train.json").write_text(json.dumps(playlists))
    ingest(train_corpus([tmp_path / "train.json"], tmp_path / "space"), store)
    query = PlaylistQuery(songs=(1, 2, 3), tags=("rain", "night"), title="rain")
    with Retriever(store) as retriever:
        tags = asked(retriever, query, "hybrid").tags
    assert [tag.score for tag in tags] == pytest.approx([1, 1])
    for tag in tags:
        assert sum(part.share for part in tag.because) == pytest.approx(tag.score, rel=1e-3)


@pytest.mark.parametrize("variety", [None, Variety(diversity=0.6)], ids=["plain", "varied"])
@pytest.mark.parametrize("strategy", sorted({*STRATEGIES} - {"mean"}))  # it scores all there is
def test_what_fills_an_answer_up_has_no_reasons(
    retriever: Retriever, strategy: str, variety: Variety | None
):
    """Also where variety puts it before what was found."""
    found = asked(retriever, QUERIES["dislikes"], strategy, variety=variety, **ALL)
    results = (*found.songs, *found.tags)
    assert {result.score > 0 for result in results} == {True, False}
    for result in results:
        assert bool(result.because) == (result.score > 0)
        assert result.because or not result.playlists


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_the_shares_of_the_neighbours_are_the_score_of_two_hops(
    retriever: Retriever, query: PlaylistQuery
):
    found = asked(retriever, query, "neighbours")
    explained = [result for result in (*found.songs, *found.tags) if result.score > 0]
    assert explained
    for result in explained:
        assert {part.kind for part in result.playlists} == {"playlist"}
        total = sum(part.share for part in result.playlists)
        assert total == pytest.approx(result.score, rel=1e-3)


def test_the_neighbours_hold_what_they_recommend(retriever: Retriever):
    found = asked(retriever, QUERIES["songs"], "hybrid")
    best = found.songs[0]
    ids = [part.ref for part in best.playlists]
    records = retriever.reader.retrieve("playlists", ids, payload=("songs",))
    assert records
    assert all(best.id in record.payload["songs"] for record in records)


def words_of(retriever: Retriever, text: str) -> list[str]:
    return TitleTokenizer.from_bytes(retriever.reader.manifest.title_tokenizer).words(text)


def test_only_seeds_have_shares(retriever: Retriever):
    query = QUERIES["songs+tags"]
    found = asked(retriever, query, "hybrid")
    names = {(part.kind, part.ref) for song in found.songs for part in song.because}
    words = {("word", word) for tag in query.tags for word in words_of(retriever, tag)}
    assert names <= {("song", 3), ("song", 5), ("tag", "rain"), ("tag", "cafe")} | words
    assert ("song", 3) in names


class Watched(ForwardingReader):
    """Counts the requests that look for neighbours."""

    def __init__(self, reader: ReleaseReader) -> None:
        super().__init__(reader)
        self.first_hops = 0

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[Hits]:
        self.first_hops += any(query.using == "items" for query in queries)
        return super().query(collection, queries)


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
@pytest.mark.parametrize("strategy", ["neighbours", "hybrid"])
def test_an_explanation_asks_once_for_the_neighbours(
    retriever: Retriever, query: PlaylistQuery, strategy: str
):
    plain, told = Watched(retriever.reader), Watched(retriever.reader)
    retriever.with_reader(plain).recommend(query, strategy=strategy)
    asked(retriever.with_reader(told), query, strategy)
    assert told.first_hops == 2 * plain.first_hops


def test_explaining_changes_no_answer(retriever: Retriever):
    for query in QUERIES.values():
        plain = retriever.recommend(query, limit=10, tag_limit=3).to_json()
        told = retriever.recommend(query, limit=10, tag_limit=3, explain=True).to_json()
        for result in (*told["songs"], *told["tags"]):
            result.pop("because", None)
            result.pop("playlists", None)
        assert told == plain
