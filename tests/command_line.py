"""The `melon` command as a user runs it, here or in a process of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from places import Place

from melon.cli import main


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


def melon(*arguments: str, environment: Mapping[str, str] | None = None) -> Done:
    """Run the command in this process, error messages and exit codes included."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with (
        patch.object(sys, "argv", ["melon", *arguments]),
        patch.dict(os.environ, environment or {}),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code
    return Done(int(code or 0), out.getvalue(), err.getvalue())


def melon_process(*arguments: str, environment: Mapping[str, str] | None = None) -> Done:
    """Run the command as a shell does."""
    command = [sys.executable, "-m", "melon.cli", *arguments]
    given = os.environ | {"NO_COLOR": "1", "COLUMNS": "80"} | (environment or {})
    done = subprocess.run(command, env=given, capture_output=True, text=True, timeout=120)
    return Done(done.returncode, done.stdout, done.stderr)


Command = Callable[..., Done]


def on(place: Place) -> Command:
    """`melon` with the options that name a place."""

    def run(*arguments: str) -> Done:
        return melon(*arguments, *place.options, environment=place.environment)

    return run
