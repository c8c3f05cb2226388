"""The fields of songs, tags, playlists and words, and a ranking's inputs, from their declaration.

`python scripts/field_reference.py` writes docs/fields.md; a test fails when that is stale.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from melon.fields import MAX_ID, Field, FieldType, payload_fields, read_fields
from melon.retrieval.strategies.inputs import SONG_INPUTS, TAG_INPUTS
from melon.store import SCHEMA, Collection

TARGET = Path(__file__).resolve().parent.parent / "docs" / "fields.md"

HEAD = """\
# The fields

<!-- Made by scripts/field_reference.py (`make docs`): change fields.py, or
     retrieval/strategies/inputs.py, instead. -->

What is known of a song, a tag, a playlist and a word. What holds for all of them is said in
[collections.md](collections.md#payloads) of payloads, and in [format.md](format.md) of files.

## Payloads
"""

FILES_HEAD = """\
## Files

Where a field is not required, it may be missing or `null`, which is the same as `""` or `[]`.
"""

INPUTS_HEAD = """\
## Inputs of the learned ranking

What the networks of a release's `ranking` are given of each candidate, in the order of their
`features`: see [collections.md](collections.md#the-learned-ranking). "Around the query" are the
playlists that share most with it; their similarities are scaled to 1 at most.
"""

STRINGS = (FieldType.TEXT, FieldType.KEYWORD)


def reference() -> str:
    """The whole document."""
    payloads = [payload_table(collection) for collection in Collection]
    files = [
        file_table(heading, SCHEMA[collection].fields)
        for heading, collection in (
            ("A record of `song_meta.json`", Collection.SONGS),
            ("A record of `train.json`, `val.json` and `test.json`", Collection.PLAYLISTS),
        )
    ]
    inputs = [
        table(f"### Of a {name}", ("input", ""), ((f"`{one}`", means) for one, means in of.items()))
        for name, of in (("song", SONG_INPUTS), ("tag", TAG_INPUTS))
    ]
    return "\n".join([HEAD, *payloads, FILES_HEAD, *files, INPUTS_HEAD, *inputs]).strip("\n") + "\n"


def payload_table(collection: Collection) -> str:
    """What a payload of a collection may have."""
    return table(
        f"### `melon_{collection}`",
        ("field", "type", "index", "from", "", "example"),
        (
            (
                f"`{field.name}`",
                payload_type(field),
                index_type(field),
                f"file: `{field.source}`" if field.source else field.made_of,
                field.meaning,
                f"`{json.dumps(field.example, ensure_ascii=False)}`",
            )
            for field in payload_fields(SCHEMA[collection].fields)
        ),
    )


def file_table(heading: str, fields: Iterable[Field]) -> str:
    """What a record of a file may have."""
    return table(
        f"### {heading}",
        ("field", "type", "if missing", "becomes"),
        (
            (
                f"`{field.source}`",
                field.written or file_type(field),
                "required" + (", may be empty" if field.many else "")
                if field.required
                else field.missing,
                f"`{field.name}`",
            )
            for field in read_fields(fields)
        ),
    )


def table(heading: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table below its heading."""
    lines = [row(columns), "|---" * len(columns) + "|", *map(row, rows)]
    return "\n".join([heading, "", *lines, ""])


def row(cells: Iterable[str]) -> str:
    """A row of a table."""
    return "|".join(["", *(f" {cell} " if cell else " " for cell in cells), ""])


def payload_type(field: Field) -> str:
    """The type of a value as payloads have it."""
    if field.type in STRINGS:
        kind = "string"
    elif field.type is FieldType.DATE:
        kind = "datetime"
    else:
        kind = field.type.value
    return f"{kind}s" if field.many else kind


def index_type(field: Field) -> str:
    """The type of a field's index, by Qdrant's name; "" where it has none."""
    if field.index is None:
        return ""
    return "datetime" if field.type is FieldType.DATE else field.type.value


def file_type(field: Field) -> str:
    """The type of a value as files have it."""
    if field.type is FieldType.INTEGER:
        one, several = "integer", "integers"
        limits = ", 0 to 2³¹ − 1" if field.maximum == MAX_ID else " from 0"
    else:
        one = "string" if field.type in STRINGS else field.type.value
        several, limits = f"{one}s", ""
    return f"array of {several}{limits}" if field.many else f"{one}{limits}"


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
