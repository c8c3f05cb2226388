"""`melon ingest` that stops at one moment and says so, for a test that kills it there.

`python stalled_ingest.py MOMENT [ingest's own arguments]`, where MOMENT is `upload` (the first
points are sent), `index` (indexes are being built, in a child process where the engine has one),
`check`, `sealed` (complete, and not promoted), or `copy` (a part of the release before is copied;
the space of that is in `before`, beside the new one).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import melon.ingest
from melon.cli import main
from melon.embedding import EmbeddingSpace
from melon.store.embedded import builder


def stalling(moment: str, ingest: Callable[..., Any]) -> Callable[..., Any]:
    def run(space: Any, store: Any, **options: Any) -> Any:
        def watch(step: str, done: int, total: int | None) -> None:
            is_sealed = step == "check" and done == total
            if moment == ("sealed" if is_sealed else step.split()[0]) and (step != "copy" or done):
                print("stalled", flush=True)
                time.sleep(600)

        if moment == "copy":
            before = EmbeddingSpace.load(Path(sys.argv[2]).with_name("before"))
            return ingest(space, store, before=before, progress=watch)
        return ingest(space, store, progress=watch)

    return run


if __name__ == "__main__":
    moment = sys.argv.pop(1)
    if moment == "index":
        builder.SMALL_RELEASE = 0  # in a process of its own
    melon.ingest.ingest = stalling(moment, melon.ingest.ingest)
    main()
