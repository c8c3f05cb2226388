"""What melon does to a store, as commands, each with the state in which it leaves the store."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from breakage.catalogue import TRAINING, Contents, Held, Trained, Update, make_spaces, make_update
from breakage.world import Embedded, Place, State, Violation, World
from melon.embedding import EmbeddingSpace
from melon.ingest import restore
from melon.ingest.backup import open_backup
from melon.progress import ignore


@dataclass(frozen=True)
class Around:
    """What is there beside the store: spaces, backups, and a library of releases."""

    directory: Path
    trained: Sequence[Trained]
    backups: Mapping[str, Path]
    """Of the release of each space."""

    library: Embedded
    shelf: frozenset[str]
    """The releases of the library."""

    update: Update
    known: Mapping[str, Contents]
    """What each release has to hold, that of the update, too."""

    @property
    def backup(self) -> Path:
        """The file that `melon backup` writes."""
        return self.directory / "out" / "release.melon"

    @property
    def space(self) -> Path:
        """The directory that `melon train` writes."""
        return self.directory / "out" / "space"

    def world(self, place: Place) -> World:
        """A store in which there may be all of these releases."""
        return World(place, self.known)


def make_around(directory: Path, shelved: int) -> Around:
    """Three spaces, a backup of each, and a library of as many as are to be `shelved`."""
    trained = make_spaces(directory)
    library = Embedded(directory / "library")
    backups = {one.release: directory / f"{one.release}.melon" for one in trained}
    for one in trained:
        one.back_up(backups[one.release])
    shelf = frozenset(one.release for one in trained[:shelved])
    with library.store() as store:
        for release in shelf:
            restore(backups[release], store, promote=False)
    (directory / "out").mkdir()
    update = make_update(directory, trained[0], seed=0)
    known = {one.release: one.held for one in (*trained, update.after)}
    return Around(directory, trained, backups, library, shelf, update, known)


@dataclass(frozen=True)
class Step:
    """A command that is to be run on the store, and what must be true when it is done."""

    name: str
    arguments: list[str]
    after: State
    at_rest: Callable[[], object]
    """Checks what it writes beside the store: as before or as afterwards, at any time."""

    done: Callable[[], object]
    """Checks that it is written, and that nothing lies beside it."""


def _nothing() -> None:
    pass


def _step(name: str, arguments: list[str], after: State) -> Step:
    return Step(name, arguments, after, _nothing, _nothing)


@dataclass(frozen=True)
class Now:
    """A store and what is around it, when the next step is chosen."""

    world: World
    around: Around
    state: State
    chance: random.Random

    @property
    def options(self) -> list[str]:
        """What names the store to a command."""
        return self.world.place.options

    def absent(self, among: Collection[str]) -> Trained | None:
        """A space whose release is not there."""
        absent = [
            one
            for one in self.around.trained
            if one.release not in self.state.releases and one.release in among
        ]
        return self.chance.choice(absent) if absent else None

    def other(self) -> str | None:
        """A release that is not live."""
        others = sorted(self.state.releases - {self.state.live})
        return self.chance.choice(others) if others else None


Operation = Callable[[Now], Step | None]
"""A step that can be taken now, or None where there is none."""


def _beside(state: State, release: str) -> State:
    """After a release was built beside the others, and made live."""
    return State(release, state.live, state.releases | {release})


def _alone(state: State, release: str) -> State:
    """After that, and all but the one that was live before was removed."""
    before = {state.live} if state.live else set()
    return State(release, state.live, frozenset({release, *before}))


def _ingest(now: Now) -> Step | None:
    if (one := now.absent(now.around.known)) is None:
        return None
    after = _alone(now.state, one.release)
    return _step("ingest", ["ingest", str(one.path), *now.options], after)


def _update(now: Now) -> Step | None:
    base, after = now.around.update.base, now.around.update.after
    if after.release in now.state.releases:
        return None
    shutil.rmtree(after.path, ignore_errors=True)
    shutil.copytree(base.path, after.path)

    def at_rest() -> None:
        if _space_at(after.path) not in (base.space.hash, after.space.hash):
            raise Violation("the space is neither that of before nor the updated one")

    def done() -> None:
        if _space_at(after.path) != after.space.hash:
            raise Violation("the space is not the updated one")
        check_alone(after.path)

    arguments = ["update", str(after.catalogue), "--space", str(after.path), *now.options]
    return Step("update", arguments, _alone(now.state, after.release), at_rest, done)


def _promote(now: Now) -> Step | None:
    if (release := now.other()) is None:
        return None
    arguments = ["releases", "promote", release, *now.options]
    return _step("promote", arguments, _beside(now.state, release))


def _drop(now: Now) -> Step | None:
    if (release := now.other()) is None:
        return None
    previous = None if now.state.previous == release else now.state.previous
    after = State(now.state.live, previous, now.state.releases - {release})
    return _step("drop", ["releases", "drop", release, *now.options], after)


def _prune(now: Now) -> Step | None:
    if len(now.state.releases) < 3 or now.state.previous is None or now.state.live is None:
        return None
    after = replace(now.state, releases=frozenset({now.state.live, now.state.previous}))
    return _step("prune", ["releases", "prune", "--keep", "2", *now.options], after)


def _backup(now: Now) -> Step | None:
    if now.state.live is None:
        return None
    file, release = now.around.backup, now.state.live
    before = _backed_up(file, now.world)

    def at_rest() -> None:
        if (found := _backed_up(file, now.world)) not in (before, release):
            raise Violation(f"{file.name} holds {found}, neither {before} nor {release}")

    def done() -> None:
        if (found := _backed_up(file, now.world)) != release:
            raise Violation(f"{file.name} holds {found}, not {release}")
        check_alone(file)

    arguments = ["backup", str(file), *now.options]
    return Step("backup", arguments, now.state, at_rest, done)


def _backed_up(file: Path, world: World) -> str | None:
    """The release that a backup holds, whole; None where there is none."""
    if not file.exists():
        return None
    with open_backup(file) as backup:
        release = backup.contents.manifest.release
        world.compare(release, {c: Held.of(p) for c, p in backup.points(ignore).items()})
    return release


def _restore(now: Now) -> Step | None:
    if (one := now.absent(now.around.known)) is None:
        return None
    arguments = ["restore", str(now.around.backups[one.release]), *now.options]
    return _step("restore", arguments, _beside(now.state, one.release))


def _copy(now: Now) -> Step | None:
    if (one := now.absent(now.around.shelf)) is None:
        return None
    arguments = ["copy", "--from", now.around.library.target, "--to", now.world.place.target]
    arguments += ["--release", one.release]
    return _step("copy", arguments, _beside(now.state, one.release))


def _train(now: Now) -> Step | None:
    one, space = now.chance.choice(now.around.trained), now.around.space
    options = [f"--{name.replace('_', '-')}={value}" for name, value in TRAINING.items()]
    options = [option for option in options if "title" not in option]
    before = _space_at(space)

    def at_rest() -> None:
        if before and not _space_at(space):
            raise Violation("the space of before is gone, and the new one is not there")

    def done() -> None:
        if _space_at(space) is None:
            raise Violation("there is no space")
        check_alone(space)

    arguments = ["train", str(one.catalogue), "--out", str(space), *options]
    return Step("train", arguments, now.state, at_rest, done)


def _space_at(space: Path) -> str | None:
    """The hash of a space that is whole; None where there is none.

    Between the two renames that put another in its place it has another name, which the error of
    whoever looks for it gives.
    """
    beside = space.with_name(f".{space.name}.previous")
    there = next((path for path in (space, beside) if path.exists()), None)
    return EmbeddingSpace.load(there).hash if there else None


def check_alone(path: Path) -> None:
    """Make sure that nothing was left beside what was written.

    Raises:
        Violation: something was.
    """
    beside = {other.name for other in path.parent.glob(f".{path.name}.*")}
    if beside:
        raise Violation(f"left behind: {sorted(beside)}")


OPERATIONS: Mapping[str, Operation] = {
    "train": _train,
    "ingest": _ingest,
    "update": _update,
    "promote": _promote,
    "drop": _drop,
    "prune": _prune,
    "backup": _backup,
    "restore": _restore,
    "copy": _copy,
}
