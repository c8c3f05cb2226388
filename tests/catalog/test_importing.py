"""`melon import`: the same playlists in every format give the same files, and nothing is lost."""

from __future__ import annotations

import csv
import gzip
import io
import json
import multiprocessing
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from melon.catalog import (
    FIELDS_FILE,
    PLAYLIST_FILES,
    SONG_FILE,
    BadCorpus,
    BadImport,
    UnclearColumns,
    find_corpus,
    from_frame,
    import_frame,
    plan_import,
    write_import,
)
from melon.embedding import build_from_files, training_settings
from melon.errors import ForeignFile, InputError, UnreadableFile
from melon.text import clean_text

FORMAT = (Path(__file__).parents[2] / "docs" / "format.md").read_text()
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
PLAYLISTS = {  # in the order of their names, as files in a folder come
    "Best of 2019, vol. 1": [6, 5, 4, 3, 2, 1, 0],
    "gym": [0],
    "rainy day ☔": [0, 1, 2],
    "workout💪": [3, 4],
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
    for place, (title, numbers) in enumerate(PLAYLISTS.items()):
        tracks = []
        for number in numbers:
            track = {JSPF.get(name, name): value for name, value in SONGS[number].items()}
            track["identifier"] = [track["identifier"]]
            tracks.append(track)
        content = {"playlist": {"title": title, "creator": "somebody", "track": tracks}}
        (path / f"{place}.jspf").write_text(json.dumps(content))


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
    write_import(catalogue, out)
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


GZ = " as `.gz`"


def shape_of(name: str, directory: Path) -> Path:
    """The catalogue in a format, in a directory that is made."""
    directory.mkdir()
    file, save = SHAPES[name.removesuffix(GZ)]
    save(directory / file)
    return compressed(directory / file) if name.endswith(GZ) else directory / file


@pytest.mark.parametrize("shape", [name + more for name in SHAPES for more in ("", GZ)])
def test_every_format_gives_the_same_files(shape: str, tmp_path: Path, expected: dict[str, Any]):
    source = shape_of(shape, tmp_path / "source")
    assert imported(source, tmp_path / "out") == expected


def test_every_format_gives_the_same_space(tmp_path: Path, expected: dict[str, Any]):
    """What docs/format.md shows of it."""
    settings = training_settings(dim=4, epochs=1, min_count=1)
    hashes = {build_from_files(find_corpus([tmp_path / "expected"]), settings).hash}
    rows = []
    for number, shape in enumerate(["a frame", *SHAPES]):
        out = tmp_path / f"out {number}"
        if shape == "a frame":
            import_frame(pd.DataFrame(ROWS), out=out)
        else:
            imported(shape_of(shape, tmp_path / f"source {number}"), out)
        hashes.add(build_from_files(find_corpus([out]), settings).hash)
        found = contents(out)
        playlists, songs = found[TRAIN], found[SONG_FILE]
        titles = {playlist["plylst_title"] for playlist in playlists}
        uris = {song["track_uri"] for song in SONGS}
        cells = [
            f"{len(playlists)} of {len(PLAYLISTS)}",
            f"{sum(len(playlist['songs']) for playlist in playlists)} of {len(ROWS)}",
            f"{len(songs)} of {len(SONGS)}",
            f"{len(titles & PLAYLISTS.keys())} of {len(PLAYLISTS)}",
            f"{len(uris & {song['key'] for song in songs})} of {len(SONGS)}",
            f"{len(found[FIELDS_FILE]['songs'])} of 5",
        ]
        rows.append(f"| {shape} | {' | '.join(cells)} |")
    assert len(hashes) == 1
    table = "\n".join(rows)
    assert table in FORMAT, f"docs/format.md should have this table:\n{table}"


def plan_of(text: str, tmp_path: Path, *mapping: str, name: str = "a.csv") -> dict[str, str]:
    """What becomes of the columns of a table."""
    (tmp_path / name).write_text(text)
    [plan] = plan_import([tmp_path / name], mapping=mapping).tables
    made = {column: role.value for role, column in plan.roles.items()}
    return (
        made
        | {column: field for field, column in plan.fields.items()}
        | dict.fromkeys(plan.left, "left")
    )


def test_what_programs_export_is_recognised(tmp_path: Path):
    exportify = (
        "Track URI,Track Name,Album Name,Artist Name(s),Release Date,Duration (ms),Popularity,"
        "Explicit,Added By,Added At,Genres,Record Label,Energy,Key,Tempo\n"
        "spotify:track:1,A,B,C;D,2019,1,2,true,me,2020-01-01T10:00:00Z,rock,EMI,.5,5,120\n"
    )
    assert plan_of(exportify, tmp_path) == {
        "Track URI": "track",
        "Track Name": "name",
        "Album Name": "album",
        "Artist Name(s)": "artists",
        "Release Date": "date",
        "Duration (ms)": "duration_ms",
        "Popularity": "track_popularity",
        "Explicit": "explicit",
        "Added By": "added_by",
        "Added At": "added_at",
        "Genres": "genres",
        "Record Label": "record_label",
        "Energy": "energy",
        "Key": "musical_key",
        "Tempo": "tempo",
    }
    tune_my_music = "Track name,Artist name,Album,Playlist name,Type,ISRC\nA,B,C,D,Playlist,GB1\n"
    assert plan_of(tune_my_music, tmp_path) == {
        "Track name": "name",
        "Artist name": "artists",
        "Album": "album",
        "Playlist name": "title",
        "Type": "type",
        "ISRC": "isrc",
    }


@pytest.mark.parametrize(
    ("text", "column", "role"),
    [
        ("playlist,track\nmy list,x:1\n", "playlist", "title"),
        ("playlist,track\n17,x:1\n", "playlist", "playlist"),
        ("playlist,track\nmy list,A song\n", "track", "name"),
        ("playlist,track\nmy list,x:1\n", "track", "track"),
        ("playlist,song,song id\nmy list,Rain,7\n", "song", "name"),
        ("playlist_id,title,artist\n1,One,U2\n1,Two,U2\n", "title", "name"),
        ("playlist_id,track_id,title\n1,5,gym\n1,6,gym\n2,5,jazz\n", "title", "title"),
        ("playlist_id,track_id,name\n1,5,A\n1,6,B\n2,5,A\n", "name", "name"),
        ("id,playlist_id,track_id\n1,1,5\n2,1,6\n", "id", "left"),
        (",playlist_id,track_id\n0,1,5\n1,1,6\n", "column 1", "left"),
        ("sep=;\nplaylist_id;track_id\n1;5\n", "track_id", "track"),
    ],
)
def test_what_a_name_leaves_open_the_values_tell(text: str, column: str, role: str, tmp_path: Path):
    assert plan_of(text, tmp_path)[column] == role


@pytest.mark.parametrize(
    ("text", "suggested"),
    [
        ("foo,bar\np:1,x:2\n", "playlist=foo"),
        ("playlist_id,song_id,name\n1,5,x\n2,6,y\n", "title=name"),
        ("playlist_id,song_id,album_id\n1,5,7\n", "own_album_id=album_id"),
        ("playlist_id,song_id,bpm,BPM\n1,5,7,8\n", "own_bpm=BPM"),
    ],
)
def test_what_cannot_be_told_is_asked_for(text: str, suggested: str, tmp_path: Path):
    """And what is suggested is taken, until nothing is left to ask."""
    mapping: list[str] = []
    with pytest.raises(UnclearColumns) as raised:
        plan_of(text, tmp_path)
    assert raised.value.mapping[0] == suggested
    for _ in range(3):
        try:
            plan_of(text, tmp_path, *mapping)
        except UnclearColumns as error:
            mapping += error.mapping
    plan_of(text, tmp_path, *mapping)


def test_a_mapping_corrects_what_was_recognised(tmp_path: Path):
    text = "playlist_id,track_id,playlist_name,real,label\n1,5,x,gym,EMI\n"
    found = plan_of(text, tmp_path, "title=real", "label=", "title_of_old=playlist_name")
    assert found["real"] == "title"
    assert found["label"] == "left"
    assert found["playlist_name"] == "title_of_old"
    with pytest.raises(BadImport, match="there is no column 'nowhere'"):
        plan_of(text, tmp_path, "title=nowhere")
    with pytest.raises(BadImport, match="names no column"):
        plan_of(text, tmp_path, "title")


def frame_report(rows: dict[str, list[Any]], out: Path, **options: Any) -> list[str]:
    return import_frame(pd.DataFrame(rows), out=out, **options).lines()


@pytest.mark.parametrize("missing", [-1, float("nan"), None, "", "NaN", "nan", "-1", "None"])
def test_no_playlist_is_lost_by_a_missing_song(missing: object, tmp_path: Path):
    tracks = pd.Series([5, 6, missing, missing], dtype=object)
    rows = pd.DataFrame({"playlist_id": [1, 1, 1, 2], "track_id": tracks})
    rows["playlist_name"] = ["gym", "gym", "gym", "later"]
    report = import_frame(rows, out=tmp_path / "own", lenient=True)
    assert "  2 rows without a track" in report.lines()
    assert "  1 playlist without songs: kept for title and tags" in report.lines()
    found = contents(tmp_path / "own")[TRAIN]
    assert [(one["key"], one["songs"]) for one in found] == [("1", [5, 6]), ("2", [])]


def test_two_tables_are_one_catalogue(tmp_path: Path):
    """As of Last.fm: users are the playlists, artists the songs. Lines end in CR LF."""
    entries, artists = tmp_path / "user_artists.tsv", tmp_path / "artists.tsv"
    entries.write_text("userID\tartistID\tweight\r\n2\t51\t13883\r\n2\t52\t11690\r\n3\t51\t2\r\n")
    artists.write_text('id\tname\n51\tDuran "Duran"\n52\t"Weird Al\n')
    with pytest.raises(UnclearColumns) as asked:
        plan_import([artists, entries])
    assert asked.value.mapping == ("playlist=userID", "track=artistID")
    catalogue = plan_import([artists, entries], mapping=asked.value.mapping).read()
    write_import(catalogue, tmp_path / "own")
    found = contents(tmp_path / "own")
    assert [(one["id"], one["key"], one["songs"]) for one in found[TRAIN]] == [
        (2, "2", [51, 52]),
        (3, "3", [51]),
    ]
    assert [song["song_name"] for song in found[SONG_FILE]] == ['Duran "Duran"', '"Weird Al']
    assert any("1 with others in later rows" in line for line in catalogue.report.lines())


def test_importing_more_keeps_the_ids(tmp_path: Path):
    out = tmp_path / "own"
    frame_report(
        {"playlist_id": ["a", "a", "b"], "track_id": ["x", "y", "x"], "bpm": [1, 2, 1]}, out
    )
    first = contents(out)
    more = pd.DataFrame(
        {"playlist_id": ["c", "b", "b"], "track_id": ["z", "y", "17"], "bpm": [1.5, 2, 9]}
    )
    catalogue = from_frame(more)
    changes = write_import(catalogue, out)
    assert changes.playlists == {"added": 1, "changed": 1, "unchanged": 0}
    assert changes.songs == {"added": 2, "changed": 0, "unchanged": 1}
    found = contents(out)
    songs, before = by_key(found[SONG_FILE]), by_key(first[SONG_FILE])
    assert {key: songs[key]["id"] for key in before} == {k: v["id"] for k, v in before.items()}
    assert songs["17"]["id"] == 17
    assert songs["x"]["bpm"] == 1.0
    lists = {one["key"]: one["songs"] for one in found[TRAIN]}
    assert lists["a"] == [songs["x"]["id"], songs["y"]["id"]]
    assert lists["b"] == [songs["y"]["id"], 17]
    again = write_import(from_frame(more), out)
    assert again.playlists == {"added": 0, "changed": 0, "unchanged": 2}
    assert again.songs == {"added": 0, "changed": 0, "unchanged": 3}
    assert contents(out) == found

    import_frame(more, out=out, replace=True)
    anew = contents(out)
    assert {one["key"] for one in anew[TRAIN]} == {"b", "c"}
    assert by_key(anew[SONG_FILE]).keys() == {"y", "z", "17"}
    assert all(song["id"] == songs[key]["id"] for key, song in by_key(anew[SONG_FILE]).items())
    import_frame(pd.DataFrame({"playlist_id": ["a"], "track_id": ["x"]}), out=out)
    assert by_key(contents(out)[SONG_FILE])["x"]["id"] == before["x"]["id"]


def test_what_no_import_wrote_is_left_alone(tmp_path: Path):
    rows = pd.DataFrame({"playlist_id": [1], "track_id": [2]})
    for name in ("train.json", "letter.txt"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("mine")
        with pytest.raises(ForeignFile):
            import_frame(rows, out=tmp_path / name)
        assert (tmp_path / name / name).read_text() == "mine"


def test_an_interrupted_import_leaves_what_was_there(tmp_path: Path):
    out = tmp_path / "own"
    frame_report({"playlist_id": ["a"], "track_id": ["x"]}, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def interrupt(step: str, done: int, total: int | None) -> None:
        if step == "songs":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_frame(
            pd.DataFrame({"playlist_id": ["b"], "track_id": ["y"]}), out=out, progress=interrupt
        )
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


KILLED = """
import os, sys
from pathlib import Path
import pandas as pd
from melon.catalog import import_frame

replace, moved = Path.replace, []

def dying(self, target):
    made = replace(self, target)
    if Path(target).parent == Path(sys.argv[1]) and Path(target).name != ".written-by":
        moved.append(target)
        if len(moved) == int(sys.argv[2]):
            os._exit(9)
    return made

Path.replace = dying
rows = pd.DataFrame({"playlist_id": ["b", "b"], "track_id": ["y", "z"], "bpm": [1.5, 2.5]})
import_frame(rows, out=sys.argv[1], replace=len(sys.argv) > 3)
"""


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize("moves", [1, 2, 3, 4, 5])
def test_an_import_that_is_killed_while_its_files_move_is_completed(
    moves: int, anew: bool, tmp_path: Path
):
    """By the next one; until then nobody trains on half of it. No id is given twice."""
    out = tmp_path / "own"
    frame_report({"playlist_id": ["a"], "track_id": ["x"], "bpm": [1]}, out)
    more = [str(out), str(moves), *["anew"] * anew]
    assert subprocess.run([sys.executable, "-c", KILLED, *more], timeout=60).returncode == 9
    with pytest.raises(BadCorpus, match="import"):
        find_corpus([out])
    frame_report({"playlist_id": ["c"], "track_id": ["w"]}, out)
    find_corpus([out])
    found = contents(out)
    songs = by_key(found[SONG_FILE])
    assert {song["id"] for song in songs.values()} == set(range(anew, 4))
    assert songs["y"]["bpm"] == 1.5
    assert by_key(found[TRAIN]).keys() == {*("" if anew else "a"), "b", "c"}
    assert not any(path.suffix == ".new" for path in out.iterdir())


def import_at_once(out: Path, key: str, gate: Any) -> None:
    rows = pd.DataFrame({"playlist_id": [key] * 500, "track_id": [f"{key}{n}" for n in range(500)]})
    gate.wait()
    import_frame(rows, out=out)


def test_of_two_imports_at_once_both_are_there(tmp_path: Path):
    processes = multiprocessing.get_context("spawn")
    gate = processes.Barrier(2)
    both = [
        processes.Process(target=import_at_once, args=(tmp_path / "own", key, gate)) for key in "ab"
    ]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
        assert one.exitcode == 0
    found = contents(tmp_path / "own")
    assert by_key(found[TRAIN]).keys() == {"a", "b"}
    assert len({song["id"] for song in found[SONG_FILE]}) == 1000


def test_what_a_later_import_says_nothing_of_stays(tmp_path: Path):
    """Of playlists as of songs: entries alone leave titles, tags and the rest as they were."""
    out = tmp_path / "own"
    said = {"playlist_name": ["rainy"], "tags": ["rain"], "likes": [0], "updated": ["2020-01-02"]}
    frame_report({"playlist_id": ["a"], "track_id": ["x"], **said}, out)
    (before,) = contents(out)[TRAIN]
    frame_report({"playlist_id": ["a", "a"], "track_id": ["x", "y"]}, out)
    (after,) = contents(out)[TRAIN]
    assert after == {**before, "songs": [0, 1]}
    frame_report({"playlist_id": ["a"], "track_id": [None], "playlist_name": ["wet"]}, out)
    assert contents(out)[TRAIN] == [{**after, "plylst_title": "wet"}]


def test_ids_are_not_given_again_where_nobody_knows_which_are_taken(tmp_path: Path):
    frame_report({"playlist_id": ["a"], "track_id": ["x"]}, tmp_path)
    (tmp_path / "keys.parquet").unlink()
    with pytest.raises(UnreadableFile, match=r"keys\.parquet"):
        frame_report({"playlist_id": ["b"], "track_id": ["y"]}, tmp_path)


@pytest.mark.parametrize("depth", [400, 950, 5000])
@pytest.mark.parametrize("ends", [("[", "]"), ('{"a":', "1}")])
@pytest.mark.parametrize(
    "document", ['[{"track_id": 1, "x": %s}]', '{"playlists": [{"tracks": [{"x": %s}]}]}', "%s"]
)
def test_what_is_nested_deeply_is_read_or_an_error(
    depth: int, ends: tuple[str, str], document: str, tmp_path: Path
):
    start, end = ends
    deep = document % (start * depth + "1" * (end == "1}") + end.removeprefix("1") * depth)
    (tmp_path / "a.json").write_text(deep)
    (tmp_path / "a.jsonl").write_text(f'{{"playlist_id": 1, "track_id": 1}}\n{{"x": {deep}}}\n')
    for name in ("a.json", "a.jsonl"):
        try:
            report = str(plan_import([tmp_path / name]).read().report)
        except InputError:
            continue
        assert depth < 5000 or "1 row that cannot be read" in report


QUOTED = "playlist_id,track_id,track_name\n" + "".join(f"1,{n},N{n}\n" for n in range(40))


@pytest.mark.parametrize("ending", ["\n", "\r\n", None])
@pytest.mark.parametrize("row", ["1,35,N35", "1,39,N39"])
@pytest.mark.parametrize("column", [0, 1, 2])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "utf-16"])
def test_a_file_that_ends_within_a_quote_is_an_error(
    ending: str | None, row: str, column: int, name: str, tmp_path: Path
):
    cells = row.split(",")
    cells[column] = f'"{cells[column]}'
    text = QUOTED.replace(row, ",".join(cells)).rstrip("\n" if ending is None else "")
    data = text.replace("\n", ending or "\n").encode("utf-16" if name == "utf-16" else "utf-8")
    path = tmp_path / ("a.csv" if name == "utf-16" else name)
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    if column < 2 and row == "1,39,N39":
        assert "1 row that cannot be read" in str(plan_import([path]).read().report)
        return
    with pytest.raises(BadImport, match=r"a quote is not closed: .* line"):
        plan_import([path]).read()


@pytest.mark.parametrize(
    "cell", ['""', '"x"', '"""x"""', '"a\nb"', '"a\n""b"""', '"a\n"', "", '5"']
)
@pytest.mark.parametrize("ending", ["", "\n", "\n\n"])
def test_a_last_cell_that_is_quoted_well_comes_in(cell: str, ending: str, tmp_path: Path):
    (tmp_path / "a.csv").write_text(f"{QUOTED}1,x,{cell}{ending}")
    assert plan_import([tmp_path / "a.csv"]).read().report.entries == 41


def test_cells_that_look_as_if_they_had_swallowed_rows_are_counted(tmp_path: Path):
    text = QUOTED.replace("1,20,N20", '1,20,"N20').replace("1,23,N23", '1,23,N23"')
    (tmp_path / "a.csv").write_text(text)
    report = plan_import([tmp_path / "a.csv"]).read().report
    assert report.entries == 37
    assert "1 cell with lines that look like rows" in str(report)
    assert "4 lines from line 22 on" in str(report)
    (tmp_path / "a.csv").write_text(QUOTED + '1,x,"one\ntwo, three"\n')
    assert not plan_import([tmp_path / "a.csv"]).read().report.counts


@pytest.mark.parametrize("size", [140_000, 3_000_000])
def test_a_cell_may_be_long(size: int, tmp_path: Path):
    path = tmp_path / "lists" / "a.csv"
    path.parent.mkdir()
    path.write_text(f"playlist_id,track_id,note\n1,2,{'x' * size}\n1,3,y\n")
    (path.parent / "b.csv").write_text("playlist_id,track_id,note\n2,2,z\n")
    assert plan_import([path.parent]).read().report.entries == 3
    path.write_text(f"playlist_id,track_id,{'x' * size}\n1,2,3\n")
    if size < 1 << 20:
        assert plan_import([path.parent]).read().report.entries == 2
    else:
        with pytest.raises(BadImport, match="first row"):
            plan_import([path.parent])


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"playlist_id,track_id\n1,2\n1,\0\n", "a.csv", "line 3 holds a NUL"),
        (
            gzip.compress(gzip.compress(b"playlist_id,track_id\n1,2\n")),
            "a.csv.gz",
            "inside of gzip",
        ),
        (gzip.compress(gzip.compress(b'{"playlist_id": 1}')), "a.json.gz", "inside of gzip"),
        (gzip.compress(b"playlist_id,track_id\n1,2\n"), "a.csv", "compressed as gzip"),
        (b"PK\x03\x04 and so on", "a.csv", "a zip archive"),
        (b"PAR1 and so on", "a.csv", "parquet"),
    ],
)
def test_what_is_no_text_is_said_to_be_what_it_is(
    data: bytes, name: str, said: str, tmp_path: Path
):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadImport, match=said) as raised:
        plan_import([tmp_path / name]).read()
    assert "--encoding" not in str(raised.value.hint)


