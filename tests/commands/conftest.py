"""Commands run in a directory of their own, and find no store but the one that they are given."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Command, on
from places import Place


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, in which a test cannot meet what the user's shell has."""
    monkeypatch.chdir(tmp_path)
    for name in ("MELON_QDRANT_URL", "MELON_HOME", "MELON_RETRIEVAL", "MELON_PREFIX", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def ask(demo_place: Place) -> Command:
    """`melon` on the demo release, on each engine."""
    return on(demo_place)
