"""How messages say what they count."""

from __future__ import annotations

import pytest

from melon.errors import counted


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 playlists"), (1, "1 playlist"), (2, "2 playlists"), (148_826, "148,826 playlists")],
)
def test_one_is_not_several(count: int, said: str) -> None:
    assert counted(count, "playlist") == said


def test_what_takes_no_s_is_spelt_out() -> None:
    assert counted(1, "copy", "copies") == "1 copy"
    assert counted(3, "copy", "copies") == "3 copies"
