"""Counts of a field's values: exact, in one order, and the same on both engines."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as run_with
from hypothesis import strategies as st
from places import Place, ServerPlace
from store_samples import BothReaders, Sample, points, publish, sample
from test_congruence import filters

from melon.store import (
    ALL_VALUES,
    SCHEMA,
    Collection,
    Facets,
    FacetValue,
    Filter,
    MatchAny,
    PointBatch,
    ReleaseReader,
    RequestRefused,
    facet_fields,
)
from melon.store.facets import most_frequent
from melon.store.server import ServerStore

SAMPLE = sample()
COUNTED = ("genres", "artists", "artist_ids", "issue_year", "vector_source", "detail_genres")
OWN = ("explicit", "loudness", "분위기")


def counted(field: str, filter: Filter | None, limit: int) -> Facets:
    """What plain Python counts in the sample."""
    passing = SAMPLE.passing(filter)
    counts: Counter[FacetValue] = Counter()
    for point, payload in zip(SAMPLE.songs.ids, SAMPLE.songs.payloads, strict=True):
        if point in passing and field in payload:
            value = payload[field]
            counts.update(set(value) if isinstance(value, list) else [value])
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]


@run_with(max_examples=60)
@given(
    field=st.sampled_from(COUNTED + OWN),
    filter=st.one_of(st.none(), filters()),
    limit=st.integers(1, 15),
)
def test_counts_are_those_of_a_scan(
    readers: BothReaders, field: str, filter: Filter | None, limit: int
) -> None:
    for engine, reader in readers.items():
        found = reader.facet(Collection.SONGS, field, limit, filter)
        assert found == counted(field, filter, limit), engine


@pytest.mark.parametrize("field", COUNTED)
def test_all_values_can_be_had(reader: ReleaseReader, field: str) -> None:
    assert reader.facet(Collection.SONGS, field, ALL_VALUES) == counted(field, None, ALL_VALUES)


def test_equal_counts_are_cut_by_their_values(place: Place) -> None:
    """Also where they are on several shards, as on a cluster."""
    ids = list(range(600))
    payloads = [{"artists": [f"artist {(7 * n) % 300:03}"]} for n in ids]
    batch = points(ids)
    songs = PointBatch(ids, batch.dense, None, payloads)
    sharded = isinstance(place, ServerPlace)
    several = ServerStore(replace(place.address, shard_number=3)) if sharded else place.open()
    with several as store:
        publish(store, {Collection.SONGS: songs})
        reader = store.open()
        for limit in (1, 10, 299, 300, 301):
            found = reader.facet(Collection.SONGS, "artists", limit)
            assert found == [(f"artist {n:03}", 2) for n in range(min(limit, 300))]


def test_nothing_passes_and_nothing_is_there(reader: ReleaseReader, songs_sample: Sample) -> None:
    nobody = Filter(must=(MatchAny("artists", ("nobody",)),))
    assert reader.facet(Collection.SONGS, "genres", 5, nobody) == []
    assert reader.facet(Collection.PLAYLISTS, "tags", 5) == []


@pytest.mark.parametrize("field", ["nope", "name", "issue_date", "popularity", "songs"])
def test_a_field_without_an_index_of_values_is_refused(reader: ReleaseReader, field: str) -> None:
    with pytest.raises(RequestRefused, match=field) as refused:
        reader.facet(Collection.SONGS, field, 5)
    assert "artists" in str(refused.value.hint)


@pytest.mark.parametrize("limit", [0, -1])
def test_less_than_one_value_is_refused(reader: ReleaseReader, limit: int) -> None:
    with pytest.raises(RequestRefused):
        reader.facet(Collection.SONGS, "genres", limit)


@pytest.mark.parametrize("collection", Collection)
def test_every_field_that_is_said_to_be_counted_is(
    reader: ReleaseReader, collection: Collection
) -> None:
    for field in facet_fields(SCHEMA[collection].fields):
        reader.facet(collection, field, 3)


def test_an_engine_is_asked_until_the_count_changes() -> None:
    values: Facets = [("z", 3), *((f"v{n:02}", 2) for n in reversed(range(40))), ("a", 1)]
    asked = []

    def ask(number: int) -> Facets:
        asked.append(number)
        return values[:number]

    assert most_frequent(ask, 3) == [("z", 3), ("v00", 2), ("v01", 2)]
    assert asked == [4, 16, 64]
