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
from typing import IO, Any
from unittest.mock import patch

import pytest
from places import EMBEDDED, Place

from melon.cli import run as run_melon


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


def melon(
    *arguments: str, environment: Mapping[str, str] | None = None, encoding: str = "utf-8"
) -> Done:
    """Run the command in this process, error messages and exit codes included."""
    out, err = io.TextIOWrapper(io.BytesIO(), encoding), io.StringIO()
    with (
        patch.object(sys, "argv", ["melon", *arguments]),
        patch.dict(os.environ, environment or {}),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = run_melon()
        out.flush()
    return Done(code, out.buffer.getvalue().decode(encoding), err.getvalue())


def melon_process(
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    stdout: int | IO[str] = subprocess.PIPE,
) -> Done:
    """Run the command as a shell does."""
    command = [sys.executable, "-m", "melon.cli", *arguments]
    given = os.environ | {"NO_COLOR": "1", "COLUMNS": "80"} | (environment or {})
    done = subprocess.run(
        command, env=given, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=120
    )
    return Done(done.returncode, done.stdout or "", done.stderr)


def melon_without(stream: int, *arguments: str, environment: Mapping[str, str]) -> Done:
    """Run the command as a shell does that closes a stream: 0 is stdin, 1 stdout, 2 stderr."""
    closing = ["sh", "-c", f'exec "$@" {stream}>&-', "sh", sys.executable, "-m", "melon.cli"]
    done = subprocess.run(
        [*closing, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return Done(done.returncode, done.stdout, done.stderr)


on_one_engine = pytest.mark.parametrize("demo_place", [EMBEDDED], indirect=True)
"""For what no engine decides: streams, layout, and what is refused before a store is opened."""

Command = Callable[..., Done]


def on(place: Place) -> Command:
    """`melon` with the options that name a place."""

    def run(*arguments: str) -> Done:
        return melon(*arguments, *place.options, environment=place.environment)

    return run
