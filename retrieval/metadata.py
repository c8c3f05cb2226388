"""What a release knows of genres and artists: the names that constraints may give."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from melon.errors import InputError
from melon.store import Collection, Filter, MatchAny, ReleaseReader, name_key

GENRE_CODE = re.compile(r"GN\d{4}", re.ASCII)
POPULAR = 1000
"""Songs whose artists are looked through for the one that a misspelt name may mean."""


class ConstraintError(InputError):
    """A constraint that is empty, contradicts itself, or names what the store does not know."""


class Genres:
    """The genres of a release, each found by its code or its name, whatever the case.

    Args:
        names: code to name of every genre, as the release's manifest has them.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._codes: dict[str, list[str]] = {}
        for code, name in names.items():
            for key in {name_key(code), name_key(name)}:
                self._codes.setdefault(key, []).append(code)

    def codes(self, wanted: str) -> list[str]:
        """The codes of the genres that have this name, or the code itself.

        Raises:
            ConstraintError: the name is empty, or there is no such genre.
        """
        key = name_key(wanted)
        if not key:
            raise ConstraintError("a genre's name is empty")
        if found := self._codes.get(key):
            return found
        if not self._names:  # the catalogue came without names: codes are all that there is
            if GENRE_CODE.fullmatch(wanted.strip().upper()):
                return [wanted.strip().upper()]
            raise ConstraintError(
                f"there is no genre {wanted!r}",
                hint="this release knows no names of genres: give a code like GN0100",
            )
        known = sorted({name for code, name in self._names.items() if code == top_genre(code)})
        raise ConstraintError(
            f"there is no genre {wanted!r}",
            hint=_meant(wanted, [*self._names.values(), *self._names])
            or f"genres are {', '.join(known)}",
        )


class Artists:
    """The artists of a release that were asked for before. May be shared by threads."""

    def __init__(self, reader: ReleaseReader) -> None:
        self._reader = reader
        self._known: set[str] = set()

    def check(self, names: Iterable[str]) -> None:
        """Refuse artists by whom the release holds no song: they are misspelt.

        Raises:
            ConstraintError: names the artist, and those that are written alike.
        """
        for name in names:
            key = name_key(name)
            if key in self._known:
                continue
            if not self._reader.count(Collection.SONGS, Filter(must=(any_artist((name,)),))):
                raise ConstraintError(
                    f"there is no song by {name!r}",
                    hint=_meant(name, self._popular()) or "give the artist's whole name",
                )
            self._known.add(key)

    def _popular(self) -> list[str]:
        songs = self._reader.top(Collection.SONGS, "popularity", POPULAR, payload=("artists",))
        return [artist for song in songs for artist in song.payload.get("artists", ())]


def top_genre(code: str) -> str:
    """The code of the top genre that a detail genre belongs to; that of a top genre itself."""
    return f"{code[:-2]}00"


def any_artist(names: tuple[str, ...]) -> MatchAny:
    """A song is by one of these.

    Raises:
        ConstraintError: a name is empty.
    """
    keys = tuple(map(name_key, names))
    if not all(keys):
        raise ConstraintError("an artist's name is empty")
    return MatchAny("artist_keys", keys)


def _meant(wanted: str, known: Iterable[str]) -> str | None:
    """A hint at the names that are written like `wanted`, or None."""
    by_key = {name_key(name): name for name in known}
    close = difflib.get_close_matches(name_key(wanted), by_key, n=3)
    return f"did you mean {' or '.join(by_key[key] for key in close)}?" if close else None