def test_an_encoding_that_is_proposed_reads_the_file(tmp_path: Path):
    path = tmp_path / "a.csv"
    text = "playlist_id,track_id,track_name\n" + "1,2,비\n" * 3
    path.write_bytes(text.encode("utf-32"))
    assert plan_import([path]).read().report.entries == 1
    for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be", "utf-8", "cp949"):
        path.write_bytes(text.encode(encoding))
        with pytest.raises(BadImport, match="is not in ascii") as raised:
            plan_import([path], encoding="ascii")
        assert f"--encoding {encoding}" in str(raised.value.hint)
        assert plan_import([path], encoding=encoding).read().report.entries == 1


def test_a_document_without_objects_is_not_taken_for_empty(tmp_path: Path):
    (tmp_path / "a.csv").write_text(QUOTED)
    (tmp_path / "b.json").write_text("[]")
    assert plan_import([tmp_path]).left
    (tmp_path / "b.json").write_text("[1, [2]]")
    with pytest.raises(BadImport, match="it holds no objects: record 1"):
        plan_import([tmp_path])


def test_tables_of_playlists_alone_want_their_entries(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text("playlist_id,playlist_name,tags\n1,rainy,rain\n")
    with pytest.raises(BadImport, match="name no songs") as raised:
        plan_import([path])
    assert "--map" not in str(raised.value.hint)


@pytest.mark.parametrize(
    "text", ["playlist_id,track_id\n", "playlist_id,track_id\n1,2\n1,2,3\n1\n", ""]
)
def test_a_file_of_little_use_is_an_error(text: str, tmp_path: Path):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(BadImport):
        plan_import([tmp_path / "a.csv"]).read()
    if text.count("\n") > 1:
        report = plan_import([tmp_path / "a.csv"]).read(lenient=True).report
        assert report.lines()[1].startswith("  2 rows that cannot be read: skipped, such as ")


def test_what_else_is_in_a_folder_is_left_aside_and_said(tmp_path: Path):
    (tmp_path / "a" / ".hidden").mkdir(parents=True)
    (tmp_path / "a" / "gym.csv").write_text("Track URI,Track Name\nx:1,One\n")
    (tmp_path / "a" / ".hidden" / "no.csv").write_text("Track URI,Track Name\nx:2,Two\n")
    (tmp_path / "a" / "readme.txt").write_text("my lists")
    (tmp_path / "a" / "cover.png").write_bytes(b"")
    (tmp_path / "a" / "none.csv").touch()
    plan = plan_import([tmp_path / "a"])
    assert plan.lines()[-1].startswith("left aside 3 files: ")
    assert len(plan.read().song_keys) == 1


def test_a_playlist_of_a_folder_may_be_empty(tmp_path: Path):
    """The file then has nothing but a header; one that has more, but no songs, is an error."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "gym.csv").write_text("Track URI,Track Name\nx:1,One\n")
    (tmp_path / "a" / "later.csv").write_text("Track URI,Track Name\n")
    found = imported(tmp_path / "a", tmp_path / "own")[TRAIN]
    assert [(one["plylst_title"], len(one["songs"])) for one in found] == [("gym", 1), ("later", 0)]
    (tmp_path / "a" / "later.csv").write_text("Track URI,Track Name\n,\n-1,\n")
    with pytest.raises(BadImport, match="only 0 of 2 rows could be used"):
        plan_import([tmp_path / "a"]).read()


@pytest.mark.parametrize("encoding", ["cp949", "utf-16-le", "shift_jis"])
def test_an_encoding_that_is_not_plain_is_asked_for(encoding: str, tmp_path: Path):
    word = "春の雨" if encoding == "shift_jis" else "비 오는 날"
    path = tmp_path / "a.csv"
    path.write_bytes(f"playlist name,track name\n{word},{word}\n".encode(encoding))
    with pytest.raises(BadImport, match="is not in utf-8") as raised:
        plan_import([path])
    assert encoding in str(raised.value.hint)
    found = imported(path, tmp_path / "own", encoding=encoding)
    assert found[TRAIN][0]["plylst_title"] == word


def test_a_fault_far_from_the_beginning_is_found(tmp_path: Path):
    """Of encoding, and a quote that is not closed, after all that is looked at beforehand."""
    rows = "".join(f"{n},{n},some name\n" for n in range(100_000))
    path = tmp_path / "a.csv"
    path.write_bytes(
        f"playlist_id,track_id,track_name\n{rows}".encode() + "1,2,비\n".encode("cp949")
    )
    with pytest.raises(BadImport, match="is not in utf-8"):
        plan_import([path]).read()
    path.write_text(f'playlist_id,track_id,track_name\n{rows}1,2,"open\n{rows[:1000]}')
    with pytest.raises(BadImport, match="a quote is not closed"):
        plan_import([path]).read()


@pytest.mark.parametrize(
    ("values", "type"),
    [
        (["true", "FALSE"], "bool"),
        (["1", "0"], "integer"),
        (["12.0", "-3"], "integer"),
        (["007", "12"], "keyword"),
        (["1", "2.5", "1e3", ".5"], "float"),
        (["2019-12-17", "2019-12"], "datetime"),
        (["2019-12-17T10:00:00Z"], "datetime"),
        (["1", "x"], "keyword"),
        (["99999999999999999999"], "keyword"),
        (["x" * 300], "text"),
        (["NaN", "5"], "integer"),
    ],
)
def test_the_type_of_a_field_is_the_narrowest(values: list[str], type: str, tmp_path: Path):
    rows = {"playlist_id": [1] * len(values), "track_id": [f"t{n}" for n in range(len(values))]}
    import_frame(pd.DataFrame(rows | {"mine": values}), out=tmp_path / "own")
    assert contents(tmp_path / "own")[FIELDS_FILE]["songs"] == [
        {"name": "mine", "type": type, "many": False}
    ]


def test_a_column_of_seconds_is_one_of_dates(tmp_path: Path):
    rows = {"playlist_id": [1, 2], "track_id": [3, 4], "modified_at": [1493424000, 1506556800]}
    lines = frame_report(rows | {"added_at": [1493424000123, 1506556800000]}, tmp_path / "own")
    found = contents(tmp_path / "own")
    assert found[TRAIN][0]["updt_date"] == "2017-04-29 00:00:00.000"
    assert found[SONG_FILE][0]["added_at"] == "2017-04-29 00:00:00.123"
    assert "  updated: seconds since 1970" in lines
    assert "  own field added_at: datetime, milliseconds since 1970, of 2 songs" in lines


def test_what_is_of_playlists_alone_is_left_out_and_said(tmp_path: Path):
    rows = {"playlist_id": [1, 1, 2, 2], "track_id": [5, 6, 5, 7], "owner": ["a", "a", "b", "b"]}
    lines = frame_report(rows, tmp_path / "own")
    assert any(line.startswith("  owner is the same all over a playlist") for line in lines)
    assert contents(tmp_path / "own")[FIELDS_FILE]["songs"] == []


def test_frames_of_every_kind_of_column(tmp_path: Path):
    """Categories, moments, integers that may be missing, an index: the values are what counts."""
    rows = pd.DataFrame(
        {
            "track_id": pd.array([5, None, 7], "Int64"),
            "playlist_name": pd.Categorical(["gym", "gym", "jazz"]),
            "release_date": pd.to_datetime(["2019-12-17", None, "2020-01-02"]),
            "bpm": [120.0, float("nan"), float("inf")],
            "mixed": [1, None, "x"],
        },
        index=pd.Index([1, 1, 2], name="playlist_id"),
    )
    import_frame(rows, out=tmp_path / "own")
    found = contents(tmp_path / "own")
    lists = [(one["key"], one["plylst_title"], one["songs"]) for one in found[TRAIN]]
    assert lists == [("1", "gym", [5]), ("2", "jazz", [7])]
    first, second = found[SONG_FILE]
    assert (first["issue_date"], first["bpm"], first["mixed"]) == ("20191217", 120, "1")
    assert (second["issue_date"], second.get("bpm"), second["mixed"]) == ("20200102", None, "x")


def test_lists_in_cells(tmp_path: Path):
    rows = {
        "playlist_id": [1, 1, 2],
        "track_id": [5, 6, 7],
        "artists": [["A, B", "C"], ["A, B"], None],
        "tags": ["['rain', 'calm']", "night", "gym"],
        "moods": [["x", "y"], [], ["z"]],
    }
    frame_report(rows, tmp_path / "own")
    found = contents(tmp_path / "own")
    assert [song["artist_name_basket"] for song in found[SONG_FILE]] == [
        ["A, B", "C"],
        ["A, B"],
        [],
    ]
    assert [one["tags"] for one in found[TRAIN]] == [["rain", "calm", "night"], ["gym"]]
    assert [song.get("moods") for song in found[SONG_FILE]] == [["x", "y"], None, ["z"]]
    assert found[FIELDS_FILE]["songs"] == [{"name": "moods", "type": "keyword", "many": True}]


def test_playlists_of_one_name_in_one_document_are_two(tmp_path: Path):
    content = {"playlists": [{"name": "mix", "tracks": [{"track_uri": "a"}]}] * 2}
    (tmp_path / "a.json").write_text(json.dumps(content))
    found = imported(tmp_path / "a.json", tmp_path / "own")[TRAIN]
    assert [one["key"] for one in found] == ["mix", "mix (2)"]
    assert [one["plylst_title"] for one in found] == ["mix", "mix"]


CELLS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\x1f"), min_size=1, max_size=12
)


@given(names=st.lists(CELLS, min_size=1, max_size=8), delimiter=st.sampled_from(",;\t|"))
@example(names=['"', "a\r\nb", "\ufeffx", "'", "=1+1", " x "], delimiter=",")
@example(names=["a\u2028b", "\x85", "NULL", "-1"], delimiter="\t")
def test_whatever_a_cell_holds_comes_in(names: list[str], delimiter: str):
    """As `csv` writes it; only what is nothing but white space is no name."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "a.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=delimiter)
            writer.writerow(["playlist_id", "track_id", "track_name"])
            writer.writerows([1, f"t{number}", name] for number, name in enumerate(names))
        catalogue = plan_import([path], delimiter=delimiter).read()
        ids = np.arange(len(names))
        found = [song.name for song in catalogue.songs(ids, ids)]
    assert found == [clean_text(name) for name in names]


