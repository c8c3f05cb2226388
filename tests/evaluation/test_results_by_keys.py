"""Questions, answers and results name songs and playlists by ids or by keys: it is all one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from command_line import Command, melon, on
from keyed_demo import playlist_key, song_key
from places import Place

from melon.embedding import EmbeddingSpace


class Files(NamedTuple):
    """The same questions and answers by ids, and by keys where there are some."""

    questions: Path
    answers: Path
    questions_by_keys: Path
    answers_by_keys: Path


@pytest.fixture
def ask(keyed_place: Place) -> Command:
    return on(keyed_place)


@pytest.fixture
def files(demo_space: EmbeddingSpace, tmp_path: Path) -> Files:
    rows = demo_space.playlists.select(["id", "songs", "tags", "title"]).to_pylist()
    chosen = [row for row in rows if len(row["songs"]) > 3 and len(row["tags"]) > 1][:12]
    parts: list[list[dict[str, Any]]] = [[], []]
    for row in chosen:
        key = {"key": playlist_key(row["id"])} if playlist_key(row["id"]) else {}
        for part, half in zip(parts, (slice(0, 2), slice(2, None)), strict=True):
            part.append(
                {"id": row["id"], **key, "plylst_title": "", "songs": row["songs"][half][:100],
                 "tags": row["tags"][:1] if half.start == 0 else row["tags"][1:]}
            )  # fmt: skip
    written = []
    for by_keys in (False, True):
        for name, part in zip(("questions", "answers"), parts, strict=True):
            path = tmp_path / f"{name}-{by_keys}.json"
            path.write_text(json.dumps([named(record) if by_keys else record for record in part]))
            written.append(path)
    return Files(*written)


def named(record: dict[str, Any]) -> dict[str, Any]:
    """A record by keys alone, where there are keys; digits would mean a key that is such."""
    songs = [song_key(song) or song for song in record["songs"]]
    return {**record, "id": record.get("key", record["id"]), "songs": songs}


def results_of(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text())


def test_results_are_written_by_keys_on_request(ask: Command, files: Files, tmp_path: Path):
    by_ids, by_keys = tmp_path / "ids.json", tmp_path / "keys.json"
    assert ask("recommend", str(files.questions), "-o", str(by_ids)).code == 0
    done = ask("recommend", str(files.questions), "-o", str(by_keys), "--keys")
    assert done.code == 0, done.err
    expected = [
        {**record, "id": playlist_key(record["id"]) or record["id"],
         "songs": [song_key(song) or song for song in record["songs"]]}
        for record in results_of(by_ids)
    ]  # fmt: skip
    assert results_of(by_keys) == expected
    assert any(isinstance(record["id"], str) for record in expected)


def test_questions_by_keys_have_the_same_results(ask: Command, files: Files, tmp_path: Path):
    by_ids, by_keys = tmp_path / "ids.json", tmp_path / "keys.json"
    assert ask("recommend", str(files.questions), "-o", str(by_ids)).code == 0
    assert ask("recommend", str(files.questions_by_keys), "-o", str(by_keys)).code == 0
    assert results_of(by_keys) == results_of(by_ids)


def test_results_and_answers_agree_by_key(ask: Command, files: Files, tmp_path: Path):
    by_ids, by_keys = tmp_path / "ids.json", tmp_path / "keys.json"
    ask("recommend", str(files.questions), "-o", str(by_ids))
    ask("recommend", str(files.questions), "-o", str(by_keys), "--keys")
    expected = ask("score", str(by_ids), str(files.answers), "--json").json()
    assert expected["song_ndcg"] > 0
    for results in (by_ids, by_keys):
        for answers in (files.answers, files.answers_by_keys):
            for questions in (None, files.questions, files.questions_by_keys):
                more = ["--questions", str(questions)] if questions else []
                scored = ask("score", str(results), str(answers), *more, "--json").json()
                assert scored["score"] == expected["score"]


def test_an_evaluation_writes_its_results(ask: Command, files: Files, tmp_path: Path):
    out, recommended = tmp_path / "evaluated.json", tmp_path / "recommended.json"
    arguments = [str(files.questions_by_keys), str(files.answers)]
    card = ask("evaluate", *arguments, "-o", str(out), "--keys", "--json").json()
    ask("recommend", str(files.questions), "-o", str(recommended), "--keys")
    assert results_of(out) == results_of(recommended)
    scored = ask("score", str(out), str(files.answers), "--json").json()
    assert scored["score"] == card["score"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--keys"], "--keys: nothing is written"),
        (["-o", "out.json", "--strategy", "mean", "--strategy", "vote"], "--out: it takes"),
    ],
)
def test_results_that_cannot_be_written(ask: Command, files: Files, options: list[str], said: str):
    done = ask("evaluate", str(files.questions), str(files.answers), *options)
    assert done.code == 2
    assert said in done.err


@pytest.mark.usefixtures("nothing_found")
def test_results_and_answers_by_keys_need_no_store(
    ask: Command, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Where all songs are named by keys, these agree by themselves."""
    results = tmp_path / "keys.json"
    ask("recommend", str(files.questions), "-o", str(results), "--keys")
    for path in (results, files.answers_by_keys):
        records = results_of(path)
        for record in records:
            record["songs"] = [
                song if isinstance(song, str) else f"n{song}" for song in record["songs"]
            ]
        path.write_text(json.dumps(records))
    monkeypatch.setenv("MELON_HOME", str(tmp_path / "none"))
    expected = ask("score", str(results), str(files.answers_by_keys), "--json").json()
    scored = melon("score", str(results), str(files.answers_by_keys), "--json").json()
    assert scored["score"] == expected["score"] > 0
    mixed = melon("score", str(results), str(files.answers), "--json")
    assert mixed.code == 1
    assert "not there" in mixed.err
