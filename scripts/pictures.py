"""The pictures of the documents, made of the demo's store in Chromium: `make pictures`.

`python scripts/pictures.py [NAME ...]` writes docs/images/NAME.png, all of them by default. Each
remembers what it was made of; a test fails when that has changed since.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image, PngImagePlugin
from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
DEMO = ROOT / ".melon" / "demo"

COLOURS = 64
"""A picture of a page needs no more, and is a fifth as large."""

MADE_OF = "made of"
"""The name under which a picture keeps the hash of its sources."""


@dataclass(frozen=True)
class Picture:
    """How one picture is made.

    Attributes:
        draw: brings a page to show it, given a directory to work in.
        sources: patterns of the files that decide what it looks like.
        width: of the window.
        height: likewise.
    """

    draw: Callable[[Page, Path], None]
    sources: tuple[str, ...]
    width: int = 1100
    height: int = 700

    def made_of(self) -> str:
        """A hash of its sources (SHA-256, hexadecimal)."""
        made = hashlib.sha256()
        for pattern in self.sources:
            for path in sorted(ROOT.glob(pattern)):
                made.update(path.read_bytes())
        return made.hexdigest()


def melon(*arguments: str) -> None:
    """Run the command on the demo's store."""
    command = [sys.executable, "-m", "melon", *arguments]
    subprocess.run(command, check=True, env={**os.environ, "MELON_HOME": str(DEMO)})


def draw_map(page: Page, work: Path) -> None:
    """The map by genre, with a tag picked."""
    file = work / "map.html"
    melon("map", "--out", str(file), "--path", str(DEMO / "store"))
    page.goto(file.as_uri())
    page.get_by_role("searchbox").fill("jazz")
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("searchbox").fill("")
    page.locator("#picked").wait_for()
    page.get_by_role("searchbox").blur()


def draw_inspection(page: Page, work: Path) -> None:
    """The distributions of the inspection."""
    file = work / "inspect.html"
    melon("inspect", "--html", str(file), "--path", str(DEMO / "store"))
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('h2')[2].scrollIntoView()")


@contextmanager
def serving() -> Iterator[str]:
    """The URL of the service of the demo's store."""
    command = [
        sys.executable,
        "-m",
        "melon",
        "serve",
        "--port=0",
        "--workers=1",
        f"--path={DEMO / 'store'}",
    ]
    environment = {**os.environ, "MELON_HOME": str(DEMO)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            url = next(line.split()[0] for line in process.stderr if line.startswith("http"))
            yield url
        finally:
            process.terminate()


def draw_page(page: Page, search: str, scheme: Literal["light", "dark"] = "light") -> None:
    """The page of the service, with the answer to a query."""
    page.emulate_media(color_scheme=scheme)
    with serving() as url:
        page.goto(f"{url}/?{search}")
        page.locator("body[data-shows]").wait_for(timeout=60_000)
        page.reload()  # as most answers are, once what lies around has been read
        page.locator("body[data-shows]").wait_for(timeout=60_000)
        if "view=map" in search:
            page.get_by_text("On the map:").wait_for(timeout=60_000)
            page.wait_for_timeout(500)


def draw_query(page: Page, _: Path) -> None:
    """Seeds, a dislike, a constraint, and answers with reasons."""
    draw_page(page, "title=rainy+day&tags=rain&not_tags=party&genres=Jazz&genres=Ballad")


def draw_dark(page: Page, work: Path) -> None:
    """The query in the map, in the dark."""
    melon("map", "--out", str(work / "map.html"), "--path", str(DEMO / "store"))
    draw_page(page, "tags=rain&tags=dawn&view=map", "dark")


def draw_narrow(page: Page, _: Path) -> None:
    """As a telephone shows it."""
    draw_page(page, "title=rainy+day&tags=rain")


def draw_korean(page: Page, _: Path) -> None:
    """Korean in the query and in the answers, two strategies side by side."""
    draw_page(page, "title=비+오는+날&tags=우산&beside=strategy:vote")


PAGE = ("service/page/*/*",)

PICTURES = {
    "page": Picture(draw_query, PAGE),
    "page-dark": Picture(draw_dark, (*PAGE, "plots/map.js"), height=900),
    "page-narrow": Picture(draw_narrow, PAGE, width=375),
    "page-korean": Picture(draw_korean, PAGE),
    "map": Picture(
        draw_map, ("plots/map*.js", "plots/map_page.py", "plots/page.*", "plots/colours.py")
    ),
    "inspect": Picture(
        draw_inspection,
        ("plots/inspection.py", "plots/charts.py", "plots/page.*"),
        width=790,
        height=800,
    ),
}


def save(picture: Picture, screenshot: bytes, target: Path) -> None:
    """Write a screenshot in few colours, with the hash of what it is made of."""
    image = (
        Image.open(io.BytesIO(screenshot))
        .convert("RGB")
        .quantize(COLOURS, dither=Image.Dither.NONE)
    )
    about = PngImagePlugin.PngInfo()
    about.add_text(MADE_OF, picture.made_of())
    target.parent.mkdir(exist_ok=True)
    image.save(target, optimize=True, pnginfo=about)


def main(names: list[str]) -> None:
    """Make the pictures of these names, or all."""
    if not (DEMO / "store").exists():
        melon("demo", "--out", str(DEMO))
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as work:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        for name in names or PICTURES:
            picture = PICTURES[name]
            size: ViewportSize = {"width": picture.width, "height": picture.height}
            page = browser.new_page(viewport=size)
            picture.draw(page, Path(work))
            page.wait_for_timeout(500)  # for what is drawn after the next frame
            save(picture, page.screenshot(), IMAGES / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
