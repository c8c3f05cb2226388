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

from melon.catalog import CorpusFiles, find_corpus
from melon.demo import DemoTruth
from melon.errors import ForeignFile, InputError, UnwritableFile
from melon.evaluation import KINDS, NothingToHide, SplitCounts, kind_of, mask, read_questions, split
from melon.evaluation.drawing import Draw

FILES = ("train.json", "questions.json", "answers.json")


def load(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def parts(demo_corpus: tuple[Path, DemoTruth], tmp_path_factory: pytest.TempPathFactory):
    """The demo corpus, and its train, questions and answers, a quarter held out."""
    out = tmp_path_factory.mktemp("split")
    whole = demo_corpus[0] / "train.json"
    kinds = dict(zip(KINDS, (30, 50, 15, 5), strict=True))
    counts = split([whole], out, hold_out=0.25, seed=3)
    left = Counter(map(kind_of, read_questions(out / FILES[1])))
    untagged = 50 + 15 - left["songs+tags"] - left["tags+title"]
    assert untagged > 0
    assert counts == SplitCounts(300, 100, kinds, kinds, untagged, copies=0)
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
            assert answer[field] or not original[field]
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
    whole = [record(id, [1, 2], ["a", "b"], "whole") for id in range(101)]
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


WHOLE = [record(5, [1], ["a"], "one song"), record(6, [1, 2], ["a"], "whole")]
"""Two playlists, of which one can be held out."""


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
    out = tmp_path / "out"
    for kind, suited in (
        ("songs", {3, 4, 5}),
        ("songs+tags", {4, 5}),
        ("tags+title", {5}),
        ("title", {3, 5}),
    ):
        shares = [float(other == kind) for other in KINDS]
        split([path], out, hold_out=len(suited), shares=shares, replace=True)
        assert {p["id"] for p in load(out / "questions.json")} == suited, kind
        assert {p["id"] for p in load(out / "train.json")} == {1, 2, 3, 4, 5} - suited
        with pytest.raises(NothingToHide, match=f"which takes .*: {len(suited)} of 5 playlists"):
            split([path], out, hold_out=len(suited) + 1, shares=shares, replace=True)
    with pytest.raises(NothingToHide, match="3 songs and a title: 0 of 5 playlists would do") as no:
        split([path], out, hold_out=1, min_songs=3, replace=True)
    assert "\n" not in no.value.what, "an error is shown on one line"
    assert "`--min-songs`" in (no.value.hint or "")
    with pytest.raises(NothingToHide, match=r"0\.1 of 5 playlists is less than one"):
        split([path], out, hold_out=0.1, replace=True)
    for everything in (5, 6):
        with pytest.raises(NothingToHide, match="which leaves none to train on"):
            split([path], out, hold_out=everything, replace=True)


def test_fewer_songs_will_do_where_none_are_given(tmp_path: Path) -> None:
    path = write_json(
        tmp_path / "playlists.json",
        [record(1, [7], [], "one"), record(2, [], ["a"], "none"), record(3, [], [], "title alone")],
    )
    for min_songs, suited in ((1, [1]), (0, [1, 2])):
        counts = split(
            [path],
            tmp_path / "out",
            hold_out=len(suited),
            min_songs=min_songs,
            shares=(0, 0, 0, 1),
            replace=True,
        )
        assert counts.kinds["title"] == len(suited)
        assert [p["id"] for p in load(tmp_path / "out" / "questions.json")] == suited


@pytest.mark.parametrize(
    ("tags", "title", "kinds"),
    [
        ([], "title", {"songs", "title"}),
        (["a", "b"], "", {"songs", "songs+tags"}),
        ([], "", {"songs"}),
    ],
)
def test_a_catalogue_without_tags_or_titles_can_be_split(
    tmp_path: Path, tags: list[str], title: str, kinds: set[str]
) -> None:
    """By default questions are of the kinds that there can be, and it is said which are fewer."""
    path = write_json(
        tmp_path / "all.json", [record(id, [id, id + 1], tags, title) for id in range(100)]
    )
    counts = split([path], tmp_path / "out", hold_out=40)
    questions = read_questions(tmp_path / "out" / "questions.json")
    assert Counter(map(kind_of, questions)) == {k: n for k, n in counts.kinds.items() if n}
    assert {kind for kind, count in counts.kinds.items() if count} == kinds
    assert counts.wanted == dict(zip(KINDS, (12, 20, 6, 2), strict=True))
    with pytest.raises(NothingToHide, match=r"6 are to give tags\+title, .*: 0 of 100 playlists"):
        split([path], tmp_path / "new", hold_out=40, shares=(30, 50, 15, 5))


@given(
    fits=st.lists(st.integers(1, 15), min_size=1, max_size=30),
    wanted=st.tuples(*[st.integers(0, 8)] * 4),
    seed=st.integers(0, 3),
)
def test_a_draw_fills_all_kinds_if_any_draw_does(
    fits: list[int], wanted: tuple[int, ...], seed: int
) -> None:
    """By Hall: if every set of kinds asks for no more than there are playlists for any of them."""
    draw = Draw(fits, min(sum(wanted), len(fits)), np.random.default_rng(seed))
    filled = [draw.take(kind, count) for kind, count in enumerate(wanted)]
    kinds = draw.kinds()
    assert Counter(kinds.values()) == {KINDS[i]: count for i, count in enumerate(filled) if count}
    assert all(fits[index] >> KINDS.index(kind) & 1 for index, kind in kinds.items())
    possible = all(
        sum(count for kind, count in enumerate(wanted) if some >> kind & 1)
        <= sum(bool(fit & some) for fit in fits)
        for some in range(1, 16)
    )
    assert (filled == list(wanted)) == possible


def test_metadata_comes_along(demo_corpus: tuple[Path, DemoTruth], tmp_path: Path) -> None:
    """Trained on, the directory knows of its songs what the whole one does."""
    fields = write_json(tmp_path / "fields.json", {"songs": [{"name": "bpm", "type": "float"}]})
    out = tmp_path / "out"
    split([demo_corpus[0], fields], out, hold_out=50)
    for name in ("song_meta.json", "genre_gn_all.json"):
        assert (out / name).read_bytes() == (demo_corpus[0] / name).read_bytes()
    assert (out / "fields.json").read_bytes() == fields.read_bytes()
    assert find_corpus([out]) == CorpusFiles(
        *((out / "train.json",), out / "song_meta.json", out / "genre_gn_all.json"),
        fields=out / "fields.json",
    )


def test_metadata_of_other_playlists_is_no_part_of_a_split(
    demo_corpus: tuple[Path, DemoTruth], tmp_path: Path
) -> None:
    split([demo_corpus[0]], tmp_path, hold_out=50)
    with pytest.raises(ForeignFile, match="would take it for that of these playlists") as refusal:
        split([demo_corpus[0] / "train.json"], tmp_path, hold_out=50, replace=True)
    assert refusal.value.where == str(tmp_path / "song_meta.json")


def test_copies_of_what_is_trained_on_are_counted(tmp_path: Path) -> None:
    """The same songs in any order, under any title, are no secret to a store that has them."""
    copies = [record(id, [1, 2, 3][:: 1 - 2 * (id % 2)], ["a"], f"{id}") for id in range(10)]
    others = [record(id, [id, id + 100], ["a"], "b") for id in range(10, 20)]
    path = write_json(tmp_path / "all.json", [*copies, *others])
    counts = split([path], tmp_path / "out", hold_out=10)
    questions = load(tmp_path / "out" / "questions.json")
    assert 0 < counts.copies == sum(question["id"] < 10 for question in questions)


@pytest.mark.parametrize("hold_out", [0, -1, 1.5, float("nan"), float("inf")])
def test_an_impossible_number_is_an_error(tmp_path: Path, hold_out: float) -> None:
    with pytest.raises(InputError, match="cannot be held out"):
        split([tmp_path / "train.json"], tmp_path / "out", hold_out=hold_out)


def test_what_is_read_is_never_replaced(tmp_path: Path) -> None:
    path = write_json(tmp_path / "train.json", WHOLE)
    before = path.read_bytes()
    with pytest.raises(InputError, match="would be replaced"):
        split([path], tmp_path, hold_out=1)
    assert path.read_bytes() == before


def test_only_a_split_is_replaced(tmp_path: Path) -> None:
    path = write_json(tmp_path / "all.json", WHOLE)
    for name in FILES:
        (tmp_path / "in" / name).mkdir(parents=True)
        mine = write_json(tmp_path / "in" / name / name, ["mine"])
        with pytest.raises(ForeignFile, match=r"`melon split` did not write it") as refusal:
            split([path], mine.parent, hold_out=1)
        assert refusal.value.where == str(mine)
        assert load(mine) == ["mine"]
        assert [file.name for file in mine.parent.iterdir()] == [name]
    for replace in (False, True):
        split([path], tmp_path / "out", hold_out=1, replace=replace)
        assert [p["id"] for p in load(tmp_path / "out" / "questions.json")] == [6]


def test_a_split_is_replaced_only_if_that_is_wanted(tmp_path: Path) -> None:
    """A store that was trained on the first one would be asked for what it has seen."""
    path = write_json(tmp_path / "all.json", [record(id, [id, 1], ["a"], "b") for id in range(20)])
    split([path], tmp_path / "out", hold_out=5)
    before = {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    with pytest.raises(ForeignFile, match="left alone") as refusal:
        split([path], tmp_path / "out", hold_out=5, seed=1)
    assert refusal.value.where == str(tmp_path / "out")
    assert "--replace" in str(refusal.value.hint)
    assert before == {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    split([path], tmp_path / "out", hold_out=5, seed=1, replace=True)
    assert load(tmp_path / "out" / "questions.json") != json.loads(before["questions.json"])


def test_where_nothing_can_be_written_nothing_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no JSON")
    with pytest.raises(UnwritableFile, match="cannot be written: not a directory"):
        split([tmp_path / "file"], tmp_path / "file" / "out")


def test_strings_in_place_of_ids_become_ids_and_keys_in_every_part(tmp_path: Path) -> None:
    """What is written agrees: trained on, its songs have the metadata and the keys they had."""
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    playlists = [
        {"id": f"l{n}", "songs": [f"t{n}", f"t{n + 1}", 2, "bare"], "tags": ["a"]} for n in range(8)
    ]
    songs = [{"id": f"t{n}", "song_name": f"name {n}", "other": n} for n in range(5)]
    songs += [{"id": 2, "song_name": "two"}]
    (source / "train.json").write_text(json.dumps(playlists))
    (source / "song_meta.json").write_text(json.dumps(songs))
    for replace in (False, True):  # written over, it is the same
        split([source], out, hold_out=4, shares=(1, 1, 0, 0), replace=replace)

    def read(name: str) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = json.loads((out / name).read_text())
        return records

    described = read("song_meta.json")
    assert described[5] == {"id": 2, "song_name": "two"}
    assert [(song["key"], song["song_name"], song["other"]) for song in described[:5]] == [
        (f"t{n}", f"name {n}", n) for n in range(5)
    ]
    key_of = {song["id"]: song.get("key", song["id"]) for song in described}
    assert len(key_of) == len(described)
    held = {
        key: {key_of[song] for song in songs}
        for part in ("train.json", "questions.json", "answers.json")
        for key, songs in ((one["key"], one["songs"]) for one in read(part))
        if part == "train.json"
    }
    for question, answer in zip(read("questions.json"), read("answers.json"), strict=True):
        assert (question["id"], question["key"]) == (answer["id"], answer["key"])
        held[question["key"]] = {key_of[song] for song in question["songs"] + answer["songs"]}
    assert held == {one["id"]: set(one["songs"]) for one in playlists}

    (source / "song_meta.json").unlink()
    split([source], out, hold_out=4, shares=(1, 1, 0, 0), replace=True)
    assert {song["key"] for song in read("song_meta.json")} == {
        *(f"t{n}" for n in range(9)),
        "bare",
    }
