"""What building a space tells whoever watches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["playlists", "songs", "titles", "bags", "training", "vectors"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage has come.

    Attributes:
        stage: what is being done, in the order of `Stage`.
        done: units of the stage that are done: playlists, songs, titles; in training, bags over
            all epochs.
        total: how many there will be; None where that is not known beforehand.
        seconds: since the stage began.
        epoch: the running epoch in training, from 1; 0 in other stages.
        epochs: how many there are.
        words_per_second: tokens that training went through per second, in this epoch.
        loss: at the end of an epoch, the mean loss of a fixed sample; else None.
    """

    stage: Stage
    done: int
    total: int | None
    seconds: float
    epoch: int = 0
    epochs: int = 0
    words_per_second: float = 0.0
    loss: float | None = None


ProgressCallback = Callable[[Progress], None]
"""Called a few times a second, never twice at once, and in training also from another thread than
the one that started it. An exception that it raises ends the building."""


def ignore(progress: Progress) -> None:
    """Watch nothing."""
