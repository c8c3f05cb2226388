"""One build at a time on a server, and what killed builds left is cleared away."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from places import ServerPlace
from store_samples import manifest, points, publish

from melon.store import Collection, StoreBusy
from melon.store.server import ServerStore
from melon.store.server.connection import ServerConnection
from melon.store.server.lease import Lease
from melon.store.server.marks import DEAD_AFTER, Where, Work
from melon.store.server.registry import Registry

MARK = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def registry(server_place: ServerPlace) -> Iterator[Registry]:
    connection = ServerConnection(server_place.address)
    yield Registry(connection)
    connection.close()


def mark(**changes: Any) -> dict[str, Any]:
    """The mark of a build that is alive on another host."""
    return {
        "build": "other",
        "work": "build",
        "host": "another-host",
        "pid": 1,
        "process": "another",
        "renewed": datetime.now(UTC).isoformat(),
    } | changes


def ended_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_a_build_that_is_alive_elsewhere_is_waited_for(
    server_place: ServerPlace, registry: Registry
) -> None:
    registry.put_mark(MARK, mark())
    with server_place.open() as store:
        with pytest.raises(StoreBusy, match="release other is being built by process 1 on another"):
            store.build(manifest("r1"))
        assert set(registry.marks()) == {MARK}  # ours is gone again
        assert store.releases() == []  # a mark is no release


def killed_marks() -> dict[str, dict[str, Any]]:
    long_ago = (datetime.now(UTC) - DEAD_AFTER - timedelta(seconds=1)).isoformat()
    here = asdict(Where.here())
    return {
        "silent for long": mark(renewed=long_ago),
        "process ended": mark(**here, pid=ended_process()),
        "same number, another process": mark(**here, pid=os.getpid()),
    }


@pytest.mark.parametrize("cause", killed_marks())
def test_a_killed_build_is_replaced(
    server_place: ServerPlace, registry: Registry, cause: str
) -> None:
    registry.put_mark(MARK, killed_marks()[cause])
    with server_place.open() as store:
        publish(store, {Collection.SONGS: points([1])}, "r1")
    assert registry.marks() == {}


def other_places() -> dict[str, dict[str, Any]]:
    here = asdict(Where.here())
    return {
        "another container": here | {"namespace": "pid:[1]"},
        "before this host was started": here | {"boot": "another"},
        "an older melon": {"host": here["host"]},
    }


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells boot and namespace")
@pytest.mark.parametrize("place", other_places())
def test_a_build_in_another_container_of_the_same_name_is_alive(
    server_place: ServerPlace, registry: Registry, place: str
) -> None:
    """There, the number is that of a process which is not seen from here."""
    registry.put_mark(MARK, mark(**other_places()[place], pid=ended_process()))
    with server_place.open() as store, pytest.raises(StoreBusy, match="being built by process"):
        store.build(manifest("r1"))
    assert set(registry.marks()) == {MARK}


WRONG = [
    {"renewed": "2999-01-01T00:00:00Z"},
    {"renewed": "2026-01-01T00:00:00"},
    {"renewed": 7},
    {"renewed": None},
    {"pid": "1"},
    {"pid": -1},
    {"pid": 1 << 70},
    {"host": ["here"]},
    {"work": "sleep"},
    {"build": 5},
    {"process": {}},
    {"waiting": "perhaps"},
    {"namespace": 3},
]


def test_a_mark_that_cannot_be_right_is_reported_with_how_to_remove_it(
    server_place: ServerPlace, registry: Registry
) -> None:
    with server_place.open() as store:
        publish(store, {Collection.SONGS: points([1])}, "r1")
        for wrong in WRONG:
            registry.put_mark(MARK, mark(**wrong))
            with pytest.raises(StoreBusy, match=f"cannot be right: {next(iter(wrong))}: ") as said:
                store.build(manifest("r2"))
            assert "melon releases unlock" in str(said.value)
            unlocked = store.unlock()
            assert (len(unlocked.removed), unlocked.kept) == (1, ())
            assert registry.marks() == {}
        store.promote("r1")


def test_marks_of_living_processes_are_removed_by_force_alone(
    server_place: ServerPlace, registry: Registry
) -> None:
    with server_place.open() as store:
        lease = Lease(registry, "r2")
        registry.put_mark(MARK, killed_marks()["process ended"])
        unlocked = store.unlock()
        assert [len(unlocked.removed), len(unlocked.kept)] == [1, 1]
        assert "release r2 is being built" in unlocked.kept[0]
        lease.check()
        assert store.unlock(force=True).kept == ()
        with pytest.raises(StoreBusy, match="removed its mark"):
            lease.check()
        lease.end()


def test_what_killed_builds_and_cut_drops_left_is_removed_by_the_next_build(
    server_place: ServerPlace,
) -> None:
    live, left = "live", ("r0123456789ab", "rba9876543210-2")
    with server_place.open() as store, server_place.client() as client:
        publish(store, {Collection.SONGS: points([1])}, "before")
        publish(store, {Collection.SONGS: points([1])}, live)
        for release in left:
            client.create_collection(f"{server_place.prefix}_songs__{release}", vectors_config={})
        client.create_collection(f"{server_place.prefix}_other", vectors_config={})
        client.create_collection(f"{server_place.prefix}2_songs__r0123456789ab", vectors_config={})
        try:
            publish(store, {}, "next")
            names = server_place.collections()
            assert not {name for name in names if name.endswith(tuple(f"__{r}" for r in left))}
            assert f"{server_place.prefix}_other" in names  # not one of ours
            assert client.collection_exists(f"{server_place.prefix}2_songs__r0123456789ab")
            assert store.open("before").count(Collection.SONGS) == 1
            assert store.open(live).count(Collection.SONGS) == 1
        finally:
            client.delete_collection(f"{server_place.prefix}2_songs__r0123456789ab")


def test_a_lost_registry_does_not_cost_the_live_release(server_place: ServerPlace) -> None:
    with server_place.open() as store, server_place.client() as client:
        publish(store, {Collection.SONGS: points([1])}, "live")
        client.delete_collection(f"{server_place.prefix}_releases")
        store.build(manifest("next")).abandon()
        assert client.count(f"{server_place.prefix}_songs").count == 1


def test_a_lease_is_renewed_while_it_is_held(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("melon.store.server.lease.RENEW_SECONDS", 0.02)
    lease = Lease(registry, "r1")
    [first] = registry.marks().values()
    deadline = time.monotonic() + 20
    while next(iter(registry.marks().values()))["renewed"] == first["renewed"]:
        assert time.monotonic() < deadline
    assert lease.is_valid()
    lease.end()
    assert registry.marks() == {}


def test_a_mark_that_was_removed_is_not_written_again(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever another build removes it: between two requests of a renewal, too."""
    monkeypatch.setattr("melon.store.server.lease.RENEW_SECONDS", 0.0)
    for _ in range(20):
        lease = Lease(registry, "r1")
        registry.remove_mark(lease._id)
        lease._renewer.join(0.05)
        assert not lease.is_valid()
        lease.end()


