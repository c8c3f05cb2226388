"""What the commands print: documented JSON for programs, tables that fit for people."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command_line import Command, Done, melon, on, on_one_engine
from hypothesis import given
from hypothesis import strategies as st
from places import Place, ServerPlace, rewrite_manifest
from qdrant_client import models
from rich.cells import cell_len

from melon.commands.console import note, note_error, print_table
from melon.commands.options import left_open
from melon.commands.render import percents, render, render_points, render_reasons
from melon.embedding import EmbeddingSpace
from melon.errors import InputError, sized
from melon.ingest import ingest
from melon.ranking import Ranking, Trial
from melon.retrieval import Because, PlaylistQuery, Recommendation, Retriever, Song, Tag
from melon.store import Collection

JSON_DOCS = Path(__file__).resolve().parents[2] / "docs" / "json.md"


def documented(command: str) -> Any:
    """The JSON that docs/json.md shows for a command."""
    found = re.search(rf"^`{command}`\n\n```json\n(.*?)```", JSON_DOCS.read_text(), re.M | re.S)
    assert found, command
    return json.loads(found[1])


def same_shape(shown: Any, actual: Any, at: str = "") -> None:
    """Keys are the documented ones, and values are of the documented types, or unknown."""
    if isinstance(shown, dict) and actual is not None:
        assert list(actual) == list(shown), at
        for key, value in shown.items():
            same_shape(value, actual[key], f"{at}.{key}")
    elif isinstance(shown, list):
        assert isinstance(actual, list), at
        for value in actual if shown else ():
            same_shape(shown[0], value, f"{at}[]")
    elif shown is not None and actual is not None:
        assert type(actual) is type(shown), at


@pytest.mark.parametrize("title", ["rainy day", "nothing known zzzq"])
def test_query(ask: Command, title: str):
    found = ask("query", "--title", title, "-n", "400", "--json").json()
    same_shape(documented("melon query"), found)
    assert found["fallback"] in (None, "popularity")
    assert found["songs"]
    assert found["tags"]


def test_a_playlist_with_more_songs_and_another_title(ask: Command, demo_space: EmbeddingSpace):
    rows = demo_space.playlists.select(["id", "songs", "tags", "title"]).to_pylist()
    row = next(row for row in rows if row["songs"] and row["tags"] and row["title"])
    more = next(song for song in demo_space.song_ids.tolist() if song not in row["songs"])
    given = [f"--song={song}" for song in (*row["songs"], more)]
    given += [f"--tag={tag}" for tag in row["tags"]]
    asked = ["query", "--json", "--strategy", "mean", "--title", "rainy day"]  # no neighbours
    found = ask(*asked, "--playlist", str(row["id"]), "--song", str(more)).json()
    by_hand = ask(*asked, *given).json()
    assert found["songs"] == by_hand["songs"]
    assert not {song["id"] for song in found["songs"]} & {*row["songs"], more}


def test_similar(ask: Command):
    found = ask("similar", "--tag", "rain", "--to", "songs,tags,playlists,words", "--json").json()
    shown = documented("melon similar")
    assert list(found) == list(shown)
    for kind, [example] in shown.items():
        for near in found[kind]:
            unknown = {"title", "tags"} - near.keys() if kind == "playlists" else set()
            same_shape({k: v for k, v in example.items() if k not in unknown}, near, kind)


def test_releases_and_status(ask: Command, demo_space: EmbeddingSpace):
    releases = ask("releases", "--json").json()
    same_shape(documented("melon releases"), releases)
    status = ask("status", "--json").json()
    same_shape(documented("melon status"), status)
    assert status["live"] == releases[0]["release"]
    assert status["counts"] == releases[0]["counts"]
    for kind in ("songs", "tags", "playlists"):
        assert status["counts"][kind] == demo_space.counts[kind]
    assert status["space"] == releases[0]["space"] == demo_space.hash


def trial(strategy: str, score: float, difference: float, error: float) -> Trial:
    return Trial(
        strategy=strategy,
        song_ndcg=score,
        tag_ndcg=score,
        score=score,
        difference=difference,
        standard_error=error,
    )


RANKINGS = [
    (None, "hybrid: nothing was learned in training of what suits this catalogue"),
    (
        Ranking(strategy="vote", questions=0),
        "vote: playlists were too few, too short or too unlike to learn what suits this catalogue",
    ),
    (
        Ranking(
            strategy="vote",
            questions=124,
            trials=(
                trial("vote", 0.473, 0, 0),
                trial("mean", 0.294, -0.179, 0.02),
                trial("hybrid", 0.2, -0.273, 0.03),
            ),
        ),
        "vote: 0.473 beside 0.294 of mean on 124 questions (+0.179 ± 0.020)",
    ),
    (
        Ranking(
            strategy="hybrid",
            questions=60,
            trials=(trial("hybrid", 1, 0, 0), trial("mean", 1, 0, 0)),
        ),
        "hybrid: 1.000 beside 1.000 of mean on 60 questions (+0.000 ± 0.000)",
    ),
]


def test_status_says_which_strategy_answers_and_what_it_is_worth(
    place: Place, demo_space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
):
    with place.open() as store:
        release = ingest(demo_space, store).manifest.release
    ask = on(place)
    for ranking, said in RANKINGS:
        rewrite_manifest(place, release, ranking=ranking and ranking.model_dump(mode="json"))
        own = said.split(":")[0]
        assert re.search(rf"^answers by +{re.escape(said)}$", ask("status").out, re.M)
        status = ask("status", "--json").json()
        same_shape(documented("melon status"), status)
        assert status["strategy"] == own
        assert ask("query", "--tag", "rain", "--json").json()["strategy"] == own
        assert (status["ranking"] is None) == (ranking is None)
        with monkeypatch.context() as environment:
            environment.setenv("MELON_STRATEGY", "mean")
            assert f"mean, by MELON_STRATEGY in place of {said}" in ask("status").out
            assert ask("status", "--json").json()["strategy"] == "mean"
            assert ask("query", "--tag", "rain", "--json").json()["strategy"] == "mean"


NOT_LEARNED = [
    (None, "no ranking was learned from its playlists", "train its space again"),
    (
        RANKINGS[2][0],
        "is not surely better than vote, and was not kept",
        "ask for another strategy",
    ),
]


@pytest.mark.parametrize(("ranking", "what", "hint"), NOT_LEARNED)
def test_a_strategy_that_cannot_answer_is_told(
    place: Place,
    demo_space: EmbeddingSpace,
    monkeypatch: pytest.MonkeyPatch,
    ranking: Ranking | None,
    what: str,
    hint: str,
):
    with place.open() as store:
        ingest(replace(demo_space, ranking=ranking), store)
    ask = on(place)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("MELON_STRATEGY", "learned")
    for asked, code in (("status", 0), ("doctor", 1), ("query --tag rain", 2)):
        done = ask(*asked.split())
        assert done.code == code
        said = " ".join((done.out + done.err).split())
        assert what in said
        assert hint in said
    monkeypatch.delenv("MELON_STRATEGY")
    assert "cannot answer" not in ask("status").err


def test_an_alias_that_is_missing_is_named(server_place: ServerPlace, demo_space: EmbeddingSpace):
    with server_place.open() as store, server_place.client() as client:
        ingest(demo_space, store)
        alias = f"{server_place.prefix}_tags"
        gone = models.DeleteAlias(alias_name=alias)
        client.update_collection_aliases([models.DeleteAliasOperation(delete_alias=gone)])
    ask = on(server_place)
    for command in ("status", "releases"):
        assert f"{alias} is missing\n" in ask(command).err
    assert ask("status", "--json").json()["aliases_astray"] == {alias: None}
    demo_space.save(Path("space"))
    assert "live again" in ask("ingest", "space").err
    assert "aliases" not in ask("status").err


def test_status_of_an_empty_store(nowhere: Path):
    done = melon("status", "--path", "empty", "--json")
    location = f"embedded store {Path('empty').absolute()}"
    assert done.err == f"store: {location} (not there yet)\n"
    status = done.json()
    assert status["live"] is None
    assert status["counts"] == {}
    assert list(nowhere.iterdir()) == []
    Path("empty/releases").mkdir(parents=True)
    assert melon("status", "--path", "empty").err == f"store: {location}\n"


@on_one_engine
def test_json_is_readable(ask: Command):
    """Korean stays Korean."""
    out = ask("query", "--tag", "rain", "--json").out
    assert "\\u" not in out
    assert re.search("[가-힣]", out)


@on_one_engine
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_the_encoding_lacks_is_replaced(demo_place: Place, encoding: str):
    """In tables; JSON is all there, with escapes."""

    def run(*arguments: str, encoding: str) -> Done:
        options, environment = demo_place.options, demo_place.environment
        return melon("query", *arguments, *options, environment=environment, encoding=encoding)

    table = run("--tag", "rain", encoding=encoding)
    assert table.code == 0, table.err
    assert "??" in table.out
    found, expected = (
        run("--tag", "rain", "--json", encoding=each).json() for each in (encoding, "utf-8")
    )
    assert found == expected
    assert re.search("[가-힣]", str(found))


@on_one_engine
@pytest.mark.parametrize("columns", [60, 80, 140])
@pytest.mark.parametrize(
    "arguments",
    [
        ["query", "--title", "rainy day"],
        ["query"],
        ["similar", "--tag", "rain", "--to", "songs,tags,playlists,words"],
        ["releases"],
        ["status"],
    ],
    ids=" ".join,
)
def test_tables_fit_the_terminal(
    demo_place: Place, monkeypatch: pytest.MonkeyPatch, columns: int, arguments: list[str]
):
    """No row is broken in two; Hangul takes two columns a letter."""
    environment = {**demo_place.environment, "COLUMNS": str(columns)}
    done = melon(*arguments, *demo_place.options, environment=environment)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert max(map(cell_len, lines)) <= columns
    if arguments[0] == "query":
        rows = done.out.split("Songs")[1].split("Tags")[0].strip().splitlines()[1:]
        assert len(rows) == 20
        assert all(re.match(r" *\d+  .* \d", row) for row in rows)


@on_one_engine
@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (60, ["id", "title", "artists", "genre", "date", "score"]),
        (59, ["id", "title", "artists", "genre", "score"]),
        (50, ["id", "title", "artists", "genre", "score"]),
        (49, ["id", "title", "artists", "score"]),
        (30, ["id", "title", "artists", "score"]),
    ],
)
def test_where_there_is_little_room_the_title_has_it(
    demo_place: Place, columns: int, shown: list[str]
):
    environment = {**demo_place.environment, "COLUMNS": str(columns)}
    done = melon("query", "--title", "rainy day", *demo_place.options, environment=environment)
    header, *rows = done.out.split("Songs")[1].split("Tags")[0].strip().splitlines()
    assert header.split() == shown
    assert len(rows) == 20
    assert max(map(cell_len, done.out.splitlines())) <= columns


@on_one_engine
@pytest.mark.parametrize("columns", ["0", "", "wide"])
def test_a_width_that_is_none_is_not_known(ask: Command, demo_place: Place, columns: str):
    arguments = ["query", "--title", "rainy day", *demo_place.options]
    done = melon(*arguments, environment={**demo_place.environment, "COLUMNS": columns})
    assert done.out == ask("query", "--title", "rainy day").out


def test_one_long_name_does_not_widen_the_others(capsys: pytest.CaptureFixture[str]):
    print_table("Songs", ["title", "score>"], [("x" * 5000, 1), ("short", 2)])
    _, header, long, short, _ = capsys.readouterr().out.split("\n", 4)
    assert long.startswith("x" * 5000)
    assert max(len(header), len(short)) < 120


def test_a_query_table_shows_what_the_json_says(ask: Command):
    arguments = ["query", "--title", "rainy day", "-n", "7", "--tag-limit", "4"]
    table, found = ask(*arguments).out, ask(*arguments, "--json").json()
    songs = table.split("Songs")[1].split("Tags")[0].strip().splitlines()
    assert songs[0].split() == ["id", "title", "artists", "genre", "date", "score"]
    for row, song in zip(songs[1:], found["songs"], strict=True):
        assert row.split()[0] == str(song["id"])
        assert row.endswith(f"{song['score']:.3f}")
        for value in (song["name"], *song["artists"], *song["genres"], song["issue_date"]):
            assert (value or "") in row
    tags = table.split("Tags")[1].strip().splitlines()[1:]
    assert [row.rsplit(maxsplit=1)[0] for row in tags] == [tag["tag"] for tag in found["tags"]]


def test_what_is_popular_says_so_and_counts_playlists(ask: Command):
    done = ask("query", "-n", "3", "--tag-limit", "0")
    assert "the most popular songs" in done.err
    header, first, *_ = done.out.split("Songs")[1].strip().splitlines()
    assert header.endswith("playlists")
    assert re.search(r" \d+$", first)


def test_reasons_are_shown_where_there_are_any(ask: Command):
    arguments = ("query", "--title", "rainy day", "-n", "3", "--tag-limit", "2")
    found = ask(*arguments, "--json").json()
    rows = ask(*arguments, "--explain").out.split("Because")[1].strip().splitlines()[1:]
    names = [*(song["name"] for song in found["songs"]), *(tag["tag"] for tag in found["tags"])]
    for name, row in zip(names, rows, strict=True):
        assert row.startswith(name)
        assert re.search(r" \d+ %", row)
        assert re.search("  (word|bigram|tag) ", row)
    popular = ask("query", "-n", "3", "--explain")
    assert popular.code == 0
    assert popular.out == ask("query", "-n", "3").out


def test_reasons_add_up_whatever_pulls(capsys: pytest.CaptureFixture[str]):
    """Percents are of all that raises a score; what lowers it, or hardly counts, is said apart."""
    because = (
        Because("tag", "rain", 0.9, None),
        Because("tag", "metal", -0.5, None),
        Because("song", 7, 0.1, None),
        Because("word", "day", 0.001, None),
    )
    playlists = (Because("playlist", 85, 0.3, None), Because("playlist", 86, 0.2, "mine"))
    song = Song(id=1, score=0.501, name="Dawn", because=because, playlists=playlists)
    answer = Recommendation("here", "r1", "hybrid", fallback=None, songs=(song,), tags=())
    render_reasons(answer, {("song", 7): "Dusk"})
    header, row, *_ = capsys.readouterr().out.split("Because")[1].strip().splitlines()
    assert re.split("  +", header) == ["result", "seeds", "playlists", "held back by"]
    assert re.split("  +", row) == [
        "Dawn",
        "tag rain 90 %, song Dusk 10 %",
        "playlist 85 60 %, playlist mine 40 %",
        "tag metal 50 %",
    ]


@given(st.lists(st.floats(-1, 1).filter(lambda x: abs(x) > 1e-9), min_size=1, max_size=40))
def test_percents_that_raise_a_score_add_up(shares: list[float]):
    parts = [Because("song", n, s) for n, s in enumerate(sorted(shares, key=abs, reverse=True))]
    said = {
        against: [int(n) for n in re.findall(r" (\d+) %", render_percents(parts, against))]
        for against in (False, True)
    }
    raised = sum(share for share in shares if share > 0)
    assert sum(said[False]) == (100 if raised > 0 else 0)
    assert 0 not in said[False] + said[True]
    if raised > 0:
        held = -100 * sum(share for share in shares if share < 0) / raised
        assert abs(sum(said[True]) - held) <= 0.5 + 1e-6 * held


def render_percents(parts: list[Because], against: bool) -> str:
    return percents(parts, lambda part: f"song {part.ref}", against=against)


def test_a_list_of_what_is_popular_is_marked(capsys: pytest.CaptureFixture[str]):
    """Beside one that the query leads to: by a note, and by playlists in place of scores."""
    answer = Recommendation(
        store="here",
        release="r1",
        strategy="hybrid",
        fallback=None,
        songs=(Song(id=1, score=0.5),),
        tags=(Tag("rain", 8),),
        popular=("tags",),
    )
    render(answer, wanted=1)
    printed = capsys.readouterr()
    assert printed.err == "nothing to go by for tags: the most popular ones instead\n"
    songs, tags = printed.out.split("Tags")
    assert "score" in songs
    assert [line.split() for line in tags.split("\n") if line] == [
        ["tag", "playlists"], ["rain", "8"]
    ]  # fmt: skip


def test_where_nothing_is_near_it_is_said(capsys: pytest.CaptureFixture[str]):
    render_points(Collection.TAGS, [])
    assert capsys.readouterr() == ("", "no tags are near it\n")


@pytest.mark.parametrize(
    ("size", "said"),
    [(1, "1 kB"), (5481, "6 kB"), (99_999, "100 kB"), (10**5, "0.1 MB"), (10**9, "1,000.0 MB")],
)
def test_sizes_of_small_files_are_not_nothing(size: int, said: str):
    assert sized(size) == said


@pytest.mark.parametrize("fallback", [None, "popularity"])
@pytest.mark.parametrize("unknown", [["songs"], ["tags"], ["songs", "tags"]])
def test_what_is_not_there_is_not_said_to_be_popular(
    capsys: pytest.CaptureFixture[str], fallback: Any, unknown: list[str]
):
    """No song passes, or the store has no tags."""
    answer = Recommendation("here", "r1", "hybrid", fallback, (), (), popular=tuple(unknown))
    render(answer, wanted=1)
    assert (
        capsys.readouterr().err == "no songs: there are no others, or none passes the constraints\n"
    )
    render(replace(answer, songs=(Song(id=1, score=3),)), wanted=1)
    said = capsys.readouterr().err
    assert "tags" not in said
    assert ("the most popular" in said) is ("songs" in unknown)


@pytest.mark.parametrize("option", ["--tag", "--not-tag", "--title"])
def test_a_text_of_which_nothing_can_be_seen_is_refused(ask: Command, option: str):
    done = ask("query", option, "\u200b\ufeff")
    assert done.code == 2
    assert "is empty" in done.err


def test_what_is_unknown_goes_to_stderr(ask: Command):
    done = ask("query", "--song", "99999", "--tag", "no such tag", "--title", "rain zzzq")
    for text in ("unknown songs: 99999", "unknown tags: no such tag", "zzzq"):
        assert text in done.err
        assert text not in done.out


@pytest.mark.parametrize("excluded", ["no such song", "-1", "99999", "2147483648"])
def test_excluded_songs_may_be_unknown(ask: Command, excluded: str):
    """They are told as `Constraints.exclude_songs` tells them: a history may hold such."""
    done = ask("query", "--title", "rain", "--exclude", excluded, "--limit", "1")
    assert done.code == 0
    if excluded != "99999":  # which may be an id
        assert f"unknown songs: {excluded}" in done.err


@on_one_engine
def test_control_characters_do_not_reach_the_terminal(
    ask: Command, capsys: pytest.CaptureFixture[str]
):
    """Neither an escape sequence nor a line of its own, in tables, notes and errors."""
    name = "\x1b[31mred\nnl\x9b\u2028x"
    print_table("Songs", ["title"], [[name]])
    *_, row, _ = capsys.readouterr().out.splitlines()
    assert row.strip() == "�[31mred nl� x"
    note(name)
    assert capsys.readouterr().err == "�[31mred nl� x\n"
    note_error(InputError("no \x1b[31mred", hint="say \x9b"))
    assert capsys.readouterr().err == "error: no �[31mred\n  hint: say �\n"

    done = ask("query", "--tag", "no\x1b[31m\nsuch", "--title", "rain")
    assert "unknown tags: no�[31m such\n" in done.err
    assert ask("query", "--tag", "no\x1b", "--json").json()["unknown"]["tags"] == ["no\x1b"]


def test_no_song_passes(ask: Command):
    done = ask("query", "--title", "rain", "--since", "2100")
    assert done.code == 0
    assert "no songs: there are no others, or none passes the constraints" in done.err
    assert "Songs" not in done.out
    assert "Tags" in done.out
    done = ask("similar", "--tag", "rain", "--to", "songs", "--since", "2090")
    assert (done.code, done.out) == (0, "")
    assert "no songs: there are no others, or none passes the constraints" in done.err


def test_what_is_asked_stays_open_until_the_process_ends(ask: Command):
    ask("status", "--json").json()
    ask("query", "--title", "rainy day", "--json").json()
    [retriever] = left_open
    assert isinstance(retriever, Retriever)
    assert retriever.recommend(PlaylistQuery(title="rainy day")).songs


class TestKeys:
    """Where songs and playlists have keys, people name them by these and read these."""

    def test_tables_show_keys(self, keyed_place: Place):
        ask = on(keyed_place)
        named = ["--song", "demo:song:1", "--exclude", "demo:song:5"]
        songs = ask("query", *named)
        assert songs.code == 0, songs.err
        assert "demo:song:" in songs.out
        playlists = ask("similar", "--song", "demo:song:1", "--to", "playlists").out
        assert "demo:list:" in playlists
        playlist = ask("similar", "--song", "demo:song:1", "--to", "playlists", "--json").json()
        name = next(near["key"] for near in playlist["playlists"] if "key" in near)
        assert ask("query", "--playlist", name, "--json").json()["songs"]
        assert ask("similar", "--playlist", name).code == 0

    def test_json_has_keys_and_own_fields(self, keyed_place: Place):
        ask = on(keyed_place)
        answer = ask("query", "--song", "demo:song:1", "--exclude", "demo:song:5", "--json").json()
        assert "demo:song:5" not in [song["key"] for song in answer["songs"]]
        assert any("demo:song:" in (song["key"] or "") for song in answer["songs"])
        where = ["--where", "bpm >= 120", "--where", "language in (ko, en)"]
        for command in (["query", "--song", "demo:song:1"], ["similar", "--song", "demo:song:1"]):
            songs = ask(*command, *where, "--json").json()["songs"]
            assert songs
            assert all(song["bpm"] >= 120 for song in songs)
            assert {song["language"] for song in songs} <= {"ko", "en"}

    @pytest.mark.parametrize(
        ("condition", "said"),
        [
            ("bmp >= 120", ["'bmp'", "did you mean bpm?", "bpm (float)"]),
            ("bpm >= fast", ["'fast' is not a number", "bpm is of type float", "bpm (float)"]),
            ("language = ''", ["language is empty", "language (keyword)"]),
            ("language = kor", ["did you mean ko?"]),
            ("bpm", ["'bpm' is not a condition", "bpm >= 120"]),
        ],
    )
    def test_a_condition_that_means_nothing_ends_with_2(
        self, keyed_place: Place, condition: str, said: list[str]
    ):
        for command in (["query", "--tag", "rain"], ["similar", "--tag", "rain"]):
            done = on(keyed_place)(*command, "--where", condition)
            assert done.code == 2
            assert all(text in " ".join(done.err.split()) for text in said), done.err
