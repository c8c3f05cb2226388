"""What every strategy owes its users, on both engines. A new strategy is tested by being named."""

from __future__ import annotations

import pytest
from demo_catalogue import Catalogue
from hypothesis import given, settings
from hypothesis import strategies as st

from melon.demo import DemoTruth
from melon.demo.words import MOODS
from melon.embedding import EmbeddingSpace
from melon.retrieval import (
    STRATEGIES,
    Constraints,
    ModalityWeights,
    PlaylistQuery,
    Recommendation,
    Retriever,
)
from melon.store import VectorStore

MORE_THAN_ALL = 1000

QUERIES = [
    PlaylistQuery(songs=(3, 5, 8)),
    PlaylistQuery(tags=("rainy day",)),
    PlaylistQuery(title="비 오는 날"),
    PlaylistQuery(songs=(10, 11, 12, 13), tags=("운동", "party"), title="morning run"),
    PlaylistQuery(songs=(1, 2), not_songs=(40, 41), tags=("dawn",), not_tags=("party",)),
    PlaylistQuery(tags=("love", "cafe"), weights=ModalityWeights(tags=0.5)),
    PlaylistQuery(title="qqqq"),
    PlaylistQuery(songs=(100_000,), tags=("no such tag",)),
    PlaylistQuery(),
    PlaylistQuery(songs=(5, 6, 7, 8)),
    PlaylistQuery(tags=("rain",)),
    PlaylistQuery(songs=(9,), title="rainy night"),
]
UNKNOWN = QUERIES[6:9]
CONSTRAINTS = [
    None,
    Constraints(genres=("Jazz", "Ballad")),
    Constraints(genres=("GN0301",)),
    Constraints(not_genres=("Jazz", "GN0300"), until="2009"),
    Constraints(all_genres=("Rock", "Metal")),
    Constraints(since="2000", until="2015-06"),
    Constraints(min_popularity=2, max_popularity=4),
    Constraints(exclude_songs=tuple(range(0, 500, 2))),
    Constraints(genres=("Dance", "Bossa Nova"), since="1990", min_popularity=1),
    Constraints(genres=("Jazz", "Rock"), since="1995", until="2014"),
    Constraints(genres=("Jazz", "Rock"), since="1995-03", until="2014-06-15"),
    Constraints(all_genres=("Rock", "Metal"), since="1985", until="2019-09"),
]


@st.composite
def constraints(draw: st.DrawFn, catalogue: Catalogue) -> Constraints:
    """Any constraints that name what is there; most let some songs pass."""
    codes = {code for song in catalogue.songs.values() for code in song.genres + song.detail_genres}
    names = sorted({*codes, *(catalogue.genres[code].name for code in codes)})
    some_genres = st.lists(st.sampled_from(names), min_size=1, max_size=4).map(tuple)
    some_artists = st.lists(st.sampled_from(catalogue.artists), min_size=1, max_size=6).map(tuple)
    days = sorted(s.issue_date.day for s in catalogue.songs.values() if s.issue_date)
    span = st.lists(st.sampled_from(days), min_size=2, max_size=2).map(sorted)
    counts = st.lists(st.integers(0, 20), min_size=2, max_size=2).map(sorted)
    since, until = draw(span)
    least, most = draw(counts)
    possible = {
        "genres": some_genres,
        "all_genres": some_genres,
        "not_genres": some_genres,
        "artists": some_artists,
        "not_artists": some_artists,
        "since": st.just(since),
        "until": st.just(until),
        "min_popularity": st.just(least),
        "max_popularity": st.just(most),
        "exclude_songs": st.lists(st.integers(0, 499), max_size=30).map(tuple),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(possible)), min_size=1, max_size=3, unique=True))
    drawn = {name: draw(possible[name]) for name in chosen}
    code_of = {name: code for code, g in catalogue.genres.items() for name in (code, g.name)}
    for kind in ("genres", "artists"):  # what is wanted and excluded at once is an error
        names = (*drawn.get(kind, ()), *drawn.get(f"all_{kind}", ()))
        wanted = {code_of.get(name, name) for name in names}
        wanted |= {genre.parent for genre in catalogue.genres.values() if genre.code in wanted}
        excluded = drawn.pop(f"not_{kind}", ())
        drawn[f"not_{kind}"] = tuple(n for n in excluded if code_of.get(n, n) not in wanted)
    return Constraints(**drawn)


@st.composite
def queries(draw: st.DrawFn, tags: list[str]) -> PlaylistQuery:
    """Any mix of known and unknown seeds and dislikes."""
    songs = st.lists(st.integers(0, 519), max_size=5).map(tuple)
    some_tags = st.lists(st.sampled_from([*tags, "no such tag"]), max_size=3).map(tuple)
    liked, worn = draw(songs), draw(some_tags)  # what is wanted and disliked at once is an error
    titles = [phrase for mood in MOODS for phrase in (*mood.english, *mood.korean)]
    return PlaylistQuery(
        songs=liked,
        tags=worn,
        title=draw(st.none() | st.sampled_from(titles)),
        not_songs=tuple(song for song in draw(songs) if song not in liked),
        not_tags=tuple(tag for tag in draw(some_tags) if tag not in worn),
    )


