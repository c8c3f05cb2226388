"""`melon evaluate --html`: scores with their errors, two runs, and what was answered worst."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from command_line import Done, melon
from evaluation_samples import HeldOut, playlist, result, write_json
from playwright.sync_api import Page

from melon.embedding import EmbeddingSpace
from melon.evaluation import BadResults, Quality, Scorecard, read_scorecards, worst
from melon.plots import evaluation_page
from melon.store import VectorStore

HOSTILE = "</script><b>&amp;\u202ertl"


@pytest.fixture(scope="module")
def asked(held_out: HeldOut, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The arguments that ask forty of the questions."""
    home = tmp_path_factory.mktemp("page")
    files = [
        write_json(home / file.name, json.loads(file.read_text())[:40])
        for file in (held_out.questions_file, held_out.answers_file)
    ]
    return ["evaluate", *map(str, files), "--path", str(held_out.store)]


@pytest.fixture(scope="module")
def before(asked: list[str]) -> Done:
    return melon(*asked, "--strategy", "mean", "--json")


@pytest.fixture(scope="module")
def file(asked: list[str], before: Done, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("pages")
    earlier = home / "before.json"
    earlier.write_text(before.out)
    out = home / "new" / "evaluation.html"
    options = ("--strategy", "popular", "--strategy", "mean", "--html", str(out))
    done = melon(*asked, *options, "--compare", str(earlier))
    assert done.code == 0, done.err
    assert f"page: {out}" in done.err
    return out


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_page_can_be_read_by_everyone(page: Page, file: Path, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": 375, "height": 700})
    page.goto(file.as_uri())
    page.locator("summary").first.click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") == 375


def test_it_shows_both_runs_and_the_worst_of_the_best(page: Page, file: Path, before: Done) -> None:
    page.goto(file.as_uri())
    card = before.json()
    table = page.get_by_role("table", name="All questions")
    scores = f"{card['score']:.4f} ± {card['score_standard_error']:.4f}"
    rows = [row.inner_text() for row in table.get_by_role("row").all()]
    assert rows[1].startswith("mean\t40\t")
    assert rows[2].startswith("… before, now +0.0000 ± ")
    assert [scores in row for row in rows] == [False, True, True, False]
    assert rows[3].startswith("popular\t40\t")
    assert page.get_by_role("heading", name="The 10 questions answered worst by mean").count() == 1
    assert page.locator("summary").count() == 10
    widths = page.locator(".bar span").evaluate_all("bars => bars.map((b) => b.style.width)")
    assert all(0 <= float(width.removesuffix("%")) <= 100 for width in widths)


def test_without_a_page_there_is_nothing_to_compare(asked: list[str], tmp_path: Path) -> None:
    done = melon(*asked, "--compare", str(tmp_path / "before.json"))
    assert done.code == 2
    assert "say where with --html" in done.err


@pytest.mark.parametrize("content", ["[]x", "7", '{"strategy": "mean"}', '[{"by_kind": {}}]'])
def test_what_is_no_earlier_run_is_refused(asked: list[str], content: str, tmp_path: Path) -> None:
    (tmp_path / "before.json").write_text(content)
    options = ("--html", str(tmp_path / "a.html"), "--compare", str(tmp_path / "before.json"))
    done = melon(*asked, *options)
    assert done.code == 2
    assert "before.json" in done.err
    assert not (tmp_path / "a.html").exists()


def test_questions_are_not_replaced_by_the_page(asked: list[str]) -> None:
    assert melon(*asked, "--html", asked[1]).code == 2


QUALITY = Quality(40, 0.2, 0.4, 0.3, 0.5, 0.1, 0.2, 0.01)


def test_scorecards_are_read_as_they_were_printed(tmp_path: Path) -> None:
    cards = [
        Scorecard("mean", QUALITY, {"songs": QUALITY}),
        Scorecard("popular", replace(QUALITY, tag_ndcg=None, score_standard_error=None), {}),
    ]
    printed = [card.to_json() for card in cards]
    assert read_scorecards(write_json(tmp_path / "all.json", printed)) == cards
    assert read_scorecards(write_json(tmp_path / "one.json", printed[0])) == cards[:1]
    with pytest.raises(BadResults, match="holds no scorecard"):
        read_scorecards(write_json(tmp_path / "none.json", [{"a": 1}]))


def test_the_worst_have_names_and_what_was_found(
    demo_store: VectorStore, demo_space: EmbeddingSpace
) -> None:
    songs = demo_space.songs.select(["id", "name", "artists"]).to_pylist()
    named = [song for song in songs if song["name"]]
    first, second = named[:2]
    questions = [
        replace(playlist(1, songs=[first["id"]]), key=HOSTILE),
        playlist(2, tags=["rain"], title=HOSTILE),
        playlist(3, songs=[5]),
    ]
    answers = [
        playlist(1, songs=[second["id"], *range(900_000, 900_020)], tags=["rain"]),
        playlist(2, songs=[second["id"]]),
        playlist(3, songs=[7]),
    ]
    results = [
        result(1, songs={3: second["id"]}, tags={0: "rain"}),
        result(2),
        result(3),
    ]
    pairs = list(zip(questions, answers, strict=True))
    with closing(demo_store.open()) as reader:
        found = worst(reader, pairs, results, np.array([0.1, 0.1, 0.5]), count=2)
    assert [miss.playlist for miss in found] == [HOSTILE, "2"]
    miss = found[0]
    name = " · ".join([second["name"], *(second["artists"] or ())])
    assert miss.expected_songs[:2] == (name, "song 900000")
    assert len(miss.expected_songs) == 10
    assert miss.counts == (1, 21)
    assert miss.came_songs[3] == name
    assert miss.found == {name, "rain"}
    shown = evaluation_page([Scorecard("mean", QUALITY, {})], "r0", found)
    assert "<b>✓ rain</b>" in shown
    assert "and 11 more" in shown
    assert "<summary>Playlist &lt;/script&gt;&lt;b&gt;&amp;amp;" in shown
    assert "“&lt;/script&gt;&lt;b&gt;&amp;amp;" in shown
    assert "\u202e" not in shown


def test_runs_of_other_questions_are_told_apart() -> None:
    card = Scorecard("mean", QUALITY, {})
    other = Scorecard("mean", replace(QUALITY, questions=7), {})
    assert "of other questions" in evaluation_page([card], "r0", before=[other])
    assert "is as if the two" in evaluation_page([card], "r0", before=[card])
    strange = Scorecard("strange", QUALITY, {})
    assert "nothing to compare" in evaluation_page([card], "r0", before=[strange])


def test_what_has_no_score_is_said() -> None:
    bare = Scorecard("mean", replace(QUALITY, tag_ndcg=None), {})
    assert "not known: no answer hides songs and tags" in evaluation_page([bare], "r0")
