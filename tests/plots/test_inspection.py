"""`melon inspect`: tables, JSON, and a page that everyone can read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from command_line import on, on_one_engine
from places import Place
from playwright.sync_api import Page
from some_map import HOSTILE

from melon.evaluation import Semantics
from melon.evaluation.semantics import Coverage, TagNear
from melon.plots import inspection_page, inspection_tables
from melon.plots.charts import bar, histogram, table
from melon.store import Collection

EMPTY = Semantics(
    release="r0",
    seed=3,
    coverage={Collection.SONGS: Coverage(0, 0, {})},
    playlists=None,
    genres=None,
    tags=(),
    hubness=None,
)


@pytest.fixture(scope="module")
def file(demo_place: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inspect") / "inspect.html"
    done = on(demo_place)("inspect", "--html", str(path))
    assert done.code == 0, done.err
    for said in ("Vectors", "KL divergence", "hubness", "Genres", "rainy day"):
        assert said in done.out
    return path


@on_one_engine
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_page_can_be_read_by_everyone(page: Page, file: Path, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": 375, "height": 700})
    page.goto(file.as_uri())
    assert page.get_by_role("img").count() == 3
    assert page.get_by_role("heading", level=2).all_inner_texts() == [
        *("Coverage", "Figures", "Playlists", "Genres", "Tags", "Hubs")
    ]
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") == 375


@on_one_engine
def test_json_has_every_figure(demo_place: Place) -> None:
    found = on(demo_place)("inspect", "--json", "--seed", "4").json()
    assert list(found) == [
        *("release", "seed", "coverage", "playlists", "genres", "tags", "hubness")
    ]
    assert found["seed"] == 4
    assert set(found["coverage"]) == {"songs", "tags", "playlists"}
    assert len(found["genres"]["within"]["histogram"]) == 50
    assert set(found["tags"][0]["nearest"][0]) == {"tag", "score"}


def test_what_cannot_be_looked_at_is_said() -> None:
    assert "Not looked at: no playlist" in inspection_page(EMPTY)
    assert [title for title, *_ in inspection_tables(EMPTY)] == ["Vectors"]


def test_its_page_takes_names_for_text() -> None:
    hostile = replace(EMPTY, tags=(TagNear(HOSTILE, 3, ((HOSTILE, 0.5),)),))
    found = inspection_page(hostile)
    assert "<b>" not in found
    assert "<script>" not in found
    assert "\u202e" not in found


def test_arabic_names_leave_numbers_where_they_are() -> None:
    arabic = replace(EMPTY, tags=(TagNear("مطر", 3, (("مطر", 0.5),)),))
    assert "<td><bdi>مطر</bdi> 0.50</td>" in inspection_page(arabic)


def test_charts_are_drawn_to_scale() -> None:
    drawn = histogram("Cosines", [("a & b", [1, 3]), ("none", [0, 0])], -1, 1)
    assert "M0 100V66.67h1V0.00h1V100Z" in drawn
    assert "The highest bar is 75.0%." in drawn
    assert "a &amp; b" in drawn
    assert "width:50.0%" in bar(0.2, 0.1, 0.4)
    assert "left:25.0%;width:50.0%" in bar(0.2, 0.1, 0.4)
    assert "left:0.0%;width:50.0%" in bar(0.05, 0.15, 0.4)
    assert "<i" not in bar(0.2, None, 0.4)
    assert '<td class="number">&lt;1</td>' in table("t", ("n>",), [("<1",)])
