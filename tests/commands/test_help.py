"""The command explains itself, fast, and its reference in the docs is what it says."""

from __future__ import annotations

import inspect
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, get_args, get_type_hints

import cli_reference
import pytest
from command_line import melon
from typer.models import ArgumentInfo, OptionInfo

from melon.cli import command_line
from melon.commands.options import STRATEGY_NAMES
from melon.evaluation import POPULAR, split
from melon.evaluation.split import CHALLENGE_SHARES
from melon.retrieval import STRATEGIES, Retriever
from melon.settings import StrategyName

COMMANDS = dict(cli_reference.commands(command_line()))


def test_the_reference_is_not_stale():
    assert cli_reference.TARGET.read_text() == cli_reference.reference(), "run `make docs`"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(name: str):
    function = COMMANDS[name]
    assert inspect.getdoc(function)
    hints = get_type_hints(function, include_extras=True)
    for parameter in inspect.signature(function).parameters:
        declared = [part for part in get_args(hints[parameter]) if is_declaration(part)]
        if hints[parameter].__name__ != "Context":
            assert declared, parameter
            assert declared[0].help, parameter
            assert declared[0].help[-1] in ".]", declared[0].help


def is_declaration(part: Any) -> bool:
    return isinstance(part, OptionInfo | ArgumentInfo)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_every_option(name: str):
    done = melon(*name.split(), "--help", environment={"COLUMNS": "200", "NO_COLOR": "1"})
    assert done.code == 0
    for option in re.findall("`(--[a-z-]+)`", cli_reference.section(name, COMMANDS[name])):
        assert option in done.out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_paragraphs_of_a_help_are_filled(name: str):
    """Lines end where the next word has no room, and not where the source's line ended."""
    width = 80
    done = melon(*name.split(), "--help", environment={"COLUMNS": str(width), "NO_COLOR": "1"})
    _, paragraphs = done.out.split("Usage:")[1].split("\n", 1)
    lines = [
        line.strip()
        for line in paragraphs.split("\N{BOX DRAWINGS LIGHT ARC DOWN AND RIGHT}")[0].splitlines()
    ]
    for line, following in pairwise(lines):
        if line and following:
            assert len(line) + 1 + len(following.split()[0]) > width - 2, line


@pytest.mark.parametrize("name", COMMANDS)
def test_no_list_of_options_is_long(name: str):
    """Those that belong together are in a panel of their own."""
    tables = cli_reference.section(name, COMMANDS[name]).split("| | |\n")[1:]
    assert all(table.count("\n| `") <= 12 for table in tables)


def test_the_help_of_query_names_the_strategies():
    done = melon("query", "--help", environment={"COLUMNS": "200", "NO_COLOR": "1"})
    for strategy in STRATEGIES:
        assert strategy in done.out


def test_the_help_of_recommend_names_the_baseline_too():
    done = melon("recommend", "--help", environment={"COLUMNS": "200", "NO_COLOR": "1"})
    for strategy in (*STRATEGIES, POPULAR):
        assert strategy in done.out


def test_the_help_names_the_strategies_that_there_are():
    assert tuple(STRATEGIES) == STRATEGY_NAMES == get_args(StrategyName)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_option_is_nearly_another(name: str):
    """`--songs 416` answered 416 songs to somebody who meant `--song`."""
    named = re.findall("`--([a-z-]+)`", cli_reference.section(name, COMMANDS[name]))
    near = [pair for pair in combinations(sorted(set(named)), 2) if are_mistaken(*pair)]
    assert near == []


def are_mistaken(one: str, other: str) -> bool:
    """Whether one is the other with a letter more, less or changed, or its plural."""
    short, long = sorted((one, other), key=len)
    if len(short) == len(long):
        return sum(a != b for a, b in zip(short, long, strict=True)) == 1
    shortened = [long[:at] + long[at + 1 :] for at in range(len(long))]
    return short in shortened or long in (f"{short}es", f"{short[:-1]}ies")


def test_what_is_nearly_another_option_is_noticed():
    for pair in [("song", "songs"), ("tag", "tags"), ("query", "queries"), ("seed", "seep")]:
        assert are_mistaken(*pair)
        assert are_mistaken(*reversed(pair))
    for pair in [("limit", "tag-limit"), ("tag", "to"), ("song", "not-song"), ("url", "until")]:
        assert not are_mistaken(*pair)


def test_help_is_fast():
    """In processor time, beside what typer takes to show any; once in several turns is enough."""

    def seconds(*arguments: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    turns = (
        (seconds("-m", "melon.cli", "--help"), seconds("-c", "import typer.rich_utils"))
        for _ in range(5)
    )
    assert any(ours < 2 * typers for ours, typers in turns)


def test_the_version_is_the_packages():
    assert melon("--version").out == f"melon {version('melon')}\n"


def test_the_help_lists_every_command_whatever_follows():
    done = melon("--help", "query", environment={"COLUMNS": "200", "NO_COLOR": "1"})
    assert done.code == 0
    for name in COMMANDS:
        assert re.search(rf"^\W*{name.split()[0]} ", done.out, re.M), name


@pytest.mark.parametrize(
    ("command", "function", "names"),
    [
        ("split", split, {"hold_out": "hold_out", "min_songs": "min_songs", "seed": "seed"}),
        ("query", Retriever.recommend, {"limit": "limit", "tag_limit": "tag_limit"}),
        ("similar", Retriever.similar, {"limit": "limit"}),
    ],
)
def test_what_an_option_is_by_default_it_is_in_python(
    command: str, function: Callable[..., object], names: dict[str, str]
):
    options = inspect.signature(COMMANDS[command]).parameters
    arguments = inspect.signature(function).parameters
    assert {name: options[name].default for name in names} == {
        name: arguments[other].default for name, other in names.items()
    }


def test_the_kinds_of_a_split_are_those_of_the_challenge_by_default():
    shares = "/".join(f"{share:g}" for share in CHALLENGE_SHARES)
    section = cli_reference.section("split", COMMANDS["split"])
    assert f"[default: {shares}, as far as" in section


def test_an_unknown_command_is_an_error():
    done = melon("recomend")
    assert done.code == 2
    assert "recomend" in done.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_produced(shell: str):
    """By the installed script, whose name it completes."""
    done = subprocess.run(
        [Path(sys.executable).with_name("melon")],
        env=os.environ | {"_MELON_COMPLETE": f"source_{shell}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "_MELON_COMPLETE" in done.stdout
