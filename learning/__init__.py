"""A space is trained, and how to rank is learned from the catalogue's own playlists.

What is heavy (gensim, scipy, pyarrow) is imported when a name that needs it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from melon.learning.learn import learn_ranking
    from melon.learning.memory import MemoryReader
    from melon.learning.train import train_corpus

__all__ = ["MemoryReader", "learn_ranking", "train_corpus"]

_HOMES = {"MemoryReader": "memory", "learn_ranking": "learn", "train_corpus": "train"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
