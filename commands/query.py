"""`melon query` and `melon similar`: what a store recommends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from melon.commands.completion import known, one_of, some_of
from melon.commands.console import note, note_error, print_json, shown
from melon.commands.options import (
    JsonOption,
    PathOption,
    ReleaseOption,
    SettingsOption,
    StrategyOption,
    UrlOption,
    chosen_settings,
    chosen_store,
    path_option,
    pinned_retriever,
)
from melon.commands.render import render, render_points, render_reasons, render_songs, shown_names

if TYPE_CHECKING:
    from melon.retrieval import Constraints, Order, Recommendation

NOTHING_KNOWN = 3
"""The exit code of `--strict` where the store knows nothing of the query."""

MAX_WEIGHT = 1000
MAX_RESULTS = 10_000


SongsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--song",
        "-s",
        help="A song, by key, id or whole name; digits are a name if no song has that id."
        " Repeat it for more.",
        autocompletion=known("songs"),
    ),
]
TagsOption = Annotated[
    list[str] | None,
    typer.Option("--tag", "-t", help="A tag. Repeat it for more.", autocompletion=known("tags")),
]
TitleOption = Annotated[
    str | None, typer.Option("--title", help="The playlist's title.", show_default=False)
]
GenreOption = Annotated[
    list[str] | None,
    typer.Option(
        "--genre",
        "-g",
        help="Only songs with one of these genres, by name or code.",
        autocompletion=known("genres"),
    ),
]
AllGenresOption = Annotated[
    list[str] | None,
    typer.Option(
        "--all-genres", help="Only songs with every one of these.", autocompletion=known("genres")
    ),
]
NotGenreOption = Annotated[
    list[str] | None,
    typer.Option("--not-genre", help="No songs of these genres.", autocompletion=known("genres")),
]
ArtistOption = Annotated[
    list[str] | None,
    typer.Option(
        "--artist", help="Only songs by one of these artists.", autocompletion=known("artists")
    ),
]
NotArtistOption = Annotated[
    list[str] | None,
    typer.Option(
        "--not-artist", help="No songs by these artists.", autocompletion=known("artists")
    ),
]
SinceOption = Annotated[
    str | None, typer.Option(help="Issued then or later: 2015, 2015-03 or 2015-03-31.")
]
UntilOption = Annotated[str | None, typer.Option(help="Issued then or earlier.")]
MinPopularityOption = Annotated[
    int | None, typer.Option(min=0, help="In at least so many playlists.")
]
MaxPopularityOption = Annotated[
    int | None, typer.Option(min=0, help="In at most so many playlists.")
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        help="A song that must not come back, by key, id or name.",
        autocompletion=known("songs"),
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
    ),
]
StrictOption = Annotated[
    bool,
    typer.Option("--strict", help="End with exit code 3 if the store knows nothing of the query."),
]
ExactOption = Annotated[
    bool, typer.Option("--exact", help="Scan all points instead of using the index.")
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
        ),
    ] = None,
    not_songs: Annotated[
        list[str] | None,
        typer.Option(
            "--not-song",
            help="A song that is disliked, by key, id or name.",
            autocompletion=known("songs"),
        ),
    ] = None,
    not_tags: Annotated[
        list[str] | None,
        typer.Option("--not-tag", help="A tag that is disliked.", autocompletion=known("tags")),
    ] = None,
    song_weight: Annotated[
        float, typer.Option(min=0, max=MAX_WEIGHT, help="How much the songs count.")
    ] = 1.0,
    tag_weight: Annotated[
        float, typer.Option(min=0, max=MAX_WEIGHT, help="How much the tags count.")
    ] = 1.0,
    title_weight: Annotated[
        float, typer.Option(min=0, max=MAX_WEIGHT, help="How much the title counts.")
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
        int, typer.Option("--limit", "-n", min=0, max=MAX_RESULTS, help="Songs to recommend.")
    ] = 20,
    tag_limit: Annotated[int, typer.Option(min=0, max=MAX_RESULTS, help="Tags to recommend.")] = 10,
    max_per_artist: Annotated[
        int | None, typer.Option(min=1, help="Songs of one artist at most.")
    ] = None,
    diversity: Annotated[
        float, typer.Option(min=0, max=1, help="0 ranks by score alone, 1 by unlikeness alone.")
    ] = 0.0,
    all_versions: Annotated[
        bool,
        typer.Option(
            "--all-versions",
            help="List all versions of a song (live, remastered, ...), not the most popular one.",
        ),
    ] = False,
    order: Annotated[
        str,
        typer.Option(
            help="Order of the songs: score, or flow, in which like follows like, and no artist "
            "himself.",
            autocompletion=one_of("score", "flow"),
        ),
    ] = "score",
    export: Annotated[
        Path | None,
        path_option(
            "--export",
            help="Write the songs as a playlist, too: a file that ends in .m3u8, .jspf, .csv or "
            ".json.",
        ),
    ] = None,
    strategy: StrategyOption = None,
    settings: SettingsOption = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say which seeds and playlists each score is from.")
    ] = False,
    exact: ExactOption = False,
    strict: StrictOption = False,
    release: ReleaseOption = None,
    url: UrlOption = None,
    path: PathOption = None,
    as_json: JsonOption = False,
) -> None:
    """Continue a playlist: the songs and tags that fit some songs, some tags, a title, or a mix.

    With `--playlist`, all else is added to that playlist, and a title replaces its title.
    Without anything, the answer is what is most popular under the constraints.
    """
    from melon.files import check_file
    from melon.retrieval import ModalityWeights, Variety

    if export is not None:
        format_of(export)
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


def similar(
    song: Annotated[
        str | None,
        typer.Option(
            "--song",
            "-s",
            help="Song, by key, id or whole name; digits are a name if no song has that id.",
            autocompletion=known("songs"),
        ),
    ] = None,
    tag: Annotated[
        str | None, typer.Option("--tag", "-t", help="Tag.", autocompletion=known("tags"))
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="Title of a playlist.")] = None,
    playlist: Annotated[
        str | None,
        typer.Option(
            "--playlist",
            help="Playlist, by key or id.",
            autocompletion=known("keys of playlists"),
        ),
    ] = None,
    word: Annotated[str | None, typer.Option("--word", help="Title word.")] = None,
    to: Annotated[
        str,
        typer.Option(
            help="Of songs, tags, playlists and words, which to find.",
            autocompletion=some_of("songs", "tags", "playlists", "words"),
        ),
    ] = "songs,tags",
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=MAX_RESULTS, help="How many of each.")
    ] = 10,
    genre: GenreOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    where: WhereOption = None,
    exact: ExactOption = False,
    strict: StrictOption = False,
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
        named = shown(name or "an empty name" for name in unknown)
        raise InputError(
            f"--to does not know {named}",
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


def format_of(path: Path) -> str:
    """The format of playlists that a file's name ends in."""
    from melon.errors import InputError
    from melon.retrieval import PLAYLIST_FORMATS

    format = path.suffix.lower().removeprefix(".")
    if format not in PLAYLIST_FORMATS:
        ends = ", ".join(f".{one}" for one in PLAYLIST_FORMATS)
        raise InputError(
            "it does not say a format", where=f"--export {path}", hint=f"let it end in {ends}"
        )
    return format


def write_playlist(answer: Recommendation, path: Path, title: str | None) -> None:
    """Write the recommended songs as a playlist, titled like the query or else like the file."""
    from melon.errors import UnwritableFile, counted
    from melon.files import write_atomically
    from melon.retrieval import playlist_file

    text = playlist_file(answer, format_of(path), name=path.stem, title=title)
    try:
        write_atomically(path, text)
    except OSError as error:
        raise UnwritableFile.from_os_error(path, error) from error
    note(f"{counted(len(answer.songs), 'song')} written: {path}")


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


def constraints_of(**options: object) -> Constraints:
    """The constraints that the options of a command say, by their names in `Constraints`."""
    from melon.retrieval import Constraints

    # An option that may be repeated is an empty list where it is left out.
    return Constraints.model_validate(
        {name: value for name, value in options.items() if value is not None and value != []}
    )
