"""An answer in a notebook: as a table that is shown, and as a frame to go on with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from melon.errors import InputError, MissingExtra

if TYPE_CHECKING:
    import pandas as pd

    from melon.retrieval.results import Recommendation

_NUMBERS = ("score", "playlists")


def to_frame(answer: Recommendation, kind: Literal["songs", "tags"]) -> pd.DataFrame:
    """The songs, or the tags, a row each, in their order; see `Recommendation.to_frame`."""
    if kind not in ("songs", "tags"):
        raise InputError(f"an answer has no {kind!r}", hint="frames are of songs or tags")
    try:
        import pandas as pd
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "a frame takes pandas, which is not installed", hint="pip install pandas"
        ) from error
    if kind == "tags":
        return pd.DataFrame([(tag.tag, tag.score) for tag in answer.tags], columns=["tag", "score"])
    rows = [
        {
            "id": song.id,
            "key": song.key,
            "name": song.name,
            "artists": list(song.artists),
            "genres": list(song.genres),
            "issue_date": song.issue_date,
            **{name: song.more.get(name) for name in answer.fields},
            "score": song.score,
            "versions": [one.id for one in song.versions],
        }
        for song in answer.songs
    ]
    described = ["id", "key", "name", "artists", "genres", "issue_date"]
    return pd.DataFrame(rows, columns=[*described, *answer.fields, "score", "versions"])


def to_html(answer: Recommendation) -> str:
    """The songs and the tags as tables of HTML, without scripts and styles of their own."""
    score = {kind: "playlists" if kind in answer.popular else "score" for kind in ("songs", "tags")}
    songs = [
        {
            "key": song.key,
            "id": None if song.key else song.id,
            "title": song.name,
            "artists": ", ".join(song.artists),
            "genres": ", ".join(song.genres),
            "date": song.issue_date,
            "other versions": ", ".join(str(one.name or one.id) for one in song.versions),
            score["songs"]: _score(song.score, score["songs"]),
        }
        for song in answer.songs
    ]
    tags = [
        {"tag": tag.tag, score["tags"]: _score(tag.score, score["tags"])} for tag in answer.tags
    ]
    unknown = [*answer.unknown.songs, *answer.unknown.tags, *answer.unknown.words]
    popular = [kind for kind in answer.popular if getattr(answer, kind)]
    notes = [
        *(
            [f"What is popular: nothing of the query leads to {' or '.join(popular)}."]
            * bool(popular)
        ),
        *["No songs: there are no others, or none passes the constraints."]
        * ("songs" in answer.popular and not songs),
        *([f"Unknown: {', '.join(map(str, unknown))}."] * bool(unknown)),
        f"{answer.strategy}, release {answer.release}",
    ]
    from html import escape  # which a query of the command does not need

    return "".join(
        [
            '<div class="melon">',
            _table("Songs", songs, escape),
            _table("Tags", tags, escape),
            *(f"<p>{escape(note)}</p>" for note in notes),
            "</div>",
        ]
    )


def _score(score: float, column: str) -> str:
    return f"{score:,.0f}" if column == "playlists" else f"{score:.3f}"


def _table(title: str, rows: Sequence[Mapping[str, Any]], escape: Callable[[str], str]) -> str:
    """Rows that have the same columns; those that are empty in all rows are left out."""
    columns = [name for name in (rows[0] if rows else ()) if any(row[name] for row in rows)]
    if not columns:
        return ""

    def line(cell: str, texts: Iterable[object]) -> str:
        made = (
            f'<{cell} style="text-align: {"right" if name in _NUMBERS else "left"}">'
            f"{escape(str('' if text is None else text))}</{cell}>"
            for name, text in zip(columns, texts, strict=True)
        )
        return f"<tr>{''.join(made)}</tr>"

    body = "".join(line("td", (row[name] for name in columns)) for row in rows)
    return (
        f"<table><caption>{title}</caption><thead>{line('th', columns)}</thead>"
        f"<tbody>{body}</tbody></table>"
    )