LISTS = [
    {"playlist_id": "p1", "playlist_name": "gym", "track_id": ["x", "y", "z"]},
    {"playlist_id": "p2", "playlist_name": "jazz", "track_id": ["y"]},
    {"playlist_id": "p3", "playlist_name": "none", "track_id": []},
]
NESTED = [
    {
        "id": "p1",
        "name": "gym",
        "followers": {"total": 7},
        "tracks": [
            {"id": "x", "name": "One", "artists": [{"name": "A"}, {"name": "B"}], "tempo": 120.5},
            {"id": "y", "name": "Two", "artists": [{"name": "B"}], "tempo": None},
        ],
    },
    {"id": "p2", "name": "jazz", "followers": {"total": 0}, "tracks": []},
]


def as_records(path: Path, records: list[dict[str, Any]]) -> list[Any]:
    """What holds the same records: JSON Lines, parquet, a frame, and one read from parquet."""
    lines, columns = path / "a.jsonl", path / "a.parquet"
    lines.write_text("".join(json.dumps(record) + "\n" for record in records))
    pq.write_table(pa.Table.from_pylist(records), columns)
    return [lines, columns, pd.DataFrame(records), pd.read_parquet(columns)]


def read(source: Any, **options: Any) -> Any:
    if isinstance(source, pd.DataFrame):
        return from_frame(source, **options)
    return plan_import([source], **options).read()


