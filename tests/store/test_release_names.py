"""Names of releases: those that `melon ingest` makes are told from all others."""

from __future__ import annotations

import pytest

from melon.store.manifest import MadeName, is_release_name

MADE = MadeName.of("what it is made of")


def test_the_same_recipe_has_the_same_name() -> None:
    assert MadeName.of("what it is made of") == MADE
    assert MadeName.of("something else") != MADE
    assert MadeName.parse(str(MADE)) == MADE
    assert is_release_name(str(MADE))


def test_a_published_name_never_changes() -> None:
    """Releases that are there must be known again."""
    assert str(MadeName.of("recipe")) == "re1d8e5523309"
    assert str(MadeName.of("recipe", graph=True)) == "ge1d8e5523309"


@pytest.mark.parametrize("text", ["r0123456789ab", "r0123456789ab-2", "g0123456789ab-10"])
def test_what_is_read_is_written_the_same(text: str) -> None:
    assert str(MadeName.parse(text)) == text
    assert is_release_name(text)


R = "r0123456789ab"
NOT_MADE = ["backup", "r", "r1", "red", "r2024", R[:-1], f"{R}c", R.upper(), "r0123456789ag", R[1:]]
NOT_MADE += [f"{R}-", f"{R}-0", f"{R}-1", f"{R}-02", f"{R}-2-3", f"old__{R}"]


@pytest.mark.parametrize("text", [*NOT_MADE, f"{R} ", f"{R}\n", ""])
def test_other_names_are_not_made(text: str) -> None:
    assert MadeName.parse(text) is None
    assert not MADE.is_same_recipe(text)


def test_what_is_damaged_gets_the_next_number() -> None:
    taken: set[str] = set()
    for number in (1, 2, 3):
        free = MADE.free(taken)
        assert free == MadeName(MADE.digest, number)
        assert MADE.is_same_recipe(str(free))
        taken.add(str(free))
    assert not MADE.is_same_recipe(str(MadeName.of("something else")))
    assert not MADE.is_same_recipe(str(MadeName.of("what it is made of", graph=True)))
