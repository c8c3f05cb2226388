"""A release that follows another holds the same as one that was built anew, and is as sound."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ingest_samples import variant
from places import EMBEDDED, ENGINES, SERVER, DirectoryPlace, ServerPlace, place_on
from qdrant_server import Endpoint

from melon.demo import DemoTruth
from melon.embedding import EmbeddingSpace, update_corpus
from melon.ingest import Outcome, ingest
from melon.ingest.transfer import digest, stored_points
from melon.store import Collection, Preset, ReleaseReader, StoreUnavailable, VectorStore, verify
from melon.store.server import ServerStore
from melon.store.server.connection import ServerConnection
from melon.store.server.copying import copy_collection

NEW = [
    {"id": 90_000, "plylst_title": "rainy update", "tags": ["rain", "fresh"], "songs": [1, 2]},
    {"id": 90_001, "plylst_title": "more", "tags": ["fresh"], "songs": [1, 2, 80_000]},
]


@pytest.fixture(scope="module")
def spaces(
    demo_corpus: tuple[Path, DemoTruth],
    demo_space: EmbeddingSpace,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[EmbeddingSpace, EmbeddingSpace]:
    """The demo's, and without some playlists, with others, and some that have changed."""
    directory = tmp_path_factory.mktemp("update")
    playlists = json.loads((demo_corpus[0] / "train.json").read_text())
    for playlist in playlists[7::40]:
        playlist["songs"] = playlist["songs"][1:]
    (directory / "train.json").write_text(json.dumps([*playlists[3:], *NEW]))
    demo_space.save(directory / "space")
    files = [directory, demo_corpus[0] / "song_meta.json", demo_corpus[0] / "genre_gn_all.json"]
    before, space, changes = update_corpus(files, directory / "space", remove_gone=True)
    assert changes.playlists.gone == 3
    return before, space


@pytest.fixture(scope="module", params=ENGINES)
def followed(
    request: pytest.FixtureRequest, spaces: tuple[EmbeddingSpace, EmbeddingSpace]
) -> Iterator[VectorStore]:
    """A store with a release of the first, with a graph, and one of the second that follows it."""
    before, space = spaces
    server = request.getfixturevalue("qdrant_server") if request.param == SERVER else None
    with place_on(request.param, server) as there, there.open() as store:
        ingest(before, store, preset=Preset.BALANCED)
        result = ingest(space, store, before=before)
        assert result.outcome is Outcome.BUILT
        assert result.manifest.preset is Preset.BALANCED
        assert 0 < result.sent < sum(result.manifest.counts.values()) / 2
        yield store


def held(reader: ReleaseReader) -> dict[Collection, object]:
    """What it holds: the ids and a digest of its points, and their vectors to four digits."""
    found: dict[Collection, object] = {}
    for collection, points in stored_points(reader).items():
        batch = points.batch(0, len(points))
        vectors = (batch.dense.round(4) + 0.0).tolist()
        found[collection] = (points.ids, digest(batch), vectors)
    return found


@pytest.fixture(scope="module")
def anew(spaces: tuple[EmbeddingSpace, EmbeddingSpace]) -> tuple[str, dict[Collection, object]]:
    """A release of the second by itself: its name, and what it holds."""
    with place_on(EMBEDDED, None) as there, there.open() as store:
        result = ingest(spaces[1], store, preset=Preset.BALANCED)
        assert result.sent == sum(result.manifest.counts.values())
        return result.manifest.release, held(store.open())


def test_it_holds_what_one_that_was_built_anew_holds(
    anew: tuple[str, dict[Collection, object]], followed: VectorStore
) -> None:
    assert (followed.live(), held(followed.open())) == anew


def test_it_is_sound_and_the_one_before_is_untouched(followed: VectorStore) -> None:
    previous = followed.previous()
    assert previous
    for release in (None, previous):
        assert verify(followed, release).faults == ()


def test_the_same_space_again_changes_nothing(
    spaces: tuple[EmbeddingSpace, EmbeddingSpace], followed: VectorStore
) -> None:
    assert ingest(spaces[1], followed, before=spaces[1]).outcome is Outcome.UNCHANGED
    assert ingest(spaces[1], followed, preset=Preset.BALANCED).outcome is Outcome.UNCHANGED


def test_what_is_damaged_or_of_another_space_is_not_followed(
    spaces: tuple[EmbeddingSpace, EmbeddingSpace],
) -> None:
    before, space = spaces
    with place_on(EMBEDDED, None) as there, there.open() as store:
        assert isinstance(there, DirectoryPlace)
        live = ingest(before, store, preset=Preset.BALANCED).manifest.release
        flip(there.root / "releases" / live / "songs")
        ranked = replace(space, ranking=None, manifest={})
        for one in (space, ranked):  # when the second is built, that of `before` is not live
            result = ingest(one, store, before=before)
            assert result.sent == sum(result.manifest.counts.values())
            assert verify(store).faults == ()


def test_a_server_that_does_not_copy_is_sent_all(
    space: EmbeddingSpace,
    qdrant_server: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Something fails half-way: nothing stays of what was copied, and it is said."""

    def copy_songs(connection: ServerConnection, source: str, target: str) -> None:
        if "_songs__" not in source:
            raise StoreUnavailable("no room")
        copy_collection(connection, source, target)

    monkeypatch.setattr("melon.store.server.builder.copy_collection", copy_songs)
    with place_on(SERVER, qdrant_server) as there, there.open() as store:
        live = ingest(space, store, preset=Preset.BALANCED).manifest.release
        result = ingest(variant(space, 1), store, before=space)
        assert result.sent == sum(result.manifest.counts.values())
        assert verify(store).faults == ()
    assert f"{live} is not copied, so all points are sent: no room" in caplog.text


def test_what_is_copied_needs_as_many_shards(
    space: EmbeddingSpace, qdrant_server: Endpoint
) -> None:
    with place_on(SERVER, qdrant_server) as there:
        assert isinstance(there, ServerPlace)
        with there.open() as store:
            ingest(space, store, preset=Preset.BALANCED)
        with ServerStore(replace(there.address, shard_number=2)) as store:
            result = ingest(variant(space, 1), store, before=space)
        assert result.sent == sum(result.manifest.counts.values())


def flip(shard: Path) -> None:
    """Change a byte of the largest file of dense vectors, which no cheap check sees."""
    files = [path for path in shard.rglob("*") if path.is_file() and "vector" in str(path)]
    path = max(files, key=lambda path: path.stat().st_blocks)
    content = bytearray(path.read_bytes())
    place = next(i for i, byte in enumerate(content) if byte)
    content[place + 3] ^= 1
    path.write_bytes(content)
