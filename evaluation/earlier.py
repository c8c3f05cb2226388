"""Scorecards of an earlier run, as `--json` printed them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from melon.errors import first_problem
from melon.evaluation.errors import BadResults
from melon.evaluation.scorecard import Quality, Scorecard
from melon.files import read_json


class _Card(BaseModel):
    strategy: str | None
    by_kind: dict[str, Quality]


_CARDS = TypeAdapter(list[_Card])
_QUALITIES = TypeAdapter(list[Quality])


def read_scorecards(path: Path) -> list[Scorecard]:
    """What `melon evaluate --json` or `melon score --json` printed: one scorecard, or a list.

    Raises:
        BadResults: the file holds something else.
        MalformedJson, UnreadableFile: it is no JSON, or cannot be opened.
    """
    content = read_json(path)
    found: list[Any] = content if isinstance(content, list) else [content]
    try:
        cards, qualities = (
            _CARDS.validate_python(found),
            _QUALITIES.validate_python([_of_quality(one) for one in found]),
        )
    except ValidationError as error:
        problem = first_problem(error)
        raise BadResults(
            f"holds no scorecard: {problem.place}: {problem.what}",
            where=str(path),
            hint="give what `melon evaluate --json` printed",
        ) from error
    return [
        Scorecard(card.strategy, quality, card.by_kind)
        for card, quality in zip(cards, qualities, strict=True)
    ]


def _of_quality(card: Any) -> Any:
    """Those of a card's fields that a `Quality` has."""
    names = {field.name for field in fields(Quality)}
    return {n: v for n, v in card.items() if n in names} if isinstance(card, dict) else card
