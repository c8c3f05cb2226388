"""Figures of a page: they fit any width, follow its colours, and have their numbers beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from melon.plots.colours import NAMED
from melon.plots.page import text


def histogram(
    caption: str, series: Sequence[tuple[str, Sequence[int]]], low: float, high: float
) -> str:
    """Distributions over the same bins, one over the other, each as shares of its own values.

    Args:
        caption: what is shown.
        series: a label and the counts of each; there are as many bins in all.
        low: where the first bin begins.
        high: where the last one ends.
    """
    shares = [[count / max(sum(counts), 1) for count in counts] for _, counts in series]
    most = max((share for each in shares for share in each), default=0) or 1
    bins = len(shares[0])
    paths = []
    for each, colour in zip(shares, NAMED, strict=False):
        steps = "".join(f"V{100 - 100 * share / most:.2f}h1" for share in each)
        paths.append(f'<path d="M0 100{steps}V100Z" fill="{colour}" stroke="{colour}"/>')
    key = "".join(
        f'<span class="key"><span class="swatch" style="background:{colour}"></span>{text(label)}'
        "</span>"
        for (label, _), colour in zip(series, NAMED, strict=False)
    )
    ticks = "".join(f"<span>{low + (high - low) * part / 4:g}</span>" for part in range(5))
    label = text(f"{caption}: {', '.join(name for name, _ in series)}")
    return (
        f"<figure><figcaption>{text(caption)}<br>{key}</figcaption>"
        f'<svg class="plot" viewBox="0 0 {bins} 100" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}">{"".join(paths)}</svg><div class="ticks">{ticks}</div>'
        f'<p class="faint">The highest bar is {most:.1%}.</p></figure>'
    )


def bar(value: float, error: float | None, most: float, colour: str = NAMED[0]) -> str:
    """A bar of a length, with a line for what it may be more or less; the number stands beside it.

    Args:
        value: 0 to `most`.
        error: a standard error.
        most: the longest that a bar may be.
    """
    part = 100 / most if most else 0
    shown = f'<span style="width:{max(value, 0) * part:.1f}%;background:{colour}"></span>'
    if error:
        start = max(value - error, 0)
        shown += f'<i style="left:{start * part:.1f}%;width:{(value + error - start) * part:.1f}%">'
        shown += "</i>"
    return f'<div class="bar" aria-hidden="true">{shown}</div>'


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    html: bool = False,
    said: bool = False,
) -> str:
    """A table; columns whose name ends in `>` are numbers, set to the right.

    Args:
        html: whether cells are HTML already; names of columns never are.
        said: whether the caption stands above already, so that it is for screen readers alone.
    """
    kinds = [' class="number"' if name.endswith(">") else "" for name in columns]
    head = "".join(
        f'<th scope="col"{kind}>{text(name.rstrip(">"))}</th>'
        for name, kind in zip(columns, kinds, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{kind}>{cell if html else text('' if cell is None else cell)}</td>"
            for cell, kind in zip(row, kinds, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    unseen = ' class="unseen"' if said else ""
    # A region that scrolls has to be reached by the keyboard.
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{text(caption)}">'
        f"<table><caption{unseen}>{text(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
