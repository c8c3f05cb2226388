"""The search space holds settings that exist and values that they can have; a search climbs it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from melon.evaluation.tuning.search import MIN_GAIN, Best, OutOfTime, pattern_search
from melon.evaluation.tuning.space import SPACE, Parameter, Stage, edited, value_at
from melon.retrieval import QueryKind, RetrievalSettings
from melon.retrieval.settings import Cosine, Fusion, Hops, Reweighting

ALL = ("songs", "tags", "title")
PARAMETERS = [
    (f"{stage}.from_{{}}.to_{target}.{parameter.path}", parameter)
    for stage, targets in SPACE.items()
    for target, parameters in targets.items()
    for parameter in parameters
]
HOPS = SPACE[Stage.NEIGHBOURS]["songs"]


@pytest.mark.parametrize(("place", "parameter"), PARAMETERS, ids=[place for place, _ in PARAMETERS])
def test_every_value_of_a_parameter_can_be_set_everywhere(place: str, parameter: Parameter):
    whole = RetrievalSettings.default()
    for given in QueryKind:
        path = place.format(given)
        for value in parameter.ladder:
            changed = edited(whole, path, value)
            assert value_at(changed, path) == value
            assert RetrievalSettings.model_validate_json(changed.model_dump_json()) == changed


@pytest.mark.parametrize(
    "parameter", [parameter for _, parameter in PARAMETERS], ids=[place for place, _ in PARAMETERS]
)
def test_ladders_go_one_way(parameter: Parameter):
    order = [math.inf if value is None else value for value in parameter.ladder]
    assert order == sorted(set(order))


def test_every_kind_of_seed_is_searched():
    searched = {parameter.path for parameter in HOPS}
    kinds = {name for name in Hops.model_fields if name.endswith(("_weight", "_discount"))}
    assert kinds - searched == {"dislike_weight"}


POWER = Parameter("power", (1.0, 2.0, 3.0, 4.0))


@pytest.mark.parametrize(
    ("start", "steps", "reached"),
    [
        *[(2, 1, 3), (2, 2, 4), (2, -1, 1), (2, -2, None), (4, 1, None)],
        *[(2.5, 1, 3), (2.5, -1, 2), (2.5, 2, 4), (2.5, -2, 1)],
        *[(0.5, 1, 1), (0.5, -1, None), (6, -1, 4), (6, 1, None)],
    ],
)
def test_a_parameter_moves_by_steps(start: float, steps: int, reached: float | None):
    stepped = POWER.stepped(Fusion(power=start), steps)
    assert (stepped and stepped.power) == reached


def test_a_setting_that_is_left_out_comes_back_by_its_parameter():
    penalty = next(d for d in HOPS if d.path == "reweighting.penalty")
    on = penalty.stepped(Hops(), -1)
    assert on is not None
    assert on.reweighting == Reweighting(penalty=400)
    assert penalty.stepped(on, 1) == Hops()
    assert penalty.stepped(Hops(), 1) is None


def test_a_parameter_that_cannot_change_an_answer_is_not_stepped():
    parameters = {parameter.path: parameter for parameter in HOPS}
    counting = edited(Hops(), "tag_weight", 1.0)
    assert parameters["tag_weight"].matters(Hops(), ("tags", "title"))
    assert not parameters["tag_weight"].matters(Hops(), ("songs",))
    assert parameters["tag_discount"].matters(counting, ("tags",))
    assert not parameters["tag_discount"].matters(Hops(), ("tags",))
    assert not parameters["reweighting.seen"].matters(Hops(), ("songs",))
    assert parameters["power"].matters(Hops(), ("title",))


def climbed(measure: Callable[[Cosine], float], start: Cosine) -> Best[Cosine]:
    begin = Best(start, measure(start), finished=False)
    return pattern_search(begin, SPACE[Stage.DENSE]["songs"], measure, modalities=ALL)


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
    best = climbed(lambda cosine: cosine.prior * MIN_GAIN, Cosine())
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
