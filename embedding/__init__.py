"""Playlists become one co-embedding space of songs, tags, title words and playlists.

What is heavy (gensim, pyarrow) is imported when a name that needs it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from melon.embedding.build import (
        Catalogue,
        build_from_files,
        build_space,
        read_catalogue,
        train_space,
    )
    from melon.embedding.cold_start import TRAINED
    from melon.embedding.errors import EmptyVocabulary, ForeignCatalogue
    from melon.embedding.files import check_place
    from melon.embedding.merging import Change, differing_rows
    from melon.embedding.settings import TrainingSettings, training_settings
    from melon.embedding.space import EmbeddingSpace
    from melon.embedding.update import Changes, Update, update_corpus, update_space

__all__ = [
    "TRAINED",
    "Catalogue",
    "Change",
    "Changes",
    "EmbeddingSpace",
    "EmptyVocabulary",
    "ForeignCatalogue",
    "TrainingSettings",
    "Update",
    "build_from_files",
    "build_space",
    "check_place",
    "differing_rows",
    "read_catalogue",
    "train_space",
    "training_settings",
    "update_corpus",
    "update_space",
]

_HOMES = {
    "TRAINED": "cold_start",
    "Catalogue": "build",
    "Change": "merging",
    "Changes": "update",
    "EmbeddingSpace": "space",
    "EmptyVocabulary": "errors",
    "ForeignCatalogue": "errors",
    "TrainingSettings": "settings",
    "Update": "update",
    "build_from_files": "build",
    "build_space": "build",
    "check_place": "files",
    "differing_rows": "merging",
    "read_catalogue": "build",
    "train_space": "build",
    "training_settings": "settings",
    "update_corpus": "update",
    "update_space": "update",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
