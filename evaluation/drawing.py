"""Which playlists become questions of which kind: each kind asks for no more than it needs."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from melon.evaluation.questions import KINDS

CHALLENGE_SHARES = (30.0, 50.0, 15.0, 5.0)
"""How many of each hundred questions are of each of `KINDS`, in the challenge."""

BOTH_HALVES = 2
"""Songs that a question needs that gives some: one to give, and one to hide."""


def fitting(songs: int, tags: int, has_title: bool, min_songs: int = BOTH_HALVES) -> int:
    """The kinds of question that a playlist has enough for: bit i stands for `KINDS[i]`.

    Args:
        songs: how many songs the playlist has.
        tags: how many tags.
        has_title: whether it has a title.
        min_songs: how many songs it has to have at least.
    """
    if songs < min_songs:
        return 0
    has = {"songs": songs >= BOTH_HALVES, "tags": tags > 0, "title": has_title}
    fits = sum(all(has[part] for part in kind.split("+")) << i for i, kind in enumerate(KINDS))
    return fits if songs or tags else 0  # a title alone hides nothing


def needs(kind: str, min_songs: int) -> str:
    """What a playlist needs to become a question of this kind: "2 songs and a tag"."""
    parts = kind.split("+")
    songs = max(min_songs, BOTH_HALVES if "songs" in parts else 0)
    named = [f"{songs} song{'s' * (songs > 1)}"] if songs else []
    named += [f"a {part.removesuffix('s')}" for part in parts if part != "songs"]
    return " and ".join([", ".join(named[:-1]), named[-1]] if named[1:] else named)


def draw_kinds(fits: Sequence[int], count: int, rng: np.random.Generator) -> dict[int, str]:
    """Draw playlists with the challenge's mix of kinds, as far as they allow.

    Args:
        fits: of each playlist the kinds that it fits, as `fitting` gives them.
        count: how many; there are fewer where fewer fit any kind.
        rng: draws them.

    Returns:
        The kind of every playlist that was drawn, by its index in `fits`.
    """
    indices = [index for index, fit in enumerate(fits) if fit]
    count = min(count, len(indices))
    draw = Draw([fits[index] for index in indices], count, rng)
    by_kind = counts_by_kind(count, CHALLENGE_SHARES)
    missing = sum(wanted - draw.take(kind, wanted) for kind, wanted in enumerate(by_kind))
    draw.take_any(missing)
    return {indices[index]: kind for index, kind in draw.kinds().items()}


def counts_by_kind(count: int, shares: Sequence[float]) -> list[int]:
    """How many of so many questions there are to be of each kind.

    A kind and those before it together get their share of the playlists, rounded down, so that
    every playlist becomes a question.
    """
    ends = list(accumulate(map(exact, shares)))
    stops = [int(end / ends[-1] * count) for end in ends]
    return [stop - start for start, stop in zip([0, *stops], stops, strict=False)]


def exact(number: float) -> Fraction:
    """The number as it was written, where 0.29 of 100 is 29."""
    return Fraction(str(number))


class Draw:
    """Draws playlists for one kind after the other, at random; none is drawn twice.

    Where the playlists that fit a kind are used up, those that were drawn for another kind are
    exchanged for others as far as that is possible: a kind goes short only if no draw could have
    filled all that were drawn until then.

    Args:
        fits: of each playlist the kinds that it fits, as `fitting` gives them; none is 0.
        first: how many are likely to be drawn, `len(fits)` at most.
        rng: draws them.
    """

    def __init__(self, fits: Sequence[int], first: int, rng: np.random.Generator) -> None:
        drawn = rng.choice(len(fits), first, replace=False)
        others = np.setdiff1d(np.arange(len(fits)), drawn)
        # What is drawn besides takes nothing from the generator that masks the playlists.
        self._order: NDArray[np.int64] = np.concatenate(
            [drawn, rng.spawn(1)[0].permutation(others)]
        )
        self._free: dict[int, deque[int]] = defaultdict(deque)
        for rank, index in enumerate(self._order.tolist()):
            self._free[fits[index]].append(rank)
        self._taken: list[dict[int, list[int]]] = [defaultdict(list) for _ in KINDS]

    def take(self, kind: int, count: int) -> int:
        """Draw so many playlists for `KINDS[kind]`, and return how many there were."""
        return next((done for done in range(count) if not self._take_one(kind, {kind})), count)

    def take_any(self, count: int) -> int:
        """Draw so many playlists for whatever kinds they fit, and return how many there were."""
        left = count
        for kind in range(len(KINDS)):
            left -= self.take(kind, left)
        return count - left

    def kinds(self) -> dict[int, str]:
        """The kind of every playlist that was drawn, by its index."""
        return {
            int(self._order[rank]): KINDS[kind]
            for kind, by_fit in enumerate(self._taken)
            for ranks in by_fit.values()
            for rank in ranks
        }

    def _take_one(self, kind: int, tried: set[int]) -> bool:
        if fits := [fit for fit, free in self._free.items() if free and fit >> kind & 1]:
            fit = min(fits, key=lambda fit: self._free[fit][0])
            self._taken[kind][fit].append(self._free[fit].popleft())
            return True
        for other in set(range(len(KINDS))) - tried:
            for fit, ranks in list(self._taken[other].items()):
                if ranks and fit >> kind & 1 and self._take_one(other, {*tried, other}):
                    self._taken[kind][fit].append(ranks.pop(0))
                    return True
        return False
