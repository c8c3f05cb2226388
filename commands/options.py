"""Options that several commands share, and the store that they name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from melon.commands.completion import known, one_of
from melon.commands.console import name_store, note, note_error
from melon.errors import InputError

if TYPE_CHECKING:
    from melon.evaluation import StoreKeys
    from melon.retrieval import RetrievalSettings, Retriever
    from melon.store import ReleaseReader, VectorStore


# The panels of a command's help that has many options, and the tables of docs/cli.md.
ASKED, CONSTRAINTS, LIST, METHOD = "What is asked", "Which songs", "Which list", "How it is found"
STORE, OUTPUT, READING, TRAINING = "Store", "Output", "Reading", "Hyper-parameters"

MAX_RESULTS = 10_000
NOTHING_KNOWN = 3
"""The exit code of `--strict` where the store knows nothing of the query."""


def not_empty(value: str | None) -> str | None:
    """The value of an option; an empty one, as of an unset variable of the shell, is refused."""
    if value == "":
        raise typer.BadParameter("it is empty")
    return value


def _path(value: str) -> Path:
    not_empty(value)
    return Path(value)


def path_option(
    *names: str,
    help: str,
    show_default: bool = False,
    rich_help_panel: str | None = None,
    ends: Sequence[str] = (),
) -> Any:
    """An option that takes a path; an empty one is refused, not taken for the current directory.

    Args:
        names, help, show_default, rich_help_panel: as Typer takes them.
        ends: of a file that is written, what its name may end in, as the format that it is in.
    """
    return typer.Option(
        *names,
        help=help,
        parser=_path,
        metavar=f"<file{'|'.join(ends)}>" if ends else "<path>",
        show_default=show_default,
        rich_help_panel=rich_help_panel,
        callback=_ending_in(ends) if ends else None,
    )


def _ending_in(ends: Sequence[str]) -> Callable[[typer.Context, Any, Path | None], Path | None]:
    """Refuses a file whose name says another format than it would have."""

    def checked(context: typer.Context, option: Any, file: Path | None) -> Path | None:
        if file is None or file.suffix.lower() in ends:
            return file
        others = [
            one.opts[0]
            for one in context.command.params
            if file.suffix and one.metavar == f"<file{file.suffix.lower()}>"
        ]
        raise InputError(
            "its ending is not that of what is written",
            where=f"{option.opts[0]} {file}",
            hint=f"let it end in {', '.join(ends)}"
            + "".join(f"; {one} writes {file.suffix.lower()}" for one in others),
        )

    return checked


def path_argument(help: str) -> Any:
    """An argument that takes a path, or several, in the same way."""
    return typer.Argument(help=help, parser=_path, show_default=False)


STRATEGY_NAMES = ("hybrid", "neighbours", "learned", "mean", "vote", "cluster")
"""Those of `melon.retrieval.STRATEGIES`, whose import would take longer than to show the help."""


def strategy_help(*more: str) -> str:
    """The help of an option that takes a strategy, or one of a few more."""
    *names, last = [*STRATEGY_NAMES, *more]
    return (
        f"How candidates are found: {', '.join(names)} or {last}. By default as MELON_STRATEGY "
        "says, else as suits the release."
    )


QuestionsArgument = Annotated[Path, path_argument("Playlists with parts blanked.")]
AnswersArgument = Annotated[Path, path_argument("What is hidden of each playlist.")]
UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="Qdrant server, like http://localhost:6333.",
        callback=not_empty,
        show_default=False,
        rich_help_panel=STORE,
    ),
]
PathOption = Annotated[
    Path | None,
    path_option("--path", help="Directory of an embedded store.", rich_help_panel=STORE),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON instead of a table.", rich_help_panel=OUTPUT)
]
ReleaseOption = Annotated[
    str | None,
    typer.Option(
        "--release",
        help="Ask this release, not the live one.",
        callback=not_empty,
        autocompletion=known("releases"),
        show_default=False,
        rich_help_panel=STORE,
    ),
]
StrategyOption = Annotated[
    str | None,
    typer.Option(
        "--strategy",
        help=strategy_help(),
        callback=not_empty,
        autocompletion=one_of(*STRATEGY_NAMES),
        show_default=False,
        rich_help_panel=METHOD,
    ),
]

SettingsOption = Annotated[
    Path | None,
    path_option(
        "--settings",
        help="JSON file of retrieval settings, in place of built-in ones.",
        rich_help_panel=METHOD,
    ),
]

StrictOption = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Stop at the first bad record instead of skipping it.",
        rich_help_panel=READING,
    ),
]
LenientOption = Annotated[
    bool,
    typer.Option(
        "--lenient",
        help="Go on where most of the records, or of a field, is of no use.",
        rich_help_panel=READING,
    ),
]
KnownOnlyOption = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="End with exit code 3 if the store knows nothing of the query.",
        rich_help_panel=OUTPUT,
    ),
]
ExactOption = Annotated[
    bool,
    typer.Option(
        "--exact", help="Scan all points instead of using the index.", rich_help_panel=METHOD
    ),
]


def check_strictness(strict: bool, lenient: bool) -> None:
    """Refuse two options of which one asks for what the other forbids."""
    if strict and lenient:
        raise InputError(
            "--strict stops at the first bad record, --lenient at none",
            hint="leave one of them out",
        )


left_open: list[Retriever | ReleaseReader] = []
"""What the command has asked, until its process ends.

