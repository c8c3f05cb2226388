"""Exit code 2 for what the user gave, 1 for what failed around us; one message that helps."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
from command_line import Command, Done, melon, melon_process, melon_without, on_one_engine
from places import Place


def refused(done: Done, code: int, *texts: str) -> None:
    assert done.code == code, done
    assert done.out == ""
    assert "Traceback" not in done.err
    for text in texts:
        assert text in done.err


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["--genre", "Jaz"], ["no genre 'Jaz'", "hint: did you mean Jazz?"]),
        (["--not-genre", "Jaz"], ["no genre 'Jaz'"]),
        (["--all-genres", "Jazz", "--all-genres", "x"], ["no genre 'x'", "hint: genres are"]),
        (["--artist", "nobody at all"], ["no song by 'nobody at all'", "hint:"]),
        (["--playlist", "no such"], ["does not hold playlist no such", "hint:", "`melon find"]),
        (["--song", "no such song"], ["no song named 'no such song'", "hint:"]),
        (["--song", "99999999999"], ["no song named '99999999999'", "hint:"]),
        (["--not-song", "no such song"], ["no song named"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and "--" in value[0] else "",
)
def test_a_query_for_what_the_store_lacks(ask: Command, arguments: list[str], texts: list[str]):
    refused(ask("query", "--title", "rain", *arguments), 2, *texts)


@on_one_engine
@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["--genre", ""], ["genre's name is empty"]),
        (["--not-artist", ""], ["artist's name is empty"]),
        (["--since", "yesterday"], ["'yesterday' is not a date", "hint: write 2015, 2015-03"]),
        (["--since", ""], ["'' is not a date"]),
        (["--since", "2016", "--until", "2015"], ["no day is since 2016-01-01"]),
        (["--min-popularity", "3", "--max-popularity", "2"], ["no popularity"]),
        (["--min-popularity", "-1"], ["'--min-popularity': input should be"]),
        (["--exclude", ""], ["song's name is empty"]),
        (["--playlist", " "], ["a key is empty"]),
        (["--song", ""], ["song's name is empty"]),
        (["--tag", ""], ["a tag is empty"]),
        (["--not-tag", " "], ["a tag is empty"]),
        (["--song", "7", "--not-song", "7"], ["song '7' is wanted and disliked at once", "hint:"]),
        (["--tag", "a b", "--not-tag", "a b"], ["tag 'a b' is wanted and disliked", "hint:"]),
        (["--strategy", "best"], ["no strategy 'best'", "hint: strategies are"]),
        (["--song-weight", "nan"], ["--song-weight"]),
        (["--tag-weight", "inf"], ["--tag-weight"]),
        (["rainy day"], ["extra argument", "(rainy day)", "lists its options"]),
        (["--limit", "ten"], ["--limit", ": input should be a valid integer"]),
        (["-n", "99999999999999999999"], ["-n", "10000"]),
        (["--tag-limit", "10001"], ["--tag-limit", "10000"]),
        (["--limit", "0", "--tag-limit", "0"], ["0 songs and 0 tags"]),
        (["--nonsense"], ["--nonsense"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and "--" in value[0] else "",
)
def test_a_query_that_cannot_be_meant(ask: Command, arguments: list[str], texts: list[str]):
    refused(ask("query", "--title", "rain", *arguments), 2, *texts)


@on_one_engine
@pytest.mark.parametrize("blank", ["", " "])
@pytest.mark.parametrize("command", ["query", "similar"])
def test_a_blank_title_is_not_left_out(ask: Command, command: str, blank: str):
    """The shell does not know the variable: what is popular is no answer to that."""
    refused(ask(command, "--title", blank), 2, "the title is empty")


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        ([], ["no item is given", "hint: give exactly one"]),
        (["--tag", "rain", "--song", "1"], ["2 items are given (song, tag)"]),
        (["--tag", "no such tag"], ["no such tag"]),
        (["--song", "99999"], ["song 99999"]),
        (["--playlist", "99999"], ["playlist '99999'"]),
        (["--playlist", "-1"], ["playlist '-1'"]),
        (["--playlist", "2147483648"], ["playlist '2147483648'"]),
        (["--tag", "rain", "--to", "songs,albums"], ["no 'albums' to", "hint: give songs, tags"]),
        (["--tag", ""], ["a tag is empty"]),
        (["--word", " "], ["the word is empty"]),
        (
            ["--tag", "rain", "--to", ""],
            ["--to: there are no '' to find", "hint: give songs, tags"],
        ),
        (["--tag", "rain", "--limit", "0"], ["--limit"]),
        (["--tag", "rain", "--to", "tags", "--genre", "Jazz"], ["about songs", "only tags"]),
        (
            ["--tag", "rain", "--to", "words,tags", "--since", "1990", "--until", "2009"],
            ["about songs", "only words, tags", "hint: look for songs, too"],
        ),
        (["--tag", "rain", "--limit", "10001"], ["--limit", "10000"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and "--" in value[:1] else "",
)
def test_an_item_that_cannot_be_meant(ask: Command, arguments: list[str], texts: list[str]):
    refused(ask("similar", *arguments), 2, *texts)


@on_one_engine
@pytest.mark.parametrize(
    "option", ["song", "not-song", "tag", "not-tag", "title", "artist", "not-artist", "genre"]
)
def test_a_query_that_is_not_unicode(ask: Command, option: str):
    done = ask("query", "--tag", "rain", f"--{option}", "caf\udce9")
    refused(done, 2, r"'caf\udce9' is not valid Unicode text", "hint: write it in UTF-8")


@on_one_engine
@pytest.mark.parametrize("option", ["song", "tag", "title", "word"])
def test_an_item_that_is_not_unicode(ask: Command, option: str):
    refused(ask("similar", f"--{option}", "\udcff"), 2, r"'\udcff' is not valid Unicode text")


def test_a_release_that_is_not_there(ask: Command):
    refused(ask("query", "--release", "r1"), 2, "no release 'r1'", "hint: `melon releases")
    refused(ask("query", "--release", "\udcff"), 2, r"no release '\udcff'")


@on_one_engine
@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["query", "--strategy", "hybird"], "did you mean hybrid?"),
        (["similar", "--tag", "rian"], "did you mean rain?"),
        (["similar", "--tag", "rain", "--to", "song"], "did you mean songs?"),
        (["train", "DIR", "--preset", "publishd"], "did you mean published?"),
        (["ingest", "--preset", "smal"], "did you mean small?"),
    ],
)
def test_what_is_not_known_is_named_with_what_is_near(
    ask: Command, arguments: list[str], hint: str
):
    command, *rest = arguments
    done = ask(command, *rest) if command in ("query", "similar") else melon(*arguments)
    refused(done, 2, hint)


@on_one_engine
def test_a_release_of_nearly_that_name(ask: Command):
    live = ask("status", "--json").json()["live"]
    refused(ask("query", "--release", live[:-1]), 2, f"did you mean {live}?")


@on_one_engine
def test_a_tag_of_nearly_that_spelling(ask: Command):
    done = ask("query", "--tag", "rian", "--tag", "rain")
    assert "unknown tags: rian (did you mean rain?)" in done.err
    unknown = ask("query", "--tag", "rian", "--tag", "ΩΩΩΩ", "--json").json()["unknown"]
    assert unknown["tags"] == ["rian", "ΩΩΩΩ"]
    assert unknown["near"]["tags"].keys() == {"rian"}
    assert "rain" in unknown["near"]["tags"]["rian"]


@on_one_engine
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["query", "--tag", "rian"], 3),
        (["query", "--tag", "rian", "--json"], 3),
        (["query", "--tag", "rian", "--tag", "rain"], 0),
        (["query", "--title", "ΩΩΩΩ"], 3),
        (["query", "--song", "no such song"], 3),
        (["query", "--playlist", "999999"], 3),
        (["query", "--song", "999999"], 3),
        (["query"], 0),
        (["query", "--strategy", "nosuch"], 2),
        (["similar", "--tag", "rian"], 3),
        (["similar", "--tag", "rain"], 0),
    ],
)
def test_a_strict_query_of_which_nothing_is_known_ends_with_a_code_of_its_own(
    ask: Command, arguments: list[str], code: int
):
    done = ask(*arguments, "--strict")
    assert done.code == code, done.err
    assert ask(*arguments).code != 3


def test_a_store_without_a_release(nowhere: Path):
    Path("empty/releases").mkdir(parents=True)
    refused(
        melon("query", "--path", "empty"), 1, "empty: it holds no live release", "hint: run `melon"
    )


@pytest.mark.parametrize("command", ["query", "status"])
def test_a_live_release_that_somebody_removed(nowhere: Path, command: str):
    Path("store/releases").mkdir(parents=True)
    Path("store/live").write_text("r1")
    said = "store: its live release 'r1' is not there any more"
    refused(melon(command, "--path", "store"), 1, said, "hint: promote another one")


def test_a_file_that_is_no_store(nowhere: Path):
    Path("file").write_text("no store")
    for path in ("file", "file/store"):
        done = melon("query", "--path", path)
        refused(done, 2, "error: file is a file\n", "hint: name the directory of a store")


@pytest.mark.parametrize("release", [[], ["--release", "r1"]])
@pytest.mark.parametrize("directory", ["corpus", "nothing"])
def test_a_directory_that_is_no_store_is_not_taken_for_an_empty_one(
    nowhere: Path, directory: str, release: list[str]
):
    Path("corpus").mkdir()
    Path("corpus/train.json").write_text("[]")
    done = melon("query", "--title", "rain", "--path", directory, *release)
    place = Path(directory).absolute()
    said = f"there is no store in {place}\n"
    refused(done, 1, f"store: embedded store {place} (not there yet)\n", said, "with --path")
    assert sorted(path.name for path in nowhere.rglob("*")) == ["corpus", "train.json"]


@pytest.mark.parametrize("command", ["promote", "drop"])
@pytest.mark.parametrize("directory", ["corpus", "nothing"])
def test_a_directory_that_is_no_store_does_not_become_one(
    nowhere: Path, directory: str, command: str
):
    Path("corpus").mkdir()
    done = melon("releases", command, "r1", "--path", directory)
    refused(done, 1, f"there is no store in {Path(directory).absolute()}\n", "with --path")
    assert [path.name for path in nowhere.rglob("*")] == ["corpus"]


def test_a_server_that_does_not_answer():
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = melon("query", "--url", url, environment={"MELON_QDRANT_URL": "http://other:1"})
        refused(done, 1, url, "hint: start the server that --url names", "docker compose up qdrant")
        assert "MELON_QDRANT_URL" not in done.err
        done = melon("query", environment={"MELON_QDRANT_URL": url})
        refused(done, 1, url, "hint: start the server that MELON_QDRANT_URL names")
        assert "--url" not in done.err


def test_a_store_is_one_place():
    refused(melon("query", "--url", "http://localhost:1", "--path", "x"), 2, "not both")
    refused(melon("query", "--url", "localhost"), 2, "'localhost' is not the URL", "hint:")


@pytest.mark.parametrize(
    "arguments",
    [
        ["query", "--release", "", "--path", "x"],
        ["query", "--strategy", "", "--path", "x"],
        ["query", "--settings", "", "--path", "x"],
        ["status", "--path", ""],
        ["status", "--url", ""],
        ["ingest", ""],
        ["ingest", "space", "--path", ""],
        ["train", ""],
        ["train", ".", "--out", ""],
        ["split", "", "--out", "x"],
        ["split", ".", "--out", ""],
        ["recommend", ""],
        ["recommend", "q.json", "--out", ""],
        ["score", "", "a.json"],
        ["score", "r.json", ""],
        ["score", "r.json", "a.json", "--questions", ""],
        ["evaluate", "", "a.json"],
        ["evaluate", "q.json", ""],
        ["evaluate", "q.json", "a.json", "--settings", ""],
        ["demo", "--out", ""],
    ],
    ids=" ".join,
)
def test_an_empty_value_is_not_a_default(nowhere: Path, arguments: list[str]):
    """Such as that of a variable which the shell does not know."""
    refused(melon(*arguments), 2, "it is empty")
    assert list(nowhere.iterdir()) == []


def test_a_setting_that_cannot_be_used():
    done = melon("status", "--path", "x", environment={"MELON_SHARD_NUMBER": "none"})
    refused(done, 2, "environment variable MELON_SHARD_NUMBER: input should be a valid integer")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("{", "malformed JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "settings.json: it is not an object"),
        ('{"x": 1}', "settings.json, x: extra inputs are not permitted"),
    ],
    ids=["cut short", "nested", "no object", "unknown"],
)
def test_retrieval_settings_that_cannot_be_used(content: str, text: str):
    Path("settings.json").write_text(content)
    done = melon("query", "--settings", "settings.json", "--path", "x")
    refused(done, 2, "settings.json", text)


def test_a_secret_is_never_shown():
    done = melon(
        "status",
        "--url",
        "http://127.0.0.1:1",
        environment={"MELON_QDRANT_API_KEY": "s3cret", "MELON_QDRANT_TIMEOUT": "0"},
    )
    refused(done, 2, "MELON_QDRANT_TIMEOUT")
    assert "s3cret" not in done.err


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (None, ["corpus", "train.json"]),
        ("[{", ["train.json", "byte 2"]),
        ("[]", ["it holds no records", "hint:"]),
        ('[{"id": 1, "songs": [1], "tags": []}, {"id": "x"}]', []),
    ],
    ids=["no file", "cut short", "empty", "a bad record"],
)
def test_a_corpus_that_cannot_be_read(nowhere: Path, content: str | None, texts: list[str]):
    Path("corpus").mkdir()
    if content is not None:
        Path("corpus/train.json").write_text(content)
    done = melon("train", "corpus", "--strict")
    refused(done, 2, *texts)
    assert not Path(".melon").exists()


@pytest.mark.parametrize(("command", "out"), [("train", "space"), ("split", "held-out")])
def test_what_was_skipped_is_said_before_the_error(nowhere: Path, command: str, out: str):
    playlists = [{"id": number, "tracks": [1, 2], "tags": ["a"]} for number in range(50)]
    Path("tracks.json").write_text(json.dumps(playlists))
    said = "skipped 50 playlists: missing field", "record 1 (byte 1), field 'songs'"
    for more, error in (
        ([], "none of its records can be used; 50 records have `tracks`, none has `plylst_title`"),
        (["--lenient"], "there are no playlists" if command == "split" else "no playlists to"),
        (["--strict"], "missing field: the record has no 'songs'"),
        (["--strict", "--lenient"], "error: --strict stops at the first bad record"),
    ):
        done = melon(command, "tracks.json", "--out", out, *more)
        refused(done, 2, error, *(() if "--strict" in more else said))
        assert "--strict" in more or done.err.index("skipped") < done.err.index("error: ")
        assert not Path(out).exists()


def test_a_space_that_is_not_there(place: Place):
    done = melon("ingest", "nothing here", *place.options, environment=place.environment)
    refused(done, 2, "nothing here", "hint: train one with `melon train`")


def test_train_says_what_it_does_not_know(demo_corpus: tuple[Path, object]):
    corpus = str(demo_corpus[0])
    refused(melon("train", corpus, "--preset", "best"), 2, "'best'", "hint: the presets are")
    refused(melon("train", corpus, "--dim", "0"), 2, "dim")
    refused(melon("train", corpus, "--workers", "x"), 2, "--workers")


def test_a_file_in_the_way_is_no_traceback(demo_corpus: tuple[Path, object], nowhere: Path):
    """What the operating system refuses is a message too."""
    Path("file").write_text("")
    done = melon("train", str(demo_corpus[0]), "--dim", "2", "--epochs", "1", "-o", "file/space")
    refused(done, 1, "file/space: cannot be written: not a directory")


def unwanted(*_: object, **__: object) -> None:
    raise AssertionError("began to work")


@pytest.mark.parametrize(
    ("out", "code", "reason"),
    [
        ("mine", 2, "is not a space: it is left alone"),
        ("mine/note", 2, "is not a space: it is left alone"),
        ("mine/note/space", 1, "cannot be written: not a directory"),
        ("/proc/space", 1, "/proc/space: cannot be written: no such file or directory"),
    ],
)
def test_train_knows_before_it_reads_that_it_cannot_write(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, out: str, code: int, reason: str
):
    Path("mine").mkdir()
    Path("mine/note").write_text("mine")
    Path("train.json").write_text("[]")
    monkeypatch.setattr("melon.catalog.find_corpus", unwanted)
    refused(melon("train", "train.json", "--out", out), code, reason)
    assert sorted(path.name for path in nowhere.rglob("*")) == ["mine", "note", "train.json"]


@pytest.mark.parametrize(
    ("out", "reason"),
    [
        ("made.json", "made.json: cannot be written: is a directory"),
        ("mine/note/x.json", "mine/note/x.json: cannot be written: not a directory"),
        ("/proc/x.json", "/proc/x.json: cannot be written: no such file or directory"),
        ("fifo.json", "fifo.json: cannot be written: is not a regular file"),
    ],
)
def test_results_that_could_not_be_written_are_not_worked_out(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, out: str, reason: str
):
    Path("mine").mkdir()
    Path("mine/note").write_text("mine")
    Path("made.json").mkdir()
    os.mkfifo("fifo.json")
    monkeypatch.setattr("melon.evaluation.read_questions", unwanted)
    refused(melon("recommend", "q.json", "--out", out), 1, reason)
    assert sorted(path.name for path in nowhere.rglob("*")) == [
        "fifo.json",
        "made.json",
        "mine",
        "note",
    ]


@pytest.mark.parametrize(
    ("arguments", "known"),
    [
        (["recommend", "q.json", "--strategy", "magic"], ", popular\n"),
        (["evaluate", "q.json", "a.json", "--strategy", "magic"], ", popular, all\n"),
        (["evaluate", "q.json", "a.json", "--strategy", "all", "--strategy", "magic"], "all\n"),
    ],
)
def test_a_strategy_that_is_not_there_is_noticed_first(arguments: list[str], known: str):
    done = melon(*arguments, "--path", "store")
    refused(done, 2, "error: there is no strategy 'magic'", "hint: strategies are ", known)


def test_answers_to_other_questions_are_noticed_before_the_store_is_opened(nowhere: Path):
    for name, id in (("q.json", 1), ("a.json", 2)):
        playlist = {"id": id, "plylst_title": "rain", "songs": [1], "tags": ["a"]}
        Path(name).write_text(json.dumps([playlist]))
    done = melon("evaluate", "q.json", "a.json", "--path", "store")
    refused(done, 2, "the questions lack playlists of the answers: 1, such as 2")
    assert "store:" not in done.err


def test_a_process_ends_with_the_code_and_keeps_the_streams_apart(demo_place: Place):
    def run(*arguments: str) -> Done:
        return melon_process(*arguments, *demo_place.options, environment=demo_place.environment)

    refused(run("query", "--genre", "Jaz"), 2, "error: there is no genre 'Jaz'")
    refused(run("query", "--release", "r1"), 2, "error: ")
    found = run("query", "--title", "rainy day", "--json")
    assert found.json()["songs"]
    assert found.err.startswith("store: ")
    assert len(found.err.splitlines()) == 1
    usage = melon_process()
    assert usage.code == 2


@on_one_engine
def test_output_that_cannot_be_written_is_an_error(demo_place: Place):
    with Path("/dev/full").open("w") as full:
        done = melon_process(
            "status", *demo_place.options, environment=demo_place.environment, stdout=full
        )
    refused(done, 1, "error: ", "No space left")


FAILS_LATE = """
from melon import cli
from melon.errors import InputError

