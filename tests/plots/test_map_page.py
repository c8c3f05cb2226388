"""The map's page in Chromium, opened as a file; its picture, its table, and what others load."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from axe_playwright_python.sync_playwright import Axe
from command_line import melon, on, on_one_engine
from places import Place
from playwright.sync_api import Page
from some_map import HOSTILE, some_map

from melon.errors import MissingExtra
from melon.plots import map_page, write_parquet, write_picture
from melon.plots.page import data, page, text
from melon.plots.picture import names_of

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("map") / "map.html"
    path.write_text(map_page(some_map()), encoding="utf-8")
    return path


def test_no_text_of_a_catalogue_becomes_code() -> None:
    found = page("<i>", f"<p>{text(HOSTILE)}</p>", scripts=("map.js",), given={HOSTILE: [HOSTILE]})
    assert "<b>" not in found
    assert found.count("</script>") == 2
    assert "\u202e" not in found
    assert "\x1b" not in found
    assert "<title>&lt;i&gt;</title>" in found
    assert data("a\u2028<!--") == '"a \\u003c!--"'


def test_points_are_searched_picked_and_followed(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    assert page.title() == "Map of r0123456789ab", "a name has run as a script"
    page.get_by_role("searchbox").fill("노래 5")
    page.get_by_text("15 found, the most popular 6 shown").wait_for()
    page.get_by_role("searchbox").fill("59 노래")
    page.get_by_role("searchbox").press("Enter")
    near = page.locator("#near button")
    assert page.locator("#what").inner_text() == "노래 59"
    assert near.all_inner_texts() == [
        "</script><script>document.title = 'owned'</script><b>&amp;\N{REPLACEMENT CHARACTER}rtl"
        "\N{REPLACEMENT CHARACTER}[31m · The Rain song",
        "song 1 · The Rain song",
        "노래 2 playlist",
        "노래 3 · The Rain song",
        "노래 4 · The Rain song",
    ]
    near.nth(2).press("Enter")
    assert page.locator("#what").inner_text() == "노래 2"
    assert page.locator("#about").inner_text() == "노래 2 · playlist · Jazz · 2 likes"


def test_a_point_is_named_under_the_pointer_and_picked_by_a_click(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    page.wait_for_function("melonMap.whole > 0")
    box = page.locator("#canvas").bounding_box()
    assert box
    x, y = page.evaluate("melonMap.place(3)")
    page.mouse.move(box["x"] + x, box["y"] + y)
    tip = page.locator(".tip")
    assert tip.inner_text() == "노래 3 · The Rain · song · 발라드 · 3 playlists"
    page.mouse.click(box["x"] + x, box["y"] + y)
    assert page.locator("#what").inner_text() == "노래 3"
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert not tip.is_visible()
    page.mouse.wheel(0, -300)
    page.wait_for_function("melonMap.scale > melonMap.whole * 2")
    before = page.evaluate("melonMap.middle")
    page.mouse.down()
    page.mouse.move(box["x"] + 20, box["y"] + 20, steps=3)
    page.mouse.up()
    assert page.evaluate("melonMap.middle") != before
    page.get_by_role("button", name="All").click()
    assert page.evaluate("melonMap.scale === melonMap.whole")


def test_the_map_is_moved_by_keys(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    page.wait_for_function("melonMap.whole > 0")
    canvas = page.locator("#canvas")
    canvas.press("+")
    assert page.evaluate("melonMap.scale / melonMap.whole") == pytest.approx(1.4)
    canvas.press("ArrowRight")
    assert page.evaluate("melonMap.middle[0]") > 0
    canvas.press("0")
    assert page.evaluate("melonMap.scale / melonMap.whole") == 1
    page.get_by_role("button", name="Closer").press("Enter")
    assert page.evaluate("melonMap.scale / melonMap.whole") == pytest.approx(1.6)


def test_the_map_shows_that_it_has_the_focus(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    canvas = page.locator("#canvas")
    before = canvas.screenshot()
    page.keyboard.press("Tab")
    assert canvas.evaluate("it => it === document.activeElement")
    assert canvas.screenshot() != before


def test_colours_change_and_what_is_not_wanted_goes(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    legend = page.locator("#legend")
    assert legend.inner_text().split("\n") == ["발라드 (26)", "Jazz (25)", "not known (9)"]
    page.get_by_label("Jazz (25)").uncheck()
    page.get_by_label("songs").uncheck()
    shown = "melonMap.data.x.map((_, row) => row).filter((row) => melonMap.isShown(row))"
    kept = page.evaluate(shown)
    expected = some_map()
    assert kept == [
        row for row in range(60) if expected.genre[row] != "Jazz" and expected.kind[row] != "song"
    ]
    page.get_by_label("Colour").select_option("era")
    assert legend.inner_text().startswith("1950s (8)")
    assert len(page.evaluate(shown)) == sum(kind != "song" for kind in expected.kind)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_by_everyone(page: Page, file: Path, scheme: str) -> None:
    """Without fault for axe, in both schemes, and without a scroll bar on a telephone."""
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": 375, "height": 700})
    page.goto(file.as_uri())
    page.get_by_role("searchbox").fill("노래 7")
    page.get_by_role("searchbox").press("Enter")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    paper = page.evaluate("[...melonMap.canvas.getContext('2d').getImageData(1, 1, 1, 1).data]")
    assert (sum(paper[:3]) > 600) == (scheme == "light")


def test_seeds_and_results_of_a_query_can_be_marked(page: Page, file: Path) -> None:
    """As melon's own page does."""
    page.goto(file.as_uri())
    page.wait_for_function("melonMap.whole > 0")
    page.evaluate("melonMap.mark({seeds: [3], results: [4, 5]}); melonMap.draw()")
    assert page.evaluate("[...melonMap.marks]") == [[4, "result"], [5, "result"], [3, "seed"]]


