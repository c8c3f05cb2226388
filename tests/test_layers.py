"""Which room may import which: data goes one way, and a query host needs the store alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

ROOMS = ("catalog", "demo", "embedding", "store", "ingest", "retrieval", "evaluation")

MAY_IMPORT = {
    "catalog": {"errors", "files", "text"},
    "demo": {"errors", "files", "catalog"},
    "embedding": {"errors", "files", "text", "catalog"},
    "store": {"errors", "files", "processes", "settings", "text"},
    "ingest": {"errors", "text", "embedding", "store"},
    "retrieval": {"errors", "text", "store"},
    "evaluation": {"errors", "files", "processes", "text", "catalog", "store", "retrieval"},
    "commands": {"errors", "files", "settings", *ROOMS},
    "cli": {"errors", "commands"},
    "settings": {"errors"},
    "files": {"errors"},
    "text": {"errors"},
    "processes": set(),
    "errors": set(),
}
"""Each room, and what of melon it may import beside itself: a room, or one module of a room."""


def imports(source: str) -> Iterator[str]:
    """The modules of melon that a source imports, in functions and for types only, too."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names):
                found = [alias.name for alias in names]
            case ast.ImportFrom("melon", names, level=0):
                found = [f"melon.{alias.name}" for alias in names]
            case ast.ImportFrom(str(module), level=0):
                found = [module]
            case ast.ImportFrom():
                raise AssertionError("imports are written from the root: `from melon.room import`")
            case _:
                continue
        yield from (name.removeprefix("melon.") for name in found if name.startswith("melon."))


def is_part_of(module: str, whole: str) -> bool:
    return module == whole or module.startswith(f"{whole}.")


def forbidden(room: str, source: str) -> list[str]:
    allowed = MAY_IMPORT[room] | {room}
    return [name for name in imports(source) if not any(is_part_of(name, one) for one in allowed)]


def files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py")) or [ROOT / f"{room}.py"]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    found = {path.relative_to(ROOT): forbidden(room, path.read_text()) for path in files(room)}
    assert {path: names for path, names in found.items() if names} == {}


def test_every_room_is_in_the_table() -> None:
    beside = {"tests", "benchmarks", "examples", "scripts", "docs", "build"}
    packages = {path.parent.name for path in ROOT.glob("[!.]*/__init__.py")} - beside
    assert packages | {path.stem for path in ROOT.glob("*.py")} == set(MAY_IMPORT)


@pytest.mark.parametrize(
    ("room", "source", "found"),
    [
        ("retrieval", "from melon.ingest import ingest", ["ingest"]),
        ("retrieval", "from melon.embedding import EmbeddingSpace", ["embedding"]),
        ("retrieval", "from melon.text import TitleTokenizer", []),
        ("retrieval", "from melon.retrieval.strategies.hops import hop", []),
        ("store", "def f():\n    import melon.catalog.records as r", ["catalog.records"]),
        ("store", "from melon import retrieval", ["retrieval"]),
        ("errors", "import os\nfrom melon.errors import MelonError", []),
    ],
)
def test_a_new_import_is_noticed(room: str, source: str, found: list[str]) -> None:
    assert forbidden(room, source) == found
