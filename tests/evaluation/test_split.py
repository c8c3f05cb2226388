"""The split: nothing is lost, nothing is told twice, and the masks are the challenge's."""

from __future__ import annotations

import json
from collections import Counter
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluation_samples import playlist, write_json
from hypothesis import given
from hypothesis import strategies as st

from melon.demo import DemoTruth
from melon.errors import ForeignFile, InputError, UnwritableFile
from melon.evaluation import KINDS, NothingToHide, SplitCounts, kind_of, mask, read_questions, split

FILES = ("train.json", "questions.json", "answers.json")


def load(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def parts(demo_corpus: tuple[Path, DemoTruth], tmp_path_factory: pytest.TempPathFactory):
    """The demo corpus, and its train, questions and answers, a quarter held out."""
    out = tmp_path_factory.mktemp("split")
    whole = demo_corpus[0] / "train.json"
    assert split([whole], out, hold_out=0.25, seed=3) == SplitCounts(train=300, held_out=100)
    return [load(whole), *(load(out / name) for name in FILES)]


def test_every_playlist_is_in_one_part_and_in_order(parts) -> None:
    whole, train, questions, answers = ([p["id"] for p in part] for part in parts)
    assert questions == answers
    assert not set(train) & set(questions)
    assert [id for id in whole if id in set(questions)] == questions
    assert [id for id in whole if id not in set(questions)] == train


def test_what_is_trained_on_is_left_as_it_was(parts) -> None:
    whole, train, *_ = parts
    by_id = {p["id"]: p for p in whole}
    assert all(p == by_id[p["id"]] for p in train)


def test_a_question_and_its_answer_are_the_playlist(parts) -> None:
    whole, _, questions, answers = parts
    by_id = {p["id"]: p for p in whole}
    for question, answer in zip(questions, answers, strict=True):
        original = by_id[question["id"]]
        for field in ("songs", "tags"):
            assert sorted(question[field] + answer[field]) == sorted(original[field])
            # floor given, ceil hidden
            assert len(question[field]) in (0, len(original[field]) // 2)
            assert answer[field]
        assert question["plylst_title"] == ("" if question["songs"] else original["plylst_title"])
        assert question["updt_date"] == answer["updt_date"] == original["updt_date"]


def test_the_kinds_have_the_challenges_shares(parts, tmp_path: Path) -> None:
    _, _, questions, answers = parts
    kinds: Counter[str] = Counter()
    for question, answer in zip(questions, answers, strict=True):
        songs, title = bool(question["songs"]), bool(question["plylst_title"])
        # a single tag is hidden whole, and looks like a question without tags
        tags = bool(question["tags"]) or len(answer["tags"]) == 1
        kinds["songs" * songs + "tags" * tags + "title" * title] += 1
    single = sum(len(answer["tags"]) == 1 for answer in answers)
    assert abs(kinds["songs"] - 30) <= single
    assert abs(kinds["songstags"] - 50) <= single
    assert kinds["tagstitle"] + kinds["title"] == 20
    path = write_json(tmp_path / "questions.json", questions)
    assert {kind_of(q) for q in read_questions(path)} == {
        "songs",
        "songs+tags",
        "tags+title",
        "title",
    }


def test_the_kinds_can_have_other_shares(
    demo_corpus: tuple[Path, DemoTruth], tmp_path: Path
) -> None:
    whole = demo_corpus[0] / "train.json"
    split([whole], tmp_path, hold_out=40, shares=(0, 0, 3, 1))
    kinds = Counter(kind_of(q) for q in read_questions(tmp_path / "questions.json"))
    single = sum(len(answer["tags"]) == 1 for answer in load(tmp_path / "answers.json"))
    assert kinds.keys() <= {"tags+title", "title"}
    assert abs(kinds["tags+title"] - 30) <= single


@pytest.mark.parametrize("shares", [(1, 1, 1), (0, 0, 0, 0), (1, -1, 1, 1), (1, 1, 1, inf)])
def test_impossible_shares_are_an_error(tmp_path: Path, shares: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="no shares of 4 kinds"):
        split([tmp_path / "train.json"], tmp_path / "out", shares=shares)


def test_the_same_seed_gives_the_same_bytes(
    demo_corpus: tuple[Path, DemoTruth], tmp_path: Path
) -> None:
    def written(name: str, seed: int) -> list[bytes]:
        split([demo_corpus[0] / "train.json"], tmp_path / name, hold_out=50, seed=seed)
        return [(tmp_path / name / file).read_bytes() for file in FILES]

    first, again, other = written("a", 1), written("b", 1), written("c", 2)
    assert first == again
    assert all(one != two for one, two in zip(first, other, strict=True))


whole_playlists = st.builds(
    lambda songs, tags: playlist(1, songs=songs, tags=[f"t{n}" for n in range(tags)], title="a"),
    st.lists(st.integers(0, 10**6), min_size=2, max_size=260, unique=True),
    st.integers(1, 25),
)


@given(
    whole=whole_playlists,
    kind=st.sampled_from(["songs", "songs+tags", "tags+title", "title"]),
    seed=st.integers(0, 5),
)
def test_masks(whole, kind: str, seed: int) -> None:
    question, answer = mask(whole, kind, np.random.default_rng(seed))
    given = kind.split("+")
    assert len(question.songs) == ("songs" in given) * (len(whole.songs) // 2)
    assert len(question.tags) == ("tags" in given) * (len(whole.tags) // 2)
    assert question.title == ("a" if "title" in given else None)
    assert not set(question.songs) & set(answer.songs)
    assert not set(question.tags) & set(answer.tags)
    # as many are hidden as are not given, up to what a submission holds, and in their order
    assert len(answer.songs) == min(100, len(whole.songs) - len(question.songs))
    assert len(answer.tags) == min(10, len(whole.tags) - len(question.tags))
    assert list(answer.songs) == [song for song in whole.songs if song in set(answer.songs)]


@pytest.mark.parametrize("shares", [(29, 51, 15, 5), (0.29, 0.51, 0.15, 0.05), (57, 1, 1, 41)])
def test_shares_of_a_hundred_are_as_they_are_given(
    tmp_path: Path, shares: tuple[float, ...]
) -> None:
    whole = [record(id, [1, 2], ["a", "b"], "whole") for id in range(100)]
    path = write_json(tmp_path / "all.json", whole)
    split([path], tmp_path, hold_out=100, shares=shares)
    kinds = Counter(kind_of(question) for question in read_questions(tmp_path / "questions.json"))
    unit = 100 / sum(shares)
    assert [kinds[kind] for kind in KINDS] == [round(share * unit) for share in shares]


@pytest.mark.parametrize("share", [0.07, 0.14, 0.28, 0.29, 0.55, 0.57, 0.58])
def test_a_share_of_a_hundred_is_held_out_whole(tmp_path: Path, share: float) -> None:
    whole = [record(id, [1, 2], ["a"], "whole") for id in range(100)]
    path = write_json(tmp_path / "all.json", whole)
    assert split([path], tmp_path, hold_out=share).held_out == round(100 * share)


def record(id: int, songs: list[int], tags: list[str], title: str) -> dict[str, Any]:
    return {"id": id, "songs": songs, "tags": tags, "plylst_title": title}


def test_only_what_has_something_to_hide_is_held_out(tmp_path: Path) -> None:
    path = write_json(
        tmp_path / "playlists.json",
        [
            record(1, [], ["a"], "no songs"),
            record(2, [1], ["a"], "one song"),
            record(3, [1, 2], [], "no tags"),
            record(4, [1, 2], ["a"], ""),
            record(5, [1, 2], ["a"], "whole"),
        ],
    )
    split([path], tmp_path, hold_out=1)
    assert [p["id"] for p in load(tmp_path / "questions.json")] == [5]
    assert [p["id"] for p in load(tmp_path / "train.json")] == [1, 2, 3, 4]
    with pytest.raises(NothingToHide, match="2 of 5 playlists should be held out, but 1 ha"):
        split([path], tmp_path, hold_out=2)
    with pytest.raises(NothingToHide, match="but 0 ha"):
        split([path], tmp_path, hold_out=1, min_songs=3)
    with pytest.raises(NothingToHide, match=r"0\.1 of 5 playlists is less than one"):
        split([path], tmp_path, hold_out=0.1)


@pytest.mark.parametrize("hold_out", [0, -1, 1.5, float("nan"), float("inf")])
def test_an_impossible_number_is_an_error(tmp_path: Path, hold_out: float) -> None:
    with pytest.raises(InputError, match="cannot be held out"):
        split([tmp_path / "train.json"], tmp_path / "out", hold_out=hold_out)


def test_what_is_read_is_never_replaced(tmp_path: Path) -> None:
    path = write_json(tmp_path / "train.json", [record(5, [1, 2], ["a"], "whole")])
    before = path.read_bytes()
    with pytest.raises(InputError, match="would be replaced"):
        split([path], tmp_path, hold_out=1)
    assert path.read_bytes() == before


def test_only_a_split_is_replaced(tmp_path: Path) -> None:
    path = write_json(tmp_path / "all.json", [record(5, [1, 2], ["a"], "whole")])
    for name in FILES:
        (tmp_path / "in" / name).mkdir(parents=True)
        mine = write_json(tmp_path / "in" / name / name, ["mine"])
        with pytest.raises(ForeignFile, match=r"`melon split` did not write it") as refusal:
            split([path], mine.parent, hold_out=1)
        assert refusal.value.where == str(mine)
        assert load(mine) == ["mine"]
        assert [file.name for file in mine.parent.iterdir()] == [name]
    for _ in range(2):
        split([path], tmp_path / "out", hold_out=1)
        assert [p["id"] for p in load(tmp_path / "out" / "questions.json")] == [5]


def test_where_nothing_can_be_written_nothing_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableFile, match="cannot be written: not a directory"):
        split([tmp_path / "no such file"], tmp_path / "file" / "out")
