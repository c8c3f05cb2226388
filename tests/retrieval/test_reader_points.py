"""What was read of a point is not read again, and the cache stays within its bounds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from melon.retrieval import Retriever
from melon.retrieval.reader import CachingReader, PointCache
from melon.retrieval.tables import ListRows, PointTable
from melon.store import Collection, PointId, Record
from melon.store.protocol import ForwardingReader


class Counting(ForwardingReader):
    """Notes which points are read."""

    def __init__(self, retriever: Retriever) -> None:
        super().__init__(retriever.engine_reader)
        self.read: list[list[PointId]] = []

    def retrieve(
        self, collection: Collection, ids: Sequence[PointId], **options: bool
    ) -> list[Record]:
        self.read.append(sorted(ids))
        return super().retrieve(collection, ids, **options)


@pytest.fixture
def reader(retriever: Retriever) -> Counting:
    return Counting(retriever)


@pytest.fixture
def songs(retriever: Retriever) -> list[PointId]:
    found = retriever.engine_reader.find(Collection.SONGS, None, 6, payload=False)
    return [record.id for record in found]


def names(max_points: int) -> PointCache[str]:
    return PointCache(
        Collection.SONGS, lambda song: song.payload["name"], max_points, payload=("name",)
    )


def test_what_is_known_is_not_read_again(reader: Counting, songs: list[PointId]):
    cache = names(100)
    cache.load(reader, songs[:3])
    loaded = cache.load(reader, songs)
    cache.load(reader, songs[::-1])
    assert reader.read == [songs[:3], songs[3:]]
    records = reader.retrieve(Collection.SONGS, songs)
    assert loaded == {record.id: record.payload["name"] for record in records}


def test_where_it_would_grow_too_large_it_begins_anew(reader: Counting, songs: list[PointId]):
    cache = names(4)
    before = cache.load(reader, songs[:3])
    assert cache.load(reader, songs[2:5]).keys() == set(songs[2:5])
    assert before.keys() == set(songs[:3])  # whoever has it goes on with it
    assert len(cache.load(reader, songs)) == 6  # what is asked for at once is always answered
    assert reader.read == [songs[:3], songs[2:5], songs]


def test_a_point_that_is_not_there_has_no_value(reader: Counting, songs: list[PointId]):
    absent = 2_000_000_000
    assert absent not in names(100).load(reader, [songs[0], absent])


def test_artists_and_facts_are_those_of_the_songs(reader: Counting, songs: list[PointId]):
    caching = CachingReader(reader)
    records = reader.retrieve(Collection.SONGS, songs, vectors=True)
    artists, facts = caching.load_artist_keys(songs), caching.facts(np.array(songs))
    for record, known in zip(records, facts, strict=True):
        assert artists[record.id] == tuple(record.payload["artist_keys"])
        assert known["vector"] == pytest.approx(record.vector)
        assert known["popularity"] == max(record.payload["popularity"], 1)
    reader.read.clear()
    caching.load_artist_keys(songs)
    caching.facts(np.array(songs))
    assert reader.read == []


def holders(max_points: int) -> PointTable[ListRows]:
    return PointTable(
        Collection.SONGS,
        lambda: ListRows(lambda song: song.payload["artist_ids"], lambda song: [song.id]),
        max_points,
        payload=("artist_ids",),
    )


def test_rows_are_read_once_and_begin_anew_where_there_would_be_too_many(
    reader: Counting, songs: list[PointId]
):
    table, ids = holders(4), np.array(songs)
    before = table.load(reader, ids[:3])
    for some in (ids[2:5], ids[2:5][::-1], ids):
        rows, found = table.load(reader, some)
        records = {record.id: record for record in super(Counting, reader).retrieve("songs", songs)}
        artists = rows.of(0, found)
        assert artists.entries.tolist() == [
            artist for song in some.tolist() for artist in records[song].payload["artist_ids"]
        ]
        assert rows.of(1, found).entries.tolist() == some.tolist()
        assert set(rows.of(1, found).lengths.tolist()) == {1}
    assert reader.read == [songs[:3], songs[2:5], songs]
    rows, found = before  # whoever has them goes on with them
    assert rows.of(1, found).entries.tolist() == songs[:3]


def test_a_point_that_is_not_there_has_an_empty_row(reader: Counting, songs: list[PointId]):
    table = PointTable(
        Collection.SONGS,
        lambda: ListRows(lambda song: song.payload.get("artist_ids", ())),
        100,
        payload=("artist_ids",),
    )
    ids = np.array([songs[0], 2_000_000_000])
    for _ in range(2):
        rows, found = table.load(reader, ids)
        first, absent = rows.of(0, found).lengths.tolist()
        assert first > 0 == absent
    assert len(reader.read) == 1
