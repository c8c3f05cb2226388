"""A list has one version of each song, the most popular one, and names the others."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from melon.retrieval import STRATEGIES, Constraints, PlaylistQuery, Retriever, Variety
from melon.retrieval.same_song import version_key
from melon.store import Collection, ForwardingReader, PointId, Record

MARKS = ("", " (Live)", " - Remastered 2011")
QUERIES = [
    PlaylistQuery(songs=(3, 7, 30), tags=("rain",)),
    PlaylistQuery(title="비 오는 날", not_songs=(31, 100)),
    PlaylistQuery(tags=("dawn",)),
    PlaylistQuery(),
]


def song_name(song: int) -> str | None:
    """Three songs each are versions of one; some have no name."""
    return None if song % 50 == 0 else f"노래 {song // 3}{MARKS[song % 3]}"


class Renamed(ForwardingReader):
    """A release whose songs have these names, all by one artist."""

    def retrieve(
        self,
        collection: Collection,
        ids: Sequence[PointId],
        *,
        payload: tuple[str, ...] | bool = True,
        vectors: bool = False,
        sparse: bool = False,
    ) -> list[Record]:
        records = super().retrieve(collection, ids, payload=payload, vectors=vectors, sparse=sparse)
        if collection is Collection.SONGS:
            for record in records:
                fields = {"artists": ["IU"], "artist_keys": ["iu"]}
                if (name := song_name(int(record.id))) is not None:
                    fields["name"] = name  # type: ignore[assignment]
                record.payload.pop("name", None)  # type: ignore[attr-defined]
                record.payload.update(fields)  # type: ignore[attr-defined]
        return records


@pytest.fixture(scope="module")
def renamed(retriever: Retriever) -> Retriever:
    return retriever.with_reader(Renamed(retriever.engine_reader))


def work(song: int) -> object:
    """What its versions have in common."""
    name = song_name(song)
    return song if name is None else version_key(name, ("IU",))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_song_comes_once_in_its_most_popular_version(renamed: Retriever, strategy: str):
    few = Constraints(max_popularity=9)
    for limits in (None, few):
        asked = [limits] * len(QUERIES)
        found = renamed.recommend_many(QUERIES, asked, limit=25, strategy=strategy, explain=True)
        whole = renamed.recommend_many(QUERIES, asked, limit=500, all_versions=True, tag_limit=0)
        for query, answer, all_of_it in zip(QUERIES, found, whole, strict=True):
            assert len(answer.songs) == 25
            assert not any(song.versions for song in all_of_it.songs)
            works = [work(song.id) for song in answer.songs]
            assert len(set(works)) == 25
            assert not {*works} & {work(int(s)) for s in (*query.songs, *query.not_songs)}
            scores = [song.score for song in answer.songs]
            assert scores == sorted(scores, reverse=True)
            passing = {song.id for song in all_of_it.songs}
            for song in answer.songs:
                ids = [song.id, *(one.id for one in song.versions)]
                assert {work(one) for one in ids} == {work(song.id)}
                assert set(ids) <= passing
                popular = renamed.reader.values(Collection.SONGS, "popularity", ids)
                assert popular[song.id] == max(popular.values())
                if song.because:
                    total = sum(part.share for part in song.because)
                    assert total == pytest.approx(song.score, rel=1e-3)


def test_a_list_of_all_versions_has_the_same_songs(renamed: Retriever):
    [query, *_] = QUERIES
    whole = renamed.recommend(query, limit=60, all_versions=True)
    assert len({work(song.id) for song in whole.songs}) < 60
    assert [s.id for s in whole.songs] == list(renamed.rank_many([query], limit=60)[0].songs)
    best = list(dict.fromkeys(work(song.id) for song in whole.songs))
    seeds = {work(int(song)) for song in query.songs}
    wanted = [one for one in best if one not in seeds][:20]
    found = renamed.recommend(query, limit=20)
    assert {work(song.id) for song in found.songs} == set(wanted)


def test_batches_variety_and_short_lists(renamed: Retriever):
    together = renamed.recommend_many(QUERIES, limit=15)
    assert together == [renamed.recommend(query, limit=15) for query in QUERIES]
    varied = renamed.recommend(QUERIES[0], limit=15, variety=Variety(diversity=0.5))
    assert len({work(song.id) for song in varied.songs}) == 15
    one = renamed.recommend(QUERIES[2], limit=1, variety=Variety(max_per_artist=1))
    assert len(one.songs) == 1
    everything = renamed.recommend(QUERIES[2], limit=500)
    assert len(everything.songs) < 200
    assert sum(1 + len(song.versions) for song in everything.songs) == 500


def test_versions_in_json(renamed: Retriever):
    found = renamed.recommend(QUERIES[0], limit=500).to_json()["songs"]
    song = next(song for song in found if "versions" in song)
    assert song["versions"][0].keys() == song.keys() - {"versions"}
