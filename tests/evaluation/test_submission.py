"""results.json: written as a whole, and read with all that the official scorer checks."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from evaluation_samples import playlist, record, result, write_json

from melon.errors import InputError
from melon.evaluation import (
    POPULAR,
    BadResults,
    Result,
    as_held,
    read_results,
    recommend,
    write_results,
)
from melon.evaluation import SONGS as SONGS_WANTED
from melon.retrieval import Retriever
from melon.store import Collection, Filter, NumberRange, VectorStore


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    results = [result(3, songs={0: 7}, tags={9: "비 오는 날"}), result(1)]
    assert write_results(path, iter(results)) == 2
    assert list(read_results(path)) == results
    assert list(json.loads(path.read_text(encoding="utf-8"))[0]) == ["id", "songs", "tags"]


def test_no_results_are_an_empty_array(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    assert write_results(path, []) == 0
    assert list(read_results(path)) == []


def test_an_interruption_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = write_json(tmp_path / "results.json", "of before")

    def interrupted():
        yield result(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_results(path, interrupted())
    assert json.loads(path.read_text()) == "of before"
    assert [file.name for file in tmp_path.iterdir()] == ["results.json"]


@pytest.mark.parametrize(
    "wrong",
    [Result(5, tuple(range(101)), ()), Result(5, tuple(range(100)), ("a",) * 10)],
    ids=["too long", "repeat"],
)
def test_what_would_be_rejected_is_not_written(tmp_path: Path, wrong: Result) -> None:
    with pytest.raises(BadResults, match="playlist 5"):
        write_results(tmp_path / "results.json", [wrong])
    assert not list(tmp_path.iterdir())


def changed(**fields: Any) -> dict[str, Any]:
    return record(result(42)) | fields


SONGS, TAGS = record(result())["songs"], record(result())["tags"]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (changed(songs=SONGS[:99]), "99 songs are recommended, exactly 100"),
        (changed(songs=[*SONGS, 5]), "101 songs are recommended, exactly 100"),
        (changed(songs=[]), "0 songs"),
        (changed(tags=TAGS[:9]), "9 tags are recommended, exactly 10"),
        (changed(tags=[*TAGS, "more"]), "11 tags"),
        (changed(songs=[*SONGS[:98], 77, 77]), "song 77 is recommended 2 times"),
        (changed(tags=[*TAGS[:8], "비", "비"]), "tag '비' is recommended 2 times"),
        # Composed or not, and with a space or not, it is one tag in the catalogue.
        (changed(tags=[*TAGS[:8], "café", "cafe\u0301 "]), "tag 'café' is recommended 2 times"),
        (changed(songs=[*SONGS[:99], str(SONGS[0])]), f"song {SONGS[0]} is recommended 2 times"),
        (changed(songs=[*SONGS[:99], " "]), "a key is blank"),
        (changed(songs=[*SONGS[:99], 1.0]), "field 'songs[99]'"),
        (changed(songs=[*SONGS[:99], True]), "field 'songs[99]'"),
        (changed(songs=[*SONGS[:99], -1]), "field 'songs[99]'"),
        (changed(tags=[*TAGS[:9], 5]), "field 'tags[9]': .*string, not 5"),
        (changed(songs="all"), "field 'songs'"),
        (changed(id=None), "field 'id'"),
        ({"id": 42, "songs": SONGS}, "field 'tags' is missing"),
        ([1, 2], "the record is not an object"),
        (record(result(1)), "has a result already"),
    ],
)
def test_what_the_official_scorer_rejects_is_rejected(
    tmp_path: Path, wrong: Any, reason: str
) -> None:
    path = write_json(tmp_path / "submission.json", [record(result(1)), wrong])
    with pytest.raises(BadResults) as caught:
        list(read_results(path))
    pattern = re.escape(reason).replace(r"\.\*", ".*")
    assert re.search(pattern, str(caught.value)), caught.value
    assert f"{path}, record 2 (byte " in str(caught.value)
    assert caught.value.exit_code == 2
    if isinstance(wrong, dict):
        assert f"playlist {wrong['id']!r}" in str(caught.value)


@pytest.mark.parametrize("text", ["{}", "[{", "", "nonsense"])
def test_a_file_that_is_not_an_array_is_rejected(tmp_path: Path, text: str) -> None:
    path = tmp_path / "submission.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"submission\.json"):
        list(read_results(path))


def test_lists_may_be_short_of_what_no_answer_hides(tmp_path: Path) -> None:
    short = Result(1, tuple(range(100)), ())
    path = tmp_path / "results.json"
    write_results(path, [short])
    untagged = [playlist(1, songs=[5])]
    assert list(read_results(path, as_held(untagged, None, None))) == [short]
    with pytest.raises(BadResults, match="0 tags are recommended, exactly 10 are wanted"):
        list(read_results(path, as_held([playlist(1, songs=[5], tags=["a"])], None, None)))
    write_results(path, [Result(1, tuple(range(99)), ())])
    with pytest.raises(BadResults, match="99 songs are recommended, exactly 100 are wanted"):
        list(read_results(path, as_held(untagged, None, None)))


def test_lists_may_be_short_where_the_store_holds_no_more(
    tmp_path: Path, demo_store: VectorStore
) -> None:
    reader = demo_store.open()
    few = Filter(must_not=(NumberRange("popularity", lte=9),))
    held = [int(record.id) for record in reader.top(Collection.SONGS, "popularity", 30, few)]
    seeds = sorted({*range(600)} - {*held})
    question, answer = playlist(1, songs=seeds), playlist(1, songs=held[:3], tags=["rain"])
    [result] = recommend(Retriever(demo_store), [question], strategy=POPULAR)
    assert 0 < len(result.songs) < SONGS_WANTED
    path = tmp_path / "results.json"
    write_results(path, [result])
    assert list(read_results(path, as_held([answer], [question], reader))) == [result]
    with pytest.raises(BadResults, match="exactly 100 are wanted"):  # not without the seeds
        list(read_results(path, as_held([answer], None, reader)))
    write_results(path, [replace(result, songs=result.songs[1:])])
    with pytest.raises(BadResults, match=f"{len(result.songs)} to 100 are wanted"):
        list(read_results(path, as_held([answer], [question], reader)))
