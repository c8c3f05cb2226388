"""From playlists to a scorecard by the commands alone, on a corpus whose structure is known."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from command_line import melon_process
from evaluation_samples import playlist, record, result, write_json
from places import Place
from rich.cells import cell_len

from melon import cli
from melon.commands.scorecards import note_best
from melon.demo import DemoTruth
from melon.errors import UnwritableFile
from melon.evaluation import KINDS, Quality, Scorecard, compared, kind_of
from melon.ranking import LEARNED
from melon.retrieval import DEFAULT_STRATEGY, STRATEGIES

PLAIN = sorted({*STRATEGIES} - {LEARNED})
"""The strategies that need no ranking."""


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


Melon = Callable[..., Ran]
POPULAR_AND_MEAN = ("--strategy", "popular", "--strategy", "mean")
"""Several strategies, and the quickest: where it does not matter which."""


@pytest.fixture(scope="module")
def home(demo_corpus: tuple[Path, DemoTruth], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A quarter of the demo corpus held out, and a store of what is left."""
    home = tmp_path_factory.mktemp("evaluate")
    for arguments in (
        ["split", demo_corpus[0], "--out", home / "split", "--hold-out", "0.25", "--seed", "1"],
        ["train", home / "split", "--out", home / "space", "--dim", "16", "--no-ranking"],
        ["ingest", home / "space", "--path", home / "store"],
    ):
        assert run(*arguments) == 0
    return home


def run(*arguments: object) -> int:
    """Run the command; what it prints is pytest's to capture."""
    before = sys.argv
    sys.argv = ["melon", *map(str, arguments)]
    try:
        return cli.run()
    finally:
        sys.argv = before


@pytest.fixture
def melon(capsys: pytest.CaptureFixture[str]) -> Melon:
    def ran(*arguments: object) -> Ran:
        code = run(*arguments)
        return Ran(code, *capsys.readouterr())

    return ran


@pytest.fixture
def asked(home: Path) -> tuple[Path, Path]:
    return home / "split" / "questions.json", home / "split" / "answers.json"


def test_files_may_name_songs_and_playlists_by_strings(
    melon: Melon, home: Path, asked: tuple[Path, Path], tmp_path: Path
) -> None:
    """Here the strings are ids in quotes; which keys mean what is tested where they are read."""
    quoted = [tmp_path / path.name for path in asked]
    for path, copy in zip(asked, quoted, strict=True):
        records = json.loads(path.read_text())
        for one in records:
            one |= {"id": str(one["id"]), "songs": [str(song) for song in one["songs"]]}
        copy.write_text(json.dumps(records))
    options = ("--strategy", "mean", "--path", home / "store")
    wanted = melon("evaluate", *asked, *options, "--json").json
    found = melon("evaluate", *quoted, *options, "--json").json
    assert found["by_kind"] == wanted["by_kind"]
    results = tmp_path / "results.json"
    ran = melon("recommend", quoted[0], "--out", results, *options)
    assert ran.code == 0, ran.err
    assert ran.err.count("store: ") == 1
    scored = melon("score", results, quoted[1], "--path", home / "store", "--json").json
    assert scored["score"] == wanted["score"]


def test_what_was_learnt_beats_what_is_popular(
    melon: Melon, home: Path, asked: tuple[Path, Path]
) -> None:
    ran = melon("evaluate", *asked, "--strategy", "all", "--path", home / "store", "--json")
    assert ran.code == 0
    cards = {card["strategy"]: card for card in ran.json}
    popular, mean = cards["popular"], cards["mean"]
    assert mean["questions"] == 100
    assert mean["song_ndcg"] > 1.5 * popular["song_ndcg"]
    assert mean["tag_ndcg"] > 1.2 * popular["tag_ndcg"]
    assert mean["song_coverage"] > 2 * popular["song_coverage"]
    assert mean["song_popularity"] < popular["song_popularity"]
    assert mean["ms_per_question"] > 0
    assert tuple(mean["by_kind"]) == KINDS
    for kind in KINDS:
        assert mean["by_kind"][kind]["score"] > popular["by_kind"][kind]["score"], kind


