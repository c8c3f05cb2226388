"""`melon find`, `show` and `list`, as tables, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json

import pytest
from command_line import Command, on, on_one_engine
from places import Place

from melon.retrieval import KINDS


def test_find(ask: Command):
    done = ask("find", "rain", "--limit", "3")
    assert done.code == 0
    assert "Tags\ntag " in done.out
    assert "rainy day" in done.out
    found = ask("find", "rain", "--json").json()
    assert list(found) == list(KINDS)
    assert found["tags"][0].keys() == {"tag", "popularity"}
    assert {"id", "title", "tags", "song_count"} <= found["playlists"][0].keys()
    only = ask("find", "rain", "--kinds", "tags, artists", "--json").json()
    assert list(only) == ["tags", "artists"]
    assert only["tags"] == found["tags"]


def test_nothing_found_is_said(ask: Command):
    done = ask("find", "qqqq")
    assert (done.code, done.out) == (0, "")
    assert "nothing was found by 'qqqq'" in done.err


def test_keys_are_shown_where_there_are_keys(keyed_place: Place):
    done = on(keyed_place)("find", "demo:list:7·💿", "--kinds", "playlists", "--limit", "1")
    assert done.out.splitlines()[1].startswith("key ")
    assert done.out.splitlines()[2].startswith("demo:list:7·💿 ")


def test_show(ask: Command):
    song = ask("find", "b", "--kinds", "songs", "--json").json()["songs"][0]
    for kind, what in (
        ("song", str(song["id"])),
        ("tag", "rainy day"),
        ("playlist", "3"),
        ("artist", song["artists"][0]),
    ):
        done = ask("show", kind, what, "--limit", "2")
        assert done.code == 0, done.err
        assert done.out.startswith(kind.capitalize())
        assert "\nNearest songs\n" in done.out
        shown = ask("show", kind, what, "--json").json()
        assert shown["kind"] == kind
        assert set(shown["nearest"]) >= {"songs", "tags"}
    assert "issue date" in ask("show", "song", str(song["id"])).out


def test_show_says_what_is_known_as_people_write_it(keyed_place: Place):
    """Dates at their precision, and none of what is only for programs."""
    keyed = on(keyed_place)
    shown = keyed("show", "song", "3", "--json").json()["payload"]
    said = dict(
        line.split("  ", 1) for line in keyed("show", "song", "3").out.splitlines() if "  " in line
    )
    said = {name: value.strip() for name, value in said.items()}
    length = {"year": 4, "month": 7, "day": 10}[shown["issue_date_precision"]]
    assert said["issue date"] == shown["issue_date"][:length]
    assert "issue date precision" not in said
    assert said["premiere"] == shown["premiere"][:10]
    assert said["added at"] == shown["added_at"]
    assert said["explicit"] == str(shown["explicit"]).lower()
    assert "item" not in keyed("show", "tag", "rain", "--json").json()["payload"]


def test_what_cannot_be_listed(ask: Command):
    done = ask("list", "playlists")
    assert done.code == 2
    for said in ("tags, genres, artists, fields", "`melon find"):
        assert said in done.err


def test_list(ask: Command):
    done = ask("list", "tags", "--limit", "3")
    assert done.code == 0
    assert done.out.startswith("Tags (60)\ntag ")
    assert "there are more: --after" in done.err
    page = ask("list", "tags", "--limit", "3", "--json").json()
    assert list(page) == ["total", "next", "tags"]
    following = ask("list", "tags", "--after", page["next"], "--json").json()
    assert len(following["tags"]) == page["total"] - 3
    assert following["next"] is None
    fields = ask("list", "fields", "--prefix", "issue", "--json").json()["fields"]
    assert {field["field"] for field in fields} == {
        "issue_date", "issue_date_precision", "issue_year"
    }  # fmt: skip
    assert fields[0].keys() == {"field", "type", "many", "indexed", "own", "songs"}


def test_a_list_as_csv_is_what_it_is_as_json(ask: Command):
    rows = list(csv.DictReader(io.StringIO(ask("list", "genres", "--csv").out)))
    assert rows
    genres = ask("list", "genres", "--json").json()["genres"]
    assert rows == [{name: str(value) for name, value in genre.items()} for genre in genres]
    assert ask("list", "artists", "--csv", "--prefix", "no such").out == "artist,songs\n"


@on_one_engine
@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("find", " "), "there is nothing to look for"),
        (("find", "a", "--kinds", "song"), "kinds: songs, tags, artists, playlists"),
        (("show", "tag", "rainy dya"), "did you mean rainy day"),
        (("show", "word", "rain"), "kinds: song, tag, playlist, artist"),
        (("list", "tag"), "did you mean tags"),
        (("list", "tags", "--after", "nope"), "the page before"),
        (("list", "tags", "--csv", "--json"), "error: give --csv or --json, not both"),
    ],
)
def test_what_is_wrong_is_said(ask: Command, command: tuple[str, ...], said: str):
    done = ask(*command)
    assert done.code == 2
    assert said in " ".join(done.err.replace("│", " ").split())
    assert done.out == ""


@on_one_engine
def test_json_is_all_there_is_on_stdout(ask: Command):
    for command in (("find", "lu"), ("show", "song", "3"), ("list", "artists")):
        done = ask(*command, "--json")
        assert json.loads(done.out)
