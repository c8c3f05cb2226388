"""Builds the indexes of one embedded shard, for the process that started it.

`python -m melon.store.embedded.optimize DIRECTORY COLLECTION PARENT`
"""

from __future__ import annotations

import sys
from pathlib import Path

from melon.errors import MelonError
from melon.processes import end_with
from melon.store.embedded.shards import build_indexes
from melon.store.schema import SCHEMA, Collection

if __name__ == "__main__":
    end_with(int(sys.argv[3]))  # what an orphan writes would disturb the next build
    try:
        build_indexes(Path(sys.argv[1]), SCHEMA[Collection(sys.argv[2])].indexed)
    except MelonError as error:
        sys.exit(str(error.__cause__ or error.what))  # to whoever reads it, in a line
