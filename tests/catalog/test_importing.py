"""`melon import`: the same playlists in every format give the same files, and nothing is lost."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from importing_samples import TRAIN, by_key, contents, frame_report, imported

from melon.catalog import (
    FIELDS_FILE,
    SONG_FILE,
    BadImport,
    UnclearColumns,
    find_corpus,
    import_frame,
    plan_import,
    write_import,
)
from melon.embedding import build_from_files, training_settings
from melon.text import clean_text

FORMAT = (Path(__file__).parents[2] / "docs" / "format.md").read_text()


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


@pytest.fixture
def expected(tmp_path: Path) -> dict[str, Any]:
    import_frame(pd.DataFrame(ROWS), out=tmp_path / "expected")
    return contents(tmp_path / "expected")


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
    for end in ("\n", "", "\r\n"):
        (tmp_path / "a" / "later.csv").write_text(f"Track URI,Track Name{end}")
        found = imported(tmp_path / "a", tmp_path / "own")[TRAIN]
        sizes = [(one["plylst_title"], len(one["songs"])) for one in found]
        assert sizes == [("gym", 1), ("later", 0)]
    (tmp_path / "a" / "later.csv").write_text("Track URI,Track Name\n,\n-1,\n")
    with pytest.raises(BadImport, match="only 0 of 2 rows could be used"):
        plan_import([tmp_path / "a"]).read()


def test_files_of_nothing_are_left_aside_in_every_format(tmp_path: Path):
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "gym.csv").write_text("playlist_id,track_id\ngym,x:1\n")
    nothing = {"a.json": "", "b.jsonl": " \n\n", "c.json": "[]", "d.json": "{}", "e.csv": "\n"}
    nothing["f.json"] = json.dumps({"playlists": []})
    for name, text in nothing.items():
        (folder / name).write_text(text)
    (folder / "g.tar.gz").write_bytes(b"")
    plan = plan_import([folder])
    packed = f"{folder / 'g.tar.gz'}: unpack it to have it read"
    empty = {f"{folder / name}: it is empty" for name in nothing}
    assert {*plan.left} == {packed} | empty
    assert plan.read().report.entries == 1


def test_a_file_of_something_else_among_others_may_be_left_out(tmp_path: Path):
    """As what a service says of the user, beside the user's playlists."""
    (tmp_path / "a.csv").write_text("playlist_id,track_id\ngym,x:1\n")
    (tmp_path / "user.json").write_text(json.dumps({"username": "x", "email": "y"}))
    for source, hint in ((tmp_path, True), (tmp_path / "user.json", False)):
        with pytest.raises(UnclearColumns) as raised:
            plan_import([source])
        assert raised.value.where == str(tmp_path / "user.json")
        assert str(raised.value.hint).endswith("; or import the others without it") is hint


def test_playlists_of_one_name_in_one_document_are_two(tmp_path: Path):
    content = {"playlists": [{"name": "mix", "tracks": [{"track_uri": "a"}]}] * 2}
    (tmp_path / "a.json").write_text(json.dumps(content))
    found = imported(tmp_path / "a.json", tmp_path / "own")[TRAIN]
    assert [one["key"] for one in found] == ["mix", "mix (2)"]
    assert [one["plylst_title"] for one in found] == ["mix", "mix"]


CELLS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\x1f"), min_size=1, max_size=12
).filter(lambda text: text.strip() != "\\N")


@given(names=st.lists(CELLS, min_size=1, max_size=8), delimiter=st.sampled_from(",;\t|"))
@example(names=['"', "a\r\nb", "\ufeffx", "'", "=1+1", " x "], delimiter=",")
@example(names=["a\u2028b", "\x85", "NULL", "-1"], delimiter="\t")
def test_whatever_a_cell_holds_comes_in(names: list[str], delimiter: str):
    """As `csv` writes it; only white space, and `\\N`, are no names."""
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
    assert "  1 value of date that cannot be read as date: dropped, such as 'soon'" in lines
    assert "  own field tempo: float, of 0 songs" in lines
    assert "  1 value of loudness that cannot be read as float: dropped, such as 'inf'" in lines
    assert "  own field loudness: float, of 1 song" in lines
    assert "dates 50%" in lines[-1]


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
