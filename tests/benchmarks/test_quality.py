"""The comparison is fair and whole: same questions for all, peers by their formulas, every row."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import quality
from hypothesis import given
from hypothesis import strategies as st
from peers import Bags, answer
from peers.ease import PENALTY, Ease
from peers.nothing import Nothing
from peers.playlist_knn import PlaylistKnn
from peers.second_place import SecondPlace
from table import Row, engine_differences, markdown

from melon.catalog import Playlist, ReadReport, read_playlists, write_playlists
from melon.embedding import EmbeddingSpace, build_space, training_settings
from melon.evaluation import Quality, Scorecard, split
from melon.ingest import ingest
from melon.store.embedded import EmbeddedStore
from melon.titles import TitleTokenizer

NO_TITLES = TitleTokenizer(b"", (), {})
STRATEGIES = ["hybrid", "neighbours", "mean"]


def playlist(id: int, songs: list[int], tags: list[str], title: str | None = None) -> Playlist:
    return Playlist(id, title, tuple(songs), tuple(tags), 0, None)


small_playlists = st.lists(
    st.tuples(
        st.lists(st.integers(0, 9), unique=True, max_size=6),
        st.lists(st.sampled_from("abcd"), unique=True, max_size=3),
    ).map(lambda held: playlist(0, *held)),
    min_size=2,
    max_size=12,
)


def held(playlist: Playlist) -> set[int | str]:
    return {*playlist.songs, *playlist.tags}


def scored(
    peer_class: type, playlists: list[Playlist], question: Playlist
) -> dict[int | str, float]:
    bags = Bags(playlists, NO_TITLES)
    [scores] = peer_class(bags).scores(bags.rows([question]))
    return dict(zip([*bags.songs, *bags.tags], scores.tolist(), strict=True))


def test_ease_is_a_ridge_regression_of_each_item_on_all_others():
    playlists = [playlist(n, [n % 3, 3 + n % 4], ["ab"[n % 2]]) for n in range(40)]
    bags = Bags(playlists, NO_TITLES)
    held = bags.matrix.toarray()
    scores = Ease(bags).scores(bags.matrix)
    for item in range(held.shape[1]):
        others = np.delete(held, item, axis=1)
        normal = others.T @ others + PENALTY * np.eye(others.shape[1])
        expected = others @ np.linalg.solve(normal, others.T @ held[:, item])
        np.testing.assert_allclose(scores[:, item], expected, atol=1e-5)


@given(small_playlists, small_playlists.map(lambda some: some[0]))
def test_the_second_places_formula(playlists: list[Playlist], question: Playlist):
    """Term by term, as its docstring writes it."""
    count = {item: sum(item in held(p) for p in playlists) for p in playlists for item in held(p)}
    given_items = held(question) & set(count)

    def weight(p: Playlist) -> float:
        return sum((0.1 + len(held(p))) ** -0.3 for _ in given_items & held(p)) ** 0.99

    def similarity(i: int | str, j: int | str) -> float:
        both = [weight(p) for p in playlists if {i, j} <= held(p)]
        return (0.1 + count[i]) ** -0.9 * (0.1 + count[j]) ** -0.1 * sum(both)

    expected = {j: sum(similarity(i, j) for i in given_items) for j in count}
    assert scored(SecondPlace, playlists, question) == pytest.approx(expected, rel=1e-4, abs=1e-6)


@given(small_playlists, small_playlists.map(lambda some: some[0]))
def test_playlist_knn_is_squared_cosine_with_idf(playlists: list[Playlist], question: Playlist):
    count = {item: sum(item in held(p) for p in playlists) for p in playlists for item in held(p)}
    idf = {item: np.log(len(playlists) / n) for item, n in count.items()}

    def likeness(p: Playlist) -> float:
        length = np.sqrt(sum(idf[item] ** 2 for item in held(p)))
        shared = sum(idf[item] ** 2 for item in held(p) & held(question))
        return (shared / length) ** 2 if length else 0.0

    expected = {j: sum(likeness(p) for p in playlists if j in held(p)) for j in count}
    assert scored(PlaylistKnn, playlists, question) == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_knn_asks_no_more_than_its_neighbours(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("peers.playlist_knn.NEIGHBOURS", 1)
    playlists = [playlist(1, [1, 2, 3], []), playlist(2, [1, 4, 5, 6], []), playlist(3, [7], [])]
    scores = scored(PlaylistKnn, playlists, playlist(9, [1, 2], []))
    assert scores[3] > 0
    assert scores[4] == scores[5] == 0


def test_answers_end_with_what_is_popular_and_hold_no_seed():
    playlists = [
        playlist(n, list(range(n + 1)), [f"t{m}" for m in range(n + 1)]) for n in range(120)
    ]
    bags = Bags(playlists, NO_TITLES)
    [result] = answer(Nothing(bags), bags, [playlist(999, [0, 2], ["t1"])])
    assert result.songs == (1, *range(3, 102))
    assert result.tags == ("t0", *(f"t{n}" for n in range(2, 11)))


def card(song: float, tag: float) -> Scorecard:
    return Scorecard("hybrid", Quality(7, song, tag, None, None, None, None), {}, None, 1.25)


def test_the_engines_are_compared_method_by_method():
    rows = [
        Row("hybrid", "embedded", card(0.2, 0.5)),
        Row("mean", "embedded", card(0.1, 0.3)),
        Row("hybrid", "server", card(0.2, 0.502)),
        Row("popular", None, card(0.0, 0.1)),
    ]
    differences = engine_differences(rows)
    assert differences == {"hybrid": pytest.approx(0.002)}
    assert "differ NOT by less than 0.001: hybrid 0.002000" in quality.verdict(differences)
    assert "differ by less than 0.001: hybrid 0.000999" in quality.verdict({"hybrid": 0.000999})
    assert engine_differences(rows[:2]) == {}
    assert (
        markdown(rows).splitlines()[2] == "| hybrid | embedded | 0.2000 / 0.5000 / 0.2450 | 1.2 |"
    )


@pytest.fixture(scope="module")
def task(demo_corpus: tuple[Path, object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with train.json, questions.json, answers.json, their space and their store."""
    home = tmp_path_factory.mktemp("quality")
    split([demo_corpus[0] / "train.json"], home, hold_out=40, seed=3)
    settings = training_settings(dim=8, epochs=4, window=5, title_pieces=64, workers=1, seed=1)
    playlists = read_playlists([home / "train.json"], report=ReadReport())
    space: EmbeddingSpace = build_space(playlists, settings=settings).save(home / "space")
    with EmbeddedStore(home / "store") as store:
        ingest(space, store)
    return home


