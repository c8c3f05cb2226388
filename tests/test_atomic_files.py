"""Files are replaced whole or not at all, and stay what they were; locks keep processes apart."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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


def test_what_a_process_out_of_sight_is_writing_stays(tmp_path: Path):
    """On another machine, or in another container: its number says nothing here."""
    new = Replacement(tmp_path / "held")
    new.write("new")
    [beside] = tmp_path.iterdir()
    unseen = beside.rename(beside.with_name(".held.99999999999.0123abcd.tmp"))
    write_atomically(tmp_path / "held", "other")
    assert unseen.exists()
    new.discard()
    write_atomically(tmp_path / "held", "other")
    assert not unseen.exists()


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
