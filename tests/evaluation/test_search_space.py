"""The search space holds settings that exist and values that they can have; a search climbs it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from melon.evaluation.descent import LEAST_GAIN, Best, OutOfTime, descend
from melon.evaluation.search_space import SPACE, Dial, Stage, edited, value_at
from melon.retrieval import Given, RetrievalSettings
from melon.retrieval.settings import Cosine, Fusion, Hops, Reweighting

ALL = ("songs", "tags", "title")
DIALS = [
    (f"{stage}.{{}}.{target}.{dial.path}", dial)
    for stage, targets in SPACE.items()
    for target, dials in targets.items()
    for dial in dials
]
HOPS = SPACE[Stage.NEIGHBOURS]["songs"]


@pytest.mark.parametrize(("place", "dial"), DIALS, ids=[place for place, _ in DIALS])
def test_every_value_of_a_dial_can_be_set_everywhere(place: str, dial: Dial):
    whole = RetrievalSettings.default()
    for given in Given:
        path = place.format(given)
        for value in dial.ladder:
            changed = edited(whole, path, value)
            assert value_at(changed, path) == value
            assert RetrievalSettings.model_validate_json(changed.model_dump_json()) == changed


@pytest.mark.parametrize("dial", [dial for _, dial in DIALS], ids=[place for place, _ in DIALS])
def test_ladders_go_one_way(dial: Dial):
    order = [math.inf if value is None else value for value in dial.ladder]
    assert order == sorted(set(order))


def test_every_kind_of_seed_is_searched():
    searched = {dial.path for dial in HOPS}
    kinds = [name for name, value in Hops() if hasattr(value, "weight")]
    assert {f"{kind}.weight" for kind in kinds} | {f"{kind}.discount" for kind in kinds} <= searched


POWER = Dial("power", (1.0, 2.0, 3.0, 4.0))


@pytest.mark.parametrize(
    ("start", "steps", "reached"),
    [
        *[(2, 1, 3), (2, 2, 4), (2, -1, 1), (2, -2, None), (4, 1, None)],
        *[(2.5, 1, 3), (2.5, -1, 2), (2.5, 2, 4), (2.5, -2, 1)],
        *[(0.5, 1, 1), (0.5, -1, None), (6, -1, 4), (6, 1, None)],
    ],
)
def test_a_dial_turns_by_steps(start: float, steps: int, reached: float | None):
    turned = POWER.turned(Fusion(power=start), steps)
    assert (turned and turned.power) == reached


def test_a_setting_that_is_left_out_comes_back_by_its_dial():
    penalty = next(d for d in HOPS if d.path == "reweighting.penalty")
    on = penalty.turned(Hops(), -1)
    assert on is not None
    assert on.reweighting == Reweighting(penalty=400)
    assert penalty.turned(on, 1) == Hops()
    assert penalty.turned(Hops(), 1) is None


def test_a_dial_that_cannot_change_an_answer_is_not_turned():
    dials = {dial.path: dial for dial in HOPS}
    counting = edited(Hops(), "tags.weight", 1.0)
    assert dials["tags.weight"].matters(Hops(), ("tags", "title"))
    assert not dials["tags.weight"].matters(Hops(), ("songs",))
    assert dials["tags.discount"].matters(counting, ("tags",))
    assert not dials["tags.discount"].matters(Hops(), ("tags",))
    assert not dials["reweighting.seen"].matters(Hops(), ("songs",))
    assert dials["power"].matters(Hops(), ("title",))


def climbed(measure: Callable[[Cosine], float], start: Cosine) -> Best[Cosine]:
    begin = Best(start, measure(start), finished=False)
    return descend(begin, SPACE[Stage.DENSE]["songs"], measure, given=ALL)


def hill(cosine: Cosine) -> float:
    """Highest at a sharpness of 22 and a prior of .3, on a slanting ridge."""
    x, y = (cosine.sharpness - 22) / 10, cosine.prior - 0.3
    return -(x**2 + y**2 + 0.8 * x * y)


def test_a_search_finds_the_top():
    start = Cosine(sharpness=2, prior=1.75)
    best = climbed(hill, start)
    assert best.finished
    assert (best.settings.sharpness, best.settings.prior) == (22, 0.3)
    assert best.settings.floors == start.floors


def test_wide_steps_pass_over_a_dip():
    def dipped(cosine: Cosine) -> float:
        return -1.0 if cosine.sharpness == 15 else cosine.sharpness / 100

    best = climbed(dipped, Cosine(sharpness=12))
    assert best.settings.sharpness == 40


def test_a_gain_that_is_noise_is_none():
    best = climbed(lambda cosine: cosine.prior * LEAST_GAIN, Cosine())
    assert best.settings == Cosine()


def test_out_of_time_the_best_so_far_stands():
    made = 0

    def measure(cosine: Cosine) -> float:
        nonlocal made
        made += 1
        if made > 8:
            raise OutOfTime
        return hill(cosine)

    start = Cosine(sharpness=2, prior=1.75)
    best = climbed(measure, start)
    assert not best.finished
    assert best.score == hill(best.settings) > hill(start)
