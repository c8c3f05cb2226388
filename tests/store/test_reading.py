"""What a reader gives back, the same on both engines."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from places import Place, ServerPlace
from store_samples import (
    DAY,
    DIM,
    FIRST_SONG,
    PLAYLIST_DIMENSIONS,
    SONGS,
    TAGS,
    Sample,
    points,
    publish,
)

from melon.store import (
    DENSE,
    Collection,
    Condition,
    DateRange,
    Filter,
    FilterError,
    HasId,
    MatchAny,
    NumberRange,
    ReleaseReader,
    RequestRefused,
    SparseVector,
    VectorQuery,
    tag_point_id,
)
from melon.store.server import ServerStore

JAZZ = Filter(must=(MatchAny("genres", ("jazz",)),))
WITHOUT_VECTOR = FIRST_SONG  # row 0, one of the rows of zeros


def direction(seed: int = 1) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=DIM).astype(np.float32)


class TestRetrieve:
    def test_keeps_the_order_asked_for_and_leaves_out_what_is_not_there(
        self, reader: ReleaseReader
    ) -> None:
        asked = [FIRST_SONG + 7, 5, FIRST_SONG + 2, FIRST_SONG + 7, 2**63, FIRST_SONG + 99]
        found = reader.retrieve(Collection.SONGS, asked)
        assert [record.id for record in found] == [FIRST_SONG + n for n in (7, 2, 99)]

    def test_nothing_asked_for_is_nothing_found(self, reader: ReleaseReader) -> None:
        assert reader.retrieve(Collection.SONGS, []) == []

    def test_payloads_come_back_as_they_were_sent(
        self, reader: ReleaseReader, songs_sample: Sample
    ) -> None:
        found = reader.retrieve(Collection.SONGS, songs_sample.songs.ids)
        assert [dict(record.payload) for record in found] == songs_sample.songs.payloads

    def test_fields_can_be_chosen(self, reader: ReleaseReader, songs_sample: Sample) -> None:
        [record] = reader.retrieve(Collection.SONGS, [FIRST_SONG + 1], payload=("name", "nope"))
        assert record.payload == {"name": songs_sample.songs.payloads[1]["name"]}
        [record] = reader.retrieve(Collection.SONGS, [FIRST_SONG + 1], payload=False)
        assert record.payload == {}
        assert record.vector is None

    def test_vectors_are_unit_rows_or_absent(
        self, reader: ReleaseReader, songs_sample: Sample
    ) -> None:
        found = reader.retrieve(Collection.SONGS, songs_sample.songs.ids, vectors=True)
        for record, expected in zip(found, songs_sample.unit, strict=True):
            if expected.any():
                assert record.vector is not None
                assert record.vector.dtype == np.float32
                np.testing.assert_allclose(record.vector, expected, atol=1e-6)
            else:
                assert record.vector is None

    def test_tags_are_found_by_the_id_that_their_text_gives(self, reader: ReleaseReader) -> None:
        found = reader.retrieve(Collection.TAGS, [tag_point_id(tag) for tag in TAGS])
        assert [record.payload["tag"] for record in found] == list(TAGS)

    @pytest.mark.parametrize("bad", ["no uuid", -1])
    def test_an_impossible_id_is_refused(self, reader: ReleaseReader, bad: int | str) -> None:
        with pytest.raises(RequestRefused):
            reader.retrieve(Collection.SONGS, [bad])


class TestValues:
    def test_they_are_those_of_the_payload(
        self, reader: ReleaseReader, songs_sample: Sample
    ) -> None:
        batch = songs_sample.songs
        pairs = zip(batch.ids, batch.payloads, strict=True)
        held = {id_: payload["popularity"] for id_, payload in pairs if "popularity" in payload}
        assert reader.values(Collection.SONGS, "popularity", batch.ids) == held
        some = list(held)[:2]
        assert reader.values(Collection.SONGS, "popularity", some * 2) == {
            id_: held[id_] for id_ in some
        }

    def test_unknown_points_are_left_out(self, reader: ReleaseReader) -> None:
        assert reader.values(Collection.SONGS, "popularity", [10**9]) == {}
        assert reader.values(Collection.SONGS, "popularity", []) == {}

    def test_points_with_a_uuid_keep_it(self, reader: ReleaseReader) -> None:
        ids = [tag_point_id(tag) for tag in TAGS]
        found = reader.retrieve(Collection.TAGS, ids, payload=("popularity",))
        assert reader.values(Collection.TAGS, "popularity", ids) == {
            record.id: record.payload["popularity"] for record in found
        }


class TestQuery:
    @pytest.mark.parametrize("exact", [True, False])
    @pytest.mark.parametrize("filter", [None, JAZZ, Filter(must_not=(JAZZ,))])
    def test_dense_finds_the_nearest_with_their_cosines(
        self, reader: ReleaseReader, songs_sample: Sample, filter: Filter | None, exact: bool
    ) -> None:
        expected = songs_sample.nearest(direction(), filter)
        query = VectorQuery(direction(), DENSE, 20, filter=filter, exact=exact, ef=64)
        [hits] = reader.query(Collection.SONGS, [query])
        assert [hit.id for hit in hits] == list(expected)[:20]
        np.testing.assert_allclose(
            [hit.score for hit in hits], list(expected.values())[:20], atol=1e-6
        )

    def test_sparse_finds_the_largest_products(
        self, reader: ReleaseReader, songs_sample: Sample
    ) -> None:
        indices, values = np.array([3, 11, 25], np.uint32), np.array([1, 0.5, 2], np.float32)
        query = np.zeros(PLAYLIST_DIMENSIONS, np.float32)
        query[indices] = values
        scores = songs_sample.sparse_matrix() @ query
        [hits] = reader.query(
            Collection.SONGS, [VectorQuery(SparseVector(indices, values), "playlists", SONGS)]
        )
        assert {hit.id for hit in hits} == {
            songs_sample.songs.ids[row] for row in np.flatnonzero(scores)
        }
        for hit in hits:
            assert hit.score == pytest.approx(scores[int(hit.id) - FIRST_SONG], rel=1e-5)
        assert [hit.score for hit in hits] == sorted((h.score for h in hits), reverse=True)

    def test_sparse_obeys_filters(self, reader: ReleaseReader, songs_sample: Sample) -> None:
        everywhere = SparseVector(
            np.arange(PLAYLIST_DIMENSIONS, dtype=np.uint32),
            np.ones(PLAYLIST_DIMENSIONS, np.float32),
        )
        [hits] = reader.query(
            Collection.SONGS, [VectorQuery(everywhere, "playlists", SONGS, filter=JAZZ)]
        )
        held = songs_sample.sparse_matrix().any(axis=1)
        assert {hit.id for hit in hits} == {
            id_ for id_ in songs_sample.passing(JAZZ) if held[int(id_) - FIRST_SONG]
        }

    def test_a_batch_is_the_same_as_one_by_one(self, reader: ReleaseReader) -> None:
        queries = [VectorQuery(direction(seed), DENSE, 5) for seed in range(6)]
        together = reader.query(Collection.SONGS, queries)
        apart = [reader.query(Collection.SONGS, [query])[0] for query in queries]
        assert [[h.id for h in hits] for hits in together] == [
            [h.id for h in hits] for hits in apart
        ]

    def test_a_batch_may_be_larger_than_a_server_takes_at_once(
        self, reader: ReleaseReader, songs_sample: Sample
    ) -> None:
        """A server refuses more than 32 MB; each of these has two and a half."""
        elsewhere = np.arange(10**9, 10**9 + 80_000, dtype=np.uint32)
        weights = np.random.default_rng(0).uniform(0.1, 2, (16, PLAYLIST_DIMENSIONS))
        queries = [
            VectorQuery(
                SparseVector(
                    np.concatenate([np.arange(PLAYLIST_DIMENSIONS, dtype=np.uint32), elsewhere]),
                    np.concatenate([own, np.full(len(elsewhere), 1 / 3)]).astype(np.float32),
                ),
                "playlists",
                limit=5,
            )
            for own in weights
        ]
        answers = reader.query(Collection.SONGS, queries)
        expected = np.sort(weights @ songs_sample.sparse_matrix().T)[:, :-6:-1]
        np.testing.assert_allclose([hits.scores for hits in answers], expected, rtol=1e-5)

    def test_no_queries_have_no_answers(self, reader: ReleaseReader) -> None:
        assert reader.query(Collection.SONGS, []) == []

    def test_more_than_there_is_gives_all_that_have_a_vector(
        self, reader: ReleaseReader, songs_sample: Sample
    ) -> None:
        [hits] = reader.query(Collection.SONGS, [VectorQuery(direction(), DENSE, 10 * SONGS)])
        assert len(hits) == songs_sample.unit.any(axis=1).sum()
        assert WITHOUT_VECTOR not in {hit.id for hit in hits}

    def test_payload_comes_on_request(self, reader: ReleaseReader, songs_sample: Sample) -> None:
        bare, full = reader.query(
            Collection.SONGS,
            [
                VectorQuery(direction(), DENSE, 1),
                VectorQuery(direction(), DENSE, 1, payload=("name",)),
            ],
        )
        assert bare[0].payload == {}
        row = int(full[0].id) - FIRST_SONG
        assert full[0].payload == {"name": songs_sample.songs.payloads[row]["name"]}

    @pytest.mark.parametrize(
        "query",
        [
            VectorQuery(np.ones(DIM + 1, np.float32), DENSE, 3),
            VectorQuery(np.ones(DIM, np.float32), "nope", 3),
        ],
        ids=["wrong dimension", "unknown vector"],
    )
    def test_what_the_engine_refuses_is_an_error_of_ours(
        self, reader: ReleaseReader, query: VectorQuery
    ) -> None:
        with pytest.raises(RequestRefused):
            reader.query(Collection.SONGS, [query])

    def test_threads_may_share_a_reader(self, reader: ReleaseReader) -> None:
        queries = [VectorQuery(direction(seed), DENSE, 3) for seed in range(40)]
        with ThreadPoolExecutor(8) as pool:
            answers = pool.map(lambda q: reader.query(Collection.SONGS, [q])[0], queries)
        assert [[h.id for h in hits] for hits in answers] == [
            [h.id for h in hits] for hits in reader.query(Collection.SONGS, queries)
        ]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_query_vector_has_to_be_finite(value: float) -> None:
    with pytest.raises(RequestRefused, match="finite"):
        VectorQuery(np.full(DIM, value, np.float32), DENSE, 3)
    sparse = SparseVector(np.array([1], np.uint32), np.array([value], np.float32))
    with pytest.raises(RequestRefused, match="finite"):
        VectorQuery(sparse, "playlists", 3)


class TestTop:
    def test_the_largest_values_first_and_absent_ones_never(
        self, reader: ReleaseReader, songs_sample: Sample
    ) -> None:
        values = sorted(
            (p["popularity"] for p in songs_sample.songs.payloads if "popularity" in p),
            reverse=True,
        )
        found = reader.top(Collection.SONGS, "popularity", 50)
        assert [record.payload["popularity"] for record in found] == values[:50]
        assert len(reader.top(Collection.SONGS, "popularity", SONGS)) == len(values)

    def test_obeys_filters(self, reader: ReleaseReader, songs_sample: Sample) -> None:
        found = reader.top(Collection.SONGS, "popularity", SONGS, JAZZ, payload=("popularity",))
        assert {record.id for record in found} == {
            id_
            for id_ in songs_sample.passing(JAZZ)
            if "popularity" in songs_sample.songs.payloads[int(id_) - FIRST_SONG]
        }
        assert all(set(record.payload) == {"popularity"} for record in found)

    def test_a_field_without_an_index_is_refused(self, reader: ReleaseReader) -> None:
        with pytest.raises(RequestRefused):
            reader.top(Collection.SONGS, "name", 3)


class TestFindAndCount:
    def test_find_gives_all_that_pass_or_as_many_as_asked(
        self, reader: ReleaseReader, songs_sample: Sample
    ) -> None:
        found = reader.find(Collection.SONGS, JAZZ, SONGS)
        assert {record.id for record in found} == songs_sample.passing(JAZZ)
        assert len(reader.find(Collection.SONGS, JAZZ, 3)) == 3
        assert len(reader.find(Collection.SONGS, None, 2 * SONGS)) == SONGS

    @pytest.mark.parametrize("filter", [None, JAZZ, Filter(must_not=(JAZZ,))])
    @pytest.mark.parametrize("limit", [1, 7, SONGS])
    def test_find_begins_with_the_lowest_ids(
        self, reader: ReleaseReader, songs_sample: Sample, filter: Filter | None, limit: int
    ) -> None:
        """Whatever is told apart by nothing else is in the same order on both engines."""
        found = reader.find(Collection.SONGS, filter, limit)
        assert [record.id for record in found] == sorted(songs_sample.passing(filter))[:limit]

    @pytest.mark.parametrize("limit", [1, 3, len(TAGS)])
    def test_find_begins_with_the_lowest_uuids(self, reader: ReleaseReader, limit: int) -> None:
        ids = sorted(map(tag_point_id, TAGS))
        assert [record.id for record in reader.find(Collection.TAGS, None, limit)] == ids[:limit]
        but_one = Filter(must=(HasId(tuple(ids[1:])),))
        found = reader.find(Collection.TAGS, but_one, limit)
        assert [record.id for record in found] == ids[1:][:limit]

    def test_find_is_in_order_whatever_the_points_came_in(self, place: Place) -> None:
        """Also where they are on several shards, as on a cluster."""
        numbers = np.random.default_rng(0).permutation(500).tolist()
        tags = [tag_point_id(str(number)) for number in numbers]
        sharded = isinstance(place, ServerPlace)
        several = ServerStore(replace(place.address, shard_number=3)) if sharded else place.open()
        with several as store:
            publish(store, {Collection.SONGS: points(numbers), Collection.TAGS: points(tags)})
            reader = store.open()
            for collection, ids in ((Collection.SONGS, numbers), (Collection.TAGS, tags)):
                for limit in (20, 500):
                    found = reader.find(collection, None, limit)
                    assert [record.id for record in found] == sorted(ids)[:limit]

    def test_count(self, reader: ReleaseReader, songs_sample: Sample) -> None:
        assert reader.count(Collection.SONGS) == SONGS
        assert reader.count(Collection.SONGS, JAZZ) == len(songs_sample.passing(JAZZ))
        assert reader.count(Collection.SONGS, Filter()) == SONGS

    @pytest.mark.parametrize("tag", TAGS)
    def test_tags_match_to_the_letter(self, reader: ReleaseReader, tag: str) -> None:
        found = reader.find(Collection.TAGS, Filter(must=(MatchAny("tag", (tag,)),)), 10)
        assert [record.payload["tag"] for record in found] == [tag]

    def test_empty_collections_answer_with_nothing(self, reader: ReleaseReader) -> None:
        for collection in (Collection.PLAYLISTS, Collection.WORDS):
            assert reader.count(collection) == 0
            assert reader.find(collection, None, 5) == []
            [hits] = reader.query(collection, [VectorQuery(direction(), DENSE, 5)])
            assert list(hits) == []
        assert reader.top(Collection.PLAYLISTS, "like_count", 5) == []
        query = SparseVector(np.array([1], np.uint32), np.array([1], np.float32))
        [hits] = reader.query(Collection.PLAYLISTS, [VectorQuery(query, "items", 5)])
        assert list(hits) == []

    @pytest.mark.parametrize("limit", [0, -1])
    def test_less_than_one_point_is_refused(self, reader: ReleaseReader, limit: int) -> None:
        with pytest.raises(RequestRefused):
            reader.find(Collection.SONGS, None, limit)
        with pytest.raises(RequestRefused):
            reader.top(Collection.SONGS, "popularity", limit)
        with pytest.raises(RequestRefused):
            VectorQuery(direction(), DENSE, limit)


class TestFilters:
    """A condition that could widen a search to everything is an error where it is made."""

    def test_conditions_without_a_bound_or_a_value_are_refused(self) -> None:
        for make in (
            lambda: MatchAny("genres", ()),
            lambda: HasId(()),
            lambda: NumberRange("popularity"),
            lambda: NumberRange("popularity", gte=3, lte=2),
            lambda: NumberRange("popularity", gt=3, lte=3),
            lambda: NumberRange("popularity", gte=3, lt=3),
            lambda: NumberRange("popularity", gte=float("nan")),
            lambda: NumberRange("popularity", lte=float("inf")),
            lambda: NumberRange("popularity", gte=2**53 + 1),
            lambda: NumberRange("popularity", gte=10**400),
            lambda: DateRange("issue_date"),
            lambda: DateRange("issue_date", gt=DAY, lte=DAY),
            lambda: Filter(must=(Filter(),)),
            lambda: Filter(must_not=(Filter(),)),
            lambda: Filter(should=(JAZZ, Filter())),
        ):
            with pytest.raises(FilterError):
                make()

    @pytest.mark.parametrize(
        "condition",
        [
            MatchAny("gneres", ("jazz",)),
            MatchAny("lyrics", ("la la la",)),
            MatchAny("name", ("노래",)),
            MatchAny("tag", ("rainy day",)),
            MatchAny("bpm", (120,)),
            MatchAny("explicit", (1,)),
            MatchAny("loudness", (True,)),
            MatchAny("loudness", ("3",)),
            MatchAny("genres", (3,)),
            MatchAny("issue_date", ("2000-01-01T00:00:00Z",)),
            NumberRange("genres", gte=3),
            NumberRange("explicit", gte=0),
            NumberRange("issue_date", gte=3),
            NumberRange("loudness", gte=2.2, lte=2.8),
            DateRange("popularity", gte=DAY),
            DateRange("genres", gte=DAY),
        ],
        ids=repr,
    )
    def test_conditions_that_no_index_answers_are_refused(
        self, reader: ReleaseReader, condition: Condition
    ) -> None:
        inner = Filter(must_not=(condition,))
        for filter in (Filter(must=(condition,)), inner, Filter(should=(JAZZ, inner))):
            for ask in (
                lambda filter: reader.find(Collection.SONGS, filter, 1),
                lambda filter: reader.top(Collection.SONGS, "popularity", 1, filter),
                lambda filter: reader.count(Collection.SONGS, filter),
                lambda filter: reader.query(
                    Collection.SONGS, [VectorQuery(direction(), DENSE, 1, filter)]
                ),
            ):
                with pytest.raises(FilterError):
                    ask(filter)

    def test_an_unknown_field_is_answered_by_those_there_are(self, reader: ReleaseReader) -> None:
        with pytest.raises(FilterError, match="'bmp'") as error:
            reader.count(Collection.SONGS, Filter(must=(NumberRange("bmp", gte=1),)))
        hint = error.value.hint or ""
        assert {"bpm", "분위기", "popularity"} <= set(hint.split(": ")[-1].replace(",", "").split())
        assert "lyrics" not in hint

    def test_both_filters_at_once_keep_their_alternatives_apart(self) -> None:
        jazz = MatchAny("genres", ("jazz",))
        ballad = MatchAny("genres", ("ballad",))
        popular = NumberRange("popularity", gte=5)
        either, other = Filter(should=(jazz, ballad)), Filter(should=(popular,))
        assert either & other == Filter(must=(either, other))
        assert Filter() & either == either
        assert either & Filter() == either
        assert Filter(must=(jazz,)) & Filter(must_not=(ballad,)) == Filter(
            must=(jazz,), must_not=(ballad,)
        )


class TestInBackground:
    def test_gives_what_the_call_does(self, reader: ReleaseReader) -> None:
        counts = [
            reader.in_background(partial(reader.count, collection)) for collection in Collection
        ]
        assert [count() for count in counts] == [reader.count(part) for part in Collection]

    def test_raises_what_the_call_does(self, reader: ReleaseReader) -> None:
        found = reader.in_background(partial(reader.top, Collection.SONGS, "name", 3))
        with pytest.raises(RequestRefused):
            found()