def arguments(task: Path, *only: str) -> list[str]:
    files = [str(task), str(task / "questions.json"), str(task / "answers.json")]
    chosen = [part for name in only for part in ("--only", name)]
    return [*files, "--path", str(task / "store"), *chosen]


def test_one_command_makes_the_table(
    task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    kept = tmp_path / "kept.json"
    peers = ["most popular", "playlist kNN", "2nd place's formula", quality.WORD2VEC]
    options = ["--json", str(kept), "--published-space", str(task / "space")]
    assert quality.main([*arguments(task, *STRATEGIES, *peers), *options]) == 0
    report = json.loads(kept.read_text())
    rows = {row["method"]: row for row in report["rows"]}
    word2vec = f"{quality.WORD2VEC} (CBOW, dim 8, 4 epochs)"
    assert list(rows) == [*STRATEGIES, *peers[:3], word2vec]
    assert {row["questions"] for row in rows.values()} == {40}
    assert rows["playlist kNN"]["score"] > 2 * rows["most popular"]["score"]
    assert report["engines"].keys() == {"embedded"}
    table = capsys.readouterr().out.splitlines()
    assert [line.split(" | ")[0].strip("| ") for line in table[2:]] == list(rows)


def test_a_peer_whose_library_is_missing_is_left_out_aloud(
    task: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for name in [name for name in sys.modules if name.split(".")[0] == "implicit"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "implicit", None)
    assert quality.main(arguments(task, "mean", "implicit ALS")) == 0
    output = capsys.readouterr()
    assert len(output.out.splitlines()) == 3
    assert "implicit ALS: skipped" in output.err


def test_questions_about_training_playlists_are_refused(
    task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    train = list(read_playlists([task / "train.json"], report=ReadReport()))
    first = next(read_playlists([task / "questions.json"], report=ReadReport()))
    write_playlists(tmp_path / "train.json", [*train[1:], replace(train[0], id=first.id)])
    assert quality.main([str(tmp_path), *arguments(task)[1:]]) == 2
    assert "1 questions are about training playlists" in capsys.readouterr().err


def test_a_store_of_other_playlists_is_refused(
    task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    train = list(read_playlists([task / "train.json"], report=ReadReport()))
    write_playlists(tmp_path / "train.json", train[1:])
    assert quality.main([str(tmp_path), *arguments(task)[1:]]) == 2
    assert "360 playlists, the training files 359" in capsys.readouterr().err
