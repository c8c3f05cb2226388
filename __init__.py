"""Playlist continuation and auto-tagging: `melon.open()` is the door.

    import melon

    with melon.open() as retriever:
        answer = retriever.recommend(title="rainy day", tags=["rain"], limit=5)

What is named here is loaded when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # that of `typing` would be nearly all that the import costs

if TYPE_CHECKING:
    import os

    from melon.catalog import import_frame
    from melon.errors import InputError, MelonError
    from melon.retrieval import (
        AsyncRetriever,
        Constraints,
        Item,
        ModalityWeights,
        PlaylistQuery,
        Recommendation,
        Retriever,
        Variety,
    )
    from melon.store import Collection

    __version__: str

# Without `open`, which is Python's own in a program that imports `*`.
__all__ = [
    "AsyncRetriever",
    "Collection",
    "Constraints",
    "InputError",
    "Item",
    "MelonError",
    "ModalityWeights",
    "PlaylistQuery",
    "Recommendation",
    "Retriever",
    "Variety",
    "__version__",
    "import_frame",
]

_ROOMS = ("melon.errors", "melon.store", "melon.retrieval", "melon.catalog")
"""Where these names are from; what loads fastest comes first."""


def open(
    path: str | os.PathLike[str] | None = None,
    url: str | None = None,
    *,
    release: str | None = None,
) -> Retriever:
    """Open a store to ask it for recommendations. Close it, or use it in a `with` statement.

    As the command does, it takes the store that `path` or `url` names, else `MELON_QDRANT_URL`,
    else a server that is found on localhost:6333, else the embedded store in `.melon/store`; and
    the retrieval settings in the file that `MELON_RETRIEVAL` names, else the built-in ones.
    `MELON_HOME` stands for `.melon` if it is set. `MELON_STRATEGY` names the strategy that answers,
    instead of the one that suits the release.

    Args:
        path: the directory of an embedded store.
        url: a Qdrant server, like `http://localhost:6333`.
        release: answer from this release alone; without, from whichever is live.

    Raises:
        WrongType: an argument is of another type.
        InputError: there are both a `path` and a `url`, or one of them is wrong; or a variable of
            the environment or the file of settings is.
        StoreUnavailable, NoRelease, SchemaMismatch: there is nothing to answer from.
    """
    from melon.retrieval import RetrievalSettings, Retriever
    from melon.settings import load_settings
    from melon.store import open_store

    settings = load_settings()
    file = settings.retrieval
    retrieval_settings = RetrievalSettings.load(file) if file else None
    store = open_store(settings, url=url, path=path)
    try:
        return Retriever(
            store, release=release, settings=retrieval_settings, strategy=settings.strategy
        )
    except BaseException:
        store.close()
        raise


if not TYPE_CHECKING:  # a checker would take every name for one that is there

    def __getattr__(name: str) -> object:
        if name == "__version__":
            from importlib.metadata import version

            return version("melon")
        if name in __all__:
            from importlib import import_module

            for room in map(import_module, _ROOMS):
                if hasattr(room, name):
                    return getattr(room, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
