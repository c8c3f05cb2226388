"""`melon inspect`: whether the vectors hold what playlists, genres and tags mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from melon.commands.console import meter, note, print_json, print_table
from melon.commands.options import (
    OUTPUT,
    JsonOption,
    PathOption,
    ReleaseOption,
    UrlOption,
    chosen_store,
    opened_reader,
    path_option,
)


def inspect(
    html: Annotated[
        Path | None,
        path_option(
            "--html", help="Write a page with plots.", rich_help_panel=OUTPUT, ends=(".html",)
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other samples.")] = 0,
    release: ReleaseOption = None,
    url: UrlOption = None,
    path: PathOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether a release's vectors hold the semantics of its catalogue.

    How near a playlist is to its songs, and songs of a genre to each other; what is nearest to the
    commonest tags; whether hubs or popular songs crowd the others out; and what has a vector at
    all, and from where.
    """
    from melon.evaluation import inspect as inspected
    from melon.outputs import check_file, write_file
    from melon.plots import inspection_page, inspection_tables

    if html is not None:
        check_file(html)
    reader = opened_reader(chosen_store(url, path), release)
    with meter() as bar:
        found = inspected(reader, seed=seed, progress=bar)
    try:  # the page first: whoever reads stdout may have gone; without it, what was found is shown
        if html is not None:
            write_file(html, inspection_page(found))
            note(f"page: {html}")
    finally:
        if as_json:
            print_json(found.to_json())
        else:
            for title, columns, rows in inspection_tables(found):
                print_table(title, columns, rows)
