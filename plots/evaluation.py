"""An evaluation as a page: strategies and kinds of question, two runs, the worst questions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from melon.evaluation import Miss, Quality, Scorecard
from melon.plots.charts import bar, table
from melon.plots.colours import NAMED
from melon.plots.page import page, text

NOW, BEFORE = NAMED[0], NAMED[5]

COLUMNS = ("strategy", "questions>", "score, ± its standard error", "song nDCG>", "tag nDCG>")


def evaluation_page(
    cards: Sequence[Scorecard],
    release: str,
    worst: Sequence[Miss] = (),
    before: Sequence[Scorecard] | None = None,
) -> str:
    """A page of scorecards, the best first.

    Args:
        cards: of one set of questions.
        release: that was asked.
        worst: the questions that the first strategy answered worst.
        before: scorecards of an earlier run, to be shown beside those of the same strategies.
    """
    parts = [
        f'<header><h1>Evaluation of release {text(release)}</h1><p class="faint">'
        f"{cards[0].quality.questions:,} questions; .85 song nDCG@100 + .15 tag nDCG@10. A line on "
        "a bar is a standard error to each side.</p></header>",
        '<main class="read">',
    ]
    earlier = {card.strategy: card for card in before or ()}
    if before is not None:
        parts.append(_about(cards, earlier))
    kinds = dict.fromkeys(kind for card in cards for kind in card.by_kind)
    most = max(
        (
            (quality.score or 0) + (quality.score_standard_error or 0)
            for card in (*cards, *earlier.values())
            for quality in (card.quality, *card.by_kind.values())
        ),
        default=0,
    )
    for kind in (None, *kinds):
        caption = f"Questions that give {kind.replace('+', ' and ')}" if kind else "All questions"
        rows = list(_rows(cards, earlier, kind, most))
        parts += [f"<h2>{text(caption)}</h2>", table(caption, COLUMNS, rows, html=True, said=True)]
    if len(cards) > 1:
        parts += ["<h2>Difference to the best</h2>", _differences(cards)]
    if worst:
        parts.append(
            f"<h2>The {len(worst)} questions answered worst by {text(cards[0].strategy)}</h2>"
            "<p>What came and was expected has a tick. Of songs the first ten are named.</p>"
        )
        parts += map(_miss, worst)
    parts.append("</main>")
    return page(f"Evaluation of {release}", "\n".join(parts))


def _about(cards: Sequence[Scorecard], earlier: Mapping[str | None, Scorecard]) -> str:
    """What is compared with what, and whether it can be."""
    said = "Beside each score stands that of the earlier run, and how much higher the new one is."
    shared = [card for card in cards if card.strategy in earlier]
    if not shared:
        said = "The earlier run has none of these strategies: there is nothing to compare."
    elif any(earlier[card.strategy].quality.questions != card.quality.questions for card in shared):
        said += " It was of other questions: the scores say little about each other."
    else:
        said += " ± is as if the two had been of different questions: of the same ones, it is less."
    return f"<p>{said}</p>"


def _rows(
    cards: Sequence[Scorecard],
    earlier: Mapping[str | None, Scorecard],
    kind: str | None,
    most: float,
) -> Iterator[tuple[str, ...]]:
    for card in cards:
        quality = card.by_kind.get(kind) if kind else card.quality
        if quality is None:
            continue
        yield _row(text(card.strategy), quality, most, NOW)
        old = earlier.get(card.strategy)
        before = old and (old.by_kind.get(kind) if kind else old.quality)
        if before:
            yield _row("… before" + _change(quality, before), before, most, BEFORE)


def _change(now: Quality, before: Quality) -> str:
    """How much higher the score is than before, with a standard error where it is known."""
    if now.score is None or before.score is None:
        return ""
    errors = (now.score_standard_error, before.score_standard_error)
    shown = f", now {round(now.score - before.score, 4) + 0.0:+.4f}"
    if None not in errors:
        shown += f" ± {sum(error**2 for error in errors if error) ** 0.5:.4f}"
    return shown


def _row(name: str, quality: Quality, most: float, colour: str) -> tuple[str, ...]:
    score, error = quality.score, quality.score_standard_error
    shown = "not known: no answer hides songs and tags"
    if score is not None:
        shown = f"{bar(score, error, most, colour)}{score:.4f}"
        shown += f" ± {error:.4f}" if error is not None else ""
    return (
        name,
        f"{quality.questions:,}",
        shown,
        *("" if one is None else f"{one:.4f}" for one in (quality.song_ndcg, quality.tag_ndcg)),
    )


def _differences(cards: Sequence[Scorecard]) -> str:
    rows = [
        (
            card.strategy,
            None if card.difference is None else f"{card.difference:+.4f}",
            None
            if card.difference_standard_error is None
            else f"{card.difference_standard_error:.4f}",
        )
        for card in cards[1:]
    ]
    caption = f"Question by question, below {cards[0].strategy}"
    return table(caption, ("strategy", "difference>", "±>"), rows)


def _miss(miss: Miss) -> str:
    given, hidden = miss.counts
    title = f" “{text(miss.title)}”" if miss.title else ""
    rows = [
        (
            "given",
            _names(miss.songs, given),
            _names(miss.tags, len(miss.tags)),
        ),
        (
            "expected",
            _names(miss.expected_songs, hidden, miss.found),
            _names(miss.expected_tags, len(miss.expected_tags), miss.found),
        ),
        (
            "came",
            _names(miss.came_songs, len(miss.came_songs), miss.found),
            _names(miss.came_tags, len(miss.came_tags), miss.found),
        ),
    ]
    shown = table(
        f"Playlist {miss.playlist}", ("playlist", "songs", "tags"), rows, html=True, said=True
    )
    return (
        f"<details><summary>Playlist {text(miss.playlist)}{title}: gives "
        f"{text(miss.kind.replace('+', ' and '))}, {miss.score:.4f}</summary>{shown}</details>"
    )


def _names(names: Sequence[str], count: int, found: Collection[str] = ()) -> str:
    """A list of names, and how many more there are."""
    items = [
        f"<li><b>✓ {text(name)}</b></li>" if name in found else f"<li>{text(name)}</li>"
        for name in names
    ]
    if count > len(names):
        items.append(f'<li class="faint">and {count - len(names):,} more</li>')
    return f"<ul>{''.join(items)}</ul>" if items else "none"
