"""The file in which a catalogue declares its songs' own fields."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from melon.catalog.errors import BadFields
from melon.errors import InputError, first_problem
from melon.fields import Field, FieldType, OwnField
from melon.files import read_json
from melon.outputs import write_file

_EXAMPLE = '{"songs": [{"name": "bpm", "type": "float"}]}'


class _Declaration(BaseModel):
    model_config = ConfigDict(extra="forbid")

    songs: tuple[OwnField, ...]


def read_fields_file(path: Path) -> tuple[Field, ...]:
    """Read the own fields that a catalogue declares, in the format of `fields.json`.

    Raises:
        UnreadableFile: the file is missing or cannot be opened.
        MalformedJson: it holds no JSON.
        BadFields: it declares no fields, a name that none can have, or one name twice.
    """
    content = read_json(path)
    try:
        declared = _Declaration.model_validate(content).songs
        fields = tuple(one.field() for one in declared)
    except ValidationError as error:
        problem = first_problem(error)
        place = f"{problem.place}: " if problem.place else ""
        types = ", ".join(FieldType)
        raise BadFields(
            f"{place}{problem.what}",
            where=str(path),
            hint=f"declare fields like this: {_EXAMPLE}; types are {types}",
        ) from None
    except InputError as error:
        raise BadFields(error.what, where=str(path), hint=error.hint) from None
    names = [field.name for field in fields]
    for name in names:
        if names.count(name) > 1:
            raise BadFields(
                f"{name!r} is declared {names.count(name)} times",
                where=str(path),
                hint="declare each field once",
            )
    return fields


def write_fields_file(path: Path, fields: Iterable[Field]) -> None:
    """Declare the own fields of a catalogue's songs, in the format of `fields.json`.

    Raises:
        UnwritableFile: the file cannot be written.
    """
    declared = [OwnField.of(field).model_dump(mode="json") for field in fields]
    write_file(path, json.dumps({"songs": declared}, ensure_ascii=False, indent=1))