def written(source: Any, out: Path, **options: Any) -> dict[str, Any]:
    write_import(read(source, **options), out)
    return contents(out)


def lists_of(found: dict[str, Any]) -> dict[str, list[str]]:
    keys = {song["id"]: song["key"] for song in found[SONG_FILE]}
    return {one["key"]: [keys[song] for song in one["songs"]] for one in found[TRAIN]}


@pytest.mark.parametrize("called", ["track_id", "tracks", "songs", "track_uris"])
def test_a_list_of_songs_in_a_cell_is_an_entry_for_each(called: str, tmp_path: Path):
    records = [{called if k == "track_id" else k: v for k, v in one.items()} for one in LISTS]
    for number, source in enumerate(as_records(tmp_path, records)):
        found = written(source, tmp_path / f"out {number}")
        assert lists_of(found) == {"p1": ["x", "y", "z"], "p2": ["y"], "p3": []}, number


def test_lists_beside_a_list_of_songs_speak_of_each(tmp_path: Path):
    records = [
        {"playlist_id": "p", "track_id": ["x", "y"], "track_name": ["One", "Two"], "bpm": [1, 2]},
        {"playlist_id": "q", "track_id": ["z"], "track_name": ["Three"], "bpm": [3]},
    ]
    for number, source in enumerate(as_records(tmp_path, records)):
        found = written(source, tmp_path / f"out {number}")
        songs = by_key(found[SONG_FILE])
        assert {key: song["song_name"] for key, song in songs.items()} == {
            "x": "One",
            "y": "Two",
            "z": "Three",
        }
        assert {key: song["bpm"] for key, song in songs.items()} == {"x": 1, "y": 2, "z": 3}
    records[0]["track_name"] = ["One", "Two", "Three"]
    with pytest.raises(BadImport, match="not as long as"):
        from_frame(pd.DataFrame(records))


