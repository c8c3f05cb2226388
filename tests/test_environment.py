"""What the environment says becomes settings, as a shell would have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from melon.errors import InputError
from melon.settings import load_settings

PATHS = ["home", "retrieval", "qdrant_ca_cert"]


@pytest.mark.parametrize("field", PATHS)
def test_a_tilde_that_no_shell_expanded_is_the_home_directory(
    monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    """A Dockerfile, a unit of systemd or a quoted assignment leaves it as it is."""
    monkeypatch.setenv("HOME", "/home/me")
    variable = f"MELON_{field.upper()}"
    for given, path in [("~/a", "/home/me/a"), ("~", "/home/me"), ("a/~", "a/~"), ("/b", "/b")]:
        assert getattr(load_settings({variable: given}), field) == Path(path)


@pytest.mark.parametrize("field", PATHS)
def test_the_home_of_nobody_is_refused(field: str) -> None:
    with pytest.raises(InputError, match="'~nobody-of-this-name/a'") as refused:
        load_settings({f"MELON_{field.upper()}": "~nobody-of-this-name/a"})
    assert refused.value.where == f"environment variable MELON_{field.upper()}"
