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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
    page.locator("#canvas").focus()


def draw_inspection(page: Page, work: Path) -> None:
    """The distributions of the inspection."""
    file = work / "inspect.html"
    melon("inspect", "--html", str(file), "--path", str(DEMO / "store"))
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('h2')[2].scrollIntoView()")


PICTURES = {
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
