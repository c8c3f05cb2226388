"""Options that several commands share, and the store that they name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melon.commands.console import note

if TYPE_CHECKING:
    from melon.store import VectorStore

UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="Qdrant server, like http://localhost:6333.", show_default=False),
]
PathOption = Annotated[
    Path | None,
    typer.Option("--path", help="Directory of an embedded store.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
ReleaseOption = Annotated[
    str | None,
    typer.Option("--release", help="Ask this release, not the live one.", show_default=False),
]
StrategyOption = Annotated[
    str | None,
    typer.Option(
        "--strategy",
        help="How candidates are found: hybrid (the default), neighbours, mean, vote or cluster.",
        show_default=False,
    ),
]


@contextmanager
def chosen_store(url: str | None, path: Path | None) -> Iterator[VectorStore]:
    """Open the store that the options name or that is found, and say on stderr which it is."""
    from melon.settings import load_settings
    from melon.store import open_store

    with open_store(load_settings(), url=url, path=path) as store:
        note(f"store: {store.location}")
        yield store