def test_a_song_with_a_list_of_its_playlists_is_in_each(tmp_path: Path):
    rows = pd.DataFrame({"playlist_id": [["p", "q"], ["q"]], "track_id": ["x", "y"]})
    assert lists_of(written(rows, tmp_path / "out")) == {"p": ["x"], "q": ["x", "y"]}


def test_objects_in_a_frame_are_read_as_in_documents(tmp_path: Path):
    first, *others = [
        written(source, tmp_path / f"out {number}")
        for number, source in enumerate(as_records(tmp_path, NESTED))
    ]
    assert lists_of(first) == {"p1": ["x", "y"], "p2": []}
    assert by_key(first[SONG_FILE])["x"]["artist_name_basket"] == ["A", "B"]
    assert [one["like_cnt"] for one in first[TRAIN]] == [7, 0]
    assert all(other == first for other in others)


@pytest.mark.parametrize("mark", ["|", ";", ", "])
def test_joined_keys_in_a_cell_are_asked_about(mark: str, tmp_path: Path):
    rows = pd.DataFrame({"playlist_id": ["p", "q"], "track_id": [mark.join("xyz"), "y"]})
    with pytest.raises(UnclearColumns) as asked:
        from_frame(rows)
    assert asked.value.mapping == ("track[]=track_id",)
    found = written(rows, tmp_path / "out", mapping=asked.value.mapping)
    assert lists_of(found) == {"p": ["x", "y", "z"], "q": ["y"]}
    whole = written(rows, tmp_path / "whole", mapping=["track=track_id"])
    assert lists_of(whole) == {"p": [mark.join("xyz")], "q": ["y"]}
    plural = rows.rename(columns={"track_id": "track_ids"})
    assert lists_of(written(plural, tmp_path / "plural")) == {"p": ["x", "y", "z"], "q": ["y"]}
    rows["track_id"] = ["['x', 'y']", "['z']"]
    assert lists_of(written(rows, tmp_path / "lists")) == {"p": ["x", "y"], "q": ["z"]}


