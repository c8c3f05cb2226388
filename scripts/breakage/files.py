"""Every file of a store and of a space: a bit of it flipped, cut, emptied, deleted."""

from __future__ import annotations

import filecmp
import os
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from breakage.catalogue import Trained
from breakage.world import Answers, Embedded, Violation, World, answers_of, difference_of
from melon.embedding import EmbeddingSpace
from melon.errors import MelonError
from melon.files import data_in
from melon.retrieval import Retriever
from melon.store import verify

BLOCK = 4096


def flip(path: Path, chance: random.Random) -> None:
    """Change one bit of what is there, not of a hole."""
    with path.open("r+b") as file:
        parts = list(data_in(file, BLOCK))
        if not parts:
            return
        place = chance.randrange(*chance.choice(parts))
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
DAMAGES: tuple[Damage, ...] = (flip, cut, empty, delete)


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


def damage_store(
    world: World, release: str, count: int, seed: int, damages: Sequence[Damage] = DAMAGES
) -> Counter[str]:
    """Damage files of an embedded store, and ask it: the same answers, or an error.

    A search reads what it needs of a file and no more, so that others may be given where bits have
    changed. That is told by the checksums, of which `melon verify` reads all.

    Returns:
        How often it was `refused`, `told` by the checksums and answered as before, told by them and
        answered `otherwise`, or `harmless`: the engine writes its configuration anew.

    Raises:
        Violation: other answers that nothing tells of, or no answer and no error of melon's.
    """
    place = world.place
    assert isinstance(place, Embedded)
    with place.store() as store:
        store.promote(release)
        expected = answers_of(Retriever(store))
    ends: Counter[str] = Counter()
    kept = Kept(place.root)
    for path, damage, number in pairs(place.root, count, seed, damages):
        where = f"{damage.__name__} {path.relative_to(place.root)} (seed {number})"
        try:
            with kept.damaged(path, damage, number) as is_damaged:
                end = _ask(world, expected)
                untold = end == "harmless" and "releases" in where and is_damaged()
        except MelonError:
            end, untold = "refused", False
        except BaseException as error:
            raise Violation(f"{where}: {type(error).__name__}: {error}") from error
        if untold or end == "otherwise and untold":
            raise Violation(f"{where}: {end}")
        ends[end] += 1
    kept.close()
    with place.store() as store:
        if faults := verify(store).faults:
            raise Violation(f"after all files were put back: {faults}")
    return ends


def _ask(world: World, expected: Answers) -> str:
    with world.place.store() as store:
        answers = answers_of(Retriever(store))
        live = store.live()
        told = live is None
        with suppress(MelonError):
            told = bool(live and verify(store, live).faults)
        if difference_of(expected, answers) is None:
            return "told" if told else "harmless"
        return "otherwise" if told else "otherwise and untold"


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
