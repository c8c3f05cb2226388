"""Reader of Melon's genres."""

from __future__ import annotations

from pathlib import Path

from melon.catalog.errors import BadGenres, shortened
from melon.catalog.records import Genre
from melon.fields import parent_genre
from melon.files import read_json
from melon.text import clean_text


def read_genres(path: Path) -> dict[str, Genre]:
    """Read a file in the format of `genre_gn_all.json`: one object, genre code -> name.

    Codes are any strings; see `parent_genre` for which are detail genres. A genre without a name
    goes by its code.

    Raises:
        BadGenres: the file is not one object of texts.
        MalformedJson: the file is not JSON in UTF-8.
        UnreadableFile: the file is missing or cannot be opened.
    """
    names = read_json(path)
    if not isinstance(names, dict):
        raise BadGenres(
            f"the file's top level is {shortened(names)}, not an object",
            where=str(path),
            hint='a file of genres is one JSON object: {"GN0100": "ballad", …}',
        )
    genres = {}
    for written, name in names.items():
        genre = _genre(written, name)
        if genre is None:
            raise BadGenres(
                f"{shortened(written)}: {shortened(name)} is not a genre code and its name",
                where=str(path),
                hint="name every genre by a text",
            )
        genres[genre.code] = genre
    return genres


def _genre(written: str, name: object) -> Genre | None:
    code = clean_text(written)
    if code is None or not isinstance(name, str | None):
        return None
    return Genre(code=code, name=clean_text(name) or code, parent=parent_genre(code))