Edge takes the files of a shard that is closed out of the system's cache, and the next command
would read them from the disk again.
"""


def chosen_store(url: str | None, path: Path | None, *, to_write: bool = False) -> VectorStore:
    """Open the store that `open_store` chooses by the options, and say on stderr which it is.

    It is left open, for a command ends with its process. Whoever wants to write to a server that
    was found is asked, in a terminal.
    """
    from melon.settings import load_settings
    from melon.store import open_store

    name_store(url, path)
    store = open_store(load_settings(), url=url, path=path)
    note(f"store: {store.location}" + ("" if store.exists else " (not there yet)"))
    if to_write and store.found and sys.stdin and sys.stdin.isatty():
        store.found = not typer.confirm("It was found, not named. Write to it?", err=True)
    return store


def opened_reader(store: VectorStore, release: str | None) -> ReleaseReader:
    """A release of the store, the live one by default. It is left open, as the store is."""
    reader = store.open(release)
    left_open.append(reader)
    return reader


def keys_in(
    store: Callable[[], VectorStore], release: str | None, *files: Path, mixed_only: bool = False
) -> StoreKeys:
    """What strings in place of ids mean in files of questions: the store is asked if it must."""
    from melon.evaluation import StoreKeys

    return StoreKeys(lambda: opened_reader(store(), release), files, mixed_only=mixed_only)


def chosen_settings(path: Path | None) -> RetrievalSettings:
    """The retrieval settings that the option names, or the environment; else the built-in ones.

    One line on stderr says which file they are from.
    """
    from melon.retrieval import RetrievalSettings

    file = settings_file(path)
    if file is None:
        return RetrievalSettings.default()
    settings = RetrievalSettings.load(file)
    note(f"settings: {file}")
    return settings


def settings_file(path: Path | None) -> Path | None:
    """The file of retrieval settings that the option names, or the environment, if either does."""
    from melon.settings import load_settings

    return path or load_settings().retrieval


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
    from melon.settings import load_settings

    retriever = Retriever(
        store,
        release=release,
        follow=False,
        settings=settings,
        strategy=load_settings().strategy,
    )
    left_open.append(retriever)
    return retriever


@contextmanager
def unknown_ends(strict: bool) -> Iterator[None]:
    """End with an exit code of its own, if it is `strict`, where what is asked for is not known."""
    from melon.retrieval import UnknownItem, UnknownSong

    try:
        yield
    except (UnknownItem, UnknownSong) as error:
        if not strict:
            raise
        note_error(error)
        raise typer.Exit(NOTHING_KNOWN) from None
