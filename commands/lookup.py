"""`melon find`, `melon show` and `melon list`: what is in a store."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from melon.commands import completion
from melon.commands.completion import one_of, some_of
from melon.commands.console import note, print_json, print_table, shown
from melon.commands.options import (
    MAX_RESULTS,
    JsonOption,
    PathOption,
    ReleaseOption,
    UrlOption,
    chosen_store,
    pinned_retriever,
)
from melon.commands.render import playlist_name
from melon.display import printable
from melon.errors import InputError
from melon.files import write_csv

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from melon.retrieval import Artist, Known, Listing, Nearest, Shown
    from melon.store import ReleaseManifest

MAX_LISTED = 10_000_000

LimitOption = Annotated[
    int, typer.Option("--limit", "-n", min=1, max=MAX_RESULTS, help="How many of each kind.")
]


def find(
    text: Annotated[str, typer.Argument(help="A part of a name, a title or a key.")],
    kinds: Annotated[
        str,
        typer.Option(
            "--kinds",
            help="Of songs, tags, artists and playlists, which to look for.",
            autocompletion=some_of("songs", "tags", "artists", "playlists"),
        ),
    ] = "songs,tags,artists,playlists",
    limit: LimitOption = 10,
    release: ReleaseOption = None,
    url: UrlOption = None,
    path: PathOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find songs, tags, artists and playlists by a part of their name or key, most popular first.

    Each word has to begin one of the name, in whatever order; case and accents do not matter. Of
    scripts that write words together, as Korean does, it may stand anywhere.
    """
    retriever = pinned_retriever(chosen_store(url, path), release)
    wanted = [kind.strip() for kind in kinds.split(",")]
    found = retriever.find(text, kinds=wanted, limit=limit)
    if as_json:
        print_json(found.to_json())
        return
    if not found:
        note(f"nothing was found by {text!r}")
    _print_songs("Songs", found.songs)
    _print_tags("Tags", found.tags)
    _print_artists(found.artists)
    _print_playlists("Playlists", found.playlists)


