"""What a stranger could have written into a catalogue, a file to be imported, or questions."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fuzz_inputs import odd_bytes, odd_json

from melon.catalog import ReadReport, find_corpus, plan_import
from melon.embedding.build import read_catalogue
from melon.evaluation import read_questions
from melon.retrieval import Constraints, PlaylistQuery

PLAYLISTS = [
    {
        "id": number,
        "plylst_title": ("비 오는 날 rainy day", "night drive")[number % 2],
        "songs": [number, number + 1, 4],
        "tags": ["rain", "밤"][: number % 3],
        "like_cnt": number,
        "updt_date": "2020-01-01 00:00:00.000",
    }
    for number in range(3)
]
SONGS = [
    {
        "id": number,
        "song_name": f"song {number}",
        "artist_id_basket": [number % 2],
        "artist_name_basket": [f"artist {number % 2}"],
        "song_gn_gnr_basket": ["GN0100"],
        "album_id": 7,
        "album_name": "album",
        "issue_date": "20190131",
        "bpm": 120.5,
    }
    for number in range(6)
]
CORPUS: dict[str, Any] = {
    "train.json": PLAYLISTS,
    "song_meta.json": SONGS,
    "genre_gn_all.json": {"GN0100": "발라드", "GN0105": "'90s"},
    "fields.json": {"songs": [{"name": "bpm", "type": "float"}]},
}
ROWS = [["playlist_id", "title", "track_id", "track", "artist", "tags", "added"]] + [
    [str(n // 3), "rainy day", f"t{n}", f"song {n}", "a; b", "rain|밤", "2020-01-02T03:04:05Z"]
    for n in range(6)
]
TABLE = "\n".join(",".join(row) for row in ROWS).encode()
IMPORTS: dict[str, bytes | Any] = {
    "entries.csv": TABLE,
    "entries.tsv": TABLE.replace(b",", b"\t"),
    "list.m3u8": "#EXTM3U\n#PLAYLIST:비\n#EXTINF:100,A - B\n/music/a.mp3\n".encode(),
    "list.jspf": {
        "playlist": {
            "title": "rain",
            "date": "2020-01-01T00:00:00Z",
            "track": [{"title": "a", "creator": "b", "identifier": ["urn:x:1"], "duration": 9}],
        }
    },
    "mpd.slice.0-999.json": {
        "info": {"slice": "0-999", "version": "v1"},
        "playlists": [
            {
                "name": "rain",
                "pid": 0,
                "modified_at": 1493424000,
                "num_followers": 1,
                "tracks": [
                    {
                        "pos": 0,
                        "track_uri": "spotify:track:a",
                        "track_name": "x",
                        "artist_uri": "spotify:artist:b",
                        "artist_name": "y",
                        "album_name": "z",
                    }
                ],
            }
        ],
    },
}


def _odd(value: Any, rng: random.Random) -> bytes:
    """A file other than it should be."""
    if isinstance(value, bytes):
        return odd_bytes(value, rng)
    if rng.random() < 0.1:
        return odd_bytes(json.dumps(value).encode(), rng)
    return odd_json(value, rng).encode("utf-8", "surrogatepass")


class CatalogueFuzz:
    """A catalogue in Melon's format, of which one or two files are other than they should be."""

    def __init__(self, scratch: Path) -> None:
        self._path = scratch / "catalogue"
        self._path.mkdir()

    def __call__(self, rng: random.Random) -> None:
        """Read all of it."""
        odd = rng.sample(list(CORPUS), rng.choice((1, 1, 2)))
        for name, value in CORPUS.items():
            data = _odd(value, rng) if name in odd else json.dumps(value).encode()
            (self._path / name).write_bytes(data)
        read_catalogue(find_corpus([self._path]), lenient=rng.random() < 0.7, report=ReadReport())


class ImportFuzz:
    """A file to be imported."""

    def __init__(self, scratch: Path) -> None:
        self._path = scratch / "import"
        self._path.mkdir()

    def __call__(self, rng: random.Random) -> None:
        """Look at it, and read all of it."""
        name = rng.choice(list(IMPORTS))
        path = self._path / name
        path.write_bytes(_odd(IMPORTS[name], rng))
        plan = plan_import([path])
        plan.lines()
        plan.read(lenient=rng.random() < 0.7)


class QuestionsFuzz:
    """A file of questions or answers."""

    def __init__(self, scratch: Path) -> None:
        self._path = scratch / "questions.json"

    def __call__(self, rng: random.Random) -> None:
        """Read them."""
        self._path.write_bytes(_odd(PLAYLISTS, rng))
        read_questions(self._path)


QUERY: dict[str, Any] = {"title": "rainy day", "songs": [1, 2], "tags": ["rain"]}
CONSTRAINTS: dict[str, Any] = {
    "genres": ["GN0100"],
    "artists": ["artist 1"],
    "since": "2010",
    "until": "2019-05",
    "min_popularity": 1,
    "where": ["bpm >= 120"],
    "fields": {"bpm": {"lt": 130}, "label": {"not": "X"}},
}


class QueryFuzz:
    """What a program asks, as JSON that came from elsewhere."""

    def __call__(self, rng: random.Random) -> None:
        """Make a query and constraints of it."""
        for make, value in ((PlaylistQuery, QUERY), (Constraints, CONSTRAINTS)):
            content = _loaded(odd_json(value, rng))
            if isinstance(content, dict):
                made: Callable[..., object] = make
                try:
                    made(**content)
                except TypeError as error:
                    if "unexpected keyword" not in str(error):  # Python's own answer to that
                        raise


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
