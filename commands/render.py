"""How `melon query` and `melon similar` show their answers to people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from melon.commands.console import note, print_table, shown
from melon.errors import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from melon.retrieval import Because, Nearest, Recommendation, Song, Tag
    from melon.store import Collection, PointId, ReleaseReader

REASONS = 3
"""Shares that a line of an explanation shows."""


def render(answer: Recommendation, *, wanted: int) -> None:
    """An answer as tables; what of the query is unknown goes to stderr.

    Args:
        wanted: how many songs were asked for.
    """
    for kind, names in (
        ("songs", answer.unknown.songs),
        ("tags", answer.unknown.tags),
        ("title words", answer.unknown.words),
    ):
        if names:
            note(
                f"unknown {kind}: {shown(_with_near(name, answer.unknown.near) for name in names)}"
            )
    popular = [kind for kind in answer.popular if getattr(answer, kind)]
    if popular and answer.fallback:
        note(f"nothing to go by: the most popular {' and '.join(popular)} instead")
    elif popular:
        note(f"nothing to go by for {popular[0]}: the most popular ones instead")
    if wanted:
        render_songs(answer.songs, popular="songs" in popular)
    if answer.tags:
        are_popular = "tags" in popular
        rows = [(tag.tag, _score(tag.score, are_popular)) for tag in answer.tags]
        print_table("Tags", ["tag", _score_column(are_popular)], rows)


def _with_near(name: int | str, near: Mapping[str, Sequence[str]]) -> str:
    names = near.get(str(name))
    return f"{name} (did you mean {' or '.join(names)}?)" if names else str(name)


def render_reasons(answer: Recommendation, names: Mapping[tuple[str, int | str], str]) -> None:
    """What speaks for each result, in percent of all that does, and what held it back."""

    def kind_and_name(part: Because) -> str:
        return f"{part.kind} {names.get((part.kind, part.ref)) or part.key or part.ref}"

    def name(part: Because) -> str:
        return names.get((part.kind, part.ref)) or kind_and_name(part)

    results: list[tuple[str, Song | Tag]] = [
        *((str(song.name or song.id), song) for song in answer.songs),
        *((tag.tag, tag) for tag in answer.tags),
    ]
    rows = [
        (
            shown_as,
            percents(result.because, kind_and_name),
            percents(result.playlists, name),
            percents(result.because, kind_and_name, against=True),
        )
        for shown_as, result in results
        if result.because and result.score > 0
    ]
    if rows:  # what is just popular has no reasons
        columns = ["result", "seeds", "playlists", "held back by"]
        print_table("Because", columns, rows, wrapped=True)


def percents(
    parts: Sequence[Because], named: Callable[[Because], str], *, against: bool = False
) -> str:
    """The largest shares that raise a score, or lower it, in percent of all that raise it.

    Those that raise it add up to 100, the small ones together.
    """
    raised = sum(part.share for part in parts if part.share > 0)
    if raised <= 0:
        return ""
    meant = [part for part in parts if part.share and (part.share < 0) == against]
    shares = [100 * abs(part.share) / raised for part in meant]
    few = sum(share >= 0.5 for share in shares[:REASONS])
    numbers = whole_numbers([*shares[:few], sum(shares[few:])])
    said = [*map(named, meant[:few]), counted(len(meant) - few, "other")]
    return ", ".join(f"{name} {n} %" for name, n in zip(said, numbers, strict=True) if n)


def whole_numbers(numbers: Sequence[float]) -> list[int]:
    """Whole numbers with the same sum, rounded: those with the largest remainders go up."""
    rounded = [math.floor(number) for number in numbers]
    missing = round(sum(numbers)) - sum(rounded)
    by_remainder = sorted(range(len(numbers)), key=lambda at: rounded[at] - numbers[at])
    for at in by_remainder[:missing]:
        rounded[at] += 1
    return rounded


def shown_names(
    reader: ReleaseReader, answer: Recommendation
) -> Mapping[tuple[str, int | str], str]:
    """Names of the songs and playlists that an explanation shows."""
    from melon.store import Collection

    results: list[Song | Tag] = [*answer.songs, *answer.tags]
    parts = {
        (part.kind, part.ref)
        for result in results
        for part in (*result.because, *result.playlists[: 2 * REASONS])
    }
    names: dict[tuple[str, int | str], str] = {}
    for kind, collection, field in (
        ("song", Collection.SONGS, "name"),
        ("playlist", Collection.PLAYLISTS, "title"),
    ):
        ids = [key for seed, key in parts if seed == kind]
        for record in reader.retrieve(collection, ids, payload=(field,)):
            names[kind, record.id] = str(record.payload.get(field, ""))
    return names


def render_songs(songs: Sequence[Song], *, popular: bool = False) -> None:
    """Songs as a table; the score of those that are just popular is their number of playlists."""
    if not songs:
        note("no songs: there are no others, or none passes the constraints")
        return
    print_table(
        "Songs",
        [
            _name_column(song.key for song in songs),
            *("title", "artists", "genre", "date", "other versions"),
            _score_column(popular),
        ],
        [
            (
                song.id if song.key is None else song.key,
                song.name,
                shown(song.artists),
                shown(song.genres),
                song.issue_date,
                shown(one.name or one.id for one in song.versions),
                _score(song.score, popular),
            )
            for song in songs
        ],
        wide={"date": 60, "genre": 50, "other versions": 100},
    )


def render_points(collection: Collection, points: Sequence[Nearest]) -> None:
    """Tags, playlists or words near something, as a table."""
    from melon.store import Collection

    if not points:
        note(f"no {collection} are near it")
        return
    rows: list[Sequence[object]]
    if collection is Collection.PLAYLISTS:
        keys = [near.payload.get("key") for near in points]
        columns = [_name_column(keys), "title", "tags", "songs>", "score>"]
        rows = [
            (
                near.payload.get("key", near.id),
                playlist_name(near.id, near.payload),
                shown(near.payload.get("tags", ())),
                near.payload.get("song_count"),
                _score(near.score),
            )
            for near in points
        ]
    else:
        name = "tag" if collection is Collection.TAGS else "word"
        columns = [name, "playlists>", "score>"]
        rows = [
            (near.payload[name], near.payload.get("popularity"), _score(near.score))
            for near in points
        ]
    print_table(str(collection).capitalize(), columns, rows)


def playlist_name(playlist: PointId, payload: Mapping[str, Any]) -> str:
    """What a playlist is called: its title, or else by what it is named."""
    return payload.get("title") or f"playlist {payload.get('key') or playlist}"


def _name_column(keys: Iterable[str | None]) -> str:
    """The column of what songs or playlists are called by: where there are keys, these."""
    return "id>" if all(key is None for key in keys) else "key"


def _score_column(popular: bool) -> str:
    return "playlists>" if popular else "score>"


def _score(score: float, popular: bool = False) -> str:
    return f"{score:,.0f}" if popular else f"{score:.3f}"
