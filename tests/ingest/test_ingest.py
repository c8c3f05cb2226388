"""Releases follow each other: what is kept, what is dropped, what a failure leaves."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from ingest_samples import FULL, variant
from places import Place, ServerPlace, rewrite_manifest
from qdrant_client import models

from melon.embedding import EmbeddingSpace
from melon.ingest import CheckFailed, Outcome, SparseWeights, ingest, release_name
from melon.ingest.build import in_turns
from melon.ingest.contents import contents
from melon.ranking import Ranking
from melon.store import Collection, IndexingFailed, VectorStore
from melon.store.embedded.builder import EmbeddedBuilder
from melon.store.server.builder import ServerBuilder

SONGS = Collection.SONGS


def left_behind(place: Place, store: VectorStore) -> set[str]:
    """Releases that the place holds anything of, beside the complete ones."""
    if isinstance(place, ServerPlace):
        found = {n.rpartition("__")[2] for n in place.collections() if not n.endswith("_releases")}
    else:
        found = {path.name for path in (place.root / "releases").iterdir()}
    return found - {info.manifest.release for info in store.releases()}


def test_a_learned_ranking_goes_with_the_release_and_makes_another(
    store: VectorStore, space: EmbeddingSpace
) -> None:
    plain = ingest(space, store)
    assert plain.manifest.ranking is None
    ranked = replace(space, ranking=Ranking(strategy="vote", questions=99))
    assert ingest(ranked, store).manifest.release != plain.manifest.release
    assert store.open().manifest.ranking == ranked.ranking


def live_song(store: VectorStore) -> np.ndarray:
    [record] = store.open().retrieve(SONGS, [FULL], vectors=True)
    assert record.vector is not None
    return record.vector


def test_the_first_release_is_built_and_the_same_space_changes_nothing(
    store: VectorStore, space: EmbeddingSpace
) -> None:
    first = ingest(space, store)
    assert first.outcome is Outcome.BUILT
    assert first.manifest.release == release_name(space, SparseWeights()) == store.live()
    before = store.releases()

    def nothing(step: str, *_: object) -> None:
        raise AssertionError(f"it did {step}")

    again = ingest(space, store, progress=nothing)
    assert (again.outcome, again.dropped) == (Outcome.UNCHANGED, ())
    assert store.releases() == before


def damage(place: Place, release: str) -> None:
    """Take a collection away."""
    if isinstance(place, ServerPlace):
        with place.client() as client:
            client.delete_collection(f"{place.prefix}_words__{release}")
    else:
        shutil.rmtree(place.root / "releases" / release / "words")


def test_a_rebuilt_release_takes_the_place_of_one_that_seems_whole(
    store: VectorStore, space: EmbeddingSpace
) -> None:
    name = ingest(space, store).manifest.release
    again = ingest(space, store, rebuild=True)
    assert (again.outcome, again.manifest.release) == (Outcome.BUILT, f"{name}-2")
    assert (store.live(), store.previous()) == (f"{name}-2", name)
    assert ingest(space, store).outcome is Outcome.UNCHANGED


def test_a_damaged_release_is_built_anew(
    place: Place, store: VectorStore, space: EmbeddingSpace
) -> None:
    name = ingest(space, store).manifest.release
    for number in (2, 3):
        damage(place, str(store.live()))
        again = ingest(space, store)
        assert (again.outcome, again.manifest.release) == (Outcome.BUILT, f"{name}-{number}")
        assert store.live() == again.manifest.release
        assert store.open().count(Collection.WORDS) == again.manifest.counts[Collection.WORDS]
        assert ingest(space, store).outcome is Outcome.UNCHANGED
    assert left_behind(place, store) == set()


def test_a_live_release_whose_manifest_is_damaged_is_built_anew(
    place: Place, store: VectorStore, space: EmbeddingSpace
) -> None:
    name = ingest(space, store).manifest.release
    rewrite_manifest(place, name, dim="wide")
    again = ingest(space, store)
    assert (again.outcome, again.manifest.release) == (Outcome.BUILT, f"{name}-2")
    assert store.open().count(Collection.WORDS) == again.manifest.counts[Collection.WORDS]
    store.drop(name)
    assert left_behind(place, store) == set()


def test_the_previous_release_stays_and_the_one_before_it_goes(
    place: Place, store: VectorStore, space: EmbeddingSpace
) -> None:
    spaces = [space, variant(space, 1), variant(space, 2)]
    names = [ingest(one, store).manifest.release for one in spaces[:2]]
    assert {info.manifest.release: info.live for info in store.releases()} == {
        names[0]: False,
        names[1]: True,
    }
    third = ingest(spaces[2], store)
    assert third.dropped == (names[0],)
    assert {info.manifest.release for info in store.releases()} == {
        names[1],
        third.manifest.release,
    }
    assert left_behind(place, store) == set()


def test_a_release_that_is_promoted_while_it_is_to_be_dropped_stays(
    store: VectorStore, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody rolls back to the oldest release at the very end of an ingest."""
    spaces = [space, variant(space, 1), variant(space, 2)]
    oldest, _ = (ingest(one, store).manifest.release for one in spaces[:2])
    drop = type(store).drop

    def rolled_back(self: VectorStore, release: str) -> None:
        self.promote(release)
        drop(self, release)

    monkeypatch.setattr(type(store), "drop", rolled_back)
    third = ingest(spaces[2], store)
    assert (third.outcome, third.dropped) == (Outcome.BUILT, ())
    assert store.live() == oldest