def test_labels_are_seen_whole(page: Page, tmp_path: Path) -> None:
    """Those at an edge move in, and those that are long are cut."""
    names = [f"{row} {'name ' * 20}" for row in range(60)]
    names[3] = "3" * 3000
    (tmp_path / "map.html").write_text(map_page(some_map(name=names, kind=["tag"] * 60)))
    page.set_viewport_size({"width": 375, "height": 700})
    page.goto((tmp_path / "map.html").as_uri())
    page.wait_for_function("melonMap.whole > 0")
    written = page.evaluate(
        """() => {
          const written = [], pen = CanvasRenderingContext2D.prototype, write = pen.fillText;
          pen.fillText = function (text, x, y) {
            written.push([text, x - this.measureText(text).width / 2]);
            write.call(this, text, x, y);
          };
          melonMap.pick(3);
          melonMap.draw();
          return written;
        }"""
    )
    assert len(written) > 5
    assert written[-1][0] == f"{'3' * 23}…"
    assert {len(text) for text, _ in written} == {24}
    assert min(left for _, left in written) >= 0
    assert page.evaluate("document.documentElement.scrollWidth") == 375


@pytest.mark.parametrize("width", [375, 1200])
def test_nothing_lies_over_the_map(page: Page, file: Path, width: int) -> None:
    """Under its buttons, names could not be read, nor points picked."""
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(file.as_uri())
    page.wait_for_function("melonMap.whole > 0")
    over = page.evaluate(
        """() => {
          const box = melonMap.canvas.getBoundingClientRect(), over = new Set();
          for (let x = box.left + 1; x < box.right; x += 7) {
            for (let y = box.top + 1; y < box.bottom; y += 7) {
              over.add(document.elementFromPoint(x, y).id);
            }
          }
          return [...over];
        }"""
    )
    assert over == ["canvas"]
    assert page.get_by_role("button", name="Closer").is_visible()


def test_arabic_names_leave_numbers_where_they_are(page: Page, tmp_path: Path) -> None:
    found = some_map(genre=["موسيقى"] * 60, name=["حب"] * 60)
    (tmp_path / "map.html").write_text(map_page(found))
    page.goto((tmp_path / "map.html").as_uri())
    assert page.locator("#legend").inner_text() == "\u2068موسيقى\u2069 (60)"
    assert page.evaluate("melonMap.describe(3)").endswith(" · \u2068موسيقى\u2069 · 3 playlists")


def test_names_in_a_picture_do_not_lie_over_others() -> None:
    x = [0.0, 10.0, 100.0, *[50.0] * 57]
    found = some_map(name=["long " * 9, "비 오는 날", "night"] * 20, kind=["tag"] * 60, x=x)
    found = found.model_copy(update={"y": [0.0, 0.0, 0.0, *[100.0] * 57]})
    sizes = np.array([3.0, 2.0, 1.0, *[0.0] * 57])
    names = names_of(found, np.ones(60, dtype=np.int64), sizes)
    assert list(names) == [0, 2, 3]
    assert names[0] == "long long long long lon…"


