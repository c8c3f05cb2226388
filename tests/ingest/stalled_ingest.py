"""`melon ingest` that stops at one moment and says so, for a test that kills it there.

`python stalled_ingest.py MOMENT [ingest's own arguments]`, where MOMENT is `upload` (the first
points are sent), `index` (indexes are being built, in a child process where the engine has one),
`check`, or `sealed` (complete, and not promoted).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import melon.ingest
from melon.cli import main
from melon.ingest import IngestProgress, Step
from melon.store.embedded import shards


def stalling(moment: str, ingest: Callable[..., Any]) -> Callable[..., Any]:
    def run(space: Any, store: Any, **options: Any) -> Any:
        def watch(progress: IngestProgress) -> None:
            step = "sealed" if is_sealed(progress) else str(progress.step)
            if step == moment:
                print("stalled", flush=True)
                time.sleep(600)

        return ingest(space, store, progress=watch)

    return run


def is_sealed(progress: IngestProgress) -> bool:
    return progress.step is Step.CHECK and progress.done == progress.total


if __name__ == "__main__":
    moment = sys.argv.pop(1)
    if moment == "index":
        shards.SMALL_SHARD = 0  # a child process for every shard
        shards.POLL_SECONDS = 0.001  # and the first report while it is at work
    melon.ingest.ingest = stalling(moment, melon.ingest.ingest)
    main()
