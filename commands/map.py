"""`melon map`: what lies near what, on a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from melon.commands.console import meter, note, print_json
from melon.commands.options import (
    OUTPUT,
    PathOption,
    ReleaseOption,
    UrlOption,
    chosen_store,
    not_empty,
    opened_reader,
    path_option,
)
from melon.errors import counted, sized


def map_(
    out: Annotated[
        Path,
        path_option(
            "--out",
            "-o",
            help="Where the page goes.",
            show_default=True,
            rich_help_panel=OUTPUT,
            ends=(".html",),
        ),
    ] = Path("map.html"),
    png: Annotated[
        Path | None,
        path_option("--png", help="Draw a picture, too.", rich_help_panel=OUTPUT, ends=(".png",)),
    ] = None,
    colour: Annotated[
        str | None,
        typer.Option(
            "--colour",
            help="What colours say at first: genre, era, kind, or a field of the catalogue's own. "
            "By default the genre, if any is known.",
            callback=not_empty,
            show_default=False,
        ),
    ] = None,
    points: Annotated[
        int, typer.Option(min=1, help="Of so many points the foremost are shown, and no more.")
    ] = 50_000,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another layout.")] = 0,
    parquet: Annotated[
        Path | None,
        path_option(
            "--parquet",
            help="Write a table of points, as for Embedding Atlas.",
            rich_help_panel=OUTPUT,
            ends=(".parquet",),
        ),
    ] = None,
    projector: Annotated[
        Path | None,
        path_option(
            "--projector",
            help="Directory for TensorBoard's projector: tensors.tsv and metadata.tsv.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    release: ReleaseOption = None,
    url: UrlOption = None,
    path: PathOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the points as JSON, too.", rich_help_panel=OUTPUT)
    ] = False,
) -> None:
    """Lay out songs, tags and playlists on one page: near each other as in the co-embedding.

    The page is one file, which needs no server and asks nobody for anything: it is coloured, sized
    by popularity and searched, and a click shows what is nearest. Of more than --points, of each
    genre the same share is shown; the page says which. The layout is kept below `.melon/maps`, for
    the next time and for `melon serve`.
    """
    from melon.outputs import check_file, write_file
    from melon.plots import (
        check_colour,
        check_projector,
        map_file,
        map_of,
        map_page,
        save_map,
        saved_map,
        write_parquet,
        write_picture,
        write_projector,
    )
    from melon.settings import load_settings

    home = load_settings().home
    for file in filter(None, (out, png, parquet)):
        check_file(file)
    if projector is not None:
        check_projector(projector)
    reader = opened_reader(chosen_store(url, path), release)
    check_file(map_file(home, reader.manifest.release))
    if colour is not None:
        check_colour(reader.manifest, colour)
    made = saved_map(home, reader.manifest)
    with meter() as bar:
        if made is None or (made.places, made.seed) != (points, seed):
            made = map_of(reader, places=points, seed=seed, progress=bar)
            save_map(home, made)
        if projector is not None:
            write_projector(made, reader, projector, bar)
    page = map_page(made, colour)
    if parquet is not None:
        write_parquet(made, parquet)
    if png is not None:
        write_picture(made, png, colour)
    write_file(out, page)
    if as_json:
        print_json(made.model_dump(mode="json"))
    note(f"map of {counted(len(made), 'point')}: {out} ({sized(out.stat().st_size)})")
    note(made.rule)
