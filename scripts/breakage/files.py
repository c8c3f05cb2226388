"""Every file of a store and of a space: bits of it flipped, cut, emptied, deleted."""

from __future__ import annotations

import filecmp
import json
import os
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from breakage.catalogue import Trained
from breakage.warm import Ended, Warm
from breakage.world import Answers, Embedded, Violation, difference_of
from melon.embedding import EmbeddingSpace
from melon.errors import MelonError
from melon.files import data_in
from melon.ingest import ingest
from melon.store import Preset
from melon.store.presets import INDEX_SETTINGS, IndexSettings

BLOCK = 4096

QUERIES = (("--title", "rainy day"), ("--song", "5", "--song", "7", "--tag", "rain"))


def flip(path: Path, chance: random.Random) -> None:
    """Change one bit of what is there, not of a hole; every other time, of the first 64 bytes."""
    with path.open("r+b") as file:
        parts = list(data_in(file, BLOCK))
        if not parts:
            return
        start, end = chance.choice(parts)
        if chance.random() < 0.5:
            start, end = parts[0][0], min(parts[0][1], parts[0][0] + 64)
        place = chance.randrange(start, end)
        file.seek(place)
        old = file.read(1)
        file.seek(place)
        file.write(bytes([old[0] ^ 1 << chance.randrange(8)]))


def cut(path: Path, chance: random.Random) -> None:
    """Take away its end."""
    size = path.stat().st_size
    os.truncate(path, chance.randrange(size) if size else 0)


def empty(path: Path, chance: random.Random) -> None:
    """Leave nothing in it."""
    del chance
    os.truncate(path, 0)


def delete(path: Path, chance: random.Random) -> None:
    """Leave nothing of it."""
    del chance
    path.unlink()


Damage = Callable[[Path, random.Random], None]
DAMAGES: tuple[Damage, ...] = (*[flip] * 4, cut, empty, delete)

REBUILT = 0.05
"""Of the releases that are refused, the share of which another is built."""