def test_a_playlist_of_a_web_api_comes_in_whole(tmp_path: Path):
    def entry(key: str) -> dict[str, Any]:
        return {
            "added_at": "2023-01-01T00:00:00Z",
            "track": {
                "id": key,
                "uri": f"spotify:track:{key}",
                "name": f"Song {key}",
                "artists": [{"name": "A", "id": "a"}],
                "album": {"id": "b", "name": "Album", "release_date": "1965-02-01"},
            },
        }

    playlist = {
        "id": "p",
        "name": "gym",
        "followers": {"total": 3},
        "owner": {"id": "me"},
        "tracks": {"total": 2, "items": [entry("x"), entry("y"), {"track": None}]},
    }
    (tmp_path / "a.json").write_text(json.dumps([playlist]))
    found = written(tmp_path / "a.json", tmp_path / "out")
    assert lists_of(found) == {"p": ["spotify:track:x", "spotify:track:y"]}
    song = found[SONG_FILE][0]
    assert (song["album_name"], song["issue_date"]) == ("Album", "19650201")
    assert (song["song_name"], song["artist_name_basket"]) == ("Song x", ["A"])
    assert (song["track_id"], song["added_at"]) == ("x", "2023-01-01 00:00:00.000")
    assert found[TRAIN][0]["like_cnt"] == 3


