"""What a shell offers for a word that is begun: names that the store knows, and silence otherwise.

A shell waits for it at every press of a key, so rooms that answer queries are not imported.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import redirect_stderr, suppress
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from melon.store import ReleaseReader

    Names = Callable[[ReleaseReader, str], Iterator[str]]

SECONDS = 2
"""After so long a request to a server is given up, and nothing offered."""

OFFERED = 50
"""Names that are offered at most, the most popular ones."""

CUT = "_MELON_COMPLETE_CUT"
"""Says in the environment that bash has cut the word that is completed at a colon."""

SPECIAL = frozenset(" \t\\'\"`$&|;<>()[]{}*?!#~")
"""What a shell takes for something else in a word without quotes."""

Complete = Callable[[typer.Context, str], list[str]]


class Offered(str):
    """A name that is offered. Typer would leave out those that do not begin with the very letters
    that were typed, as `Jazz` for `ja`."""

    __slots__ = ()

    def startswith(self, *_: object) -> bool:
        """So it seems to Typer."""
        return True


def known(kind: str) -> Complete:
    """Completes the names of a kind of `_KNOWN`, or releases."""

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        return _offered(kind, context, incomplete)

    return complete


def what(context: typer.Context, incomplete: str) -> list[str]:
    """Completes a name of the kind that `melon show` was given before."""
    return _offered(f"{context.params.get('kind')}s", context, incomplete)


def one_of(*names: str) -> Callable[[str], list[str]]:
    """Completes one of some names that are always the same."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names if name.startswith(incomplete)]

    return complete


def some_of(*names: str) -> Callable[[str], list[str]]:
    """Completes the last of some names with commas between them."""

    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        taken = before.split(",")
        return [
            f"{before}{comma}{name}"
            for name in names
            if name.startswith(last) and name not in taken
        ]

    return complete


def join_words() -> None:
    """Put together what bash has cut at colons: it gives `a:b` as three words.

    It goes on with what follows the last colon, so that only this is offered then.
    """
    cut = os.environ.get("COMP_WORDS", "").split("\n")
    try:
        current = int(os.environ.get("COMP_CWORD", ""))
    except ValueError:
        return
    words: list[str] = []
    for place, word in enumerate(cut):
        goes_on = place > 1 and (_is_colons(word) or _is_colons(cut[place - 1]))
        if goes_on:
            words[-1] += word
        else:
            words.append(word)
        if place == current:
            os.environ["COMP_CWORD"] = str(len(words) - 1)
            os.environ[CUT] = "yes" if goes_on else ""
    os.environ["COMP_WORDS"] = "\n".join(words)


def _is_colons(word: str) -> bool:
    return word != "" and not word.strip(":")


def being_completed() -> list[str] | None:
    """The words before the one that a shell wants to have completed; None where it does not."""
    asked = os.environ.get("_MELON_COMPLETE", "")
    if not asked.startswith("complete_"):
        return None
    if "COMP_WORDS" in os.environ:  # bash
        with suppress(ValueError):
            return os.environ["COMP_WORDS"].split()[: int(os.environ.get("COMP_CWORD", ""))]
    line = os.environ.get("_TYPER_COMPLETE_ARGS", "")
    return line.split() if line.endswith(" ") else line.split()[:-1]


def _offered(kind: str, context: typer.Context, incomplete: str) -> list[str]:
    """Names that begin so; none where they cannot be had, whatever the reason."""
    above = context.parent.params if context.parent else {}  # as of `melon releases --path`
    options = above | {name: value for name, value in context.params.items() if value is not None}
    found: list[str] = []
    with redirect_stderr(io.StringIO()), suppress(BaseException):  # as Edge's panics are
        found = _names(kind, options, incomplete)
    if os.environ.get(CUT):
        colons = incomplete.count(":")
        found = [name.split(":", colons)[-1] for name in found if name.count(":") >= colons]
    return [Offered(_quoted(name)) for name in found]


def _names(kind: str, options: Mapping[str, Any], incomplete: str) -> list[str]:
    from melon.settings import load_settings
    from melon.store import open_store
    from melon.word_index import plain_form

    settings = load_settings().model_copy(update={"qdrant_timeout": SECONDS})
    store = open_store(settings, url=options.get("url"), path=options.get("path"))
    if kind == "releases":
        names = [info.manifest.release for info in store.releases()]
    else:
        names = list(_KNOWN[kind](store.open(options.get("release")), incomplete))
    begun = plain_form(incomplete)
    return [
        name
        for name in dict.fromkeys(names)
        if plain_form(name).startswith(begun) and name.isprintable()
    ][:OFFERED]


def _genres(reader: ReleaseReader, incomplete: str) -> Iterator[str]:
    for code, name in reader.manifest.genres.items():
        yield name
        if incomplete:
            yield code


def _artists(reader: ReleaseReader, incomplete: str) -> Iterator[str]:
    from melon.store import Collection

    for words in _filters("artist_words", incomplete):
        for artist, _ in reader.facet(Collection.SONGS, "artists", 4 * OFFERED, words):
            yield str(artist)


def _fields(reader: ReleaseReader, _: str) -> Iterator[str]:
    """The fields of songs that conditions can be about, the catalogue's own first."""
    from melon.fields import FieldType
    from melon.store import Collection

    own = {field.name for field in reader.manifest.fields}
    fields = reader.manifest.schema(Collection.SONGS).indexed
    for field in sorted(fields, key=lambda field: field.name not in own):
        if field.type is not FieldType.TEXT:
            yield field.name


def _points(
    collection: str, name: str | None, count: str
) -> Callable[[ReleaseReader, str], Iterator[str]]:
    """The names and keys of the most popular points of a collection."""

    def names(reader: ReleaseReader, incomplete: str) -> Iterator[str]:
        from melon.store import Collection

        by = {"search_words": name} if name else {}
        by |= {"key_words": "key"} if collection != "tags" else {}
        for field, shown in by.items():
            for words in _filters(field, incomplete):
                records = reader.top(
                    Collection(collection), count, 4 * OFFERED, words, payload=(shown,)
                )
                yield from (record.payload[shown] for record in records if shown in record.payload)

    return names


def _filters(field: str, incomplete: str) -> Iterable[Any]:
    """What finds all that begins so, and may find more: no filter where nothing is begun."""
    from melon.store import Filter, HasWords
    from melon.word_index import asked_words, key_words

    words = key_words(incomplete) if field == "key_words" else asked_words(incomplete)
    if words:
        return [Filter(must=(HasWords(field, words),))]
    return [] if incomplete.strip() else [None]


_KNOWN: Mapping[str, Names] = {
    "genres": _genres,
    "artists": _artists,
    "tags": _points("tags", "tag", "popularity"),
    "songs": _points("songs", "name", "popularity"),
    "playlists": _points("playlists", "title", "song_count"),
    "keys of playlists": _points("playlists", None, "song_count"),
    "fields": _fields,
}


def _quoted(name: str) -> str:
    """The name as bash needs it in a line; the other shells quote what they are given."""
    if os.environ.get("_MELON_COMPLETE") != "complete_bash" or _in_quotes():
        return name
    return "".join(f"\\{letter}" if letter in SPECIAL else letter for letter in name)


def _in_quotes() -> bool:
    """Whether the word that is completed begins with a quote; bash goes on in it."""
    words = os.environ.get("COMP_WORDS", "").split("\n")
    with suppress(ValueError, IndexError):
        return words[int(os.environ.get("COMP_CWORD", ""))].startswith(('"', "'"))
    return False
