"""The life of a release: built, sealed, promoted, dropped, and who may do what meanwhile."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from places import DirectoryPlace, Place, ServerPlace, rewrite_manifest
from qdrant_client import QdrantClient, models
from qdrant_client.grpc import UpsertPoints
from qdrant_client.http.exceptions import ResponseHandlingException
from store_samples import DIM, manifest, points, publish

from melon.errors import ForeignFile
from melon.store import (
    DENSE,
    SCHEMA_VERSION,
    BadPoints,
    Collection,
    DamagedRelease,
    IndexingFailed,
    NameTaken,
    NoRelease,
    PointBatch,
    Pruned,
    ReleaseIsComplete,
    ReleaseIsLive,
    ReleaseReader,
    SchemaMismatch,
    SparseRows,
    StoreBusy,
    StoreClosed,
    UnknownRelease,
    VectorQuery,
    VectorStore,
    prune,
)
from melon.store.embedded import EmbeddedStore
from melon.store.evidence import check_whole
from melon.store.server.builder import ServerBuilder
from melon.store.server.registry import Registry

SONGS = Collection.SONGS


def test_a_store_is_built_among_no_files_of_others(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "songs.csv").write_text("mine")
    with EmbeddedStore(mine) as store, pytest.raises(ForeignFile, match="left alone") as refusal:
        store.build(manifest())
    assert refusal.value.where == str(mine)
    assert [file.name for file in mine.iterdir()] == ["songs.csv"]
    (mine / "songs.csv").rename(mine / ".hidden")  # as tools leave in an empty directory
    for place in (mine, tmp_path / "new"):
        with EmbeddedStore(place) as store:
            store.build(manifest()).abandon()
            store.build(manifest()).abandon()  # what an abandoned one left is a store's


def test_an_empty_store_has_nothing(store: VectorStore) -> None:
    assert store.live() is None
    assert store.releases() == []
    with pytest.raises(NoRelease, match="melon ingest"):
        store.open()
    store.build(manifest()).abandon()
    with pytest.raises(NoRelease, match="melon ingest"):
        store.open()
    with pytest.raises(NoRelease, match="melon releases"):
        store.open("r1")
    assert "qdrant" in store.engine_version()


def test_a_directory_exists_from_the_first_build_on_and_a_server_always(
    place: Place, store: VectorStore
) -> None:
    for ask in (store.live, store.releases):
        ask()  # which makes nothing
    assert store.exists == isinstance(place, ServerPlace)
    store.build(manifest()).abandon()
    assert store.exists


def test_a_release_is_seen_when_it_is_sealed_and_live_when_promoted(store: VectorStore) -> None:
    counts = dict.fromkeys(Collection, 0) | {SONGS: 3}
    builder = store.build(manifest("r1", counts=counts))
    builder.upsert(SONGS, points([1, 2, 3]))
    builder.finish()
    assert builder.reader().count(SONGS) == 3
    assert (store.releases(), store.live()) == ([], None)
    with pytest.raises(NoRelease):
        store.open("r1")

    builder.seal()
    assert [(info.manifest.release, info.live) for info in store.releases()] == [("r1", False)]
    assert store.live() is None
    assert store.open("r1").count(SONGS) == 3

    store.promote("r1")
    assert store.live() == "r1"
    assert [info.live for info in store.releases()] == [True]
    assert store.open().manifest.release == "r1"


def test_the_manifest_comes_back_whole(store: VectorStore) -> None:
    written = manifest("r1", counts={c: n for n, c in enumerate(Collection, 1)})
    publish(store, {part: points(range(count)) for part, count in written.counts.items()})
    read = store.open().manifest
    evidence = {part: tuple(known.point for known in read.evidence[part]) for part in Collection}
    assert evidence == {part: tuple(range(count)) for part, count in written.counts.items()}
    assert read.model_copy(update={"evidence": {}}) == written
    [listed] = store.releases()
    assert listed.manifest == read.model_copy(update={"title_tokenizer": b""})


def test_an_embedded_store_may_be_closed_while_threads_still_ask(tmp_path: Path) -> None:
    """All are answered, or told that they cannot be: those too who would open it once more."""
    place = DirectoryPlace(tmp_path / "store")
    with place.open() as writing:
        publish(writing, {SONGS: points(range(500))})
    for _ in range(5):
        store = place.open()
        reader, answered = store.open(), threading.Semaphore(0)

        def ask(
            store: VectorStore = store,
            reader: ReleaseReader = reader,
            answered: threading.Semaphore = answered,
        ) -> None:
            while True:
                assert len(reader.find(SONGS, None, 500)) == 500
                assert store.open().count(SONGS) == 500
                answered.release()

        with ThreadPoolExecutor(4) as pool:
            asking = [pool.submit(ask) for _ in range(4)]
            for _ in range(8):
                assert answered.acquire(timeout=30)
            store.close()
        for thread in asking:
            with pytest.raises(StoreClosed):
                thread.result()


def test_what_was_closed_is_not_opened_again(place: Place) -> None:
    store = place.open()
    publish(store, {SONGS: points([1, 2, 3])})
    reader = store.open()
    assert reader.count(SONGS) == 3
    store.close()
    store.close()
    with pytest.raises(StoreClosed):
        reader.count(SONGS)
    with pytest.raises(StoreClosed):
        reader.count(Collection.TAGS)
    for ask in (store.open, store.live, store.releases):
        with pytest.raises(StoreClosed):
            ask()
    for write in (store.promote, store.drop):
        with pytest.raises(StoreClosed):
            write("r1")
    with pytest.raises(StoreClosed):
        store.build(manifest("r2"))


def test_a_live_release_that_somebody_removed_is_not_taken_for_a_wrong_name(
    tmp_path: Path,
) -> None:
    with EmbeddedStore(tmp_path) as store:
        publish(store, {}, "r1")
        shutil.rmtree(tmp_path / "releases" / "r1")
        with pytest.raises(NoRelease, match=r"live release 'r1'.*\n.*`melon ingest`") as caught:
            store.open()
        assert caught.value.exit_code == 1
        with pytest.raises(NoRelease, match="no release 'r1'") as caught:
            store.open("r1")
        assert caught.value.exit_code == 2


def test_a_reader_stays_with_its_release(place: Place) -> None:
    with place.open() as writing, place.open() as reading:
        publish(writing, {SONGS: points([1])}, "r1")
        reader = reading.open()
        assert reader.count(SONGS) == 1
        publish(writing, {SONGS: points([1, 2]), Collection.TAGS: points([7])}, "r2")
        assert reader.count(SONGS) == 1
        assert reader.count(Collection.TAGS) == 0
        assert reading.open().count(SONGS) == 2

        writing.drop("r1")
        # what it had not opened yet is gone, and says so
        with pytest.raises(NoRelease):
            reader.count(Collection.WORDS)


def test_what_an_embedded_reader_has_open_outlives_its_release(place: Place) -> None:
    with place.open() as writing, place.open() as reading:
        publish(writing, {SONGS: points([1, 2])}, "r1")
        reader = reading.open()
        before = reader.retrieve(SONGS, [1, 2], vectors=True)
        publish(writing, {}, "r2")
        writing.drop("r1")
        if place.engine == "server":
            with pytest.raises(NoRelease):
                reader.retrieve(SONGS, [1, 2])
            return
        after = reader.retrieve(SONGS, [1, 2], vectors=True)
        for one, two in zip(before, after, strict=True):
            np.testing.assert_array_equal(one.vector, two.vector)
        [hits] = reader.query(SONGS, [VectorQuery(np.ones(DIM, np.float32), DENSE, 5)])
        assert {hit.id for hit in hits} == {1, 2}


def take_away(place: Place, collection: Collection, release: str) -> None:
    """Remove a collection of a release behind the store's back."""
    if isinstance(place, ServerPlace):
        with place.client() as client:
            client.delete_collection(f"{place.prefix}_{collection}__{release}")
    else:
        shutil.rmtree(place.root / "releases" / release / collection)


