"""Files are replaced whole or not at all, and stay what they were; locks keep processes apart."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from melon.files import Replacement, locked, write_atomically


def test_a_file_is_replaced_by_a_whole_one(tmp_path: Path):
    path = tmp_path / "held"
    new = Replacement(path)
    new.write("first,\r\n")
    new.write("비 오는 날")
    assert not path.exists()
    new.commit()
    new.discard()
    assert path.read_bytes() == "first,\r\n비 오는 날".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_not_committed_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "held"
    path.write_text("before")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("no room")))
    with pytest.raises(OSError, match="no room"):
        write_atomically(path, "after")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_two_may_write_at_once(tmp_path: Path):
    one, other = (Replacement(tmp_path / "held") for _ in range(2))
    one.write("one")
    other.write("other")
    for new in (other, one):
        new.commit()
    assert (tmp_path / "held").read_text() == "one"


WRITER = """
import sys, time
from pathlib import Path
from melon.files import Replacement
new = Replacement(Path(sys.argv[1]))
print("writing", flush=True)
time.sleep(600)
"""


def test_what_a_killed_writer_left_is_removed_when_the_file_is_written_again(tmp_path: Path):
    path, other = tmp_path / "held[1]", tmp_path / "held1"
    mine, another = Replacement(path), Replacement(other)
    for target in (path, other):
        command = [sys.executable, "-c", WRITER, str(target)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout
            assert writer.stdout.readline() == "writing\n"
            writer.kill()
    assert len(list(tmp_path.iterdir())) == 4
    write_atomically(path, "whole")
    assert len(list(tmp_path.glob(".held[[]1].*"))) == 1  # mine, which may still be written
    assert len(list(tmp_path.glob(".held1.*"))) == 2  # of another file
    mine.discard()
    another.commit()
    assert path.read_text() == "whole"


def test_what_is_not_written_any_more_is_removed_and_nothing_else(tmp_path: Path):
    """Of whatever process, in this container or another: the lock says it, and no number."""
    new = Replacement(tmp_path / "held")
    [beside] = tmp_path.iterdir()
    unseen = beside.rename(beside.with_name(".held.0123abcd.tmp"))
    others = {tmp_path / ".held.mine.tmp", tmp_path / ".held.json.0123abcd.tmp"}
    for other in others:
        other.touch()
    write_atomically(tmp_path / "held", "other")
    assert unseen.exists()
    new._file.close()
    write_atomically(tmp_path / "held", "other")
    assert set(tmp_path.iterdir()) == others | {tmp_path / "held"}


@pytest.mark.parametrize("step", ["before its lock", "before its move"])
def test_a_writer_is_never_taken_for_a_dead_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
):
    path = tmp_path / "held"
    place, name = (fcntl, "flock") if step == "before its lock" else (Path, "replace")
    plain = getattr(place, name)

    def meanwhile(*args: Any) -> Any:
        monkeypatch.undo()
        write_atomically(path, "other")
        return plain(*args)

    monkeypatch.setattr(place, name, meanwhile)
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


@pytest.mark.parametrize("name", ["a directory", "a file"])
def test_what_is_locked_is_locked_once(tmp_path: Path, name: str):
    path = tmp_path / name
    if name == "a directory":
        path.mkdir()
    with locked(path), pytest.raises(BlockingIOError), locked(path, wait=False):
        pass
    with locked(path, wait=False):
        pass


def test_a_lock_leaves_its_file_as_it_is(tmp_path: Path):
    path = tmp_path / "held"
    path.write_text("of somebody")
    with locked(path):
        assert path.read_text() == "of somebody"
