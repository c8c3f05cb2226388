"""A small catalogue in every format that can be imported, and what comes of an import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from melon.catalog import (
    FIELDS_FILE,
    PLAYLIST_FILES,
    SONG_FILE,
    from_frame,
    import_frame,
    plan_import,
    write_import,
)

TRAIN = PLAYLIST_FILES[0]


def imported(source: Path, out: Path, **options: Any) -> dict[str, Any]:
    catalogue = plan_import([source], **options).read()
    write_import(catalogue, out)
    return contents(out)


def contents(out: Path) -> dict[str, Any]:
    return {name: json.loads((out / name).read_text()) for name in (TRAIN, SONG_FILE, FIELDS_FILE)}


def by_key(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {record["key"]: record for record in records}


def frame_report(rows: dict[str, list[Any]], out: Path, **options: Any) -> list[str]:
    return import_frame(pd.DataFrame(rows), out=out, **options).lines()


def read(source: Any, **options: Any) -> Any:
    if isinstance(source, pd.DataFrame):
        return from_frame(source, **options)
    return plan_import([source], **options).read()


def written(source: Any, out: Path, **options: Any) -> dict[str, Any]:
    write_import(read(source, **options), out)
    return contents(out)


def lists_of(found: dict[str, Any]) -> dict[str, list[str]]:
    keys = {song["id"]: song["key"] for song in found[SONG_FILE]}
    return {one["key"]: [keys[song] for song in one["songs"]] for one in found[TRAIN]}