def test_strategies_come_best_first_and_the_last_line_says_what_to_set(
    melon: Melon, home: Path, asked: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--path", home / "store")
    ran = melon("evaluate", *asked, "--strategy", "all", *where, "--json")
    best, *others = ran.json
    assert [card["score"] for card in ran.json] == sorted(
        (card["score"] for card in ran.json), reverse=True
    )
    assert best["difference"] == 0
    for card in others:
        assert card["difference"] == pytest.approx(card["score"] - best["score"], abs=2e-6)
        assert 0 < card["difference_standard_error"] < 2 * card["score_standard_error"]
    assert {card["strategy"]: card["default"] for card in ran.json} == {
        name: name == DEFAULT_STRATEGY for name in ("popular", *PLAIN)
    }
    last = ran.err.splitlines()[-1]
    assert last.startswith(f"{best['strategy']} is ahead of ")

    setting = re.compile(r"; MELON_STRATEGY=(\S+) makes it the default$")
    pair = melon("evaluate", *asked, *POPULAR_AND_MEAN, *where)
    assert re.search(
        r"\nbest +mean +0\.\d{4}\n +popular +0\.\d{4} +-0\.\d{4} +0\.\d{4}\n", pair.out
    )
    last = pair.err.splitlines()[-1]
    assert last.startswith("mean is ahead of popular by 0.")
    assert ", more than noise (2 standard errors); " in last
    assert setting.search(last)
    monkeypatch.setenv("MELON_STRATEGY", "mean")
    pair = melon("evaluate", *asked, *POPULAR_AND_MEAN, *where)
    assert re.search(r"\nbest, default +mean ", pair.out)
    assert pair.err.splitlines()[-1].endswith("; it is the default already")
    alone = melon("evaluate", *asked, *where, "--json")
    assert (alone.json["strategy"], alone.json["default"]) == ("mean", True)
    assert "ahead" not in alone.err


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ([[0.5, 0.4], [0.5, 0.4]], "hybrid scores as vote does; it is the default already"),
        (
            [[0.5], [0.3]],
            "vote is ahead of hybrid, the default now, by 0.2000, on a single question;",
        ),
    ],
)
def test_strategies_that_are_alike_are_not_ahead(
    scores: list[list[float]], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cards = [
        Scorecard(
            name,
            Quality(len(those), *[None] * 6),
            {},
            by_question=np.array(those),
            default=name == "hybrid",
        )
        for name, those in zip(("vote", "hybrid"), scores, strict=True)
    ]
    note_best(compared(cards))
    assert capsys.readouterr().err.startswith(said)


def test_recommend_then_score_is_evaluate(
    melon: Melon, home: Path, asked: tuple[Path, Path], tmp_path: Path
) -> None:
    results = tmp_path / "new" / "results.json"
    ran = melon("recommend", asked[0], "-o", results, "--path", home / "store")
    assert ran.code == 0
    assert ran.out == ""
    assert "100 questions answered" in ran.err
    scored = melon(
        "score", results, asked[1], "--questions", asked[0], "--path", home / "store", "--json"
    ).json
    evaluated = melon("evaluate", *asked, "--path", home / "store", "--one-by-one", "--json").json
    for card in (scored, evaluated):
        assert card["leaked_questions"] == 0
        for name in ("strategy", "default", "ms_per_question", "unknown_questions"):
            del card[name]
    assert scored == evaluated


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_a_store_that_has_seen_the_answers_is_not_scored_without_a_word(
    melon: Melon,
    asked: tuple[Path, Path],
    demo_place: Place,
    monkeypatch: pytest.MonkeyPatch,
    as_json: tuple[str, ...],
) -> None:
    for name, value in demo_place.environment.items():
        monkeypatch.setenv(name, value)
    ran = melon("evaluate", *asked, *POPULAR_AND_MEAN, *demo_place.options, *as_json)
    assert ran.code == 0
    said = "the store was trained on what 100 of 100 questions hide"
    assert ran.err.count(said) == 1
    if as_json:
        assert [card["leaked_questions"] for card in ran.json] == [100] * len(ran.json)


@pytest.mark.parametrize("processes", ["1", "2"])
def test_questions_of_another_catalogue_are_not_answered_without_a_word(
    melon: Melon, home: Path, tmp_path: Path, processes: str
) -> None:
    foreign = {"songs": [999_999, 999_998], "tags": ["nosuch"]}
    known = {"songs": [1, 2, 999_999], "tags": []}

    def said(name: str, *records: dict[str, object]) -> list[str]:
        file = write_json(tmp_path / name, [{"id": id, **r} for id, r in enumerate(records)])
        out = tmp_path / "results.json"
        where = ("--path", home / "store", "--processes", processes)
        ran = melon("recommend", file, "-o", out, *where)
        assert ran.code == 0
        return [line for line in ran.err.splitlines() if line.startswith("the store ")]

    assert said("most", foreign, foreign, known) == [
        "the store knows nothing of 2 of 3 questions, and lacks 2 songs and 1 tag that they give: "
        "it is probably that of another catalogue"
    ]
    assert said("half", foreign, known) == [
        "the store knows nothing of 1 of 2 questions, and lacks 2 songs and 1 tag that they give"
    ]
    one = tmp_path / "one.json"
    write_json(one, [{"id": 1, **known}])
    ran = melon("recommend", one, "-o", tmp_path / "r.json", "--path", home / "store")
    assert "\n1 question answered in " in ran.err
    assert said("some", known) == ["the store lacks 1 song that the questions give"]
    empty, held = {"songs": [], "tags": []}, {"songs": [1, 2], "tags": []}
    assert said("none", empty, held) == ["the store knows nothing of 1 of 2 questions"]


def test_questions_of_which_nothing_is_known_are_counted(
    melon: Melon, home: Path, asked: tuple[Path, Path], tmp_path: Path
) -> None:
    questions, answers = (json.loads(file.read_text()) for file in asked)
    record = {"id": 10**6, "songs": [999_999], "tags": ["nosuch"], "plylst_title": ""}
    files = (
        write_json(tmp_path / "questions.json", [*questions, record]),
        write_json(tmp_path / "answers.json", [*answers, record | {"songs": [1], "tags": ["a"]}]),
    )
    where = ("--path", home / "store", "--json")
    before = melon("evaluate", *asked, *where).json["unknown_questions"]
    ran = melon("evaluate", *files, *where, "--strategy", "all")
    assert {card["strategy"]: card["unknown_questions"] for card in ran.json} == {
        "popular": None,
        **dict.fromkeys(PLAIN, before + 1),
    }
    assert ran.err.count(f"nothing of {before + 1} of 101 questions") == 1


def test_questions_given_as_answers_are_noticed(
    melon: Melon, home: Path, asked: tuple[Path, Path], tmp_path: Path
) -> None:
    """Those that give a title alone hide nothing."""
    results = tmp_path / "results.json"
    where = ("--path", home / "store")
    assert melon("recommend", asked[1], "-o", results, *where).code == 0
    titles = sum(not (q["songs"] or q["tags"]) for q in json.loads(asked[0].read_text()))
    said = f"{titles} of 100 answers hide neither songs nor tags: are these the questions?"
    assert said in melon("evaluate", *asked[::-1], *where).err
    assert said in melon("score", results, asked[0]).err
    assert "are these" not in melon("evaluate", *asked, *where).err


def test_every_kind_of_question_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text()
    for songs, tags, title in product(([], [1]), ([], ["a"]), (None, "b")):
        kind = kind_of(playlist(songs=songs, tags=tags, title=title))
        assert f"`{kind}`" in page, kind


def test_what_was_not_asked_of_a_store_is_not_known(
    melon: Melon, home: Path, asked: tuple[Path, Path], tmp_path: Path
) -> None:
    results = tmp_path / "results.json"
    assert melon("recommend", asked[0], "-o", results, "--path", home / "store").code == 0
    assert melon("score", results, asked[1], "--json").json["leaked_questions"] is None


def test_several_processes_write_the_same_results(
    melon: Melon, home: Path, asked: tuple[Path, Path], tmp_path: Path
) -> None:
    where = ("--path", home / "store")
    for name, options in (("one.json", ()), ("two.json", ("--processes", "2"))):
        assert melon("recommend", asked[0], "-o", tmp_path / name, *where, *options).code == 0
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_several_processes_have_the_same_scores(
    melon: Melon, home: Path, asked: tuple[Path, Path]
) -> None:
    cards = [
        melon("evaluate", *asked, "--path", home / "store", "--json", "--processes", count).json
        for count in (1, 2)
    ]
    for card in cards:
        assert card.pop("ms_per_question") > 0
    assert cards[0] == cards[1]


def test_what_is_asked_alone_is_not_asked_by_several(
    melon: Melon, asked: tuple[Path, Path]
) -> None:
    ran = melon("evaluate", *asked, "--path", "store", "--one-by-one", "--processes", 2)
    assert ran.code == 2
    assert ran.err.startswith("error: --one-by-one: ")


@pytest.mark.parametrize("columns", [60, 80, 100, 140])
@pytest.mark.parametrize("command", ["evaluate", "score"])
def test_tables_fit_the_terminal(
    melon: Melon,
    home: Path,
    asked: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    columns: int,
) -> None:
    """No number is cut, nor the name of a strategy or a kind of question."""
    where, results = ("--path", home / "store"), tmp_path / "results.json"
    strategies = ["popular", "neighbours"] if command == "evaluate" else []
    options: list[object] = []
    match command:
        case "evaluate":
            options = [*asked, *(f"--strategy={name}" for name in strategies)]
        case "score":
            melon("recommend", asked[0], "--strategy", "popular", "--out", results, *where)
            options = [results, asked[1], "--questions", asked[0]]
    monkeypatch.setenv("COLUMNS", str(columns))
    ran = melon(command, *options, *where)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert max(map(cell_len, lines)) <= columns
    assert "…" not in ran.out
    for name in strategies:
        assert re.search(rf"^{name} +all .* 0\.\d{{4}}", ran.out, re.M), name
    for kind in KINDS:
        rows = [line for line in lines if re.match(rf" *{re.escape(kind)} ", line)]
        assert len(rows) == max(len(strategies), 1)
        assert all(re.search(r" 0\.\d{4}", row) for row in rows)
    assert ("±" in lines[1]) == (columns == 140)


def test_tables_name_the_strategies_and_the_kinds(
    melon: Melon, home: Path, asked: tuple[Path, Path]
) -> None:
    ran = melon("evaluate", *asked, *POPULAR_AND_MEAN, "--path", home / "store")
    for word in ("popular", "mean", *KINDS, "song nDCG", "song coverage"):
        assert word in ran.out, word


def test_a_strategy_that_is_not_there_is_the_users_error(
    melon: Melon, home: Path, asked: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "results.json"
    ran = melon("recommend", asked[0], "-o", out, "--strategy", "magic", "--path", home / "store")
    assert ran.code == 2
    assert "'magic'" in ran.err
    assert not out.exists()


def test_too_early_a_playlist_is_the_users_error(melon: Melon, home: Path, tmp_path: Path) -> None:
    question = {"id": 5, "songs": [], "tags": [], "updt_date": "1960-01-01 00:00:00.000"}
    questions = write_json(tmp_path / "questions.json", [question])
    out = tmp_path / "results.json"
    ran = melon("recommend", questions, "-o", out, "--until", "playlist", "--path", home / "store")
    assert ran.code == 2
    assert "question 5" in ran.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ([record(result(1))], "error: the results lack playlists of the answers"),
        (
            [record(result(1)) | {"songs": [1, 2]}],
            "error: {results}, record 1 (byte 1), playlist 1: 2 songs are recommended",
        ),
        ({}, "error: {results}, byte 0: the file begins with '{{', not with the '[' of an array"),
    ],
)
def test_what_the_official_scorer_rejects_ends_with_exit_code_2(
    melon: Melon, asked: tuple[Path, Path], tmp_path: Path, wrong: object, reason: str
) -> None:
    results = write_json(tmp_path / "results.json", wrong)
    ran = melon("score", results, asked[1])
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith(reason.format(results=results))


