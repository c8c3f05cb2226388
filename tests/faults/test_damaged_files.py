"""Damaged files of a store and of a space: the same answers, or an error, and checksums tell."""

from __future__ import annotations

from breakage.files import Damaged, damage_space
from breakage.operations import Around
from breakage.warm import Warm

STORES = 5


def test_files_of_a_space(around: Around) -> None:
    """All of them."""
    ends = damage_space(around.trained[1], 1000, seed=1)
    assert ends == {"refused": ends.total()}
    assert ends.total() >= 40


def test_files_of_a_store(around: Around, warm: Warm) -> None:
    """A few of them; each is asked by five commands, and of one another release is built beside."""
    store = Damaged(around.library, around.trained[0], warm)
    ends = store.run(STORES, seed=1, rebuilt=0.1)
    assert ends.total() - ends["built beside"] == STORES
    assert ends["refused"] > STORES / 3
