"""The pictures of the documents: shown, small, and of what they show today."""

from __future__ import annotations

from pathlib import Path

import pytest
from pictures import IMAGES, MADE_OF, PICTURES
from PIL import Image

DOCS = Path(__file__).resolve().parents[1] / "docs"
MAX_BYTES = 150_000


def test_every_picture_has_its_maker_and_every_maker_its_picture() -> None:
    assert {path.stem for path in IMAGES.iterdir()} == set(PICTURES)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_shown_and_current(name: str) -> None:
    path = IMAGES / f"{name}.png"
    assert path.stat().st_size < MAX_BYTES
    documents = [*DOCS.glob("*.md"), DOCS.parent / "README.md"]
    assert any(f"images/{name}.png)" in document.read_text() for document in documents)
    with Image.open(path) as image:
        made_of = image.info[MADE_OF]
    assert made_of == PICTURES[name].made_of(), f"run `python scripts/pictures.py {name}`"
