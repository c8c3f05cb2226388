"""Own fields of a catalogue, in whatever numbers they are, on both engines."""

from __future__ import annotations

import numpy as np
import pytest

from melon.catalog import Playlist, Song
from melon.embedding import build_space, training_settings
from melon.fields import MAX_INTEGER, FieldType, own_field
from melon.ingest import ingest
from melon.store import Collection, Filter, NumberRange, VectorStore

SONGS = 300


def test_numbers_of_any_length_are_stored_and_found(store: VectorStore) -> None:
    """Qdrant reads the last of 17 digits of a float as another, and of 15 where they are huge."""
    rng = np.random.default_rng(5)
    floats = (rng.normal(120, 20, SONGS) * 10.0 ** rng.integers(-290, 290, SONGS)).tolist()
    integers = rng.integers(-MAX_INTEGER, MAX_INTEGER, SONGS).tolist()
    songs = [
        Song(n, more={"real": floats[n], "whole": integers[n], "several": (floats[n], 0.5)})
        for n in range(SONGS)
    ]
    playlists = [
        Playlist(n, None, tuple(range(n, n + 100)), ("a",), None, None) for n in range(SONGS - 100)
    ]
    settings = training_settings(dim=8, epochs=1, min_count=1, title_pieces=32)
    fields = (
        own_field("real", FieldType.FLOAT),
        own_field("whole", FieldType.INTEGER),
        own_field("several", FieldType.FLOAT, many=True),
    )
    ingest(build_space(playlists, songs, settings=settings, fields=fields), store)

    reader = store.open()
    for song in reader.find(Collection.SONGS, None, SONGS):
        number = floats[int(song.id)]
        kept = float(f"{number:.15g}")
        assert song.payload["real"] == pytest.approx(kept, rel=1e-15)
        assert song.payload["several"] == [song.payload["real"], 0.5]
        assert song.payload["whole"] == integers[int(song.id)]
        for bounds, passes in (
            ({"gte": number, "lte": number}, lambda one, kept=kept: one == kept),
            ({"gte": number}, lambda one, kept=kept: one >= kept),
            ({"gt": number}, lambda one, kept=kept: one > kept),
            ({"lt": number}, lambda one, kept=kept: one < kept),
        ):
            hits = reader.count(Collection.SONGS, Filter(must=(NumberRange("real", **bounds),)))
            assert hits == sum(passes(float(f"{one:.15g}")) for one in floats)
