"""Builds the indexes of one embedded shard, for the process that started it.

`python -m melon.store.embedded.optimize DIRECTORY FIELDS PARENT`, where `FIELDS` is a JSON array
of `[name, type, index]`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from melon.errors import MelonError
from melon.fields import Field, FieldType, Index
from melon.processes import end_with
from melon.store.embedded.shards import build_indexes

if __name__ == "__main__":
    end_with(int(sys.argv[3]))  # what an orphan writes would disturb the next build
    fields = [
        Field(name=name, type=FieldType(type), index=Index(**index), meaning="", example=None)
        for name, type, index in json.loads(sys.argv[2])
    ]
    try:
        build_indexes(Path(sys.argv[1]), fields)
    except MelonError as error:
        sys.exit(str(error.__cause__ or error.what))  # to whoever reads it, in a line
