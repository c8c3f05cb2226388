"""Small disks of their own, where the tests may mount some."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from machine import IN_CI


@contextmanager
def mounted(directory: Path, *options: str, image_mb: int | None = None) -> Iterator[Path]:
    """A file system at `directory`, which is made: mount's options, or ext4 in a file beside it.

    Skips the test where the system lets it mount none, which takes root; in CI it fails then.
    """
    directory.mkdir()
    try:
        if image_mb:
            image = directory.with_suffix(".ext4")
            with image.open("wb") as file:
                file.truncate(image_mb << 20)
            subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
            options = ("-o", "loop", str(image))
        subprocess.run(["mount", *options, str(directory)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        give_up = pytest.fail if IN_CI else pytest.skip
        give_up(f"no file system can be mounted here: {error}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


def fill(directory: Path, *, leave: int = 0) -> Path:
    """Fill a disk but for `leave` bytes, by one file, which is returned."""
    filler = directory / "filler"
    filler.unlink(missing_ok=True)
    size = shutil.disk_usage(directory).free - leave
    with filler.open("wb") as file:
        while size > 0:
            try:
                os.posix_fallocate(file.fileno(), 0, size)
                break
            except OSError:
                size -= 1 << 16
    return filler
