"""`melon similar`: what lies nearest in the co-embedding."""

from __future__ import annotations

from typing import Annotated

import typer

from melon.commands.completion import known, some_of
from melon.commands.console import print_json, shown
from melon.commands.constraints import (
    GenreOption,
    SinceOption,
    UntilOption,
    WhereOption,
    constraints_of,
)
from melon.commands.options import (
    ASKED,
    LIST,
    MAX_RESULTS,
    ExactOption,
    JsonOption,
    KnownOnlyOption,
    PathOption,
    ReleaseOption,
    UrlOption,
    chosen_store,
    pinned_retriever,
    unknown_ends,
)
from melon.commands.render import render_points, render_songs


def similar(
    song: Annotated[
        str | None,
        typer.Option(
            "--song",
            "-s",
            help="Song, by key, id or whole name; digits are a name if no song has that id.",
            autocompletion=known("songs"),
            rich_help_panel=ASKED,
        ),
    ] = None,
    tag: Annotated[
        str | None,
        typer.Option(
            "--tag", "-t", help="Tag.", autocompletion=known("tags"), rich_help_panel=ASKED
        ),
    ] = None,
    title: Annotated[
        str | None, typer.Option("--title", help="Title of a playlist.", rich_help_panel=ASKED)
    ] = None,
    playlist: Annotated[
        str | None,
        typer.Option(
            "--playlist",
            help="Playlist, by key or id.",
            autocompletion=known("keys of playlists"),
            rich_help_panel=ASKED,
        ),
    ] = None,
    word: Annotated[
        str | None, typer.Option("--word", help="Title word.", rich_help_panel=ASKED)
    ] = None,
    to: Annotated[
        str,
        typer.Option(
            help="Of songs, tags, playlists and words, which to find.",
            autocompletion=some_of("songs", "tags", "playlists", "words"),
            rich_help_panel=LIST,
        ),
    ] = "songs,tags",
    limit: Annotated[
        int,
        typer.Option(
            "--limit", "-n", min=1, max=MAX_RESULTS, help="How many of each.", rich_help_panel=LIST
        ),
    ] = 10,
    genre: GenreOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    where: WhereOption = None,
    exact: ExactOption = False,
    strict: KnownOnlyOption = False,
    release: ReleaseOption = None,
    url: UrlOption = None,
    path: PathOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find what lies nearest to one song, tag, title, playlist or word in the co-embedding."""
    from melon.errors import InputError
    from melon.retrieval import Item
    from melon.store import Collection
    from melon.text import did_you_mean

    wanted = [name.strip() for name in to.split(",")]
    if unknown := [name for name in wanted if name not in list(Collection)]:
        raise InputError(
            f"there are no {unknown[0]!r} to find",
            where="--to",
            hint=did_you_mean(unknown[0], Collection) or f"give {shown(Collection)}",
        )
    constraints = constraints_of(genres=genre, since=since, until=until, where=where)
    store = chosen_store(url, path)
    retriever = pinned_retriever(store, release)
    with unknown_ends(strict):
        item = Item(
            song=retriever.song_id(song) if song is not None else None,
            tag=tag,
            title=title,
            playlist=playlist,
            word=word,
        )
        nearest = retriever.similar(
            item,
            to=[Collection(name) for name in wanted],
            limit=limit,
            constraints=constraints,
            exact=exact,
        )
    if as_json:
        print_json({str(c): [near.to_json() for near in part] for c, part in nearest.items()})
        return
    for collection, part in nearest.items():
        if collection is Collection.SONGS:
            render_songs([near.song() for near in part])
        else:
            render_points(collection, part)