def test_a_picture_has_names_in_any_script(tmp_path: Path) -> None:
    """And none that is taken for a formula; warnings are errors here."""
    names = ["$\\frac$", "비 오는 날", "\U0001f9ff", *["노래"] * 57]
    shown = some_map(name=names, kind=["tag"] * 60, genre=["$\\frac$"] * 60, rule="$\\frac$")
    write_picture(shown, tmp_path / "a.png")
    write_picture(shown, tmp_path / "b.png", "era")
    first, second = (tmp_path / name for name in ("a.png", "b.png"))
    assert first.read_bytes().startswith(PNG)
    assert first.read_bytes() != second.read_bytes()


def test_a_picture_says_what_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match="matplotlib"):
        write_picture(some_map(), tmp_path / "a.png")


def test_a_table_has_a_row_for_each_point(tmp_path: Path) -> None:
    write_parquet(some_map(), tmp_path / "map.parquet")
    table = pq.read_table(tmp_path / "map.parquet")
    assert table.column_names == [
        *("x", "y", "id", "name", "kind", "genre", "year", "popularity", "artists"),
        *("tempo", "mood"),
    ]
    assert table.slice(3, 1).to_pylist() == [
        {
            **{"x": pytest.approx(95.106), "y": pytest.approx(30.902), "id": "3"},
            **{"name": "노래 3", "kind": "song", "genre": "발라드", "year": 1953, "popularity": 3},
            **{"artists": "The Rain", "tempo": 1.5, "mood": "calm"},
        }
    ]


def test_the_command_writes_all_and_keeps_the_layout(
    demo_place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On each engine."""
    home = {"MELON_HOME": str(tmp_path / "home")}
    there = {**demo_place.environment, **home}
    out, png, projector = tmp_path / "new" / "map.html", tmp_path / "map.png", tmp_path / "tsv"
    arguments = ["map", "--points", "60", "--out", str(out), *demo_place.options]
    done = melon(*arguments, "--projector", str(projector), environment=there)
    assert done.code == 0, done.err
    assert "map of 60 points" in done.err
    assert "36 of 500 songs: of each genre the same share" in done.err
    vectors, described = (
        (projector / name).read_text().splitlines() for name in ("tensors.tsv", "metadata.tsv")
    )
    assert [len(vectors), len(described)] == [60, 61]
    assert {len(line.split("\t")) for line in vectors} == {16}
    assert described[0].split("\t")[:3] == ["name", "kind", "id"]

    monkeypatch.setattr("melon.plots.map.lay_out", None)
    again = melon(*arguments, "--png", str(png), "--colour", "era", "--json", environment=there)
    assert again.code == 0, again.err
    assert png.read_bytes().startswith(PNG)
    points = again.json()
    assert len(points["x"]) == 60
    assert next(f"{name}\t" for name in points["name"] if name) in described[1]


@on_one_engine
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--colour", "gnere"], "did you mean genre?"),
        (["--out", "made.html"], "cannot be written: is a directory"),
        (["--out", "map.png"], "--out map.png: its ending is not that of what is written"),
        (["-o", "map.PNG"], "let it end in .html; --png writes .png"),
        (["--png", "map.html"], "let it end in .png; --out writes .html"),
        (["--parquet", "map"], "let it end in .parquet"),
        (["--projector", "."], "metadata.tsv: is there already"),
        (["--release", "r0"], "r0"),
    ],
)
def test_what_cannot_be_is_said_before_the_work(
    options: list[str],
    said: str,
    demo_place: Place,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("melon.plots.map.lay_out", None)
    (tmp_path / "metadata.tsv").touch()
    (tmp_path / "made.html").mkdir()
    done = on(demo_place)("map", *options)
    assert done.code in (1, 2)
    assert said in done.err


@on_one_engine
def test_no_point_is_no_map(demo_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from melon.errors import MelonError
    from melon.plots import map_of

    with demo_place.open() as store, closing(store.open()) as reader:
        monkeypatch.setattr(type(reader), "find", lambda *_, **__: [])
        with pytest.raises(MelonError, match="none of its points has a vector"):
            map_of(reader)