def test_keys_of_bytes_are_their_text(tmp_path: Path):
    uuids = [uuid.UUID(int=5), uuid.UUID(int=0x3131)]
    raw = [one.bytes for one in uuids]
    pq.write_table(
        pa.table({"playlist_id": [1, 1], "track_id": pa.array(raw, pa.uuid())}),
        tmp_path / "uuid.parquet",
    )
    pq.write_table(
        pa.table({"playlist_id": [1, 1], "track_id": pa.array(raw, pa.binary(16))}),
        tmp_path / "bytes.parquet",
    )
    texts, digits = [str(one) for one in uuids], [one.hex for one in uuids]
    assert read(tmp_path / "uuid.parquet").song_keys.values.to_pylist() == texts
    assert read(tmp_path / "bytes.parquet").song_keys.values.to_pylist() == digits
    rows = pd.DataFrame({"playlist_id": 1, "track_id": uuids})
    assert from_frame(rows).song_keys.values.to_pylist() == texts
    rows["track_id"] = [b"\xff\x00", b"abc"]
    assert from_frame(rows).song_keys.values.to_pylist() == ["ff00", "abc"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_tables_in_a_folder_may_end_in_txt(encoding: str, tmp_path: Path):
    """As iTunes writes a playlist, in lines that end in CR."""
    (tmp_path / "a").mkdir()
    for title in ("Chill", "Party"):
        table = f"Name\tArtist\tAlbum\tGenre\r{title} song\tQ\tX\tRock\r"
        (tmp_path / "a" / f"{title}.txt").write_bytes(table.encode(encoding))
    (tmp_path / "a" / "readme.txt").write_text("These are lists, of mine, not yours\n")
    plan = plan_import([tmp_path / "a"])
    assert plan.lines()[-1].startswith("left aside 1 file: ")
    found = imported(tmp_path / "a", tmp_path / "own")
    assert [one["plylst_title"] for one in found[TRAIN]] == ["Chill", "Party"]
    assert [len(one["songs"]) for one in found[TRAIN]] == [1, 1]


@pytest.mark.parametrize("mark", [";", "|", ","])
def test_a_type_of_several_splits_cells_of_text(mark: str, tmp_path: Path):
    rows = {
        "playlist_id": [1, 1, 1],
        "track_id": [5, 6, 7],
        "moods": [mark.join(["calm", "sad"]), "calm", None],
        "tempos": [mark.join(["1.5", "x", "2"]), "y", "3"],
    }
    types = {"moods": "keyword[]", "tempos": "float[]"}
    lines = frame_report(rows, tmp_path / "own", types=types)
    songs = contents(tmp_path / "own")[SONG_FILE]
    assert [song.get("moods") for song in songs] == [["calm", "sad"], ["calm"], None]
    assert [song.get("tempos") for song in songs] == [[1.5, 2.0], None, [3.0]]
    assert "  2 values of tempos that is no float: dropped, such as 'x'" in lines
    assert "  own field tempos: float[], of 2 songs" in lines


def test_shares_are_of_what_came_in(tmp_path: Path):
    """Not of what was dropped, because it is no value of its type."""
    rows = {
        "playlist_id": [1, 1],
        "track_id": [5, 6],
        "release_date": ["soon", "2019"],
        "tempo": ["77,1", "80,2"],
        "loudness": [float("inf"), 2.5],
    }
    lines = frame_report(rows, tmp_path / "own", types={"tempo": "float"})
    assert "  1 value of date that is no date: dropped, such as 'soon'" in lines
    assert "  own field tempo: float, of 0 songs" in lines
    assert "  1 value of loudness that is no float: dropped, such as 'inf'" in lines
    assert "  own field loudness: float, of 1 song" in lines
    assert "dates 50%" in lines[-1]


def test_a_type_is_of_a_field_that_is_there(tmp_path: Path):
    rows = {"playlist_id": [1], "track_id": [5], "tempo": [1]}
    with pytest.raises(BadImport, match="no column becomes the field 'tempi'") as raised:
        frame_report(rows, tmp_path / "own", types={"tempi": "float"})
    assert raised.value.hint == "did you mean tempo?"


def test_a_type_that_is_given_wins_over_the_one_before(tmp_path: Path):
    out = tmp_path / "own"
    rows = {"playlist_id": [1, 1], "track_id": [5, 6], "mine": ["12", "x"], "few": ["a;b", "c"]}
    frame_report(rows, out)
    more = {"playlist_id": [2], "track_id": [7], "mine": [3], "few": ["d;e"]}
    lines = frame_report(more, out, types={"mine": "float", "few": "keyword[]"})
    found = contents(out)
    assert {one["name"]: (one["type"], one["many"]) for one in found[FIELDS_FILE]["songs"]} == {
        "mine": ("float", False),
        "few": ("keyword", True),
    }
    assert [song.get("mine") for song in found[SONG_FILE]] == [12.0, None, 3.0]
    assert [song.get("few") for song in found[SONG_FILE]] == [["a", "b"], ["c"], ["d", "e"]]
    frame_report({"playlist_id": [3], "track_id": [8], "few": ["f;g"]}, out)
    assert contents(out)[SONG_FILE][-1]["few"] == ["f", "g"]
    said = "mine becomes float, it was keyword: 1 value not of that type dropped"
    assert f"  {said}" in lines
    assert "  few becomes keyword[], it was keyword" in lines


def test_later_values_do_not_turn_a_field(tmp_path: Path):
    """It keeps its type, unless a wider one loses nothing; what does not fit is counted."""
    out = tmp_path / "own"
    frame_report({"playlist_id": [1], "track_id": [5], "bpm": [120], "plays": [7]}, out)
    more = {"playlist_id": [2, 2], "track_id": [6, 7], "bpm": ["fast", "90"], "plays": [1.5, 2]}
    lines = frame_report(more, out)
    found = contents(out)
    assert [song.get("bpm") for song in found[SONG_FILE]] == [120, None, 90]
    assert [song.get("plays") for song in found[SONG_FILE]] == [7.0, 1.5, 2.0]
    [stays] = [line for line in lines if "bpm stays" in line]
    assert stays.startswith("  bpm stays integer: 1 value not of that type dropped, such as 'fast'")
    assert "the type bpm=keyword" in stays
    assert "  plays becomes float, it was integer" in lines


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("Playlist;Künstler;Titel\nA b;Q;One\nA b;R;Two\n", ["title", "artists", "name"]),
        (
            "Titel;Interpret;Album;Playlist\nA;Q;X;P1\nB;Q;X;P1\n",
            ["name", "artists", "album", "playlist"],
        ),
        ("Liste de lecture;Artiste;Titre\nP 1;Q;A\nP 1;Q;B\n", ["title", "artists", "name"]),
        ("Lista;Artista;Título;Álbum\nP 1;Q;A;X\n", ["title", "artists", "name", "album"]),
    ],
)
def test_usual_names_of_other_languages(text: str, roles: list[str], tmp_path: Path):
    assert set(plan_of(text, tmp_path).values()) == set(roles)


