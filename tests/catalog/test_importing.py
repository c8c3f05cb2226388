"""`melon import`: the same playlists in every format give the same files, and nothing is lost."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from melon.catalog import FIELDS_FILE, PLAYLIST_FILES, SONG_FILE, import_frame, plan_import
from melon.catalog import write_import as write

TRAIN = PLAYLIST_FILES[0]

SONGS = [
    {
        "track_uri": f"spotify:track:{number:03}",
        "track_name": name,
        "artists": ["Söng & Co.", f"Artist {number}"][: 1 + number % 2],
        "album_name": f"Album {number // 2}",
        "genres": ["indie pop", "k-pop"][: number % 3],
        "release_date": ["2019-12-17", "2019-12", "2019"][number % 3],
        "duration_ms": 180_000 + number,
        "bpm": 90.5 + number,
        "explicit": number % 2 == 0,
        "label": f"Label {number % 2}",
        "added_at": f"2021-05-{number + 1:02}T10:00:00Z",
    }
    for number, name in enumerate(
        ["Rain", "비", 'He said "hi"', "a, b", "12.0", "None", "two\nlines"]
    )
]
PLAYLISTS = {
    "rainy day ☔": [0, 1, 2],
    "workout💪": [3, 4],
    "Best of 2019, vol. 1": [6, 5, 4, 3, 2, 1, 0],
    "gym": [0],
}
ROWS = [
    {"playlist_name": title, **SONGS[number]}
    for title, numbers in PLAYLISTS.items()
    for number in numbers
]


def cell(value: Any) -> str:
    if isinstance(value, list):
        return ";".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def delimited(rows: list[dict[str, Any]], delimiter: str = ",") -> str:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerow(rows[0])
    writer.writerows([cell(value) for value in row.values()] for row in rows)
    return file.getvalue()


def without_title(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "playlist_name"}


def as_folder(path: Path) -> None:
    path.mkdir()
    for title, numbers in PLAYLISTS.items():
        (path / f"{title}.csv").write_text(delimited([SONGS[number] for number in numbers]))


def as_parquet(path: Path) -> None:
    pd.DataFrame(ROWS).to_parquet(path)


def as_lines(path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))


def as_slices(path: Path) -> None:
    path.mkdir()
    for start, end in ((0, 2), (2, 4)):
        playlists = [
            {"name": title, "num_tracks": len(numbers), "tracks": [SONGS[n] for n in numbers]}
            for title, numbers in list(PLAYLISTS.items())[start:end]
        ]
        content = {"info": {"slice": f"{start}-{end - 1}"}, "playlists": playlists}
        (path / f"mpd.slice.{start}-{end - 1}.json").write_text(json.dumps(content))


JSPF = {
    "track_uri": "identifier",
    "track_name": "title",
    "artists": "creator",
    "album_name": "album",
}


def as_jspf(path: Path) -> None:
    path.mkdir()
    for title, numbers in PLAYLISTS.items():
        tracks = []
        for number in numbers:
            track = {JSPF.get(name, name): value for name, value in SONGS[number].items()}
            track["identifier"] = [track["identifier"]]
            tracks.append(track)
        content = {"playlist": {"title": title, "creator": "somebody", "track": tracks}}
        (path / f"{len(title)}.jspf").write_text(json.dumps(content))


SHAPES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "CSV": ("a.csv", lambda path: path.write_text(delimited(ROWS))),
    "CSV, UTF-8 with BOM": ("a.csv", lambda p: p.write_text(delimited(ROWS), encoding="utf-8-sig")),
    "CSV, UTF-16": ("a.csv", lambda path: path.write_text(delimited(ROWS), encoding="utf-16")),
    "CSV with semicolons": ("a.csv", lambda p: p.write_text(delimited(comma_lists(ROWS), ";"))),
    "TSV": ("a.tsv", lambda path: path.write_text(delimited(ROWS, "\t"))),
    "a folder of CSV files": ("lists", as_folder),
    "parquet": ("a.parquet", as_parquet),
    "JSON Lines": ("a.jsonl", as_lines),
    "a JSON array": ("a.json", lambda path: path.write_text(json.dumps(ROWS))),
    "MPD slices": ("mpd", as_slices),
    "JSPF": ("jspf", as_jspf),
}


def comma_lists(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: ",".join(v) if isinstance(v, list) else v for name, v in r.items()} for r in rows
    ]


def compressed(path: Path) -> Path:
    """The file, or each in a folder, as `.gz`."""
    for file in [path] if path.is_file() else list(path.iterdir()):
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    return path if path.is_dir() else path.with_name(f"{path.name}.gz")


def imported(source: Path, out: Path, **options: Any) -> dict[str, Any]:
    catalogue = plan_import([source], **options).read()
    write(catalogue, out)
    return contents(out)


def contents(out: Path) -> dict[str, Any]:
    return {name: json.loads((out / name).read_text()) for name in (TRAIN, SONG_FILE, FIELDS_FILE)}


@pytest.fixture
def expected(tmp_path: Path) -> dict[str, Any]:
    import_frame(pd.DataFrame(ROWS), out=tmp_path / "expected")
    return contents(tmp_path / "expected")


def by_key(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {record["key"]: record for record in records}


def test_a_frame_comes_in_whole(expected: dict[str, Any]):
    keys = {song["id"]: song["key"] for song in expected[SONG_FILE]}
    lists = {p["plylst_title"]: [keys[s] for s in p["songs"]] for p in expected[TRAIN]}
    uris = {t: [SONGS[n]["track_uri"] for n in numbers] for t, numbers in PLAYLISTS.items()}
    assert lists == uris
    song = by_key(expected[SONG_FILE])["spotify:track:003"]
    assert song == {
        "id": 3,
        "key": "spotify:track:003",
        "song_name": "a, b",
        "artist_id_basket": [],
        "artist_name_basket": ["Söng & Co.", "Artist 3"],
        "album_id": None,
        "album_name": "Album 1",
        "song_gn_gnr_basket": [],
        "song_gn_dtl_gnr_basket": [],
        "issue_date": "20191217",
        "duration_ms": 180_003,
        "bpm": 93.5,
        "explicit": False,
        "label": "Label 1",
        "added_at": "2021-05-04 10:00:00.000",
    }
    assert {one["name"]: one["type"] for one in expected[FIELDS_FILE]["songs"]} == {
        "duration_ms": "integer",
        "bpm": "float",
        "explicit": "bool",
        "label": "keyword",
        "added_at": "datetime",
    }


@pytest.mark.parametrize("gz", [False, True], ids=["", "gz"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_format_gives_the_same_files(
    shape: str, gz: bool, tmp_path: Path, expected: dict[str, Any]
):
    name, save = SHAPES[shape]
    save(tmp_path / name)
    source = compressed(tmp_path / name) if gz else tmp_path / name
    found = imported(source, tmp_path / "out")
    in_order = shape not in ("a folder of CSV files", "JSPF")  # files come by their names
    assert found[FIELDS_FILE] == expected[FIELDS_FILE]
    for file in (TRAIN, SONG_FILE):
        if in_order:
            assert found[file] == expected[file]
    assert known(found) == known(expected)


def known(found: dict[str, Any]) -> Any:
    """What the files say, whatever ids they give."""
    keys = {song["id"]: song["key"] for song in found[SONG_FILE]}
    playlists = {
        one["key"]: {**one, "id": None, "songs": [keys[song] for song in one["songs"]]}
        for one in found[TRAIN]
    }
    return playlists, {song["key"]: {**song, "id": None} for song in found[SONG_FILE]}
