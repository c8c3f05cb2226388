"""The rows of the comparison, as Markdown for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from melon.evaluation import Quality, Scorecard


@dataclass(frozen=True, slots=True)
class Row:
    """One method's scores. Peers have no engine; melon is not fitted here, but by ingest."""

    method: str
    engine: str | None
    card: Scorecard
    fit_seconds: float | None = None


def markdown(rows: Sequence[Row]) -> str:
    """Song nDCG@100, tag nDCG@10 and score, for all questions and for each kind of them."""
    kinds = list(dict.fromkeys(kind for row in rows for kind in row.card.by_kind))
    counts = {kind: row.card.by_kind[kind].questions for row in rows for kind in row.card.by_kind}
    heads = [f"{kind} ({counts[kind]:,})" for kind in kinds]
    total = f"all ({rows[0].card.quality.questions:,})" if rows else "all"
    lines = [["method", "engine", total, *heads, "ms per question"], ["---"] * (len(kinds) + 4)]
    for row in rows:
        by_kind = [_figures(row.card.by_kind.get(kind)) for kind in kinds]
        time = "" if row.card.ms_per_question is None else f"{row.card.ms_per_question:.1f}"
        overall = _figures(row.card.quality)
        lines.append([row.method, row.engine or "", overall, *by_kind, time])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def as_json(rows: Sequence[Row]) -> dict[str, Any]:
    """Every row with all that its scorecard says, and how far the engines are apart."""
    return {
        "engines_differ": engine_differences(rows),
        "rows": [
            {"method": row.method, "engine": row.engine, "fit_seconds": row.fit_seconds}
            | row.card.to_json()
            for row in rows
        ],
    }


def engine_differences(rows: Sequence[Row]) -> dict[str, float]:
    """How far the engines are apart, for each method that was asked on two of them.

    The largest difference of song nDCG, tag nDCG and score, over all questions.
    """
    return {
        one.method: max(
            abs(mine - theirs)
            for mine, theirs in zip(
                _triple(one.card.quality), _triple(other.card.quality), strict=True
            )
            if mine is not None and theirs is not None
        )
        for one, other in combinations(rows, 2)
        if one.method == other.method and one.engine != other.engine
    }


def _triple(quality: Quality) -> tuple[float | None, float | None, float | None]:
    return quality.song_ndcg, quality.tag_ndcg, quality.score


def _figures(quality: Quality | None) -> str:
    if quality is None:
        return ""
    return " / ".join("–" if part is None else f"{part:.4f}" for part in _triple(quality))
