"""Files that are broken, in another encoding, or no tables at all are errors that say so."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from importing_samples import TRAIN, imported

from melon.catalog import BadImport, from_frame, plan_import
from melon.errors import InputError, UnreadableFile


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


def test_a_line_that_repeats_a_key_is_not_read_by_halves(tmp_path: Path):
    lines = ('{"playlist_id": 1, "track_id": 1}', '{"track_id": 2, "track_id": 3}')
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    report = str(plan_import([tmp_path / "a.jsonl"]).read().report)
    assert "the key 'track_id' is repeated" in report


def packed(data: bytes) -> bytes:
    """The same bytes at any time, for they name a test."""
    return gzip.compress(data, mtime=0)


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
    path.write_bytes(packed(data) if name.endswith(".gz") else data)
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
            packed(packed(b"playlist_id,track_id\n1,2\n")),
            "a.csv.gz",
            "inside of gzip",
        ),
        (packed(packed(b'{"playlist_id": 1}')), "a.json.gz", "inside of gzip"),
        (packed(b"playlist_id,track_id\n1,2\n"), "a.csv", "compressed as gzip"),
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
    for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be", "cp949"):
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
    "text", ["playlist_id,track_id\n", "playlist_id,track_id\n1,2\n1\n1,2,3\n", ""]
)
def test_a_file_of_little_use_is_an_error(text: str, tmp_path: Path):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(BadImport):
        plan_import([tmp_path / "a.csv"]).read()
    if text.count("\n") > 1:
        report = plan_import([tmp_path / "a.csv"]).read(lenient=True).report
        assert report.lines()[1].startswith("  2 rows that cannot be read: skipped, such as ")
        assert report.lines()[1].endswith(": 1 cell in place of 2: 1")


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


@pytest.mark.parametrize("beside", ["song_meta.json", "genre_gn_all.json", "fields.json"])
def test_a_folder_in_melons_own_format_is_not_imported_again(beside: str, tmp_path: Path):
    (tmp_path / "train.json").write_text('[{"id": 1, "songs": [1, 2], "tags": []}]')
    assert plan_import([tmp_path]).read().report
    (tmp_path / beside).write_text("[]")
    with pytest.raises(BadImport, match=r"needs no import\n.*melon train "):
        plan_import([tmp_path])


def test_files_that_are_several_in_one_lose_their_headers(tmp_path: Path):
    header = "playlist_id,track_id,name,name\n"
    path = tmp_path / "a.csv"
    path.write_text(f"\ufeff{header}1,2,a,b\n\ufeff{header}2,2,a,b\n{header}2,playlist_id,a,b\n")
    report = plan_import([path]).read().report
    assert (report.entries, report.playlists) == (3, 2)
    assert "2 rows with the header again: skipped" in str(report)


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("My playlists\n\n", "first line has 1 cell and most others have 3: My playlists"),
        ("Made by,me\n", "first line has 2 cells"),
        ("playlist_id,title,by,at\nA,B,C,D\n", "first line has 4 cells"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_what_stands_before_the_header_is_noticed(
    before: str, said: str, delimiter: str, tmp_path: Path
):
    rows = "playlist_id,track_id,name\n1,2,x\n1,3,y\n1,4,y\n"
    path = tmp_path / "a.csv"
    path.write_text((before + rows).replace(",", delimiter))
    with pytest.raises(BadImport, match=said) as raised:
        plan_import([path])
    assert rows.partition("\n")[0].replace(",", delimiter) in str(raised.value.hint)


@pytest.mark.parametrize("rows", ["p1,t:1\np1,t:2\n", "A,One more,X\nA,Two more,X\n", "1,2\n3,4\n"])
def test_a_row_in_place_of_a_header_is_noticed(rows: str, tmp_path: Path):
    (tmp_path / "a.csv").write_text(rows)
    with pytest.raises(BadImport, match="first line seems to be a row") as raised:
        plan_import([tmp_path / "a.csv"])
    assert "--map" not in str(raised.value.hint)


def test_an_encoding_is_of_the_files_that_are_not_unicode(tmp_path: Path):
    source = tmp_path / "lists"
    source.mkdir()
    text = "track_id,track_name\n{},비\n"
    for name, encoding in (("a", "utf-8"), ("b", "cp949"), ("c", "utf-16"), ("d", "utf-8-sig")):
        (source / f"{name}.csv").write_bytes(text.format(name).encode(encoding))
    found = imported(source, tmp_path / "own", encoding="cp949")
    assert [song["song_name"] for song in found["song_meta.json"]] == ["비"] * 4


def test_what_is_packed_is_to_be_unpacked(tmp_path: Path):
    (tmp_path / "a.csv").write_text(QUOTED)
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04")
    assert plan_import([tmp_path]).left == [f"{tmp_path / 'b.zip'}: unpack it to have it read"]
    with pytest.raises(BadImport) as raised:
        plan_import([tmp_path / "b.zip"])
    assert raised.value.hint == "unpack it"


def test_files_whose_names_are_titles_of_playlists_are_these(tmp_path: Path):
    """As YouTube's are, beside a table of the playlists."""
    source = tmp_path / "takeout"
    source.mkdir()
    (source / "playlists.csv").write_text(
        "Playlist ID,Playlist Title (Original)\nPLa,Rainy day\nPLb,Gym\n"
    )
    for name in ("Rainy day-videos", "Gym", "other-videos"):
        (source / f"{name}.csv").write_text("Video ID,Time Added\nv1,2020-01-01\n")
    lines = plan_import([source]).lines()
    assert "  playlists of 2 files are told by their titles" in lines
    found = imported(source, tmp_path / "own")[TRAIN]
    titles = {one["key"]: one["plylst_title"] for one in found}
    assert titles == {"PLb": "Gym", "PLa": "Rainy day", "other-videos": "other-videos"}
    assert all(one["songs"] for one in found)


@pytest.mark.parametrize(
    "text",
    ['playlist_id,"track_id', f'playlist_id,track_id\n1,"{"x" * 20_000_000}"\n'],
    ids=["header", "cell"],
)
def test_a_row_without_an_end_is_said_to_be_one(text: str, tmp_path: Path):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(BadImport, match="a row has no end, or goes on for more than") as raised:
        plan_import([tmp_path / "a.csv"]).read()
    assert "close all quotes" in str(raised.value.hint)


@pytest.mark.parametrize(
    "column",
    [{"track_id": ["t1", "t2"]}, {"tracks": [[{"id": "t1"}], [{"id": "t2"}]]}],
    ids=["table", "documents"],
)
@pytest.mark.parametrize("place", [0, -400], ids=["rows", "footer"])
def test_parquet_that_is_broken_is_named(column: dict[str, Any], place: int, tmp_path: Path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"playlist_id": ["a", "b"], **column}), path)
    data = bytearray(path.read_bytes())
    data[place + 4 : place + 40] = b"\xa7" * 36
    path.write_bytes(data)
    with pytest.raises(UnreadableFile, match=r"a\.parquet: cannot be read") as raised:
        plan_import([path]).read()
    assert "copy or download it again" in str(raised.value.hint)
