"""Files are replaced whole or not at all, and stay what they were; locks keep processes apart."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest

from melon.files import locked, replacing, write_atomically


def test_a_file_is_replaced_by_a_whole_one(tmp_path: Path):
    path = tmp_path / "held"
    with replacing(path) as file:
        file.write("first,\r\n")
        file.write("비 오는 날")
        assert not path.exists()
    assert path.read_bytes() == "first,\r\n비 오는 날".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_not_complete_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "held"
    path.write_text("before")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("no room")))
    with pytest.raises(OSError, match="no room"):
        write_atomically(path, "after")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_two_may_write_at_once(tmp_path: Path):
    with replacing(tmp_path / "held") as one:
        with replacing(tmp_path / "held") as other:
            other.write("other")
        one.write("one")
    assert (tmp_path / "held").read_text() == "one"


WRITER = """
import sys, time
from pathlib import Path
from melon.files import replacing
with replacing(Path(sys.argv[1])):
    print("writing", flush=True)
    time.sleep(600)
"""


def test_what_a_killed_writer_left_is_removed_when_the_file_is_written_again(tmp_path: Path):
    path, other = tmp_path / "held[1]", tmp_path / "held1"
    with replacing(path) as mine, replacing(other):
        for target in (path, other):
            command = [sys.executable, "-c", WRITER, str(target)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
                assert writer.stdout
                assert writer.stdout.readline() == "writing\n"
                writer.kill()
        assert len(list(tmp_path.glob(".*.new"))) == 4
        write_atomically(path, "other")
        assert len(list(tmp_path.glob(".held[[]1].*.new"))) == 1  # mine
        assert len(list(tmp_path.glob(".held1.*.new"))) == 2  # of another file
        mine.write("mine")
    assert path.read_text() == "mine"
    write_atomically(other, "whole")
    assert set(tmp_path.iterdir()) == {path, other}


def test_what_is_not_written_any_more_is_removed_and_nothing_else(tmp_path: Path):
    """Of whatever process, in this container or another: the lock says it, and no number."""
    left = [tmp_path / f".held.0123abcd.{kind}" for kind in ("lock", "new")]
    others = {tmp_path / ".held.mine.lock", tmp_path / ".held.json.0123abcd.lock"}
    others |= {lock.with_suffix(".new") for lock in others}
    for path in (*left, *others):
        path.touch()
    with locked(left[0]):
        write_atomically(tmp_path / "held", "other")
        assert all(path.exists() for path in left)
    write_atomically(tmp_path / "held", "other")
    assert set(tmp_path.iterdir()) == others | {tmp_path / "held"}


@pytest.mark.parametrize("step", ["melon.files._lock", "pathlib.Path.open", "pathlib.Path.replace"])
def test_a_writer_is_never_taken_for_a_dead_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
):
    """Whatever it is about to do when another one writes the same file."""
    path = tmp_path / "held"
    plain = resolve_name(step)

    def meanwhile(*args: Any, **options: Any) -> Any:
        monkeypatch.undo()
        write_atomically(path, "other")
        return plain(*args, **options)

    monkeypatch.setattr(step, meanwhile)
    write_atomically(path, "mine")
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_the_mode_of_a_file_stays_and_a_new_one_has_the_usual(tmp_path: Path):
    held, new = tmp_path / "held", tmp_path / "new"
    held.touch()
    held.chmod(0o640)
    before = os.umask(0o027)
    try:
        write_atomically(held, "a")
        write_atomically(new, "a")
        assert new.stat().st_mode & 0o777 == 0o640
        held.chmod(0o604)
        write_atomically(held, "b")
    finally:
        os.umask(before)
    assert held.stat().st_mode & 0o777 == 0o604


def test_a_link_goes_on_leading_to_the_file(tmp_path: Path):
    held, link = tmp_path / "there" / "held", tmp_path / "link"
    held.parent.mkdir()
    link.symlink_to(held)
    for text in ("new", "newer"):
        write_atomically(link, text)
        assert link.is_symlink()
        assert held.read_text() == text
    assert list(held.parent.iterdir()) == [held]


def test_what_is_locked_is_locked_once(tmp_path: Path):
    path = tmp_path / "lock"
    with locked(path), pytest.raises(BlockingIOError), locked(path, wait=False):
        pass
    with locked(path, wait=False):
        pass


def test_a_lock_leaves_its_file_as_it_is(tmp_path: Path):
    path = tmp_path / "held"
    path.write_text("of somebody")
    with locked(path):
        assert path.read_text() == "of somebody"