def shortly(limits: Constraints) -> str:
    """Names of the constraints that are set, for the id of a test."""
    return "+".join(sorted(limits.model_fields_set))


def song_ids(found: Recommendation) -> list[int]:
    return [song.id for song in found.songs]


@pytest.mark.parametrize("strategy", STRATEGIES)
class TestStrategy:
    @settings(max_examples=10)
    @given(data=st.data())
    def test_all_that_may_come_back_does_and_nothing_else(
        self,
        retriever: Retriever,
        catalogue: Catalogue,
        demo_space: EmbeddingSpace,
        strategy: str,
        data: st.DataObject,
    ):
        query = data.draw(queries(demo_space.tags), "query")
        limits = data.draw(constraints(catalogue), "constraints")
        found = retriever.recommend(
            query, limits, limit=MORE_THAN_ALL, tag_limit=MORE_THAN_ALL, strategy=strategy
        )
        ids, tags = song_ids(found), [tag.tag for tag in found.tags]
        allowed = catalogue.allowed(limits) - {*query.songs, *query.not_songs}
        assert sorted(ids) == sorted(allowed)
        assert sorted(tags) == sorted({*demo_space.tags} - {*query.tags, *query.not_tags})
        for scores in ([s.score for s in found.songs], [t.score for t in found.tags]):
            assert scores == sorted(scores, reverse=True)

    @pytest.mark.parametrize("limits", CONSTRAINTS[1:], ids=shortly)
    def test_an_answer_is_filled_with_what_passes_and_stays_short(
        self, retriever: Retriever, catalogue: Catalogue, strategy: str, limits: Constraints
    ):
        """As many as were asked for, none of the seeds, which all fail the constraint."""
        allowed = catalogue.allowed(limits)
        query = PlaylistQuery(songs=tuple(sorted({*catalogue.songs} - allowed)[:5]), tags=("rain",))
        found = retriever.recommend(query, limits, limit=10, strategy=strategy)
        assert found.fallback is None
        assert len(found.songs) == min(10, len(allowed)) > 0
        assert set(song_ids(found)) <= allowed

    def test_a_longer_answer_starts_like_a_shorter_one(self, retriever: Retriever, strategy: str):
        query = QUERIES[3]
        short = retriever.recommend(query, limit=5, tag_limit=3, strategy=strategy, exact=True)
        long = retriever.recommend(query, limit=40, tag_limit=20, strategy=strategy, exact=True)
        assert song_ids(short) == song_ids(long)[:5]
        assert [t.tag for t in short.tags] == [t.tag for t in long.tags][:3]

    @pytest.mark.parametrize(("songs", "tags"), [(0, 5), (5, 0)])
    def test_only_songs_or_only_tags(
        self, retriever: Retriever, strategy: str, songs: int, tags: int
    ):
        for query in QUERIES:
            found = retriever.recommend(query, limit=songs, tag_limit=tags, strategy=strategy)
            assert (len(found.songs), len(found.tags)) == (songs, tags)

    def test_a_batch_is_answered_like_each_one_alone(self, retriever: Retriever, strategy: str):
        together = retriever.recommend_many(QUERIES, CONSTRAINTS, limit=15, strategy=strategy)
        alone = [
            retriever.recommend(query, limits, limit=15, strategy=strategy)
            for query, limits in zip(QUERIES, CONSTRAINTS, strict=True)
        ]
        assert together == alone

    def test_the_same_question_has_the_same_answer(
        self, retriever: Retriever, demo_store: VectorStore, strategy: str
    ):
        first = retriever.recommend_many(QUERIES, CONSTRAINTS, strategy=strategy)
        again = Retriever(demo_store).recommend_many(QUERIES, CONSTRAINTS, strategy=strategy)
        assert again == first

    def test_what_is_unknown_is_reported(self, retriever: Retriever, strategy: str):
        query = PlaylistQuery(
            songs=(1, 99_999),
            tags=("rain", "no such tag"),
            title="rain zzzzq",
            not_songs=(88_888,),
            not_tags=("nor this",),
        )
        found = retriever.recommend(query, strategy=strategy)
        assert found.unknown.songs == (99_999, 88_888)
        assert found.unknown.tags == ("no such tag", "nor this")
        assert "zzzzq" in found.unknown.words
        assert found.fallback is None
        assert len(found.songs) == 20

    @pytest.mark.parametrize(
        "query",
        [
            PlaylistQuery(),
            PlaylistQuery(songs=(99_999,), tags=("no such tag",), title="zzzzq"),
            PlaylistQuery(not_songs=(7,)),
            PlaylistQuery(songs=(1,), weights=ModalityWeights(songs=0)),
        ],
        ids=["empty", "unknown", "only dislikes", "weightless"],
    )
    @pytest.mark.parametrize(
        "limits", [None, Constraints(genres=("Jazz",), until="2009")], ids=["all", "some"]
    )
    def test_without_anything_known_the_answer_is_what_is_popular(
        self,
        retriever: Retriever,
        catalogue: Catalogue,
        strategy: str,
        query: PlaylistQuery,
        limits: Constraints | None,
    ):
        found = retriever.recommend(query, limits, limit=12, strategy=strategy)
        assert found.fallback == "popularity"
        allowed = catalogue.allowed(limits or Constraints()) - {*query.songs, *query.not_songs}
        ranked = sorted(allowed, key=lambda song: (-catalogue.popularity[song], song))
        assert song_ids(found) == ranked[:12]
        counts = [catalogue.popularity[song] for song in ranked[:12]]
        assert [song.score for song in found.songs] == counts
        assert len(found.tags) == 10

    @pytest.mark.parametrize("limits", [None, Constraints(max_popularity=0)], ids=["all", "none"])
    @pytest.mark.parametrize(("songs", "tags"), [(5, 0), (5, 3)])
    def test_a_fallback_is_an_answer_of_which_nothing_was_found(
        self,
        retriever: Retriever,
        strategy: str,
        limits: Constraints | None,
        songs: int,
        tags: int,
    ):
        """A ranking and a recommendation say so alike, whatever of the query is known."""
        weightless = PlaylistQuery(songs=(1,), weights=ModalityWeights(songs=0))
        queries = [*QUERIES[3:9], PlaylistQuery(title="rain"), weightless]
        wanted = {"limit": songs, "tag_limit": tags, "strategy": strategy}
        constraints = [limits] * len(queries)
        shown = retriever.recommend_many(queries, constraints, explain=True, **wanted)
        ranked = retriever.rank_many(queries, constraints, **wanted)
        for one, other in zip(shown, ranked, strict=True):
            found = any(result.because for result in (*one.songs, *one.tags))
            assert one.fallback == other.fallback == (None if found else "popularity")
        assert [ranking.known for ranking in ranked] == [one not in UNKNOWN for one in queries]

    def test_it_finds_the_planted_moods(
        self, retriever: Retriever, demo_truth: DemoTruth, strategy: str
    ):
        """A mood's tag, its titles in both languages and some of its songs all lead to it."""
        shares = {
            kind: [
                mood_shares(
                    retriever.recommend(query, strategy=strategy, tag_limit=3), demo_truth, mood
                )
                for mood, query in enumerate(queries)
            ]
            for kind, queries in mood_queries(demo_truth).items()
        }
        for kind, found in shares.items():
            songs = sum(share for share, _ in found) / len(found)
            tags = sum(share for _, share in found) / len(found)
            assert songs > 0.7, (kind, found)
            assert tags > 0.6, (kind, found)

    def test_what_is_disliked_sinks(
        self, retriever: Retriever, demo_truth: DemoTruth, strategy: str
    ):
        """Asked for two moods at once, less comes of the one whose tag or songs are disliked."""
        summer, winter = (demo_truth.moods.index(name) for name in ("summer", "winter"))
        both = {"songs": (*of_mood(demo_truth, summer, 3), *of_mood(demo_truth, winter, 3))}

        def winter_songs(**dislikes: object) -> int:
            query = PlaylistQuery.model_validate(both | dislikes)
            found = retriever.recommend(query, limit=30, strategy=strategy)
            return sum(demo_truth.song_mood[song.id] == winter for song in found.songs)

        liked = winter_songs()
        assert winter_songs(not_tags=("winter", "snow")) < liked
        assert winter_songs(not_songs=of_mood(demo_truth, winter, 6)[3:]) < liked


def of_mood(truth: DemoTruth, mood: int, count: int) -> tuple[int, ...]:
    """The first warm songs of a mood, by id."""
    cold = {*truth.cold_songs.tolist()}
    songs = (song for song, own in enumerate(truth.song_mood.tolist()) if own == mood)
    return tuple([song for song in songs if song not in cold][:count])


def mood_queries(truth: DemoTruth) -> dict[str, list[PlaylistQuery]]:
    """For each way to ask, one question a mood."""
    return {
        "tag": [PlaylistQuery(tags=mood.tags[:1]) for mood in MOODS],
        "korean title": [PlaylistQuery(title=mood.korean[0]) for mood in MOODS],
        "english title": [PlaylistQuery(title=mood.english[0]) for mood in MOODS],
        "songs": [PlaylistQuery(songs=of_mood(truth, n, 5)) for n in range(len(MOODS))],
    }


def mood_shares(found: Recommendation, truth: DemoTruth, mood: int) -> tuple[float, float]:
    """Which share of the songs and of the tags of an answer is of a mood."""
    songs = [truth.song_mood[song.id] == mood for song in found.songs]
    tags = [truth.tag_mood[tag.tag] == mood for tag in found.tags]
    return sum(songs) / len(songs), sum(tags) / len(tags)