def test_a_build_that_was_taken_for_dead_does_not_become_a_release(
    server_place: ServerPlace, registry: Registry
) -> None:
    with server_place.open() as slow, server_place.open() as other:
        builder = slow.build(manifest("r1"))
        for mark_id in registry.marks():
            registry.remove_mark(mark_id)  # as another build does after `DEAD_AFTER`
        publish(other, {Collection.SONGS: points([1])}, "r2")
        with pytest.raises(StoreBusy, match="took it for dead"):
            builder.seal()
        builder.abandon()
        assert [info.manifest.release for info in other.releases()] == ["r2"]
        assert isinstance(other, ServerStore)
        assert other.open().count(Collection.SONGS) == 1


def test_a_lease_that_ended_without_its_mark_blocks_nobody(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the server was gone when it ended."""
    lease = Lease(registry, "r1")
    with monkeypatch.context() as patched:
        patched.setattr(registry, "remove_mark", lambda _: None)
        lease.end()
    [left] = registry.marks()
    lease = Lease(registry, "r2")
    assert lease.is_valid()
    assert left not in registry.marks()
    with pytest.raises(StoreBusy, match="release r2 is being built"):
        Lease(registry, "r3")
    lease.end()


@pytest.mark.parametrize("work", Work)
def test_of_those_that_start_together_exactly_one_goes_on(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, work: Work
) -> None:
    """Each has marked before any of them looks."""
    together = 3
    marked, begun = threading.Barrier(together, timeout=30), itertools.count()
    put_mark = Registry.put_mark

    def put_mark_and_meet(registry: Registry, mark_id: str, mark: dict[str, Any]) -> None:
        put_mark(registry, mark_id, mark)
        if next(begun) < together:
            marked.wait()

    monkeypatch.setattr(Registry, "put_mark", put_mark_and_meet)
    with ThreadPoolExecutor(together) as pool:
        asked = [pool.submit(Lease, registry, f"r{n}", work) for n in range(together)]
    errors = [one.exception() for one in asked if one.exception() is not None]
    assert [type(error) for error in errors] == [StoreBusy] * (together - 1)
    [lease] = [one.result() for one in asked if one.exception() is None]
    assert lease.is_valid()
    with pytest.raises(StoreBusy):
        Lease(registry, "late", work)
    lease.end()
    assert registry.marks() == {}


def test_marks_of_one_work_do_not_hinder_the_other(
    server_place: ServerPlace, registry: Registry
) -> None:
    with server_place.open() as store:
        publish(store, {}, "r1")
        registry.put_mark(MARK, mark())
        store.promote("r1")
        registry.put_mark(MARK, mark(work="switch"))
        store.build(manifest("r2")).abandon()
        registry.remove_mark(MARK)


def test_a_promotion_that_goes_on_and_on_is_named(
    server_place: ServerPlace, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("melon.store.server.lease.SWITCH_SECONDS", 0)
    with server_place.open() as store:
        for release in ("r1", "r2"):
            publish(store, {}, release)
        registry.put_mark(MARK, mark(work="switch"))
        for switch in (store.promote, store.drop):
            with pytest.raises(StoreBusy, match="release other is being promoted or dropped by"):
                switch("r1")
        assert set(registry.marks()) == {MARK}
        assert store.live() == "r2"


def test_a_killed_promotion_keeps_nobody_waiting(
    server_place: ServerPlace, registry: Registry
) -> None:
    with server_place.open() as store:
        publish(store, {}, "r1")
        killed = mark(work="switch", **asdict(Where.here()), pid=ended_process())
        registry.put_mark(MARK, killed)
        store.promote("r1")
    assert registry.marks() == {}