def command_line(names):
    def app(**_):
        print("so far")
        raise InputError("no further")
    return app

cli.command_line = command_line
cli.main()
"""


def fails_late(stdout: int | IO[str]) -> subprocess.CompletedProcess[str]:
    buffered = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-c", FAILS_LATE]
    return subprocess.run(
        command, env=buffered, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=120
    )


def test_what_was_printed_before_an_error_arrives():
    done = fails_late(subprocess.PIPE)
    assert (done.returncode, done.stdout, done.stderr) == (2, "so far\n", "error: no further\n")


def test_an_error_keeps_its_exit_code_where_output_cannot_be_written():
    with Path("/dev/full").open("w") as full:
        done = fails_late(full)
    assert (done.returncode, done.stderr) == (2, "error: no further\n")


@on_one_engine
@pytest.mark.parametrize(
    "arguments", [["releases"], ["status", "--json"], ["query", "--title", "rain"]]
)
def test_results_for_a_closed_stdout_are_an_error(demo_place: Place, arguments: list[str]):
    done = melon_without(1, *arguments, *demo_place.options, environment=demo_place.environment)
    refused(done, 1, "error: stdout is closed")


@on_one_engine
def test_without_stderr_only_results_are_printed(demo_place: Place):
    done = melon_without(
        2, "status", "--json", *demo_place.options, environment=demo_place.environment
    )
    assert done.json()["live"]


def test_a_command_without_results_needs_no_stdout(nowhere: Path):
    done = melon_without(1, "releases", "--path", "empty", environment={})
    assert (done.code, done.out) == (0, "")
    assert "there are no releases" in done.err


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        ("recommend asked.json --out asked.json", "asked.json"),
        ("recommend asked.json --out link.json", "asked.json"),
        ("recommend asked.json --settings mine.json --out mine.json", "mine.json"),
        ("evaluate asked.json hidden.json --out ./hidden.json", "hidden.json"),
        ("split link.json --out corpus", "link.json"),
        ("train space/train.json --out space", "space/train.json"),
        ("train space/train.json --out link.space", "space/train.json"),
    ],
)
def test_what_a_command_reads_it_does_not_replace(nowhere: Path, arguments: str, read: str):
    for name in ("asked.json", "hidden.json", "mine.json", "space/train.json"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("[]")
    Path("space/manifest.json").write_text('{"format": "melon-space"}')
    Path("corpus").mkdir()
    Path("link.json").symlink_to("corpus/train.json" if "split" in arguments else "asked.json")
    Path("corpus/train.json").write_text("[]")
    Path("link.space").symlink_to("space")
    before = {path: path.read_bytes() for path in nowhere.rglob("*.json*")}
    refused(
        melon(*arguments.split()), 2, f"error: {read}: this file is read, and would be replaced"
    )
    assert {path: path.read_bytes() for path in nowhere.rglob("*.json*")} == before
