"""Builds the indexes of one embedded shard: `python -m melon.store.edge_optimize DIRECTORY`."""

from __future__ import annotations

import sys
from pathlib import Path

from melon.store.edge_shards import open_shard


def main() -> None:
    """Optimise the shard named on the command line until nothing is left to do."""
    shard = open_shard(Path(sys.argv[1]))
    shard.optimize()
    shard.flush()
    shard.close()


if __name__ == "__main__":
    main()
