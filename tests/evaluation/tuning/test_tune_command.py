"""`melon tune`, and the commands that take up what it wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import Done, melon
from evaluation_samples import HeldOut, write_json

from melon.demo import DemoTruth
from melon.retrieval import QueryKind, RetrievalSettings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory for settings, which no test of another shell's can see."""
    for name in ("MELON_QDRANT_URL", "MELON_RETRIEVAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MELON_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def tune(held_out: HeldOut, *options: str) -> Done:
    files = (str(held_out.questions_file), str(held_out.answers_file))
    return melon("tune", *files, "--path", str(held_out.store), *options)


QUICK = ("--only", "hybrid", "--questions", "8", "--budget", "0.001")


def test_what_is_found_is_written_shown_and_gone_on_from(held_out: HeldOut, home: Path):
    first = tune(held_out, *QUICK, "--json")
    found = first.json()
    out = home / "retrieval.json"
    assert found["settings"] == str(out)
    assert [pair["after"]["strategy"] for pair in found["held_back"]] == ["hybrid"]
    names = {(s["kind"], s["target"], s["stage"]) for s in found["searches"]}
    assert names == {(str(g), t, "hybrid") for g in QueryKind for t in ("songs", "tags")}
    for search in found["searches"]:
        start, best = search["start"], search["best"]
        assert f"{search['kind']}/{search['target']}/hybrid: {start:.4f} → {best:.4f}" in first.err
    assert "from the default settings" in first.err
    assert "the time was over" in first.err
    [pair] = found["held_back"]
    worse = pair["after"]["score"] < pair["before"]["score"]
    assert ("got worse" in first.err) == worse
    tuned = RetrievalSettings.load(out)
    assert tuned.neighbours == RetrievalSettings.default().neighbours

    with (home / "retrieval.trials.jsonl").open("a") as file:
        file.write("damaged\n")
    journal = (home / "retrieval.trials.jsonl").read_text()
    again = tune(held_out, *QUICK)
    assert again.code == 0
    assert f"from the settings in {out}" in again.err
    assert "of them before" in again.err
    assert "retrieval.trials.jsonl: 1 damaged line left out" in again.err
    assert "On the questions held back" in again.out
    for word in ("hybrid", "songs+tags", " → "):
        assert word in again.out
    assert "the same command goes on" in again.err
    assert "compared with the default settings" in again.err
    assert (home / "retrieval.trials.jsonl").read_text().startswith(journal)

    fresh = tune(held_out, *QUICK, "--fresh")
    assert "from the default settings" in fresh.err
    assert "of them before" not in fresh.err
    assert "the same command without --fresh goes on" in fresh.err


def test_a_store_of_another_catalogue_is_said_to_be_one(
    held_out: HeldOut, home: Path, tmp_path: Path
):
    def with_strangers(file: Path, song: int, share: float) -> str:
        known = json.loads(file.read_text())
        strangers = [
            {"id": 900_000 + i, "songs": [song], "tags": []} for i in range(int(share * len(known)))
        ]
        return str(write_json(tmp_path / file.name, known + strangers))

    def left_out(share: float) -> str:
        questions = with_strangers(held_out.questions_file, 999_998, share)
        answers = with_strangers(held_out.answers_file, 999_999, share)
        ran = melon("tune", questions, answers, "--path", str(held_out.store), *QUICK)
        [line] = [line for line in ran.err.splitlines() if "questions left out" in line]
        return line

    assert left_out(0.5).endswith("the store knows nothing of them")
    assert left_out(1.5).endswith(
        "the store knows nothing of them: it is probably that of another catalogue"
    )


def test_what_was_tuned_is_compared_with_what_was_there_before(held_out: HeldOut, inverted: Path):
    """Not with what an interrupted search had found by then, which is where it goes on."""

    def before(*options: str) -> object:
        [pair] = tune(held_out, *QUICK, "--json", *options).json()["held_back"]
        return pair["before"]

    settings = inverted.rename(inverted.with_name("mine.json"))
    default = before("--fresh")
    inverted.write_text(settings.read_text())
    assert before() == default
    assert before("--settings", str(settings)) != default


def test_trials_are_not_forgotten_for_a_search_that_does_not_begin(held_out: HeldOut, home: Path):
    journal = home / "retrieval.trials.jsonl"
    home.mkdir()
    journal.write_text("trials\n")
    done = tune(held_out, "--fresh", "--release", "r1")
    assert done.code == 2
    assert journal.read_text() == "trials\n"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--only", "everything"), "'everything'"),
        (("--budget", "0"), "no time"),
        (("--budget", "nan"), "no time"),
        (("--questions", "1"), "--questions"),
        (("--settings", "nowhere.json"), "nowhere.json"),
    ],
)
def test_options_that_make_no_sense_are_the_users_error(
    held_out: HeldOut, home: Path, options: tuple[str, ...], reason: str
):
    done = tune(held_out, *options)
    assert done.code == 2
    assert reason in done.err
    assert not home.exists()