def test_a_column_is_proposed_for_a_playlist_only_if_its_values_are_keys(tmp_path: Path):
    rows = pd.DataFrame({"track_id": ["x:1", "x:2"], "mood": ["calm", "sad"]})
    with pytest.raises(UnclearColumns) as asked:
        from_frame(rows)
    assert asked.value.mapping == ("playlist=COLUMN",)
    with pytest.raises(UnclearColumns) as asked:
        from_frame(rows.assign(where=["p:1", "p:1"]))
    assert asked.value.mapping == ("playlist=where",)


@pytest.mark.parametrize(
    ("text", "suggested"),
    [
        ("Playlist ID,Visibility\nPL1,Private\nPL2,Public\n", ("name=COLUMN", "artists=COLUMN")),
        ("playlist id,mood,what\nPL1,calm,x:1\nPL2,sad,x:2\n", ("track=what",)),
        ("playlist id,plays\nPL1,7\nPL2,8\n", ("name=COLUMN", "artists=COLUMN")),
        ("A,B\nx,y\nz,w\n", ("playlist=COLUMN", "name=COLUMN", "artists=COLUMN")),
        ("A,B\nmix,x:1\ngym,x:2\n", ("playlist=COLUMN", "track=B")),
    ],
)
def test_no_column_is_proposed_that_would_spoil_the_import(
    text: str, suggested: tuple[str, ...], tmp_path: Path
):
    with pytest.raises(UnclearColumns) as asked:
        plan_of(text, tmp_path)
    assert asked.value.mapping == suggested


@pytest.mark.parametrize(
    ("target", "meant"),
    [("titel", "title"), ("Artist", "artists"), ("track_name", "name"), ("song id", "track")],
)
def test_a_role_that_is_misspelt_is_no_field(target: str, meant: str, tmp_path: Path):
    text = "playlist_id,track_id,mine\n1,5,x\n"
    with pytest.raises(BadImport, match="is no role") as raised:
        plan_of(text, tmp_path, f"{target}=mine")
    assert str(raised.value.hint).startswith(f"did you mean {meant}=mine?")
    assert plan_of(text, tmp_path, "rate=mine")["mine"] == "rate"


@pytest.mark.parametrize("delimiter", ["", ";;"])
def test_a_delimiter_is_one_character(delimiter: str, tmp_path: Path):
    (tmp_path / "a.csv").write_text("playlist_id;track_id\n1;2\n")
    with pytest.raises(BadImport, match="is no delimiter"):
        plan_import([tmp_path / "a.csv"], delimiter=delimiter)


def test_errors_of_frames_name_arguments(tmp_path: Path):
    rows = pd.DataFrame({"playlist_id": [1, None, None], "track_id": [2, None, None], "name": "x"})
    for frame, options in (
        (rows, {"mapping": {"name": "nowhere"}}),
        (rows, {"mapping": {"titel": "name"}}),
        (rows, {"mapping": {"name": "name"}, "types": {"bpm": "flaot"}}),
        (rows[["playlist_id", "track_id"]], {}),
        (rows, {}),
    ):
        with pytest.raises(BadImport) as raised:
            from_frame(frame, **options)
        assert "--" not in str(raised.value)


def test_words_for_yes_and_no_are_truths_where_that_is_said(tmp_path: Path):
    words = ["yes", "No", "ja", "nein", "y", "f", "T", "0", "maybe"]
    rows = {"playlist_id": 1, "track_id": range(len(words)), "live": words}
    lines = frame_report(rows, tmp_path / "own", types={"live": "bool"})
    found = [song.get("live") for song in contents(tmp_path / "own")[SONG_FILE]]
    assert found == [True, False, True, False, True, False, True, False, None]
    assert "  1 value of live that is no bool: dropped, such as 'maybe'" in lines


def test_underscores_for_spaces_in_names_of_files(tmp_path: Path):
    """As Exportify writes them; the key stays as it is."""
    (tmp_path / "a").mkdir()
    for title in ("road_trip", "gym"):
        (tmp_path / "a" / f"{title}.csv").write_text("Track URI,Track Name\nx:1,One\n")
    found = imported(tmp_path / "a", tmp_path / "one")[TRAIN]
    assert [(p["key"], p["plylst_title"]) for p in found] == [
        ("gym", "gym"),
        ("road_trip", "road trip"),
    ]
    (tmp_path / "a" / "late night.csv").write_text("Track URI,Track Name\nx:1,One\n")
    found = imported(tmp_path / "a", tmp_path / "two")[TRAIN]
    assert [p["plylst_title"] for p in found] == ["gym", "late night", "road_trip"]