class Kept:
    """A directory, and a copy of it beside, from which what is damaged is put back."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._copy = root.with_name(f"{root.name}.kept")
        self._copied(root, self._copy)
        self._sizes = self._listed()

    @contextmanager
    def damaged(self, path: Path, damage: Damage, seed: int) -> Iterator[Callable[[], bool]]:
        """Damage a file of it until the block ends; the call says whether it is so yet."""
        kept = self._copy / path.relative_to(self.root)
        try:
            damage(path, random.Random(seed))
            yield lambda: not path.exists() or not filecmp.cmp(path, kept, shallow=False)
        finally:
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                shutil.copy2(kept, path)
            if self._listed() != self._sizes:  # for the engine has mended what it does not trust
                shutil.rmtree(self.root)
                self._copied(self._copy, self.root)

    def close(self) -> None:
        """Remove the copy."""
        shutil.rmtree(self._copy)

    def _listed(self) -> dict[Path, int]:
        files = (path for path in self.root.rglob("*") if path.is_file())
        return {path: path.stat().st_size for path in files if path.suffix != ".lock"}

    @staticmethod
    def _copied(source: Path, target: Path) -> None:
        subprocess.run(["cp", "-a", "--sparse=always", source, target], check=True)


def pairs(
    root: Path, count: int, seed: int, damages: Sequence[Damage] = DAMAGES
) -> list[tuple[Path, Damage, int]]:
    """So many files and damages, by chance, or all of them, each with a seed of its own."""
    files = [
        path
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix != ".lock" and not path.name.startswith(".")
    ]
    chosen = [(path, kind) for path in files for kind in damages]
    random.Random(seed).shuffle(chosen)
    return [(path, kind, number) for number, (path, kind) in enumerate(chosen[:count])]


def indexed_store(root: Path, one: Trained) -> Embedded:
    """A store of a release that has all kinds of files: indexes are made of few points, too."""
    of_few = IndexSettings(indexing_threshold_kb=1, full_scan_threshold_kb=1)
    with (
        patch.dict(INDEX_SETTINGS, {Preset.BALANCED: of_few}),
        Embedded(root).store() as store,
    ):
        ingest(one.space, store, preset=Preset.BALANCED)
    return Embedded(root)


@dataclass
class Damaged:
    """An embedded store of one release; its files are damaged, and it is asked by commands."""

    place: Embedded
    one: Trained
    warm: Warm
    _said: str = ""

    def run(
        self, count: int, seed: int, damages: Sequence[Damage] = DAMAGES, rebuilt: float = REBUILT
    ) -> Counter[str]:
        """Damage one file after the other, and run each command in a process of its own.

        A search reads what it needs of a file and no more, so that other answers may be given where
        bits have changed. That is told by the checksums, of which `melon verify` reads all.

        Returns:
            How often it was `refused`, `told` by `verify` and answered as before, told by it and
            answered `otherwise`, or `harmless`: the engine writes its configuration anew. And how
            often another release was `built beside` one that is refused.

        Raises:
            Violation: a command ended by a signal, a traceback or not at all; other answers, or
                damage, of which `verify` says nothing.
        """
        with self.place.store() as store:
            [release] = (info.manifest.release for info in store.releases())
            store.promote(release)
        expected = self._answers()
        if expected is None:
            raise Violation("queries are refused before anything is damaged")
        ends: Counter[str] = Counter()
        kept = Kept(self.place.root)
        for path, damage, number in pairs(self.place.root, count, seed, damages):
            where = f"{damage.__name__} {path.relative_to(self.place.root)} (seed {number})"
            self._said = ""
            chance = random.Random(f"{seed} {number}")
            try:
                with kept.damaged(path, damage, number) as is_damaged:
                    end, told = self._end(release, expected)
                    of_release = "releases" in path.parts
                    if of_release and not told and (end != "harmless" or is_damaged()):
                        raise Violation(f"{end}, and `melon verify` says nothing: {self._said}")
                    ends[end] += 1
                    if end == "refused" and chance.random() < rebuilt:
                        self._build_beside(expected)
                        ends["built beside"] += 1
            except Violation as violation:
                raise Violation(f"{where}: {violation}") from violation
        kept.close()
        if self._run("verify").code:
            raise Violation("after all files were put back, `melon verify` finds damage")
        return ends

    def _end(self, release: str, expected: Answers) -> tuple[str, bool]:
        """What became of the commands, and whether `melon verify` finds the damage."""
        answers = self._answers()
        others = [self._run("status"), self._run("releases", "promote", release)]
        told = self._run("verify").code != 0
        if answers is None or any(ended.code for ended in others):
            return "refused", told
        if difference_of(expected, answers):
            return "otherwise", told
        return ("told" if told else "harmless"), told

    def _build_beside(self, expected: Answers) -> None:
        if self._run("ingest", str(self.one.path)).code:
            raise Violation("`melon ingest` builds no other release beside it")
        answers = self._answers()
        if answers is None or difference_of(expected, answers):
            raise Violation("the release that was built beside it answers otherwise")

    def _answers(self) -> Answers | None:
        """What is answered to all queries, or None if one is refused."""
        ended = [self._run("query", *query, "--json") for query in QUERIES]
        if any(one.code for one in ended):
            return None
        found = [json.loads(one.said[one.said.index("{") :]) for one in ended]
        return [
            [
                [(song["id"], song["score"]) for song in one["songs"]],
                [(tag["tag"], tag["score"]) for tag in one["tags"]],
            ]
            for one in found
        ]

    def _run(self, *arguments: str) -> Ended:
        command = [*arguments, *self.place.options]
        ended = self.warm.run(command, self.place.environment)
        refused = ended.code in (1, 2) and "error: " in ended.said
        if ended.hung or "Traceback" in ended.said or not (refused or ended.code == 0):
            how = "hung" if ended.hung else f"ended with {ended.code}"
            raise Violation(f"`melon {' '.join(command)}` {how}: {ended.said[-2000:]}")
        self._said = ended.said if refused else self._said
        return ended


def damage_space(one: Trained, count: int, seed: int) -> Counter[str]:
    """Damage files of a space, and load it: the same space, or an error.

    Raises:
        Violation: another space, or another end.
    """
    ends: Counter[str] = Counter()
    kept = Kept(one.path)
    for path, damage, number in pairs(one.path, count, seed):
        where = f"{damage.__name__} {path.name} (seed {number})"
        try:
            with kept.damaged(path, damage, number):
                loaded = EmbeddingSpace.load(one.path)
            held = Trained(one.catalogue, one.path, loaded).held
        except MelonError:
            ends["refused"] += 1
            continue
        except BaseException as error:
            raise Violation(f"{where}: {type(error).__name__}: {error}") from error
        if any(held[part].difference(before) for part, before in one.held.items()):
            raise Violation(f"{where}: another space was loaded")
        ends["harmless"] += 1
    kept.close()
    if EmbeddingSpace.load(one.path).hash != one.space.hash:
        raise Violation("after all files were put back, the space is another")
    return ends
