"""What a query loads: each package costs every answer a part of a second."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from command_line import on_one_engine
from places import Place

OURS = {"melon", "numpy", "pydantic", "qdrant_edge", "sentencepiece", "typer"}
THEIRS = {  # what these load of their own
    "annotated_doc",
    "annotated_types",
    "click",
    "pydantic_core",
    "shellingham",
    "typing_extensions",
    "typing_inspection",
}
SLOW = {"asyncio", "http", "multiprocessing", "ssl", "unittest", "urllib.request", "xml"}
"""Of Python's own library, what takes long to load."""

PROGRAM = """
import sys
from melon.cli import run
sys.argv = ["melon", *sys.argv[1:]]
code = run()
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""


@on_one_engine
@pytest.mark.parametrize("options", [["--json"], []], ids=["JSON", "a table in a pipe"])
def test_a_query_loads_what_it_needs(demo_place: Place, options: list[str]):
    command = [sys.executable, "-c", PROGRAM, "query", "--title", "rainy day", *options]
    command += demo_place.options
    # With what Python knows of the environment: readline adds a width of its own to that of pytest.
    done = subprocess.run(command, env={**os.environ}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Songs" in done.stdout or '"songs"' in done.stdout
    loaded = set(done.stderr.splitlines()[-1].split())
    packages = {name.split(".")[0] for name in loaded} - set(sys.stdlib_module_names)
    assert {name for name in packages - OURS - THEIRS if not name.startswith("_")} == set()
    assert loaded & SLOW == set()
