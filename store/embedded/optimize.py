"""Builds the indexes of one embedded shard, for the process that started it.

`python -m melon.store.embedded.optimize DIRECTORY COLLECTION PARENT`
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

from melon.errors import MelonError
from melon.store.embedded.shards import build_indexes
from melon.store.schema import Collection

PR_SET_PDEATHSIG = 1


def end_with(parent: int) -> None:
    """Have Linux end this process with its parent, kill -9 included.

    Nobody would want the indexes then, and writing them would disturb the next build. Elsewhere
    an orphan ends when it is done.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("whoever asked for the indexes is gone")


if __name__ == "__main__":
    end_with(int(sys.argv[3]))
    try:
        build_indexes(Path(sys.argv[1]), Collection(sys.argv[2]))
    except MelonError as error:
        sys.exit(str(error.__cause__ or error.what))  # to whoever reads it, in a line
