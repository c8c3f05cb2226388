"""The map that the page draws: the one that `melon map` keeps, or a quick one of few points."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import Any

from melon.plots import map_data, map_file, map_of, saved_map
from melon.retrieval import Retriever
from melon.service.failures import Refused
from melon.store import ReleaseReader

MAX_QUICK = 20_000
"""Points of a store that are gone through while somebody waits."""

PLACES = 7_000
"""Points of a quick map."""

KEPT = 2
"""Maps that are kept, of as many releases."""


class Maps:
    """Maps by release. May be shared by threads.

    Args:
        home: where `melon map` keeps those that it made, or None.
    """

    def __init__(self, home: Path | None) -> None:
        self._home = home
        self._kept: OrderedDict[tuple[str, int], dict[str, Any]] = OrderedDict()
        self._making = Lock()

    def of(self, retriever: Retriever) -> dict[str, Any]:
        """What the page draws.

        Raises:
            Refused: none was made, and there is too much to make one now.
            MalformedMap, UnreadableFile: the file of it holds something else.
        """
        reader = retriever.engine_reader
        with self._making:
            release = reader.manifest.release
            key = (f"{release} {reader.manifest.created}", self._changed(release))
            if key not in self._kept:
                self._kept[key] = self._made(reader)
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]

    def _changed(self, release: str) -> int:
        """When the kept map was made, 0 where there is none."""
        try:
            return map_file(self._home, release).stat().st_mtime_ns if self._home else 0
        except OSError:
            return 0

    def _made(self, reader: ReleaseReader) -> dict[str, Any]:
        kept = saved_map(self._home, reader.manifest) if self._home else None
        if kept:
            return {"layout": "t-SNE", "rule": kept.rule, "points": map_data(kept)}
        points = sum(reader.manifest.counts.values())
        if points > MAX_QUICK:
            raise Refused(
                404, "no map of this release was made yet", hint="run `melon map` for this store"
            )
        made = map_of(reader, places=PLACES, quick=True)
        return {"layout": "principal components", "rule": made.rule, "points": map_data(made)}
