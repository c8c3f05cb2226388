"""`melon query`: what a store recommends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from melon.commands.completion import known, one_of
from melon.commands.console import print_json
from melon.commands.constraints import (
    AllGenresOption,
    ArtistOption,
    ExcludeOption,
    GenreOption,
    MaxPopularityOption,
    MinPopularityOption,
    NotArtistOption,
    NotGenreOption,
    SinceOption,
    UntilOption,
    WhereOption,
    constraints_of,
)
from melon.commands.export import write_playlist
from melon.commands.options import (
    ASKED,
    LIST,
    MAX_RESULTS,
    NOTHING_KNOWN,
    OUTPUT,
    ExactOption,
    JsonOption,
    KnownOnlyOption,
    PathOption,
    ReleaseOption,
    SettingsOption,
    StrategyOption,
    UrlOption,
    chosen_settings,
    chosen_store,
    path_option,
    pinned_retriever,
    unknown_ends,
)
from melon.commands.render import render, render_reasons, shown_names

if TYPE_CHECKING:
    from melon.retrieval import Order

MAX_WEIGHT = 1000

SongsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--song",
        "-s",
        help="A song, by key, id or whole name; digits are a name if no song has that id."
        " Repeat it for more.",
        autocompletion=known("songs"),
        rich_help_panel=ASKED,
    ),
]
TagsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        "-t",
        help="A tag. Repeat it for more.",
        autocompletion=known("tags"),
        rich_help_panel=ASKED,
    ),
]
TitleOption = Annotated[
    str | None,
    typer.Option(
        "--title", help="The playlist's title.", show_default=False, rich_help_panel=ASKED
    ),
]


def query(
    songs: SongsOption = None,
    tags: TagsOption = None,
    title: TitleOption = None,
    playlist: Annotated[
        str | None,
        typer.Option(
            "--playlist",
            help="A playlist of the store, by key or id: its songs, its tags and its title.",
            autocompletion=known("keys of playlists"),
            show_default=False,
            rich_help_panel=ASKED,
        ),
    ] = None,
    not_songs: Annotated[
        list[str] | None,
        typer.Option(
            "--not-song",
            help="A song that is disliked, by key, id or name.",
            autocompletion=known("songs"),
            rich_help_panel=ASKED,
        ),
    ] = None,
    not_tags: Annotated[
        list[str] | None,
        typer.Option(
            "--not-tag",
            help="A tag that is disliked.",
            autocompletion=known("tags"),
            rich_help_panel=ASKED,
        ),
    ] = None,
    song_weight: Annotated[
        float,
        typer.Option(
            min=0, max=MAX_WEIGHT, help="How much the songs count.", rich_help_panel=ASKED
        ),
    ] = 1.0,
    tag_weight: Annotated[
        float,
        typer.Option(min=0, max=MAX_WEIGHT, help="How much the tags count.", rich_help_panel=ASKED),
    ] = 1.0,
    title_weight: Annotated[
        float,
        typer.Option(
            min=0, max=MAX_WEIGHT, help="How much the title counts.", rich_help_panel=ASKED
        ),
    ] = 1.0,
    genre: GenreOption = None,
    all_genres: AllGenresOption = None,
    not_genre: NotGenreOption = None,
    artist: ArtistOption = None,
    not_artist: NotArtistOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    min_popularity: MinPopularityOption = None,
    max_popularity: MaxPopularityOption = None,
    where: WhereOption = None,
    exclude: ExcludeOption = None,
    limit: Annotated[
        int,
        typer.Option(
            "--limit",
            "-n",
            min=0,
            max=MAX_RESULTS,
            help="Songs to recommend.",
            rich_help_panel=LIST,
        ),
    ] = 20,
    tag_limit: Annotated[
        int, typer.Option(min=0, max=MAX_RESULTS, help="Tags to recommend.", rich_help_panel=LIST)
    ] = 10,
    max_per_artist: Annotated[
        int | None, typer.Option(min=1, help="Songs of one artist at most.", rich_help_panel=LIST)
    ] = None,
    diversity: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="0 ranks by score alone, 1 by unlikeness alone.",
            rich_help_panel=LIST,
        ),
    ] = 0.0,
    all_versions: Annotated[
        bool,
        typer.Option(
            "--all-versions",
            help="List all versions of a song (live, remastered, ...), not the most popular one.",
            rich_help_panel=LIST,
        ),
    ] = False,
    order: Annotated[
        str,
        typer.Option(
            help="Order of the songs: score, or flow, in which like follows like, no artist "
            "twice in a row.",
            autocompletion=one_of("score", "flow"),
            rich_help_panel=LIST,
        ),
    ] = "score",
    export: Annotated[
        Path | None,
        path_option(
            "--export",
            help="Write the songs as a playlist, too: a file that ends in .m3u8, .jspf, .csv or "
            ".json.",
            rich_help_panel=OUTPUT,
            ends=(".m3u8", ".jspf", ".csv", ".json"),
        ),
    ] = None,
    strategy: StrategyOption = None,
    settings: SettingsOption = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Say which seeds and playlists each score is from.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    exact: ExactOption = False,
    strict: KnownOnlyOption = False,
    release: ReleaseOption = None,
    url: UrlOption = None,
    path: PathOption = None,
    as_json: JsonOption = False,
) -> None:
    """Continue a playlist: the songs and tags that fit some songs, some tags, a title, or a mix.

    With `--playlist`, all else is added to that playlist, and a title replaces its title.
    Without anything, the answer is what is most popular under the constraints.
    """
    from melon.retrieval import ModalityWeights, Variety

    if export is not None:
        from melon.outputs import check_file

        check_file(export)
    constraints = constraints_of(
        genres=genre,
        all_genres=all_genres,
        not_genres=not_genre,
        artists=artist,
        not_artists=not_artist,
        since=since,
        until=until,
        min_popularity=min_popularity,
        max_popularity=max_popularity,
        where=where,
    )
    retrieval_settings = chosen_settings(settings)
    store = chosen_store(url, path)
    retriever = pinned_retriever(store, release, retrieval_settings)
    seeds = [*(songs or ()), *(tags or ()), *(one for one in (title, playlist) if one is not None)]
    with unknown_ends(strict and len(seeds) == 1):
        if exclude:
            songs_out = tuple(map(retriever.excluded, exclude))
            constraints = constraints.model_copy(update={"exclude_songs": songs_out})
        continued = None if playlist is None else retriever.playlist(playlist)
        answer = retriever.recommend(
            continued,
            constraints,
            songs=songs,
            tags=tags,
            title=title,
            not_songs=not_songs,
            not_tags=not_tags,
            weights=ModalityWeights(songs=song_weight, tags=tag_weight, title=title_weight),
            limit=limit,
            tag_limit=tag_limit,
            strategy=strategy,
            exact=exact,
            explain=explain,
            variety=Variety(max_per_artist=max_per_artist, diversity=diversity),
            all_versions=all_versions,
            order=cast("Order", order),
        )
    if export is not None:
        write_playlist(answer, export, title or (continued.title if continued else None))
    if as_json:
        print_json(answer.to_json())
    else:
        render(answer, wanted=limit)
        if explain:
            render_reasons(answer, shown_names(retriever.reader, answer))
    if strict and seeds and not answer.known:
        raise typer.Exit(NOTHING_KNOWN)