def test_questions_that_were_trained_on_are_the_users_error(
    held_out: HeldOut, demo_corpus: tuple[Path, DemoTruth], home: Path, tmp_path: Path
):
    """Questions of another split of the same playlists: most of them the store holds whole."""
    other = tmp_path / "other"
    split = melon("split", str(demo_corpus[0] / "train.json"), "--out", str(other), "--seed", "9")
    assert split.code == 0
    asked = (str(other / "questions.json"), str(other / "answers.json"))
    done = melon("tune", *asked, "--path", str(held_out.store))
    assert done.code == 2
    assert "trained on" in done.err
    assert "split first" in done.err
    assert not home.exists()


@pytest.fixture
def inverted(home: Path) -> Path:
    """A file of a few settings which make the fusion all co-embedding."""
    part = {"weight": 10.0}
    changed = {f"from_{kind}": {"to_songs": part, "to_tags": part} for kind in QueryKind}
    path = home / "retrieval.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"hybrid": changed}))
    return path


def test_query_takes_up_what_was_tuned(held_out: HeldOut, inverted: Path):
    def songs(*options: str) -> tuple[list[int], str]:
        arguments = ("--title", "rainy day", "--path", str(held_out.store), "--json")
        done = melon("query", *arguments, *options)
        return [song["id"] for song in done.json()["songs"]], done.err

    tuned, said = songs()
    assert f"settings: {inverted}" in said
    moved = inverted.rename(inverted.with_name("elsewhere.json"))
    default, said = songs()
    assert "settings:" not in said
    assert tuned != default
    named, said = songs("--settings", str(moved))
    assert named == tuned
    assert f"settings: {moved}" in said


def test_recommend_and_evaluate_take_it_up(
    held_out: HeldOut, inverted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked = write_json(tmp_path / "asked.json", json.loads(held_out.questions_file.read_text())[:9])
    hidden = write_json(tmp_path / "hidden.json", json.loads(held_out.answers_file.read_text())[:9])
    results, store = tmp_path / "results.json", ("--path", str(held_out.store))

    def score() -> float:
        card = melon("evaluate", str(asked), str(hidden), *store, "--json").json()
        assert melon("recommend", str(asked), "-o", str(results), *store).code == 0
        assert melon("score", str(results), str(hidden), "--json").json()["score"] == card["score"]
        return float(card["score"])

    tuned = score()
    moved = inverted.rename(tmp_path / "elsewhere.json")
    assert score() != tuned
    monkeypatch.setenv("MELON_RETRIEVAL", str(moved))
    assert score() == tuned


@pytest.mark.parametrize(
    "content", ["{", '{"hybrid": {"from_songs": {"to_songs": {"weight": -1}}}}']
)
def test_a_file_of_settings_that_cannot_be_used_is_the_users_error(
    held_out: HeldOut, inverted: Path, content: str
):
    inverted.write_text(content)
    done = melon("query", "--title", "rain", "--path", str(held_out.store))
    assert done.code == 2
    assert str(inverted) in done.err


def test_a_file_that_the_environment_names_has_to_be_there(
    held_out: HeldOut, home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MELON_RETRIEVAL", str(home / "none.json"))
    done = melon("query", "--title", "rain", "--path", str(held_out.store))
    assert done.code == 2
    assert "none.json" in done.err
