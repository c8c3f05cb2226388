"""Builds the shards of a release for the process that started it: `python -m … PARENT`."""

from __future__ import annotations

import os
import sys

from melon.processes import end_with
from melon.store.embedded.writer import serve

if __name__ == "__main__":
    end_with(int(sys.argv[1]))  # what an orphan writes would disturb the next build
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else prints does not disturb the answers
    serve(sys.stdin.buffer, answers)
