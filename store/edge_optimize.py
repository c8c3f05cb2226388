"""Builds the indexes of one embedded shard: `python -m melon.store.edge_optimize DIRECTORY`."""

from __future__ import annotations

import sys
from pathlib import Path

from melon.store.edge_shards import build_indexes

if __name__ == "__main__":
    build_indexes(Path(sys.argv[1]))
