"""Damaged files of a store and of a space: the same answers, or an error, and checksums tell."""

from __future__ import annotations

from breakage.files import cut, damage_space, damage_store, delete, empty
from breakage.operations import Around

STORES = 24


def test_files_of_a_space(around: Around) -> None:
    """All of them."""
    ends = damage_space(around.trained[1], 1000, seed=1)
    assert ends == {"refused": ends.total()}
    assert ends.total() >= 40


def test_files_of_a_store(around: Around) -> None:
    """Not with bits flipped, at some of which the engine ends the process."""
    [release] = around.shelf
    ends = damage_store(
        around.world(around.library), release, STORES, seed=1, damages=(cut, empty, delete)
    )
    assert ends.total() == STORES
    assert ends["refused"] > STORES / 2
