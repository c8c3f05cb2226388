"""The learned ranking looks at the same numbers wherever it is asked, in few requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from melon.embedding import EmbeddingSpace
from melon.ingest import ingest
from melon.learning import MemoryReader
from melon.retrieval import (
    Constraints,
    PlaylistQuery,
    RetrievalSettings,
    Retriever,
    UnknownStrategy,
    Variety,
)
from melon.retrieval.strategies import view
from melon.retrieval.strategies.inputs import SONG_INPUTS, TAG_INPUTS
from melon.retrieval.strategies.learned import Candidates
from melon.retrieval.strategies.view import NEAR, NEAR_OF_SMALL
from melon.settings import load_settings
from melon.store import Collection, Hits, PointId, Record, ReleaseReader, VectorQuery, open_store
from melon.store.protocol import ForwardingReader

QUERIES = {
    "songs": PlaylistQuery(songs=(3, 5, 8, 13)),
    "songs and tags": PlaylistQuery(songs=(3, 5), tags=("rain", "cafe")),
    "tags": PlaylistQuery(tags=("rain",)),
    "title": PlaylistQuery(title="비 오는 날"),
    "dislikes": PlaylistQuery(songs=(3, 5, 8), not_songs=(40, 41), not_tags=("party",)),
}


def candidates(reader: ReleaseReader, query: PlaylistQuery) -> tuple[Candidates, Candidates]:
    [found] = Retriever.of_reader(reader).candidates([query])
    return found


def rows_of(found: Candidates) -> dict[PointId, np.ndarray]:
    return dict(zip(found.ids.tolist(), found.inputs, strict=True))


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_what_is_learned_from_is_what_is_asked_for(
    retriever: Retriever, demo_space: EmbeddingSpace, query: PlaylistQuery
):
    """Networks learn from a space in memory, and rank what an engine finds."""
    there = candidates(retriever.engine_reader, query)
    here = candidates(MemoryReader(demo_space), query)
    for names, of_engine, in_memory in zip((SONG_INPUTS, TAG_INPUTS), there, here, strict=True):
        ours, theirs = rows_of(in_memory), rows_of(of_engine)
        both = sorted(ours.keys() & theirs.keys())
        assert len(both) > 0.95 * max(len(ours), len(theirs), 1)  # equals at an end may differ
        stable = [row for row, name in enumerate(names) if name not in {"rank", "in 100", "narrow"}]
        np.testing.assert_allclose(
            np.array([ours[one] for one in both])[:, stable],
            np.array([theirs[one] for one in both])[:, stable],
            rtol=5e-3,
            atol=5e-3,
        )


def test_every_input_is_known_of_some_candidate(retriever: Retriever):
    """An input that no query has would be a name without a number behind it."""
    found = [candidates(retriever.engine_reader, query) for query in QUERIES.values()]
    for names, parts in zip((SONG_INPUTS, TAG_INPUTS), zip(*found, strict=True), strict=True):
        known = np.concatenate([~np.isnan(part.inputs) for part in parts]).any(axis=0)
        assert [name for name, there in zip(names, known, strict=True) if not there] == []


@pytest.mark.parametrize("few", [True, False])
def test_of_few_songs_all_that_are_near_are_candidates(
    retriever: Retriever, demo_space: EmbeddingSpace, few: bool, monkeypatch: pytest.MonkeyPatch
):
    """Popular or not; of many, only the nearest popular ones."""
    assert NEAR < len(demo_space.songs) < NEAR_OF_SMALL
    monkeypatch.setattr(view, "SMALL_CATALOGUE", len(demo_space.songs) - (not few))
    for reader in (retriever.engine_reader, MemoryReader(demo_space)):
        songs, _ = candidates(reader, QUERIES["title"])
        assert (len(songs.ids) == len(demo_space.songs)) is few


class Counted(ForwardingReader):
    """Counts what is asked of an engine."""

    def __init__(self, reader: ReleaseReader) -> None:
        super().__init__(reader)
        self.asked: list[str] = []
        self.sought: list[str] = []

    def query(self, collection: Collection, queries: Sequence[VectorQuery]) -> list[Hits]:
        self.asked.append(f"query {collection}")
        self.sought += [f"{collection} by {query.using}" for query in queries]
        return super().query(collection, queries)

    def retrieve(
        self, collection: Collection, ids: Sequence[PointId], **options: Any
    ) -> list[Record]:
        if ids:  # else the engine is not asked
            self.asked.append(f"retrieve {collection}")
        return super().retrieve(collection, ids, **options)

    def values(
        self, collection: Collection, field: str, ids: Sequence[PointId]
    ) -> dict[PointId, int]:
        self.asked.append(f"values {collection}")
        return super().values(collection, field, ids)


def asked_when_warm(retriever: Retriever, query: PlaylistQuery) -> list[str]:
    """What the engine is asked for a query that was asked before."""
    counted = Counted(retriever.engine_reader)
    asking = retriever.with_reader(counted)
    first = asking.recommend(query, strategy="learned")
    counted.asked.clear()
    assert asking.recommend(query, strategy="learned") == first
    return sorted(counted.asked)


def test_a_warm_question_takes_one_round_of_searches(retriever: Retriever):
    """The seeds, what the playlists around hold, and what is known of songs and tags is cached."""
    assert asked_when_warm(retriever, QUERIES["songs and tags"]) == [
        "query playlists",  # those that share most
        "query playlists",  # those that are near
        "query songs",
    ]


def test_playlists_near_a_query_are_not_sought_where_they_count_nothing(retriever: Retriever):
    assert RetrievalSettings.default().hybrid.from_title.to_tags.weight == 0
    assert asked_when_warm(retriever, QUERIES["title"]) == [
        "query playlists",  # those that share most
        "query playlists",  # and most with the songs that these hold, too
        "query songs",
    ]


def test_nothing_is_sought_for_what_is_not_wanted(retriever: Retriever):
    query = PlaylistQuery(songs=(3, 5), tags=("rain",), not_songs=(40, 41), not_tags=("party",))
    sought, answers = {}, {}
    for limits in ((20, 10), (20, 0), (0, 10)):
        counted = Counted(retriever.engine_reader)
        asking = retriever.with_reader(counted)
        answers[limits] = asking.recommend(
            query, strategy="learned", limit=limits[0], tag_limit=limits[1]
        )
        sought[limits] = Counter(counted.sought)
    assert answers[20, 0].songs == answers[20, 10].songs
    assert answers[0, 10].tags == answers[20, 10].tags
    # those that share most with what is liked, and with what is disliked, for songs and for tags
    assert sought[20, 10]["playlists by items"] == 4
    assert sought[20, 0]["playlists by items"] == 2
    assert sought[0, 10]["playlists by items"] == 3
    assert sought[0, 10]["songs by w2v"] == sought[20, 0]["playlists by w2v"] == 0


@pytest.mark.parametrize("strategy", ["neighbours", "hybrid"])
def test_the_songs_of_neighbours_that_were_read_are_not_asked_for(
    retriever: Retriever, strategy: str
):
    counted = Counted(retriever.engine_reader)
    asking = retriever.with_reader(counted)
    asking.recommend(QUERIES["songs"], strategy=strategy, tag_limit=0)
    near = {"neighbours": 0, "hybrid": 1}[strategy]
    assert counted.asked.count("query songs") == near
    counted.asked.clear()
    old = Constraints(until="2012")
    asking.recommend(QUERIES["songs"], old, strategy=strategy, tag_limit=0)
    assert counted.asked.count("query songs") == near + 1, "constraints are the engine's"


def test_a_longer_answer_has_more_candidates(retriever: Retriever):
    every = len(retriever.reader.find("songs", None, 10_000, payload=False))
    found = retriever.recommend(QUERIES["songs"], limit=every, strategy="learned")
    assert len(found.songs) == every - len(QUERIES["songs"].songs)


def test_variety_chooses_among_learned_scores(retriever: Retriever):
    found = retriever.recommend(
        QUERIES["songs"], strategy="learned", variety=Variety(max_per_artist=1)
    )
    artists = [artist for song in found.songs for artist in song.artists]
    assert len(artists) == len(set(artists))
    assert found.songs[0].score == 1


def test_a_ranking_of_other_inputs_is_refused(demo_space: EmbeddingSpace, tmp_path: Path):
    """Its weights would be those of other numbers."""
    ranking = demo_space.ranking
    assert ranking is not None
    assert ranking.songs is not None
    first, *others = ranking.songs.features
    other = ranking.songs.model_copy(update={"features": (f"{first} of old", *others)})
    space = replace(demo_space, ranking=ranking.model_copy(update={"songs": other}))
    with open_store(load_settings({}), path=tmp_path / "store") as store:
        ingest(space, store)
        retriever = Retriever(store)
        assert "learned" not in retriever.strategies
        with pytest.raises(UnknownStrategy, match="by another version of melon"):
            retriever.recommend(title="rain", strategy="learned")
        assert retriever.recommend(title="rain", strategy="hybrid").songs
