"""What a column is: told by its name, by its values, or asked for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from importing_samples import TRAIN, lists_of, read, written

from melon.catalog import FIELDS_FILE, BadImport, UnclearColumns, from_frame, plan_import
from melon.catalog.importing.plan import TablePlan


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
        ("playlist_ids,track_id\n1|2,5\n1,6\n", "playlist_ids", "playlist"),
        ("#,playlist_id,track_id\n2,1,5\n1,1,6\n", "#", "position"),
    ],
)
def test_what_a_name_leaves_open_the_values_tell(text: str, column: str, role: str, tmp_path: Path):
    assert plan_of(text, tmp_path)[column] == role


@pytest.mark.parametrize(
    ("text", "suggested"),
    [
        ("foo,bar\np:1,x:2\n", "playlist=foo"),
        ('playlist,label,songs\nmy list,"1,5","a, b"\nmine,"2,5","b, c"\n', "track[]=songs"),
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


def test_what_is_said_of_one_file_goes_before_what_is_said_of_all(tmp_path: Path):
    text = "playlist_id,one,two\n1,5,6\n"
    mapping = ["a.csv:track=one", "track=two"]
    for given in (mapping, mapping[::-1]):
        assert plan_of(text, tmp_path, *given)["one"] == "track"


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
    assert asked.value.mapping == ("title=COLUMN",)
    with pytest.raises(UnclearColumns) as asked:
        from_frame(rows.assign(where=["p:1", "p:1"]))
    assert asked.value.mapping == ("playlist=where",)


@pytest.mark.parametrize(
    ("text", "suggested"),
    [
        ("Playlist ID,Visibility\nPL1,Private\nPL2,Public\n", ("name=COLUMN", "artists=COLUMN")),
        ("playlist id,mood,what\nPL1,calm,x:1\nPL2,sad,x:2\n", ("track=what",)),
        ("playlist id,plays\nPL1,7\nPL2,8\n", ("name=COLUMN", "artists=COLUMN")),
        ("A,B\nx,y\nz,w\n", ("title=COLUMN", "name=COLUMN", "artists=COLUMN")),
        ("A,B\nmix,x:1\ngym,x:2\n", ("title=COLUMN", "track=B")),
        ("A,ts\nx:1,2020-01-01T00:00:00Z\nx:2,2020-01-02T00:00:00Z\n", ("title=COLUMN", "track=A")),
    ],
)
def test_no_column_is_proposed_that_would_spoil_the_import(
    text: str, suggested: tuple[str, ...], tmp_path: Path
):
    with pytest.raises(UnclearColumns) as asked:
        plan_of(text, tmp_path)
    assert asked.value.mapping == suggested


@pytest.mark.parametrize(
    "rows",
    [
        "1,A,X\n2,B,X\n3,C,X\n",
        "1,A,X\n2,B,X\n1,C,X\n",
        "7,A,X\n4,B,X\n7,C,Y\n4,D,Y\n",
    ],
)
def test_numbers_of_songs_on_albums_are_no_keys(rows: str, tmp_path: Path):
    """Songs of two albums would be one."""
    (tmp_path / "a.csv").write_text(f"track,title,artist\n{rows}")
    with pytest.raises(UnclearColumns, match="seems to number the songs of an album") as asked:
        read(tmp_path / "a.csv")
    catalogue = read(tmp_path / "a.csv", mapping=asked.value.mapping)
    assert len(catalogue.song_keys) == rows.count("\n")
    assert len(read(tmp_path / "a.csv", mapping=["track=track"]).song_keys) < 4


def test_keys_that_are_numbers_stay_keys(tmp_path: Path):
    """A song may be in several playlists, and be written in two ways."""
    rows = "1,7,A\n1,4,B\n2,7,A\n2,4,B (live)\n2,9,C\n"
    assert plan_of(f"playlist,track,title\n{rows}", tmp_path)["track"] == "track"


@pytest.mark.parametrize(
    "header", ["track_1,track_2,track_3", "Song 1,Song 2,Song 3", "track_id,track_id,track_id"]
)
@pytest.mark.parametrize("mapping", [(), ("track=track_1",)])
def test_a_column_for_each_song_is_refused(header: str, mapping: tuple[str, ...], tmp_path: Path):
    text = f"playlist,{header}\nrock,x:1,x:2,x:3\njazz,x:2,,\n"
    with pytest.raises(BadImport, match=r"a column for each song|no column"):
        plan_of(text, tmp_path, *mapping)


def test_playlists_of_one_title_are_not_one_where_users_tell_them_apart(tmp_path: Path):
    """As in a data set of what users listen to, in lists that many call `Starred`."""
    header = "user_id,artistname,trackname,playlistname\n"
    rows = '"u1","X","A","Starred"\n"u2","X","B","Starred"\n"u2","X","A","Gym"\n'
    (tmp_path / "a.csv").write_text(header + rows)
    with pytest.raises(BadImport, match="are of several 'user_id'") as asked:
        read(tmp_path / "a.csv")
    assert str(asked.value.hint).endswith("--map title=playlistname")
    several = written(
        tmp_path / "a.csv", tmp_path / "own", mapping=["playlist=user_id+playlistname"]
    )
    assert {key: len(songs) for key, songs in lists_of(several).items()} == {
        "u1/Starred": 1,
        "u2/Starred": 1,
        "u2/Gym": 1,
    }
    assert [one["plylst_title"] for one in several[TRAIN]] == ["Starred", "Starred", "Gym"]
    assert several[FIELDS_FILE]["songs"] == []
    one = read(tmp_path / "a.csv", mapping=["title=playlistname"])
    assert one.report.playlists == 2
    (tmp_path / "a.csv").write_text(header + rows.replace("u1", "u2"))
    assert read(tmp_path / "a.csv").report.playlists == 2


def test_a_table_of_one_column_wants_a_delimiter(tmp_path: Path):
    (tmp_path / "a.csv").write_text("playlist_id^track_id\n1^a\n1^b\n")
    with pytest.raises(BadImport, match="it has one column") as raised:
        read(tmp_path / "a.csv")
    assert "--delimiter" in str(raised.value.hint)
    assert read(tmp_path / "a.csv", delimiter="^").report.entries == 2


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


def test_what_has_the_role_of_a_column_already_is_named(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("playlist,title,track,name\np1,mix,k 1,Song\np1,mix,k2,Other\n")
    with pytest.raises(UnclearColumns, match="'track' is the name already"):
        plan_import([path])


def test_numbers_beside_a_key_of_songs_are_not_their_names(tmp_path: Path):
    rows = "1,1,x:1,One\n1,2,x:2,Two\n2,1,x:3,Three\n"
    found = plan_of(f"playlist_id,track,track_id,title\n{rows}", tmp_path)
    assert (found["title"], found["track"]) == ("name", "track")
    catalogue = read(tmp_path / "a.csv")
    assert list(catalogue.of_songs["name"].values.to_pylist()) == ["One", "Two", "Three"]


def test_keys_that_count_up_and_come_again_with_their_names_stay_keys(tmp_path: Path):
    rows = "1,1,A\n1,2,B\n1,3,C\n2,1,A\n2,2,B\n"
    assert plan_of(f"playlist_id,song,song_name\n{rows}", tmp_path)["song"] == "track"


@pytest.mark.parametrize(
    ("header", "more"),
    [
        ("track_id,track_1,track_2", {"track_1": "track_1", "track_2": "track_2"}),
        ("track_uri,song1,song2", {"song1": "song1", "song2": "song2"}),
        ("track_id,track_id,tempo", {"track_id 2": "track_id_2", "tempo": "tempo"}),
    ],
)
def test_numbered_columns_beside_a_key_are_own_fields(
    header: str, more: dict[str, str], tmp_path: Path
):
    found = plan_of(f"playlist,{header}\nrock,7,7,3\njazz,8,8,4\n", tmp_path)
    track = header.partition(",")[0]
    assert found == {"playlist": "title", track: "track"} | more


def test_tables_may_have_very_many_columns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """What is decided of one does not look at all others."""
    looks = []
    those_open = TablePlan.open.fget
    monkeypatch.setattr(
        TablePlan, "open", property(lambda plan: looks.append(1) or those_open(plan))
    )
    names = [f"c{at}" for at in range(1000)]
    cells = ",1" * len(names)
    found = plan_of(f"playlist_id,track_id,{','.join(names)}\n1,x:1{cells}\n", tmp_path)
    assert len(found) == len(names) + 2
    assert len(looks) < 50


def test_a_key_may_be_of_several_columns_in_all_sources(tmp_path: Path):
    """Without one of them there is no key, and a column of that very name goes first."""
    entries = pd.DataFrame(
        {"user": ["a", "b", "b", None], "list": [1, 1, 2, 2], "disc": 1, "no": [1, 2, 3, 4]}
    )
    titles = pd.DataFrame({"user": ["a", "b"], "list": [1, 2], "list_name": ["A", "B"]})
    mapping = ["playlist=user+list", "track=disc+no"]
    catalogue = from_frame(entries, titles, mapping=mapping)
    assert catalogue.playlist_keys.values.to_pylist() == ["a/1", "b/1", "b/2"]
    assert catalogue.song_keys.values.to_pylist() == ["1/1", "1/2", "1/3", "1/4"]
    assert catalogue.report.entries == 3
    assert catalogue.report.shares["titles"] == 2 / 3
    with pytest.raises(BadImport, match="there is no column 'user\\+none'"):
        from_frame(entries, mapping=["playlist=user+none", "track=no"])
    entries["user+list"] = "all"
    assert from_frame(entries, mapping=mapping).report.playlists == 1


def test_keys_of_several_columns_are_as_different_as_these():
    pairs = [("a/b", "c"), ("a", "b/c"), ("a%2Fb", "c"), ("a", "/b/c"), ("a/", "b/c")]
    entries = pd.DataFrame(pairs, columns=["user", "list"]).assign(track_id="x1")
    catalogue = from_frame(entries, mapping=["playlist=user+list"])
    assert len(set(catalogue.playlist_keys.values.to_pylist())) == len(pairs)


def test_labels_of_rows_are_keys_of_what_rows_are_of_but_not_of_entries(tmp_path: Path):
    """Songs and playlists by their keys, where the index has no name, in frames and parquet."""
    rows = {"playlist_id": ["p", "p", "q"], "track_name": ["A", "B", "A"]}
    for labels in (["x", "y", "z"], ["x", "x", "y"]):
        catalogue = from_frame(pd.DataFrame(rows, index=labels))
        assert (catalogue.report.entries, catalogue.report.songs) == (3, 2)
        assert "column 'row label' is left out: it labels the rows" in catalogue.report.notes
    entries = pd.DataFrame({"playlist_id": ["p", "q"], "track_id": ["x:1", "x:2"]})
    songs = pd.DataFrame({"name": ["A", "B"], "bpm": [1, 2]}, index=["x:2", "x:3"])
    titles = pd.DataFrame({"name": ["P", "Q"]}, index=["p", "q"])
    report = from_frame(entries, songs, titles).report
    assert (report.playlists, report.songs) == (2, 3)
    assert (report.shares["titles"], report.shares["names"]) == (1, 2 / 3)
    (tmp_path / "a").mkdir()
    for name, frame in (("entries", entries), ("songs", songs), ("titles", titles)):
        frame.to_parquet(tmp_path / "a" / f"{name}.parquet")
    assert read(tmp_path / "a").report.lines() == report.lines()
    songs.index = [5, 7]
    with pytest.raises(UnclearColumns, match="no column is plainly"):
        from_frame(entries, songs)
    entries.loc[1:].to_parquet(tmp_path / "b.parquet")
    assert read(tmp_path / "b.parquet").own.fields == ()


def test_numbers_that_other_tables_have_may_be_of_anything(tmp_path: Path):
    (tmp_path / "entries.csv").write_text("playlist_id,track_id\np:1,1\np:2,2\n")
    (tmp_path / "users.csv").write_text("id,name\n1,Ann\n2,Bob\n")
    with pytest.raises(UnclearColumns, match="no column is plainly"):
        read(tmp_path)
