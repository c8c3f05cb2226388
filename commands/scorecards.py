"""How scorecards are shown to people, and what is said of them beside the figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from melon.commands.console import note, print_table, shown
from melon.errors import counted

if TYPE_CHECKING:
    from melon.catalog import Playlist
    from melon.evaluation import Quality, Scorecard, Unknowns


def render(cards: Sequence[Scorecard]) -> None:
    """Scorecards as tables; several of them are compared, too."""
    print_table("Scores", tuple(COLUMNS), rows(cards), wide=COLUMNS)
    if beyond := beyond_rows(cards):
        print_table("What is recommended", tuple(BEYOND_COLUMNS), beyond, wide=BEYOND_COLUMNS)
    if len(cards) > 1:
        print_table(COMPARISON, tuple(COMPARISON_COLUMNS), comparison_rows(cards))


COLUMNS = {
    "strategy": 0,
    "kind": 0,
    "count>": 0,
    "song nDCG>": 0,
    "tag nDCG>": 0,
    "score>": 0,
    "±>": 132,
    "song recall>": 100,
    "tag recall>": 100,
    "song R-prec>": 124,
    "tag R-prec>": 124,
    "ms each>": 74,
}
BEYOND_COLUMNS = {
    "strategy": 0,
    "song coverage>": 0,
    "tag coverage>": 0,
    "song popularity>": 72,
    "tag popularity>": 72,
}
"""The tables' columns, and how wide a terminal has to be to show each."""

COMPARISON = "Difference to the best, question by question"
COMPARISON_COLUMNS = ("", "strategy", "score>", "difference>", "±>")
NOISE = 2
"""Standard errors of a difference that are no more than noise."""


def rows(cards: Sequence[Scorecard]) -> list[tuple[object, ...]]:
    """Rows under `COLUMNS`: for each scorecard all questions, then each kind of question."""
    table: list[tuple[object, ...]] = []
    for card in cards:
        table.append(_row(card.strategy, "all", card.quality, card.ms_per_question))
        table += [_row(None, kind, quality, None) for kind, quality in card.by_kind.items()]
    return table


def _row(
    strategy: str | None, kind: str, quality: Quality, milliseconds: float | None
) -> tuple[object, ...]:
    figures = (
        quality.song_ndcg,
        quality.tag_ndcg,
        quality.score,
        quality.score_standard_error,
        quality.song_recall,
        quality.tag_recall,
        quality.song_r_precision,
        quality.tag_r_precision,
    )
    return (
        strategy,
        kind,
        f"{quality.questions:,}",
        *(_shown(figure, ".4f") for figure in figures),
        _shown(milliseconds, ".2f"),
    )


def beyond_rows(cards: Sequence[Scorecard]) -> list[tuple[object, ...]]:
    """Rows under `BEYOND_COLUMNS`, of the scorecards that know."""
    return [
        (
            card.strategy,
            _shown(beyond.song_coverage, ".1%"),
            _shown(beyond.tag_coverage, ".1%"),
            _shown(beyond.song_popularity, ",.1f"),
            _shown(beyond.tag_popularity, ",.1f"),
        )
        for card in cards
        if (beyond := card.beyond_accuracy)
    ]


def comparison_rows(cards: Sequence[Scorecard]) -> list[tuple[object, ...]]:
    """Rows under `COMPARISON_COLUMNS` of compared scorecards, best first."""
    best = cards[0]
    return [
        (
            shown(["best"] * (card is best) + ["default"] * bool(card.default)),
            card.strategy,
            _shown(card.worth, ".4f"),
            None if card is best else _shown(card.difference, "+.4f"),
            None if card is best else _shown(card.difference_standard_error, ".4f"),
        )
        for card in cards
    ]


def note_best(cards: Sequence[Scorecard]) -> None:
    """Say by which setting the best of compared scorecards' strategies becomes the default."""
    from melon.evaluation import POPULAR

    best, second = cards[:2]
    default = next((card for card in cards if card.default), None)
    beside = second if default is None or default is best else default
    name = f"{beside.strategy}, the default now," if beside.default else beside.strategy
    lead, error = -(beside.difference or 0.0), beside.difference_standard_error
    if not lead:
        said = f"{best.strategy} scores as {name} does"
    elif error is None:
        said = f"{best.strategy} is ahead of {name} by {lead:.4f}, on a single question"
    else:
        more = "more" if lead > NOISE * error else "no more"
        said = (
            f"{best.strategy} is ahead of {name} by {lead:.4f} ± {error:.4f}, "
            f"{more} than noise ({NOISE} standard errors)"
        )
    if best is default:
        note(f"{said}; it is the default already")
    elif best.strategy == POPULAR:
        note(f"{said}; it is a baseline, and no default")
    else:
        note(f"{said}; MELON_STRATEGY={best.strategy} makes it the default")


def note_bare(answers: Sequence[Playlist]) -> None:
    """Say if answers hide nothing, as happens where questions are taken for them."""
    if bare := sum(not answer.songs and not answer.tags for answer in answers):
        hide = "hides" if bare == 1 else "hide"
        note(
            f"{bare:,} of {counted(len(answers), 'answer')} {hide} neither songs nor tags: "
            "are these the questions?"
        )


def note_unknown(unknown: Unknowns, questions: int) -> None:
    """Say what of the questions the store does not know, and if it may be the wrong store."""
    both = ((unknown.songs, "song"), (unknown.tags, "tag"))
    lacks = " and ".join(counted(len(some), one) for some, one in both if some)
    if unknown.questions:
        count = len(unknown.questions)
        note(
            f"the store knows nothing of {count:,} of {counted(questions, 'question')}"
            + (f", and lacks {lacks} that they give" if lacks else "")
            + (": it is probably that of another catalogue" if 2 * count > questions else "")
        )
    elif lacks:
        note(f"the store lacks {lacks} that the questions give")


def note_card(card: Scorecard) -> None:
    """Say what of a scorecard is not what it seems: leaked, copied, short or not scored at all."""
    count = card.quality.questions
    questions = counted(count, "question")
    if card.leaked_questions:
        note(
            f"the store was trained on what {card.leaked_questions:,} of {questions} "
            f"{'hides' if card.leaked_questions == 1 else 'hide'}: this is how well it remembers "
            "(`melon split` holds playlists out)"
        )
    if card.copied_questions:
        are = "is" if card.copied_questions == 1 else "are"
        note(
            f"{card.copied_questions:,} of {questions} {are} about an exact copy of a "
            "playlist that the store was trained on: it remembers those, too"
        )
    note_short(card.short_questions or 0, count)
    songs, tags = card.quality.song_ndcg is not None, card.quality.tag_ndcg is not None
    if songs != tags:
        scored, other = ("songs", "tags") if songs else ("tags", "songs")
        note(f"no answer hides {other}: {scored} alone are scored, and there is no score of both")


def note_short(short: int, questions: int) -> None:
    """Say if lists are shorter than the challenge wants them."""
    if short:
        have = "has" if short == 1 else "have"
        note(
            f"{short:,} of {counted(questions, 'question')} {have} fewer than 100 songs or 10 tags "
            "recommended, for the store holds no more"
        )


def _shown(figure: float | None, form: str) -> str | None:
    return None if figure is None else format(figure, form)
