"""The trials of `melon tune`, a line of JSON for each, so that nothing is measured twice."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TextIO

from pydantic import BaseModel, ConfigDict, ValidationError

from melon.evaluation.errors import BadJournal


class Journal:
    """The trials in a file, which is made when the first one is added.

    The trial of a line that is damaged, or that a killed process left half written, is made again.
    A damaged line stays in the file.

    Args:
        path: the file. Its trials may be of many searches, questions and releases.
        fresh: forget what it holds. The file is replaced when the first trial is added.

    Attributes:
        damaged: how many lines of the file are not trials.

    Raises:
        BadJournal: no line of the file is a trial, not even half of one.
    """

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        self.path = path
        self._file: TextIO | None = None
        self._fresh = fresh
        trials, self.damaged = ([], 0) if fresh else _read(path)
        self._scores = {_key(trial): trial.score for trial in trials}

    def __len__(self) -> int:
        return len(self._scores)

    def score(self, search: str, questions: str, settings: str) -> float | None:
        """The score of a trial that was made before."""
        return self._scores.get((search, questions, settings))

    def add(self, trial: Trial) -> None:
        """Keep a trial; it is in the file when this returns."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self._fresh:
                self.path.unlink(missing_ok=True)
            self._file = self.path.open("a", encoding="utf-8")
        self._file.write(trial.model_dump_json() + "\n")
        self._file.flush()
        self._scores[_key(trial)] = trial.score

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._file is not None:
            self._file.close()


def _key(trial: Trial) -> tuple[str, str, str]:
    return trial.search, trial.questions, trial.settings


START = b'{"search":'
"""How every line begins that `Journal.add` writes."""


def _read(path: Path) -> tuple[list[Trial], int]:
    """The trials in a file, and how many of its lines are none."""
    if not path.exists():
        return [], 0
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    tail = content[len(whole) :]
    lines, trials = whole.splitlines(), list[Trial]()
    for line in lines:
        with suppress(ValidationError):
            trials.append(Trial.model_validate_json(line))
    if not trials and (lines or not tail.startswith(START[: len(tail)])):
        raise BadJournal(
            "this is not a trial of `melon tune`",
            where=f"{path}, line 1",
            hint="start over with --fresh, which removes the file",
        )
    if tail:
        with path.open("r+b") as file:
            file.truncate(len(whole))
    return trials, len(lines) - len(trials)


class Trial(BaseModel):
    """One measurement.

    Attributes:
        search: what was searched, for people.
        questions: `fingerprint` of the questions, their answers and the release asked.
        settings: `fingerprint` of all settings that the score depends on.
        values: the settings that are searched.
        score: mean nDCG.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    search: str
    questions: str
    settings: str
    values: dict[str, Any]
    score: float


def fingerprint(value: object) -> str:
    """A short hash of what JSON can write."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
