"""Which room may import which, and what of it: data goes one way, through the rooms' faces."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

ROOMS = (
    *("catalog", "demo", "embedding", "store", "ingest", "retrieval", "evaluation"),
    *("learning", "plots", "service"),
)

MAY_IMPORT = {
    "catalog": {"errors", "fields", "files", "outputs", "progress", "text"},
    "demo": {"errors", "outputs", "progress", "catalog"},
    "embedding": {
        *("errors", "fields", "files", "outputs", "progress", "ranking", "text", "titles"),
        "catalog",
    },
    "store": {
        "errors",
        "fields",
        "files",
        "processes",
        "progress",
        "ranking",
        "settings",
        "text",
        "word_index",
    },
    "ingest": {
        *("errors", "fields", "files", "progress", "text", "titles", "word_index"),
        *("embedding", "store"),
    },
    "retrieval": {
        *("errors", "fields", "files", "ranking", "text", "titles", "word_index"),
        "store",
    },
    "evaluation": {
        *("errors", "fields", "files", "outputs", "processes", "progress", "text"),
        *("catalog", "store", "retrieval"),
    },
    "learning": {
        *("errors", "files", "outputs", "progress", "ranking"),
        *("catalog", "embedding", "store", "ingest", "retrieval", "evaluation"),
    },
    "plots": {
        *("display", "errors", "fields", "files", "outputs", "processes", "progress", "text"),
        *("store", "evaluation"),
    },
    "service": {
        *("errors", "fields", "files", "processes", "settings"),
        *("store", "retrieval", "plots"),
    },
    "commands": {
        *("display", "errors", "fields", "files", "outputs", "progress", "ranking", "settings"),
        *("text", "word_index", *ROOMS),
    },
    "cli": {"display", "errors", "processes", "commands"},
    "__main__": {"cli"},
    "__init__": {"errors", "settings", "catalog", "store", "retrieval"},
    "settings": {"errors"},
    "fields": {"errors"},
    "files": {"errors"},
    "outputs": {"errors", "files"},
    "text": set(),
    "titles": {"errors", "text"},
    "word_index": {"text"},
    "ranking": set(),
    "processes": set(),
    "progress": set(),
    "display": set(),
    "errors": set(),
}
"""Each room, and what of melon it may import beside itself: a room, or one module of a room."""


def statements(tree: ast.AST, *, for_types: bool) -> Iterator[ast.AST]:
    """What is below a node; where it is not `for_types`, nothing below `if TYPE_CHECKING:`."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.If(test=ast.Name("TYPE_CHECKING")) if not for_types:
                continue
        yield node
        yield from statements(node, for_types=for_types)


def named_imports(source: str, *, for_types: bool = True) -> Iterator[tuple[str, str | None]]:
    """The modules of melon that a source imports, in functions, too, with each name from them.

    The name is None where a whole module is imported: `import melon.room`.
    """
    for node in statements(ast.parse(source), for_types=for_types):
        found: list[tuple[str, str | None]]
        match node:
            case ast.Import(names):
                found = [(alias.name, None) for alias in names]
            case ast.ImportFrom("melon", names, level=0):
                found = [(f"melon.{alias.name}", None) for alias in names]
            case ast.ImportFrom(str(module), names, level=0):
                found = [(module, alias.name) for alias in names]
            case ast.ImportFrom():
                raise AssertionError("imports are written from the root: `from melon.room import`")
            case _:
                continue
        for module, name in found:
            if module.startswith("melon."):
                yield module.removeprefix("melon."), name


def imports(source: str) -> Iterator[str]:
    """The modules of melon that a source imports, in functions and for types only, too."""
    yield from dict.fromkeys(module for module, _ in named_imports(source))


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
    modules = {path.stem for path in ROOT.glob("*.py")} - {"setup"}
    assert packages | modules == set(MAY_IMPORT)


@pytest.mark.parametrize(
    ("room", "source", "found"),
    [
        ("retrieval", "from melon.ingest import ingest", ["ingest"]),
        ("retrieval", "from melon.embedding import EmbeddingSpace", ["embedding"]),
        ("retrieval", "from melon.titles import TitleTokenizer", []),
        ("retrieval", "from melon.retrieval.strategies.hops import hop", []),
        ("store", "def f():\n    import melon.catalog.records as r", ["catalog.records"]),
        ("store", "from melon import retrieval", ["retrieval"]),
        ("errors", "import os\nfrom melon.errors import MelonError", []),
    ],
)
def test_a_new_import_is_noticed(room: str, source: str, found: list[str]) -> None:
    assert forbidden(room, source) == found


@cache
def face(room: str) -> set[str]:
    """What a room offers: the names in its `__all__`."""
    for node in ast.parse((ROOT / room / "__init__.py").read_text()).body:
        match node:
            case ast.Assign([ast.Name("__all__")], value):
                return set(ast.literal_eval(value))
    raise AssertionError(f"{room}/__init__.py has no __all__")


def past_the_face(room: str, source: str) -> list[str]:
    """What a source of a room imports of other rooms that they do not offer.

    `commands` is no room with a face: each command is a module, imported when it runs.
    """
    return [
        f"{module}: {name}" if name else module
        for module, name in named_imports(source)
        if (other := module.partition(".")[0]) in ROOMS
        and other != room
        and (module != other or name not in face(other))
    ]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_uses_the_faces_of_others_alone(room: str) -> None:
    found = {path.relative_to(ROOT): past_the_face(room, path.read_text()) for path in files(room)}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from melon.store import open_store", []),
        ("from melon.store import connect", ["store: connect"]),
        ("def f():\n    from melon.store.connect import open_store", ["store.connect: open_store"]),
        ("import melon.store", ["store"]),
        ("from melon import store", ["store"]),
        ("from melon.commands.console import note", []),
        ("from melon.errors import counted", []),
    ],
)
def test_a_reach_past_a_face_is_noticed(source: str, found: list[str]) -> None:
    assert past_the_face("cli", source) == found


def module_graph() -> dict[str, set[str]]:
    """The modules of melon, and what each imports when it runs, at whatever depth.

    An import in a function counts, for it is a dependence all the same; one for types alone does
    not, for no code runs by it.
    """
    paths = [path for room in MAY_IMPORT for path in files(room)]
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}
    sources = {name.removesuffix(".__init__"): path.read_text() for name, path in names.items()}
    return {
        name: {
            f"{module}.{part}" if f"{module}.{part}" in sources else module
            for module, part in named_imports(source, for_types=False)
        }
        for name, source in sources.items()
    }


def test_no_modules_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter(module_graph()).prepare()
    except CycleError as error:
        raise AssertionError(" → ".join(error.args[1])) from None
