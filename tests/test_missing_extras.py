"""Errors that no one room raises."""

from __future__ import annotations

import pytest

from melon.errors import MissingExtra, needing


def test_a_missing_extra_is_named_with_what_installs_it() -> None:
    with pytest.raises(MissingExtra, match="no_such_library") as missing, needing("plot"):
        import no_such_library  # type: ignore[import-not-found]  # noqa: F401
    assert missing.value.hint == "pip install 'melon[plot]'"
    assert missing.value.exit_code == 1