@pytest.mark.parametrize(
    ("content", "reason"), [([], "there is no playlist"), ([{"id": 1}], "correct the record")]
)
def test_answers_that_cannot_be_used_end_with_exit_code_2(
    melon: Melon, tmp_path: Path, content: object, reason: str
) -> None:
    results = write_json(tmp_path / "results.json", [record(result(1))])
    answers = write_json(tmp_path / "answers.json", content)
    ran = melon("score", results, answers)
    assert ran.code == 2
    assert str(answers) in ran.err
    assert reason in ran.err


@pytest.mark.parametrize("tags", [0, 3])
def test_a_catalogue_with_few_tags_or_none_is_evaluated(
    melon: Melon, demo_corpus: tuple[Path, DemoTruth], tmp_path: Path, tags: int
) -> None:
    """What can be scored is, and what cannot is said; of few tags all are recommended."""
    kept = {"rain", "gym", "calm"} if tags else set()
    playlists = json.loads((demo_corpus[0] / "train.json").read_text())
    for one in playlists:
        one["tags"] = [tag for tag in one["tags"] if tag in kept]
    write_json(tmp_path / "train.json", playlists)
    out, store = tmp_path / "split", ("--path", tmp_path / "store")
    ran = melon("split", tmp_path, "--out", out, "--hold-out", "60")
    assert ran.code == 0
    assert ("questions of" in ran.err) or "question of songs+tags takes" in ran.err
    assert melon("train", out, "--out", tmp_path / "space", "--dim", "8", "--no-ranking").code == 0
    assert melon("ingest", tmp_path / "space", *store).code == 0
    asked = out / "questions.json", out / "answers.json"
    said = "60 of 60 questions have fewer than 100 songs or 10 tags recommended"
    results = tmp_path / "results.json"
    ran = melon("recommend", asked[0], "-o", results, *store)
    assert (ran.code, said in ran.err) == (0, True)
    known = len(
        kept & {tag for one in json.loads((out / "train.json").read_text()) for tag in one["tags"]}
    )
    given = {one["id"]: one["tags"] for one in json.loads(asked[0].read_text())}
    for one in json.loads(results.read_text()):
        assert len(one["songs"]) == 100
        assert len(one["tags"]) == known - len(given[one["id"]])
    ran = melon("score", results, asked[1], "--questions", asked[0], *store, "--json")
    assert ran.code == 0
    assert ("no answer hides tags: songs alone are scored" in ran.err) == (not tags)
    assert ran.json["song_ndcg"] > 0
    assert (ran.json["tag_ndcg"] is None) == (ran.json["score"] is None) == (not tags)
    evaluated = melon("evaluate", *asked, *store, "--strategy", "all", "--json").json
    assert {card["short_questions"] for card in evaluated} == {60}
    ran = melon("evaluate", *asked, *store, *POPULAR_AND_MEAN)
    assert (ran.code, said in ran.err) == (0, True)
    assert ("tag nDCG" in ran.out) == ("tag recall" in ran.out) == bool(tags)
    assert "mean is ahead of popular" in ran.err