def show(
    kind: Annotated[
        str,
        typer.Argument(
            help="A song, a tag, a playlist or an artist.",
            autocompletion=one_of("song", "tag", "playlist", "artist"),
        ),
    ],
    what: Annotated[
        str,
        typer.Argument(
            help="Its key, its id, or its whole name.",
            show_default=False,
            autocompletion=completion.what,
        ),
    ],
    limit: LimitOption = 10,
    release: ReleaseOption = None,
    url: UrlOption = None,
    path: PathOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show all that is known of one song, tag, playlist or artist.

    That is its fields, what is nearest to it, and the playlists that hold it; of an artist their
    songs, genres and years.
    """
    retriever = pinned_retriever(chosen_store(url, path), release)
    found = retriever.show(kind, what, limit=limit)
    if as_json:
        print_json(found.to_json())
        return
    _print_shown(found, _dates(retriever.reader.manifest, found.kind))


def list_(
    kind: Annotated[
        str,
        typer.Argument(
            help="What to list: tags, genres, artists or fields.",
            autocompletion=one_of("tags", "genres", "artists", "fields"),
        ),
    ],
    prefix: Annotated[
        str | None, typer.Option("--prefix", help="Only what begins so.", show_default=False)
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", min=1, max=MAX_LISTED, help="How many.", show_default="all"),
    ] = None,
    after: Annotated[
        str | None,
        typer.Option("--after", help="Begin after this one, the last of a page before."),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")] = False,
    release: ReleaseOption = None,
    url: UrlOption = None,
    path: PathOption = None,
    as_json: JsonOption = False,
) -> None:
    """List a store's tags, genres, artists or fields, the most frequent first.

    Tags come with the number of playlists that carry them, all others with that of songs.
    """
    if as_csv and as_json:
        raise InputError("give --csv or --json, not both")
    retriever = pinned_retriever(chosen_store(url, path), release)
    page = retriever.listing(kind, prefix=prefix, limit=limit, after=after)
    if as_json:
        print_json(page.to_json())
        return
    columns, rows = _listed(page)
    if as_csv:
        if sys.stdout.isatty():  # which control characters must not reach
            rows = [[printable(c) if isinstance(c, str) else c for c in row] for row in rows]
        write_csv(sys.stdout, [columns, *rows])
        return
    if not page.values:
        note(f"there are no {kind} that begin so" if prefix else f"there are no {kind}")
        return
    counts = {"songs": "songs>", "playlists": "playlists>"}
    title = f"{kind.capitalize()} ({page.total:,})"
    print_table(title, [counts.get(name, name) for name in columns], map(_in_table, rows))
    if page.next is not None:
        note(f"there are more: --after {page.next!r}")


def _listed(page: Listing) -> tuple[list[str], list[list[object]]]:
    """The columns of a listing, and its rows."""
    value, count = page.names
    more = list(page.values[0].more) if page.values else []
    rows = [[one.value, *one.more.values(), one.count] for one in page.values]
    return [value, *more, count], rows


def _in_table(row: list[object]) -> list[object]:
    """A row for people: what is so is marked, and numbers have separators."""
    cells = {True: "yes", False: ""}
    return [
        cells[cell] if isinstance(cell, bool) else f"{cell:,}" if isinstance(cell, int) else cell
        for cell in row
    ]


def _dates(manifest: ReleaseManifest, kind: str) -> frozenset[str]:
    """The fields of a kind that hold days."""
    from melon.fields import FieldType
    from melon.store import Collection

    if kind != "song":
        return frozenset()
    fields = manifest.schema(Collection.SONGS).fields
    return frozenset(field.name for field in fields if field.type is FieldType.DATE)


def _print_shown(found: Shown, dates: Container[str]) -> None:
    """All of it as tables; days without the midnight that payloads have."""
    from melon.retrieval import Description

    def cell(name: str, value: object) -> object:
        if isinstance(value, list):
            return shown(cell(name, one) for one in value)
        if isinstance(value, bool):
            return str(value).lower()
        return str(value)[: len("2015-08-19")] if name in dates else value

    payload = {name: cell(name, value) for name, value in found.payload.items()}
    if payload.pop("issue_date_precision", None):
        payload["issue_date"] = Description.of(found.payload).issue_date
    named = {"artist": {"name": found.name}, "tag": {}}.get(found.kind, {"id": found.id})
    facts = {**named, **payload}
    if found.kind in ("playlist", "artist"):
        facts["songs"] = f"{found.song_count:,}"
    if found.kind != "playlist":
        facts["in playlists"] = f"{found.playlist_count:,}"
    if found.genres:
        facts["genres"] = shown(
            f"{one.more['name'] or one.value} {one.count}" for one in found.genres
        )
    if found.years:
        facts["years"] = shown(f"{one.value} {one.count}" for one in found.years)
    rows = [(name.replace("_", " "), value) for name, value in facts.items()]
    print_table(found.kind.capitalize(), ["", ""], rows)
    _print_songs("Its songs" if found.kind == "playlist" else "Songs", found.songs)
    _print_playlists("In playlists", found.playlists)
    for collection, near in found.nearest.items():
        _print(
            f"Nearest {collection}",
            ["id", "name", "score>"],
            [(*_named(one), f"{one.score:.3f}") for one in near],
        )


def _named(point: Nearest) -> tuple[object, object]:
    """The key or id of a point, and what it is called."""
    from melon.store import Collection

    payload = point.payload
    if "tag" in payload:
        return None, payload["tag"]
    if point.collection is Collection.PLAYLISTS:
        return payload.get("key") or point.id, playlist_name(point.id, payload)
    name = " · ".join([payload.get("name", ""), *payload.get("artists", ())])
    return payload.get("key") or point.id, name


def _print_songs(title: str, songs: Sequence[Known]) -> None:
    described = [song.to_json() for song in songs]
    _print(
        title,
        [_name_column(songs), "title", "artists", "genre", "date", "playlists>"],
        [
            (
                song.get("key") or song["id"],
                song["name"],
                shown(song["artists"]),
                shown(song["genres"]),
                song["issue_date"],
                f"{song['popularity']:,}",
            )
            for song in described
        ],
    )


def _print_tags(title: str, tags: Sequence[Known]) -> None:
    rows = [(tag.payload["tag"], f"{tag.payload['popularity']:,}") for tag in tags]
    _print(title, ["tag", "playlists>"], rows)


def _print_artists(artists: Sequence[Artist]) -> None:
    rows = [(artist.artist, f"{artist.songs:,}") for artist in artists]
    _print("Artists", ["artist", "songs>"], rows)


def _print_playlists(title: str, playlists: Sequence[Known]) -> None:
    rows = [
        (
            playlist.payload.get("key") or playlist.id,
            playlist_name(playlist.id, playlist.payload),
            shown(playlist.payload.get("tags", ())),
            playlist.payload.get("song_count"),
            playlist.payload.get("like_count"),
        )
        for playlist in playlists
    ]
    _print(title, [_name_column(playlists), "title", "tags", "songs>", "likes>"], rows)


def _name_column(points: Sequence[Known]) -> str:
    return "key" if any("key" in point.payload for point in points) else "id>"


def _print(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    if rows := list(rows):
        print_table(title, columns, rows)
