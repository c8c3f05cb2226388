"""The collections' contract, field by field: what applications that read Qdrant rely on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pytest
from ingest_samples import BARE, COLD, FULL, GENRES, LOST, MONTH, OWN_FIELDS, TWICE, YEAR

from melon.embedding import EmbeddingSpace
from melon.fields import FieldType, payload_fields
from melon.ingest import SparseWeights
from melon.ingest.contents import contents
from melon.ingest.incidence import dimensions_of
from melon.store import (
    SCHEMA,
    Collection,
    DateRange,
    Filter,
    HasId,
    MatchAny,
    NumberRange,
    PointId,
    ReleaseReader,
    SparseVector,
    VectorQuery,
    bigram_point_id,
    tag_point_id,
    word_point_id,
)
from melon.store.schema import FIRST_BIGRAM_ITEM, FIRST_TAG_ITEM, FIRST_WORD_ITEM

WEIGHTS = SparseWeights()


def payload(reader: ReleaseReader, collection: Collection, point_id: PointId) -> dict[str, Any]:
    [record] = reader.retrieve(collection, [point_id])
    return dict(record.payload)


def dimensions(space: EmbeddingSpace) -> dict[str, int]:
    """The dimension in `items` of every tag and word."""
    named = {"tag": (space.tags, FIRST_TAG_ITEM), "word": (space.words, FIRST_WORD_ITEM)}
    return {
        f"{kind}:{name}": dimension
        for kind, (names, first) in named.items()
        for name, dimension in zip(names, dimensions_of(names, first).tolist(), strict=True)
    }


class TestSongs:
    def test_all_that_is_known(self, reader: ReleaseReader) -> None:
        assert payload(reader, Collection.SONGS, FULL) == {
            "key": "track:full",
            "key_words": "track full",
            "name": "Rain  Café",
            "name_key": "rain café",
            "search_words": "rain cafe",
            "artists": ["비", "The Ｒain"],
            "artist_words": ["비", "the rain"],
            "artist_keys": ["비", "the rain"],
            "artist_ids": [7, 8],
            "album": "Wet",
            "album_id": 70,
            "genres": ["GN0100", "GN0900"],
            "genre_names": ["발라드", "GN0900"],  # which has no name
            "detail_genres": ["GN0105"],
            "genre_years": ["GN0100/2014", "GN0900/2014"],
            "issue_date": "2014-08-19T00:00:00Z",
            "issue_date_precision": "day",
            "issue_year": 2014,
            "popularity": 3,
            "vector_source": "trained",
            "bpm": 0.3,
            "loudness": -7,
            "explicit": False,
            "moods": ["calm", "wet"],
            "언어": "한국어",
            "added_at": "2020-01-02T03:04:05.000600Z",
            "days": ["1999-12-31T00:00:00Z", "2000-01-01T00:00:00Z"],
            "copy": "© a label",
        }

    def test_own_fields_are_declared_shown_and_indexed_by_their_types(
        self, reader: ReleaseReader
    ) -> None:
        schema = reader.manifest.schema(Collection.SONGS)
        assert schema.fields == (*SCHEMA[Collection.SONGS].fields, *OWN_FIELDS)
        assert set(schema.shown) >= {field.name for field in OWN_FIELDS}
        for filter in (
            NumberRange("bpm", gte=0.3, lte=0.3),
            MatchAny("explicit", (False,)),
            NumberRange("loudness", gte=-8, lte=-7),
            MatchAny("moods", ("wet",)),
            MatchAny("언어", ("한국어",)),
            DateRange("added_at", gte=datetime(2020, 1, 2), lte=datetime(2020, 1, 3)),
            DateRange("days", gte=datetime(2000, 1, 1)),
            MatchAny("key", ("track:full",)),
        ):
            found = reader.find(Collection.SONGS, Filter(must=(filter,)), 10, payload=False)
            assert [song.id for song in found] == [FULL], filter

    @pytest.mark.parametrize(
        ("song", "day", "precision"), [(MONTH, "2006-06-01", "month"), (YEAR, "2006-01-01", "year")]
    )
    def test_a_partial_date_is_its_first_day_and_says_so(
        self, reader: ReleaseReader, song: int, day: str, precision: str
    ) -> None:
        held = payload(reader, Collection.SONGS, song)
        assert held["issue_date"] == f"{day}T00:00:00Z"
        assert held["issue_date_precision"] == precision
        assert held["issue_year"] == 2006

    def test_lists_hold_no_repeats(self, reader: ReleaseReader) -> None:
        twice = payload(reader, Collection.SONGS, TWICE)
        assert twice["artists"] == ["A", "a"]
        assert twice["artist_keys"] == ["a"]
        assert twice["artist_ids"] == [9]
        assert twice["genre_names"] == ["댄스"]

    def test_what_is_unknown_is_absent(self, reader: ReleaseReader) -> None:
        bare = payload(reader, Collection.SONGS, BARE)
        assert bare == {"popularity": 1, "vector_source": "trained"}
        assert payload(reader, Collection.SONGS, LOST) == {"popularity": 0}
        assert "artists" not in payload(reader, Collection.SONGS, YEAR)  # an id without a name
        assert payload(reader, Collection.SONGS, YEAR)["artist_ids"] == [7]

    def test_a_cold_song_says_where_its_vector_is_from(self, reader: ReleaseReader) -> None:
        held = payload(reader, Collection.SONGS, COLD)
        assert (held["vector_source"], held["popularity"]) == ("artist", 0)
        lost, cold = reader.retrieve(Collection.SONGS, [LOST, COLD], vectors=True)
        assert lost.vector is None
        assert cold.vector is not None
        assert np.linalg.norm(cold.vector) == pytest.approx(1, abs=1e-5)


class TestPlaylists:
    def test_all_that_is_known(self, reader: ReleaseReader) -> None:
        assert payload(reader, Collection.PLAYLISTS, 1) == {
            "key": "list:1",
            "key_words": "list 1",
            "title": "비 오는 날",
            "search_words": "비오는날 오는날 는날 날",
            "tags": ["비오는날", "rain"],
            "songs": [FULL, MONTH, YEAR, BARE],
            "updt_date": "2019-12-17T14:06:45Z",
            "like_count": 12,
            "song_count": 4,
            "genres": ["GN0100", "GN0900"],  # of both songs with a genre, and of one
            "vector_source": "items",
        }

    def test_what_is_unknown_is_absent_and_what_is_none_is_zero(
        self, reader: ReleaseReader
    ) -> None:
        untitled = payload(reader, Collection.PLAYLISTS, 2)
        assert not {"title", "tags", "updt_date", "like_count"} & set(untitled)
        empty = payload(reader, Collection.PLAYLISTS, 3)
        assert (empty["song_count"], empty["like_count"]) == (0, 0)
        assert not {"songs", "genres"} & set(empty)


class TestTagsAndWords:
    def test_a_tag(self, reader: ReleaseReader, space: EmbeddingSpace) -> None:
        assert payload(reader, Collection.TAGS, tag_point_id("rain")) == {
            "tag": "rain",
            "search_words": "rain",
            "popularity": 3,
            "item": dimensions(space)["tag:rain"],
            "vector_source": "trained",
        }

    def test_a_word(self, reader: ReleaseReader, space: EmbeddingSpace) -> None:
        first = space.word_table.slice(0, 1).to_pylist()[0]
        assert payload(reader, Collection.WORDS, word_point_id(first["word"])) == {
            "word": first["word"],
            "popularity": first["popularity"],
            "item": dimensions(space)[f"word:{first['word']}"],
            "kind": "word",
            "vector_source": first["vector_source"],
        }

    def test_a_pair_of_letters_that_two_playlists_have(self, reader: ReleaseReader) -> None:
        """`오는` is in two titles; such pairs find titles that are written apart or together."""
        held = payload(reader, Collection.WORDS, bigram_point_id("오는"))
        assert held["item"] >= FIRST_BIGRAM_ITEM
        assert {**held, "item": 0} == {"word": "오는", "kind": "bigram", "popularity": 2, "item": 0}
        assert reader.retrieve(Collection.WORDS, [bigram_point_id("는밤")]) == []  # one playlist

    def test_point_ids_are_published(self) -> None:
        """Applications compute them: these must never change."""
        assert tag_point_id("rain") == "fd77c5e3-9390-5a53-9c3a-d5fb477091be"
        ids = {make("rain") for make in (tag_point_id, word_point_id, bigram_point_id)}
        assert len(ids) == 3


class TestSparseVectors:
    def value(
        self, reader: ReleaseReader, collection: Collection, point_id: PointId, dimension: int
    ) -> float | None:
        """The value that a point has in one dimension; None where it has none."""
        name = SCHEMA[collection].sparse
        assert name is not None
        one = SparseVector(np.array([dimension], np.uint32), np.ones(1, np.float32))
        itself = Filter(must=(HasId((point_id,)),))
        [hits] = reader.query(collection, [VectorQuery(one, name, 1, filter=itself)])
        return hits[0].score if hits else None

    def test_items_of_a_playlist(self, reader: ReleaseReader, space: EmbeddingSpace) -> None:
        def item(dimension: int) -> float | None:
            return self.value(reader, Collection.PLAYLISTS, 1, dimension)

        assert item(FULL) == pytest.approx(4**WEIGHTS.song_length)  # each of four songs
        assert item(COLD) is None
        where = dimensions(space)
        assert item(where["tag:rain"]) == pytest.approx(2**WEIGHTS.tag_length)  # each of two tags
        assert item(where["tag:밤"]) is None
        words = set(space.playlists["words"][0].as_py())
        assert words >= set(space.title.words("비 오는 날"))
        for word in words:
            assert item(where[f"word:{word}"]) == pytest.approx(len(words) ** WEIGHTS.word_length)

    def test_dimensions_of_names_are_distinct_and_do_not_move(self) -> None:
        """`plumless` and `buckeroo` have one CRC-32; with others, too, most stay as they were."""
        names = ["plumless", "rain", "buckeroo", *map(str, range(1_000))]
        numbers = dimensions_of(names, 7)
        assert len(set(numbers.tolist())) == len(names)
        assert abs(int(numbers[0]) - int(numbers[2])) == 1
        assert dimensions_of(names[::-1], 7).tolist() == numbers.tolist()[::-1]
        assert dimensions_of(["more", *names], 7).tolist()[1:] == numbers.tolist()
        assert dimensions_of([], 7).tolist() == []

    def test_playlists_of_a_song_and_of_a_tag(self, reader: ReleaseReader) -> None:
        held = [self.value(reader, Collection.SONGS, MONTH, playlist) for playlist in (1, 2, 3, 4)]
        expected = pytest.approx(2**WEIGHTS.popularity)
        assert held == [expected, expected, None, None]
        rain = tag_point_id("rain")
        held = [self.value(reader, Collection.TAGS, rain, playlist) for playlist in (1, 2, 3, 4)]
        tags = {1: 2, 3: 1, 4: 2}  # how many each of its playlists has
        expected = [3**WEIGHTS.popularity * n**WEIGHTS.holder_tags for n in tags.values()]
        assert held[1] is None
        assert [held[0], held[2], held[3]] == pytest.approx(expected)

    def test_weights_are_exponents_of_the_counts(self, space: EmbeddingSpace) -> None:
        weights = SparseWeights(song_length=-1, tag_length=0.5, word_length=0, popularity=-1)
        laid_out = contents(space, weights)
        songs = laid_out[Collection.SONGS].sparse
        items = laid_out[Collection.PLAYLISTS].sparse
        assert songs is not None
        assert items is not None
        np.testing.assert_allclose(songs.row(0)[1], [1 / 3] * 3)  # FULL is in three playlists
        indices, values = items.row(0)
        tags = (indices >= FIRST_TAG_ITEM) & (indices < FIRST_WORD_ITEM)
        np.testing.assert_allclose(values[indices < FIRST_TAG_ITEM], 1 / 4)
        np.testing.assert_allclose(values[tags], 2**0.5)
        words = (indices >= FIRST_WORD_ITEM) & (indices < FIRST_BIGRAM_ITEM)
        np.testing.assert_allclose(values[words], 1)


def test_the_manifest_is_all_that_a_query_host_needs(
    reader: ReleaseReader, space: EmbeddingSpace
) -> None:
    manifest = reader.manifest
    assert manifest.counts == {
        Collection.SONGS: 7,
        Collection.TAGS: 3,
        Collection.PLAYLISTS: 4,
        Collection.WORDS: reader.count(Collection.WORDS),
    }
    assert manifest.genres == {code: genre.name for code, genre in GENRES.items()} | {
        "GN0900": "GN0900"  # of a song, and without a name
    }
    assert manifest.title_tokenizer == space.title.to_bytes()
    assert manifest.weights == SparseWeights().model_dump()
    assert (manifest.space, manifest.dim) == (space.hash, 8)


@pytest.mark.parametrize("collection", Collection)
def test_payloads_have_the_types_of_the_schema(
    reader: ReleaseReader, collection: Collection
) -> None:
    schema = reader.manifest.schema(collection)
    fields = {field.name: field for field in payload_fields(schema.fields)}
    kinds = {FieldType.INTEGER: int, FieldType.FLOAT: float, FieldType.BOOL: bool}
    for record in reader.find(collection, None, 100):
        for name, value in record.payload.items():
            field = fields[name]
            assert isinstance(value, list) == field.many, (record.id, name)
            values = value if field.many else [value]
            assert values, (record.id, name)
            assert {type(one) for one in values} == {kinds.get(field.type, str)}, (record.id, name)
            assert "" not in values