def aliases(place: ServerPlace) -> dict[str, str]:
    """The collections that the place's aliases name."""
    with place.client() as client:
        known = client.get_aliases().aliases
    return {
        alias.alias_name: alias.collection_name
        for alias in known
        if alias.alias_name.startswith(f"{place.prefix}_")
    }


def aliases_of(place: ServerPlace, release: str) -> dict[str, str]:
    names = [f"{place.prefix}_{collection}" for collection in Collection]
    return {name: f"{name}__{release}" for name in names}


class TestPromote:
    def test_of_a_release_without_a_collection_leaves_what_is_live(
        self, place: Place, store: VectorStore
    ) -> None:
        for release in ("r1", "r2"):
            publish(store, {SONGS: points([1])}, release)
        for missing in reversed(Collection):  # the first that is missing is named
            take_away(place, missing, "r1")
            said = rf"release r1: .*{missing} is "
            with pytest.raises(DamagedRelease, match=said) as caught:
                store.promote("r1")
            assert "melon releases drop r1" in str(caught.value)
            assert store.live() == "r2"
            assert store.open().count(SONGS) == 1
            if isinstance(place, ServerPlace):
                assert aliases(place) == aliases_of(place, "r2")

    def test_of_a_release_that_lost_points_leaves_what_is_live(self, place: Place) -> None:
        with place.open() as store:
            publish(store, {SONGS: points([1])}, "r2")
            short = dict.fromkeys(Collection, 0) | {Collection.TAGS: 2}
            with pytest.raises(DamagedRelease, match="tags holds 1 points of 2"):
                publish(store, {Collection.TAGS: points([1])}, "r1", counts=short)
            assert store.live() == "r2"

    def test_that_fails_half_way_moves_the_aliases_back(
        self, server_place: ServerPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A collection goes after it was looked at: Qdrant has moved two aliases by then."""
        with server_place.open() as store:
            for release in ("r1", "r2"):
                publish(store, {SONGS: points([1])}, release)

            def check_and_lose(reader: ReleaseReader) -> None:
                check_whole(reader)
                take_away(server_place, Collection.PLAYLISTS, "r1")

            monkeypatch.setattr("melon.store.server.store.check_whole", check_and_lose)
            with pytest.raises(DamagedRelease, match=r"release r1: .*playlists is missing"):
                store.promote("r1")
            assert aliases(server_place) == aliases_of(server_place, "r2")

    def test_that_fails_where_nothing_was_live_leaves_no_alias(
        self, server_place: ServerPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with server_place.open() as store:
            builder = store.build(manifest("r1"))
            builder.finish()
            builder.seal()
            take_away(server_place, Collection.WORDS, "r1")
            monkeypatch.setattr("melon.store.server.store.check_whole", lambda _: None)
            with pytest.raises(NoRelease, match="r1"):
                store.promote("r1")
            assert aliases(server_place) == {}


class TestDrop:
    def test_removes_everything_of_it_and_nothing_live(
        self, place: Place, store: VectorStore
    ) -> None:
        publish(store, {SONGS: points([1])}, "r1")
        publish(store, {SONGS: points([1])}, "r2")
        with pytest.raises(ReleaseIsLive, match="live"):
            store.drop("r2")
        store.drop("r1")
        assert [info.manifest.release for info in store.releases()] == ["r2"]
        assert store.open().count(SONGS) == 1
        if isinstance(place, ServerPlace):
            assert not [name for name in place.collections() if name.endswith("__r1")]
        else:
            assert [path.name for path in (place.root / "releases").iterdir()] == ["r2"]
        publish(store, {SONGS: points([1, 2])}, "r1")
        assert store.open("r1").count(SONGS) == 2


def at_once(*calls: Callable[[], object]) -> list[BaseException]:
    """What of these calls, all begun at the same time, fails."""
    ready = threading.Barrier(len(calls))

    def begin(call: Callable[[], object]) -> None:
        ready.wait()
        call()

    with ThreadPoolExecutor(len(calls)) as pool:
        errors = [ended.exception() for ended in [pool.submit(begin, call) for call in calls]]
    return [error for error in errors if error is not None]


class TestPromoteAgainstDrop:
    """Of one release at once: `melon ingest` drops the oldest while somebody rolls back to it."""

    def test_one_of_them_fails_and_a_release_stays_live(self, place: Place) -> None:
        with place.open() as one, place.open() as other:
            for _ in range(2):
                there = {info.manifest.release for info in one.releases()}
                for release in {"r1", "r2"} - there:
                    publish(one, {SONGS: points([1])}, release)
                one.promote("r2")
                [error] = at_once(lambda: one.promote("r1"), lambda: other.drop("r1"))
                assert isinstance(error, UnknownRelease | ReleaseIsLive)
                live = one.open()
                for collection, count in live.manifest.counts.items():
                    assert live.count(collection) == count

    def test_a_drop_under_way_is_waited_for(
        self, server_place: ServerPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It has seen that the release is not live, and has yet to delete it."""
        dropping, promoting = threading.Event(), threading.Event()
        forget, put_mark = Registry.forget, Registry.put_mark

        def forget_late(registry: Registry, release: str) -> None:
            dropping.set()
            assert promoting.wait(30)
            forget(registry, release)

        def put_mark_and_tell(registry: Registry, mark_id: str, mark: dict[str, Any]) -> None:
            put_mark(registry, mark_id, mark)
            if dropping.is_set():
                promoting.set()

        with (
            server_place.open() as one,
            server_place.open() as other,
            ThreadPoolExecutor(2) as pool,
        ):
            for release in ("r1", "r2"):
                publish(one, {SONGS: points([1])}, release)
            monkeypatch.setattr(Registry, "forget", forget_late)
            monkeypatch.setattr(Registry, "put_mark", put_mark_and_tell)
            dropped = pool.submit(one.drop, "r1")
            assert dropping.wait(30)
            promoted = pool.submit(other.promote, "r1")
            promoted.add_done_callback(lambda _: promoting.set())
            dropped.result()
            with pytest.raises(UnknownRelease, match="no release 'r1'"):
                promoted.result()
            assert one.open().count(SONGS) == 1
            assert aliases(server_place) == aliases_of(server_place, "r2")


def test_names_of_no_release_are_refused(place: Place, store: VectorStore) -> None:
    publish(store, {}, "r1")
    if not isinstance(place, ServerPlace):  # a manifest outside must not be reached
        outside = place.root / "outside"
        outside.mkdir()
        (outside / "manifest.json").write_text(manifest("outside").model_dump_json())
    for name in ("nope", "", "..", "../outside", "R1", "a/b", "비", "r1 ", ".", "r" * 1000):
        for ask in (store.promote, store.drop, store.open):
            with pytest.raises(UnknownRelease):
                ask(name)
    assert store.live() == "r1"


@pytest.mark.parametrize("name", ["", "Upper", "under_score", "-first", "a/b", "..", "x" * 65])
def test_a_release_cannot_be_called_that(name: str) -> None:
    with pytest.raises(ValueError, match="release"):
        manifest(name)


@pytest.mark.parametrize(("version", "hint"), [(0, "melon ingest"), (99, "upgrade melon")])
def test_another_schema_is_refused_with_what_to_do(
    store: VectorStore, version: int, hint: str
) -> None:
    with pytest.raises(SchemaMismatch, match=hint):
        publish(store, {}, "r1", schema_version=version)  # its promotion
    with pytest.raises(SchemaMismatch, match=hint):
        store.open("r1")
    assert store.live() is None
    assert [info.manifest.schema_version for info in store.releases()] == [version]


def test_what_a_newer_melon_wrote_is_left_alone(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    with place.open() as store:
        publish(store, {SONGS: points([1])}, "newer")
        publish(store, {SONGS: points([2])}, "ours")
        rewrite_manifest(place, "newer", schema_version=99, preset="quantised")
        assert [info.manifest.release for info in store.releases()] == ["ours"]
        assert "release newer: it has schema version 99" in caplog.text
        for refused in (store.open, store.promote):
            with pytest.raises(SchemaMismatch, match="upgrade melon"):
                refused("newer")
        publish(store, {}, "next")  # removes what killed builds left behind, and nothing else
        rewrite_manifest(place, "newer", schema_version=SCHEMA_VERSION, preset="exact")
        assert store.open("newer").count(SONGS) == 1
        rewrite_manifest(place, "newer", schema_version=99, preset="quantised")
        store.drop("newer")
        assert store.live() == "next"


NAMES_OF_OTHERS = [
    "shop",
    "songs__backup",
    "songs__red",
    "songs__r2024",
    "songs__backup__r1",
    "words__old__r0123456789ab",
    "artists__r0123456789ab",
    "songs__r0123456789ab-1",
    "songs__r0123456789abc",
]


def test_collections_that_melon_did_not_make_are_left_alone(server_place: ServerPlace) -> None:
    prefix = server_place.prefix
    with server_place.open() as store, server_place.client() as client:
        publish(store, {SONGS: points([1])}, "r1")
        others = {f"{prefix}_{name}" for name in NAMES_OF_OTHERS}
        for name in others:
            client.create_collection(name, vectors_config={})
        publish(store, {SONGS: points([1])}, "r2")
        assert others <= server_place.collections()


def test_a_name_that_is_taken_is_an_error_before_anything_is_built(
    server_place: ServerPlace,
) -> None:
    prefix = server_place.prefix
    with server_place.open() as store, server_place.client() as client:
        client.create_collection(f"{prefix}_words", vectors_config={})
        with pytest.raises(NameTaken, match="MELON_PREFIX"):
            store.build(manifest("r1"))
        client.delete_collection(f"{prefix}_words")
        client.create_collection(f"{prefix}_shop", vectors_config={})
        to_shop = models.CreateAlias(collection_name=f"{prefix}_shop", alias_name=f"{prefix}_songs")
        client.update_collection_aliases([models.CreateAliasOperation(create_alias=to_shop)])
        for ask in (store.live, store.open, lambda: store.build(manifest("r1"))):
            with pytest.raises(NameTaken, match=f"alias of the collection {prefix}_shop"):
                ask()
        assert server_place.collections() == {f"{prefix}_shop"}


def test_an_alias_of_somebody_else_is_not_moved(server_place: ServerPlace) -> None:
    shop = f"{server_place.prefix}_shop"
    with server_place.open() as store, server_place.client() as client:
        publish(store, {SONGS: points([1])}, "r1")
        publish(store, {SONGS: points([1])}, "r2")
        client.create_collection(shop, vectors_config={})

        def move(alias: str, collection: str) -> None:
            old = models.DeleteAlias(alias_name=alias)
            new = models.CreateAlias(collection_name=collection, alias_name=alias)
            client.update_collection_aliases(
                [
                    models.DeleteAliasOperation(delete_alias=old),
                    models.CreateAliasOperation(create_alias=new),
                ]
            )

        ours = aliases(server_place)
        assert ours == aliases_of(server_place, "r2")
        for alias, named in ours.items():
            move(alias, shop)
            said = f"{alias} is an alias of the collection {shop}"
            for refused in (lambda: store.promote("r1"), lambda: store.build(manifest("r3"))):
                with pytest.raises(NameTaken, match=said):
                    refused()
            assert aliases(server_place) == ours | {alias: shop}
            move(alias, named)


FOREIGN_POINTS = [{}, {"build": "nightly"}, {"release": "r1"}, {"name": "Abbey Road"}]


@pytest.mark.parametrize("payload", FOREIGN_POINTS)
@pytest.mark.parametrize("vectors", [True, False])
def test_a_registry_of_somebody_else_is_left_alone(
    server_place: ServerPlace, vectors: bool, payload: dict[str, str]
) -> None:
    """A shop of records may well have a collection of releases."""
    name = f"{server_place.prefix}_releases"
    size = models.VectorParams(size=2, distance=models.Distance.DOT)
    point = models.PointStruct(id=7, vector=[1.0, 2.0] if vectors else {}, payload=payload)
    with server_place.open() as store, server_place.client() as client:
        client.create_collection(name, vectors_config=size if vectors else {})
        client.upsert(name, [point], wait=True)
        with pytest.raises(NameTaken, match=f"{name} is a collection with"):
            store.build(manifest("r1"))
        if vectors or "build" not in payload:
            with pytest.raises(NameTaken):
                store.releases()
        assert server_place.collections() == {name}
        assert [record.id for record in client.scroll(name)[0]] == [7]


def test_updates_may_take_longer_than_a_request_may(
    server_place: ServerPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server at work answers other requests meanwhile."""
    waited = []
    delete = QdrantClient.delete

    def late(client: QdrantClient, *args, **options):
        waited.append(1)
        if len(waited) < 4:
            raise ResponseHandlingException(TimeoutError("timed out"))
        return delete(client, *args, **options)

    with server_place.open() as store:
        monkeypatch.setattr(QdrantClient, "delete", late)
        publish(store, {SONGS: points([1])}, "r1")
        assert store.open().count(SONGS) == 1


def test_a_damaged_manifest_says_what_to_do(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    with place.open() as store:
        publish(store, {}, "r1")
        rewrite_manifest(place, "r1", dim="wide")
        with pytest.raises(DamagedRelease) as caught:
            store.open()
        said = "release r1: the manifest cannot be read: dim: input should be a valid integer"
        assert str(caught.value).startswith(said)
        assert "melon releases drop r1" in str(caught.value)
        assert len(str(caught.value).splitlines()) == 2  # the second is the hint
        publish(store, {SONGS: points([1])}, "r2")
        caplog.clear()
        assert [info.manifest.release for info in store.releases()] == ["r2"]
        assert said in caplog.text
        store.drop("r1")
        caplog.clear()
        assert [info.manifest.release for info in store.releases()] == ["r2"]
        assert caplog.text == ""


def test_a_manifest_that_is_none_says_what_to_do(tmp_path: Path) -> None:
    with EmbeddedStore(tmp_path / "store") as store:
        publish(store, {}, "r2")
        for content in (b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"3"):
            damaged = store.root / "releases" / "r1"
            damaged.mkdir()
            (damaged / "manifest.json").write_bytes(content)
            with pytest.raises(DamagedRelease, match=r"release r1: .*\n.*melon releases drop r1"):
                store.open("r1")
            store.drop("r1")
            assert [info.manifest.release for info in store.releases()] == ["r2"]
            assert not damaged.exists()


class TestBuild:
    def test_one_at_a_time(self, place: Place) -> None:
        with place.open() as one, place.open() as other:
            builder = one.build(manifest("r1"))
            builder.upsert(SONGS, points([1]))
            for release in ("r1", "r2"):
                with pytest.raises(StoreBusy):
                    other.build(manifest(release))
            builder.finish()  # the others did no harm
            builder.seal()
            assert one.open("r1").count(SONGS) == 1
            other.build(manifest("r2")).abandon()

    def test_does_not_keep_others_from_promoting_and_dropping(self, place: Place) -> None:
        with place.open() as building, place.open() as operating:
            for release in ("r1", "r2", "r3"):
                publish(operating, {}, release)
            builder = building.build(manifest("r4"))
            operating.promote("r1")
            operating.drop("r2")
            assert operating.live() == "r1"
            builder.abandon()

    def test_of_a_complete_release_is_refused(self, store: VectorStore) -> None:
        publish(store, {SONGS: points([1])}, "r1")
        with pytest.raises(ReleaseIsComplete, match="complete"):
            store.build(manifest("r1"))
        assert store.open().count(SONGS) == 1
        store.build(manifest("r2")).abandon()  # nobody is left holding the lock

    def test_abandoned_leaves_nothing(self, place: Place, store: VectorStore) -> None:
        builder = store.build(manifest("r1"))
        builder.upsert(SONGS, points([1]))
        builder.abandon()
        assert store.releases() == []
        if isinstance(place, ServerPlace):
            assert place.collections() <= {f"{place.prefix}_releases"}
        else:
            assert list((place.root / "releases").iterdir()) == []

    def test_tells_how_far_the_indexes_are(self, store: VectorStore) -> None:
        told: list[tuple[str, int, int | None]] = []
        builder = store.build(manifest("r1"))
        builder.upsert(SONGS, points(range(100)))
        builder.finish(lambda *now: told.append(now))
        builder.abandon()
        assert {step for step, _, _ in told} == {f"index {collection}" for collection in Collection}
        assert all(total is not None and 0 <= done <= total for _, done, total in told)

    def test_points_sent_twice_count_as_lost(self, store: VectorStore) -> None:
        builder = store.build(manifest("r1"))
        builder.upsert(SONGS, points([1, 2, 2]))
        with pytest.raises(IndexingFailed, match="3 points were sent to songs, it holds 2"):
            builder.finish()
        builder.abandon()


def test_bad_points_are_refused_before_they_are_sent(store: VectorStore) -> None:
    """Engines take these, and answer wrongly ever after."""
    batch = points([10, 11, 12])
    refused = [
        (points([1, 2], dim=DIM + 1), "dimension"),
        (PointBatch([1, 2, 3, 4], batch.dense, None, batch.payloads), "4 ids"),
        (PointBatch([1, 2, 3], batch.dense, None, [{}]), "1 payloads"),
        (replace(batch, sparse=sparse_row(1.0)), "3 ids and 1 sparse"),
        (replace(points([1]), sparse=sparse_row(np.nan)), "sparse"),
    ]
    for value in (np.nan, np.inf, -np.inf):
        dense = batch.dense.copy()
        dense[1, 3] = value
        refused.append((replace(batch, dense=dense), "point 11 is not finite"))

    builder = store.build(manifest("r1"))
    for bad, why in refused:
        with pytest.raises(BadPoints, match=why):
            builder.upsert(SONGS, bad)
    builder.finish()
    assert builder.reader().count(SONGS) == 0
    builder.abandon()


def sparse_row(value: float) -> SparseRows:
    values = np.array([value], np.float32)
    return SparseRows(np.array([0, 1]), np.array([5], np.uint32), values)


def test_the_aliases_never_name_two_releases(server_place: ServerPlace) -> None:
    """Applications read by alias: whenever they look, all four are of one release."""
    with server_place.open() as store:
        for release in ("r1", "r2"):
            publish(store, {SONGS: points([1])}, release)
        seen: list[frozenset[str]] = []
        done = threading.Event()

        def watch() -> None:
            with server_place.client() as client:
                while not done.is_set():
                    named = [
                        (alias.alias_name, alias.collection_name)
                        for alias in client.get_aliases().aliases
                        if alias.alias_name.startswith(f"{server_place.prefix}_")
                    ]
                    assert len(named) == len(Collection), named
                    seen.append(frozenset(name.rpartition("__")[2] for _, name in named))

        watcher = threading.Thread(target=watch)
        watcher.start()
        for turn in range(60):
            store.promote(("r1", "r2")[turn % 2])
        done.set()
        watcher.join()
    assert set(seen) == {frozenset({"r1"}), frozenset({"r2"})}


def test_several_batches_are_on_their_way_to_a_server_at_once(
    server_place: ServerPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """qdrant-client's gRPC calls for a future would wait for the answer all the same."""
    both = threading.Barrier(2, timeout=30)
    send = ServerBuilder._send

    def send_with_another(builder: ServerBuilder, request: UpsertPoints) -> None:
        both.wait()
        send(builder, request)

    monkeypatch.setattr(ServerBuilder, "_send", send_with_another)
    with server_place.open() as store:
        builder = store.build(manifest("r1"))
        builder.upsert(SONGS, points([1]))
        builder.upsert(SONGS, points([2]))
        builder.finish()
        assert builder.reader().count(SONGS) == 2
        builder.abandon()


MADE = [f"r0123456789a{n}" for n in range(6)]


class TestPrune:
    def test_a_killed_drop_is_finished_by_the_same_again(
        self, place: Place, store: VectorStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for release in MADE[:3]:
            publish(store, {SONGS: points([1])}, release)
        with monkeypatch.context() as killed:
            killed.setattr(Registry, "remove_collections", lambda *_: None)
            killed.setattr(EmbeddedStore, "_remove", lambda *_: None)
            for release in MADE[:2]:
                store.drop(release)
        assert [info.manifest.release for info in store.releases()] == [MADE[2]]
        left = [leftovers(place, release) for release in MADE[:2]]
        assert all(left)
        store.drop(MADE[0])
        assert [leftovers(place, release) for release in MADE[:2]] == [[], left[1]]
        pruned = prune(store)
        assert [name.rpartition("/")[2] for name in pruned.left_behind] == left[1]
        assert leftovers(place, MADE[1]) == []
        for again in MADE[:2]:
            with pytest.raises(UnknownRelease):
                store.drop(again)
        assert prune(store) == Pruned((), ())
        assert store.open().count(SONGS) == 1

    def test_never_takes_what_is_live_or_was_before(self, store: VectorStore) -> None:
        for number in (1, 0, 2, 3, 4, 5):
            created = datetime(2026, 1, 1 + number, tzinfo=UTC)
            publish(store, {}, MADE[number], created=created)
        assert [info.manifest.release for info in store.releases()] == MADE[::-1]  # newest first
        assert [info.manifest.release for info in store.releases() if info.live] == [MADE[5]]
        assert store.previous() == MADE[4]
        store.promote(MADE[1])
        store.promote(MADE[0])
        store.promote(MADE[0])  # which changes nothing
        assert store.previous() == MADE[1]
        assert prune(store) == Pruned((), ())
        assert prune(store, keep=4).releases == (MADE[3], MADE[2])
        assert prune(store, keep=1).releases == (MADE[5], MADE[4])
        assert {info.manifest.release for info in store.releases()} == set(MADE[:2])
        store.drop(MADE[1])
        assert store.previous() is None

    def test_waits_for_no_build(self, place: Place) -> None:
        with place.open() as one, place.open() as other:
            builder = one.build(manifest(MADE[0]))
            with pytest.raises(StoreBusy):
                prune(other)
            if isinstance(place, ServerPlace):  # what is built looks like a half dropped release
                with pytest.raises(StoreBusy):
                    other.drop(MADE[0])
            builder.upsert(SONGS, points([1]))
            builder.finish()
            builder.seal()
            assert one.open(MADE[0]).count(SONGS) == 1

    def test_of_no_store_makes_none(self, tmp_path: Path) -> None:
        with EmbeddedStore(tmp_path / "store") as store:
            assert prune(store, keep=1) == Pruned((), ())
            assert not store.exists


def leftovers(place: Place, release: str) -> list[str]:
    if isinstance(place, ServerPlace):
        return sorted(name for name in place.collections() if name.endswith(f"__{release}"))
    return [path.name for path in (place.root / "releases").glob(f"*{release}*")]
