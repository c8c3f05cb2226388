"""Options that say which songs may come back, and the constraints that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from melon.commands.completion import known
from melon.commands.options import CONSTRAINTS

if TYPE_CHECKING:
    from melon.retrieval import Constraints

GenreOption = Annotated[
    list[str] | None,
    typer.Option(
        "--genre",
        "-g",
        help="Only songs with one of these genres, by name or code.",
        autocompletion=known("genres"),
        rich_help_panel=CONSTRAINTS,
    ),
]
AllGenresOption = Annotated[
    list[str] | None,
    typer.Option(
        "--all-genres",
        help="Only songs with every one of these.",
        autocompletion=known("genres"),
        rich_help_panel=CONSTRAINTS,
    ),
]
NotGenreOption = Annotated[
    list[str] | None,
    typer.Option(
        "--not-genre",
        help="No songs of these genres.",
        autocompletion=known("genres"),
        rich_help_panel=CONSTRAINTS,
    ),
]
ArtistOption = Annotated[
    list[str] | None,
    typer.Option(
        "--artist",
        help="Only songs by one of these artists.",
        autocompletion=known("artists"),
        rich_help_panel=CONSTRAINTS,
    ),
]
NotArtistOption = Annotated[
    list[str] | None,
    typer.Option(
        "--not-artist",
        help="No songs by these artists.",
        autocompletion=known("artists"),
        rich_help_panel=CONSTRAINTS,
    ),
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        help="Issued then or later: 2015, 2015-03 or 2015-03-31.", rich_help_panel=CONSTRAINTS
    ),
]
UntilOption = Annotated[
    str | None, typer.Option(help="Issued then or earlier.", rich_help_panel=CONSTRAINTS)
]
MinPopularityOption = Annotated[
    int | None,
    typer.Option(min=0, help="In at least so many playlists.", rich_help_panel=CONSTRAINTS),
]
MaxPopularityOption = Annotated[
    int | None,
    typer.Option(min=0, help="In at most so many playlists.", rich_help_panel=CONSTRAINTS),
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        help="A song that must not come back, by key, id or name.",
        autocompletion=known("songs"),
        rich_help_panel=CONSTRAINTS,
    ),
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        "-w",
        help='Only songs of which this holds: "bpm >= 120", "language in (ko, en)",'
        ' "explicit = true", "label != \'A & M\'". Repeat it for more, which all have to hold.',
        autocompletion=known("fields"),
        rich_help_panel=CONSTRAINTS,
    ),
]


def constraints_of(**options: object) -> Constraints:
    """The constraints that the options of a command say, by their names in `Constraints`."""
    from melon.retrieval import Constraints

    # An option that may be repeated is an empty list where it is left out.
    return Constraints.model_validate(
        {name: value for name, value in options.items() if value is not None and value != []}
    )
