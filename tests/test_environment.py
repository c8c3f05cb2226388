"""What the environment says becomes settings, as a shell would have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from melon.errors import InputError
from melon.settings import Settings, load_settings

PATHS = ["home", "retrieval", "qdrant_ca_cert", "qdrant_api_key_file"]


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


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("MELON_QDRANT_ULR", "MELON_QDRANT_URL"),
        ("MELON_QDRANT_APIKEY", "MELON_QDRANT_API_KEY"),
        ("MELON_HOM", "MELON_HOME"),
    ],
)
def test_a_misspelt_variable_is_not_passed_over(given: str, meant: str) -> None:
    with pytest.raises(InputError) as refused:
        load_settings({given: "http://qdrant:6333", "HOME": "/home/me"})
    assert refused.value.where == f"environment variable {given}"
    assert refused.value.hint == f"did you mean {meant}?"


def test_a_strategy_that_is_not_there_is_refused_by_the_name_of_its_variable() -> None:
    with pytest.raises(InputError, match="'vote'") as refused:
        load_settings({"MELON_STRATEGY": "vot"})
    assert refused.value.where == "environment variable MELON_STRATEGY"


def test_variables_of_others_are_left_alone() -> None:
    others = ("MELON_IMAGE", "MELON_TEST_QDRANT_URL", "MELON_VERSION", "QDRANT_URL")
    assert load_settings(dict.fromkeys(others, "x")) == load_settings({})


@pytest.mark.parametrize("field", Settings.model_fields)
def test_white_space_around_a_value_is_not_part_of_it(field: str) -> None:
    """A file ends with a line break, and so does what a shell reads of it."""
    numbers = (int, int | None)
    value = "7" if Settings.model_fields[field].annotation in numbers else "mean"
    for around in ("{}\n", "{}\r\n", " {}\t", "\n{}"):
        variable = f"MELON_{field.upper()}"
        assert load_settings({variable: around.format(value)}) == load_settings({variable: value})
        assert load_settings({variable: around.format("")}) == load_settings({})


@pytest.mark.parametrize("field", Settings.model_fields)
@pytest.mark.parametrize("control", ["\0", "\n", "\r\n", "\x1b[0m", "\x7f", "\x85"])
def test_a_control_character_within_a_value_is_refused(field: str, control: str) -> None:
    variable = f"MELON_{field.upper()}"
    with pytest.raises(InputError) as refused:
        load_settings({variable: f"se{control}ven"})
    assert refused.value.where == f"environment variable {variable}"
    assert "ven" not in refused.value.what
