"""The ways to find candidates: by neighbours, in the co-embedding, by both; and a learned order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from melon.errors import WrongType
from melon.ranking import Ranking
from melon.retrieval.errors import UnknownStrategy
from melon.retrieval.settings import RetrievalSettings
from melon.retrieval.strategies.dense import DenseStrategy
from melon.retrieval.strategies.hops import NeighbourStrategy
from melon.retrieval.strategies.hybrid import HybridStrategy
from melon.retrieval.strategies.inputs import SONG_INPUTS, TAG_INPUTS
from melon.retrieval.strategies.learned import LearnedStrategy
from melon.retrieval.strategies.probes import ProbeKind
from melon.retrieval.strategies.ranking import Strategy
from melon.store import ReleaseManifest
from melon.text import did_you_mean

__all__ = [
    "DEFAULT_STRATEGY",
    "STRATEGIES",
    "can_answer",
    "check_answers",
    "check_strategy",
    "default_strategy",
]

MakeStrategy = Callable[[RetrievalSettings, ReleaseManifest], Strategy]


def _of_settings(make: Callable[[RetrievalSettings], Strategy]) -> MakeStrategy:
    """Makes a strategy that needs nothing of a release but its collections."""
    return lambda settings, _: make(settings)


def _learned(settings: RetrievalSettings, manifest: ReleaseManifest) -> Strategy:
    ranking = manifest.ranking
    if ranking is None or not (ranking.songs or ranking.tags):
        raise _nothing_learned(manifest.release, ranking)
    for network, inputs in ((ranking.songs, SONG_INPUTS), (ranking.tags, TAG_INPUTS)):
        if network is not None and network.features != tuple(inputs):
            raise UnknownStrategy(
                "its ranking was learned by another version of melon, from other inputs",
                where=f"release {manifest.release}",
                hint="train its space again, or ask for another strategy",
            )
    return LearnedStrategy(settings, ranking)


def _nothing_learned(release: str, ranking: Ranking | None) -> UnknownStrategy:
    where, another = f"release {release}", "ask for another strategy"
    if ranking and ranking.questions:
        return UnknownStrategy(
            f"what was learned from its playlists is not surely better than {ranking.strategy}, "
            "and was not kept",
            where=where,
            hint=another,
        )
    return UnknownStrategy(
        "no ranking was learned from its playlists",
        where=where,
        hint="train its space again, with at least 50 playlists of two songs or more, or "
        f"{another}",
    )


STRATEGIES: Mapping[str, MakeStrategy] = {
    HybridStrategy.name: _of_settings(HybridStrategy),
    NeighbourStrategy.name: _of_settings(NeighbourStrategy),
    LearnedStrategy.name: _learned,
    **{kind.value: _of_settings(partial(DenseStrategy, probe_kind=kind)) for kind in ProbeKind},
}
"""The strategies by their names; each is made for one release, or raises `UnknownStrategy`."""

DEFAULT_STRATEGY = HybridStrategy.name
"""Answers where neither the environment nor the release says which."""


def check_strategy(name: str, *others: str, where: str | None = None) -> None:
    """Make sure that there is a strategy of this name, or that it is one of `others`.

    Raises:
        UnknownStrategy: there is none.
        WrongType: it is no name.
    """
    known = (*STRATEGIES, *others)
    if not isinstance(name, str):
        raise WrongType(
            f"a strategy is wanted by its name, not {name!r}",
            hint=f"strategies are {', '.join(known)}",
        )
    if name not in known:
        raise UnknownStrategy(
            f"there is no strategy {name!r}",
            where=where,
            hint=did_you_mean(name, known) or f"strategies are {', '.join(known)}",
        )


def check_answers(name: str, manifest: ReleaseManifest) -> None:
    """Make sure that a release can be answered by the strategy of that name.

    Raises:
        UnknownStrategy: there is none, or it needs what the release lacks.
    """
    check_strategy(name, where=f"release {manifest.release}")
    STRATEGIES[name](RetrievalSettings.default(), manifest)


def can_answer(name: str, manifest: ReleaseManifest) -> bool:
    """Whether a release can be answered by the strategy of that name."""
    try:
        check_answers(name, manifest)
    except UnknownStrategy:
        return False
    return True


def default_strategy(manifest: ReleaseManifest) -> str:
    """The name of the strategy that a release is answered by where nobody names one.

    Raises:
        UnknownStrategy: the release names one that this version of melon does not have.
    """
    if manifest.ranking is None:
        return DEFAULT_STRATEGY
    check_strategy(manifest.ranking.strategy, where=f"release {manifest.release}")
    return manifest.ranking.strategy
