"""The data of a benchmark: a space that is named, or one of the demo corpus at a part of its size.

`--scale 1/4` makes a corpus of a quarter of *Melon*'s playlists, songs and tags, trains a space on
it and keeps it in `.cache/benchmarks`, where the next benchmark finds it.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path
from typing import Any

from harness import parser

from melon.demo import DemoScale, make_demo
from melon.embedding import EmbeddingSpace
from melon.learning import train_corpus

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "benchmarks"


def data_parser(doc: str | None) -> argparse.ArgumentParser:
    """Arguments that name the data: a space's directory, or `--scale`."""
    made = parser(doc)
    data = made.add_mutually_exclusive_group(required=True)
    data.add_argument("space", nargs="?", type=Path, help="directory of a space")
    data.add_argument("--scale", type=scale, help="of the demo corpus: 1/8, 1/4, 1/2 or full")
    made.add_argument("--scratch", type=Path, help="directory for stores, on a disk with room")
    return made


def scale(text: str) -> Fraction:
    """What `--scale` means."""
    part = Fraction(1) if text == "full" else Fraction(text)
    if not 0 < part <= 1:
        raise argparse.ArgumentTypeError("a scale is above 0 and at most 1")
    return part


def space_path(args: argparse.Namespace) -> Path:
    """Directory of the space that the arguments name; made if it is not there yet."""
    return args.space or demo_space(args.scale)


def demo_space(part: Fraction, cache: Path = CACHE) -> Path:
    """A space of the demo corpus at `part` of its size, trained once."""
    space = _directory(part, cache) / "space"
    if not space.exists():
        train_corpus([demo_corpus(part, cache)], space, ranking=False)
    return space


def demo_corpus(part: Fraction, cache: Path = CACHE) -> Path:
    """The demo corpus at `part` of its size, made once."""
    corpus, full = _directory(part, cache) / "corpus", DemoScale.FULL
    if not corpus.exists():
        unfinished = corpus.with_suffix(".part")
        make_demo(
            unfinished,
            scale=DemoScale(
                int(full.playlists * part),
                int(full.songs * part),
                int(full.tags * part),
                full.songs_per_playlist,
            ),
        )
        unfinished.rename(corpus)
    return corpus


def _directory(part: Fraction, cache: Path) -> Path:
    return cache / f"demo-{part.numerator}-{part.denominator}"


def described(space: EmbeddingSpace) -> dict[str, Any]:
    """What a report says of its data."""
    return {
        "space": space.hash[:12],
        "songs": len(space.song_ids),
        "tags": len(space.tags),
        "playlists": len(space.playlist_ids),
        "dimensions": space.dim,
    }
