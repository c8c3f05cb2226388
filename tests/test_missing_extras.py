"""Errors that no one room raises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from melon.errors import MissingExtra, needing


def test_a_missing_extra_is_named_with_what_installs_it() -> None:
    with pytest.raises(MissingExtra, match="no_such_library") as missing, needing("plot"):
        import no_such_library  # type: ignore[import-not-found]  # noqa: F401
    assert missing.value.hint == "pip install 'melon[plot]'"
    assert missing.value.exit_code == 1


def test_what_a_host_was_made_without_is_named(tmp_path: Path) -> None:
    """One that only answers, from a server, has no library that trains."""
    program = (
        "import sys; sys.modules['gensim'] = None; sys.argv = ['melon', 'demo', '--out', 'demo'];"
        "from melon.cli import run; sys.exit(run())"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert "it takes gensim, which this installation leaves out" in done.stderr
    assert "Traceback" not in done.stderr
