"""Options that several commands share, and the store that they name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melon.commands.console import note

if TYPE_CHECKING:
    from melon.retrieval import RetrievalSettings, Retriever
    from melon.store import ReleaseReader, VectorStore


def not_empty(value: str | None) -> str | None:
    """The value of an option, which a variable that is not set leaves empty."""
    if value == "":
        raise typer.BadParameter("it is empty")
    return value


def path_given(value: str) -> Path:
    """A path, which is not the current directory because a variable is not set."""
    not_empty(value)
    return Path(value)


QuestionsArgument = Annotated[
    Path, typer.Argument(help="Playlists with parts blanked.", show_default=False)
]
AnswersArgument = Annotated[
    Path, typer.Argument(help="What is hidden of each playlist.", show_default=False)
]
UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="Qdrant server, like http://localhost:6333.",
        callback=not_empty,
        show_default=False,
    ),
]
PathOption = Annotated[
    Path | None,
    typer.Option(
        "--path",
        help="Directory of an embedded store.",
        parser=path_given,
        metavar="<path>",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
ReleaseOption = Annotated[
    str | None,
    typer.Option(
        "--release",
        help="Ask this release, not the live one.",
        callback=not_empty,
        show_default=False,
    ),
]
StrategyOption = Annotated[
    str | None,
    typer.Option(
        "--strategy",
        help="How candidates are found: hybrid (the default), neighbours, mean, vote or cluster.",
        callback=not_empty,
        show_default=False,
    ),
]

SettingsOption = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        help="JSON file of retrieval settings, instead of those that `melon tune` found.",
        parser=path_given,
        metavar="<path>",
        show_default=False,
    ),
]

left_open: list[Retriever | ReleaseReader] = []
"""What the command has asked, until its process ends.

Edge takes the files of a shard that is closed out of the system's cache, and the next command
would read them from the disk again.
"""


def chosen_store(url: str | None, path: Path | None) -> VectorStore:
    """Open the store that the options name or that is found, and say on stderr which it is.

    It is left open, for a command ends with its process.
    """
    from melon.settings import load_settings
    from melon.store import open_store

    store = open_store(load_settings(), url=url, path=path)
    note(f"store: {store.location}" + ("" if store.exists else " (not there yet)"))
    return store


def opened_reader(store: VectorStore, release: str | None) -> ReleaseReader:
    """A release of the store, the live one by default. It is left open, as the store is."""
    reader = store.open(release)
    left_open.append(reader)
    return reader


def chosen_settings(path: Path | None) -> RetrievalSettings:
    """The retrieval settings that the option names, or the environment, or that were tuned.

    One line on stderr says which they are, unless they are the built-in ones.
    """
    from melon.retrieval import RetrievalSettings
    from melon.settings import load_settings

    file = settings_file(path)
    if not (path or load_settings().retrieval or file.exists()):
        return RetrievalSettings.default()
    found = RetrievalSettings.load(file)
    note(f"settings: {file}")
    return found


def settings_file(path: Path | None) -> Path:
    """The file of retrieval settings that the option names, or else that is looked for."""
    from melon.settings import load_settings

    return path or load_settings().retrieval_file


def opened_retriever(url: str | None, path: Path | None, release: str, settings: str) -> Retriever:
    """Open the store that the options choose once more, in another process; settings as JSON."""
    from melon.retrieval import RetrievalSettings, Retriever
    from melon.settings import load_settings
    from melon.store import open_store

    return Retriever(
        open_store(load_settings(), url=url, path=path),
        release=release,
        settings=RetrievalSettings.model_validate_json(settings),
    )


def pinned_retriever(
    store: VectorStore, release: str | None, settings: RetrievalSettings | None = None
) -> Retriever:
    """Ask one release, whatever is promoted meanwhile. It is left open, as the store is."""
    from melon.retrieval import Retriever

    retriever = Retriever(store, release=release or store.live(), settings=settings)
    left_open.append(retriever)
    return retriever