def test_rolled_back_and_ingested_again_is_promoted(
    store: VectorStore, space: EmbeddingSpace
) -> None:
    one = ingest(space, store).manifest.release
    two = ingest(variant(space, 1), store).manifest.release
    store.promote(one)  # roll back
    result = ingest(variant(space, 1), store)
    assert (result.outcome, result.manifest.release) == (Outcome.PROMOTED, two)
    assert store.live() == two


@pytest.mark.parametrize("names", ["nothing", "the release before"])
def test_an_alias_that_names_something_else_is_put_right(
    server_place: ServerPlace, space: EmbeddingSpace, names: str
) -> None:
    with server_place.open() as store, server_place.client() as client:
        one, two = (ingest(variant(space, n), store).manifest.release for n in (1, 2))
        for collection in Collection:
            alias = f"{server_place.prefix}_{collection}"
            old = models.DeleteAlias(alias_name=alias)
            new = models.CreateAlias(alias_name=alias, collection_name=f"{alias}__{one}")
            changes = [
                models.DeleteAliasOperation(delete_alias=old),
                models.CreateAliasOperation(create_alias=new),
            ]
            client.update_collection_aliases(changes[:1] if names == "nothing" else changes)
            assert store.astray()
            again = ingest(variant(space, 2), store)
            assert (again.outcome, again.manifest.release) == (Outcome.PROMOTED, two)
            assert (store.live(), store.astray()) == (two, {})
            known = client.get_collection_aliases(f"{alias}__{two}").aliases
            assert [found.alias_name for found in known] == [alias]
        assert ingest(variant(space, 2), store).outcome is Outcome.UNCHANGED


def test_other_weights_are_another_release(space: EmbeddingSpace) -> None:
    other = SparseWeights(popularity=-0.5)
    assert release_name(space, other) != release_name(space, SparseWeights())


def test_progress_counts_every_point(store: VectorStore, space: EmbeddingSpace) -> None:
    told: dict[str, list[tuple[int, int | None]]] = {}

    def watch(step: str, done: int, total: int | None) -> None:
        told.setdefault(step, []).append((done, total))

    result = ingest(space, store, progress=watch)
    indexes = [f"index {collection}" for collection in Collection]
    assert list(told) == ["layout", "upload", *indexes, "check"]
    assert told["layout"][0][0] == 0  # before the points are laid out, which takes a while
    assert told["upload"] == sorted(told["upload"])
    total = sum(result.manifest.counts.values())
    assert told["upload"][-1] == told["check"][-1] == (total, total)


def test_batches_take_turns_and_miss_nothing(space: EmbeddingSpace) -> None:
    laid_out = contents(space, SparseWeights())
    batches = list(in_turns(laid_out, 7))
    for collection, part in laid_out.items():
        ids = [batch.ids for name, batch in batches if name is collection]
        assert list(chain.from_iterable(ids)) == list(part.ids)
    half = [name for name, _ in batches[: len(batches) // 2]]
    for collection, part in laid_out.items():
        assert half.count(collection) == pytest.approx(len(part) / 7 / 2, abs=1)


def test_a_failure_leaves_the_live_release_answering_and_nothing_half_made(
    place: Place,
    store: VectorStore,
    space: EmbeddingSpace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = ingest(space, store).manifest.release
    before = live_song(store)

    def fail(*_: object) -> None:
        raise IndexingFailed("the disk is full")

    for method in ("upsert", "finish", "reader", "seal"):
        with monkeypatch.context() as patched:
            for builder in (EmbeddedBuilder, ServerBuilder):
                patched.setattr(builder, method, fail)
            with pytest.raises(IndexingFailed, match="the disk is full"):
                ingest(variant(space, 1), store)
        assert [info.manifest.release for info in store.releases()] == [live]
        assert left_behind(place, store) == set()
        np.testing.assert_array_equal(live_song(store), before)
    assert ingest(variant(space, 1), store).outcome is Outcome.BUILT


def test_a_failure_to_clean_up_does_not_hide_what_went_wrong(
    store: VectorStore, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(message: str) -> object:
        def method(*_: object) -> None:
            raise IndexingFailed(message)

        return method

    abandon = {builder: builder.abandon for builder in (EmbeddedBuilder, ServerBuilder)}
    started: list[EmbeddedBuilder | ServerBuilder] = []
    for builder in abandon:
        monkeypatch.setattr(builder, "upsert", lambda self, *_: started.append(self) or 1 / 0)
        monkeypatch.setattr(builder, "abandon", fail("the server is gone, too"))
    with pytest.raises(ZeroDivisionError):
        ingest(space, store)
    abandon[type(started[0])](started[0])


def test_a_store_that_lies_is_found_out(server_place: ServerPlace, space: EmbeddingSpace) -> None:
    def tamper(step: str, done: int, total: int | None) -> None:
        if step == "check" and done == 0:
            name = f"{server_place.prefix}_songs__{release_name(space, SparseWeights())}"
            with server_place.client() as client:
                client.set_payload(name, {"popularity": 99}, points=[FULL], wait=True)

    with server_place.open() as store:
        with pytest.raises(CheckFailed, match=f"payload of point {FULL} differs"):
            ingest(space, store, progress=tamper)
        assert (store.live(), store.releases()) == (None, [])