def test_copies_of_what_was_trained_on_are_counted(
    melon: Melon, home: Path, asked: tuple[Path, Path], tmp_path: Path
) -> None:
    """Playlists of the store under ids that it does not know, with other titles and tags."""
    train = json.loads((home / "split" / "train.json").read_text())
    whole = [one for one in train if len(one["songs"]) > 3][:3]
    questions = [
        one | {"id": 10**6 + n, "songs": one["songs"][n::2], "tags": [], "plylst_title": ""}
        for n, one in enumerate(whole[:2])
    ]
    answers = [
        one | {"id": 10**6 + n, "songs": one["songs"][1 - n :: 2], "tags": ["other"]}
        for n, one in enumerate(whole[:2])
    ]
    answers[1]["songs"] = answers[1]["songs"][1:]  # one song fewer is no copy
    files = (
        write_json(tmp_path / "questions.json", questions),
        write_json(tmp_path / "answers.json", answers),
    )
    ran = melon("evaluate", *files, "--path", home / "store", "--json")
    assert ran.json["copied_questions"] == 1
    assert "1 of 2 questions is about an exact copy of a playlist" in ran.err
    assert (
        melon("evaluate", *asked, "--path", home / "store", "--json").json["copied_questions"] == 0
    )


def test_files_are_written_where_nobody_reads_stdout(
    home: Path, asked: tuple[Path, Path], tmp_path: Path
) -> None:
    """As with `| grep -q`, which ends before the scores are printed."""
    page, results = tmp_path / "page.html", tmp_path / "results.json"
    reading, stdout = os.pipe()
    os.close(reading)
    try:
        options = ("--strategy", "popular", "--path", str(home / "store"), "--json")
        done = melon_process(
            "evaluate",
            *map(str, asked),
            *options,
            "--html",
            str(page),
            "--out",
            str(results),
            stdout=stdout,
        )
        looked = tmp_path / "inspection.html"
        melon_process("inspect", *options[2:], "--html", str(looked), stdout=stdout)
    finally:
        os.close(stdout)
    assert done.code == 1
    assert page.read_text().startswith("<!doctype html>")
    assert len(json.loads(results.read_text())) > 0
    assert looked.read_text().startswith("<!doctype html>")


def test_scores_are_shown_where_a_file_cannot_be_written(
    home: Path,
    asked: tuple[Path, Path],
    tmp_path: Path,
    melon: Melon,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(path: Path, *_: object) -> None:
        raise UnwritableFile("cannot be written: no space left on device", where=str(path))

    monkeypatch.setattr("melon.evaluation.write_results", full)
    options = ("--strategy", "popular", "--path", home / "store", "--json")
    done = melon("evaluate", *asked, *options, "--out", tmp_path / "results.json")
    assert done.code == 1
    assert "no space left" in done.err
    assert json.loads(done.out)["strategy"] == "popular"
