"""Columns of any type become columns of text, cleaned, in which what is missing is null."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from melon.text import clean_text, storable

TEXT = pa.large_string()
JOINT = "\x1f"
"""After each value of a cell that held a list, or that had several with separators."""

_MISSING = ("nan", "NaN", "NAN", "null", "NULL", "None", "<NA>", "N/A", "n/a", "NaT")
"""What programs write where a key or a value is missing. A title may well be `None`."""

_MISSING_VALUES, _MISSING_KEYS = pa.array(_MISSING, TEXT), pa.array((*_MISSING, "-1"), TEXT)

_NOTHING = pa.array(("", "\\N"), TEXT)

_EXACT = 2**53
_NAMES_OF_OBJECTS = ("name", "artistName", "title", "id")
_SEPARATORS = (";", "|")

_LEAST_LISTS = 0.2
"""Share of cells that have to look like lists."""

_NUMBER = r"[+-]?\d[\d.eE+-]*"
_QUOTED = r"""(?:'[^']*'|"(?:[^"\\]|\\.)*")"""
_ELEMENT = rf"""(?:{_QUOTED}|[^\s,:'"{{}}]+)"""
WRITTEN_LIST = (
    r"""^(?:\[\s*(?:['"{].*['"}]\s*)?\]"""
    rf"|\[\s*{_NUMBER}(?:(?:\s*,\s*|\s+){_NUMBER})+\s*\]"
    rf"|\((?:\s*(?:{_QUOTED}|{_NUMBER})\s*,)+\s*(?:{_QUOTED}|{_NUMBER})?\s*\)"
    rf"|\{{\s*(?:{_QUOTED}|{_ELEMENT}(?:\s*,\s*{_ELEMENT})+)\s*\}})$"
)
"""A list as Python, JSON, numpy or PostgreSQL write it; one word in brackets may be a title."""
BRACKETED = r"(?s)^(?:\[.*\]|\(.*\)|\{.*\})$"
_OBJECTS = r"""^\[?\s*\{.*['"]\s*:.*\}\s*\]?$"""
_CODE = r"(?:[A-Za-z_-]*\d+|\S+[:/]\S+|(?:[0-9a-f]{8,}-?)+|[A-Za-z0-9_-]{16,})"
_HASHTAGS = r"^(?:#[^\s#]+\s*)+$"
_STRING = re.compile(r"""'[^']*'|"[^"]*\"""")
_A_LIST = re.compile(BRACKETED)
_NUMBERS = re.compile(rf".\s*{_NUMBER}(?:(?:\s*,\s*|\s+){_NUMBER})*\s*,?\s*.")
_BRACED = re.compile(rf"\{{\s*(?:{_ELEMENT}(?:\s*,\s*{_ELEMENT})*)?\s*\}}")
_ESCAPED = re.compile(r"\\(.)")


def as_text(column: Any) -> Any:
    """A column of any Arrow type as text; lists are joined by `JOINT`, durations are in ms."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    kind = column.type
    if pa.types.is_dictionary(kind):
        return as_text(column.dictionary_decode())
    if isinstance(kind, pa.UuidType):
        return texts(column.to_pylist())
    if isinstance(kind, pa.BaseExtensionType):
        return as_text(column.storage)
    if pa.types.is_fixed_size_binary(kind):
        return pa.array([value and value.hex() for value in column.to_pylist()], TEXT)
    if pa.types.is_floating(kind):
        column = column.cast(pa.float32()) if pa.types.is_float16(kind) else column
        column = pc.if_else(pc.is_nan(column), None, column)
        finite = _whole(pc.if_else(pc.is_finite(column), column, None)).cast(TEXT)
        return pc.coalesce(finite, column.cast(TEXT))
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    if pa.types.is_duration(kind):
        column = column.cast(pa.duration("ms"), safe=False)
    nested = pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    if nested:
        return texts(column.to_pylist())
    return column.cast(TEXT)


def _whole(column: Any) -> Any:
    """Floats as integers, if they all are: a missing key makes a program write `12.0` for 12."""
    largest = pc.max(pc.abs(column)).as_py()
    if (
        largest is None
        or largest >= _EXACT
        or not pc.all(pc.equal(pc.floor(column), column)).as_py()
    ):
        return column
    return column.cast(pa.int64())


def texts(values: Iterable[object]) -> Any:
    """A column of text of Python's values."""
    return pa.array([_text(value) for value in values], TEXT)


def _text(value: object) -> str | None:
    if value is None or type(value).__name__ == "NAType" or value != value:  # NaN
        return None
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return _decoded(value)
    if isinstance(value, dict):
        named = [value[name] for name in _NAMES_OF_OBJECTS if name in value]
        return _text(named[0]) if named else storable(json.dumps(value, ensure_ascii=False))
    if isinstance(value, Iterable):
        parts = [text for one in value if (text := _text(one))]
        return "".join(f"{part}{JOINT}" for part in parts) or None
    return str(value)


def _decoded(value: bytes) -> str:
    """Bytes as the text that they are in UTF-8; as hexadecimal digits if they are none."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return value.hex()
    return text if text.isprintable() else value.hex()


def cleaned(column: Any) -> Any:
    """Texts without white space at their ends, and null where nothing is left, or `\\N`.

    That is how MySQL and PostgreSQL write what is missing.
    """
    column = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.is_in(column, _NOTHING), None, column)


def joined(column: Any) -> Any:
    """Texts in which the values of lists stand between commas."""
    if not pc.any(pc.match_substring(column, JOINT)).as_py():
        return column
    return pc.replace_substring(pc.replace_substring_regex(column, f"{JOINT}$", ""), JOINT, ", ")


def cleaned_keys(column: Any) -> Any:
    """Keys: without the `.0` of whole numbers, and null where they are missing.

    A key that is missing in one row makes a program write all others of its column as `12.0`.
    """
    if pc.any(pc.match_substring(column, JOINT)).as_py():  # the first of several, as in JSPF
        column = pc.replace_substring_regex(column, f"(?s){JOINT}.*", "")
    column = cleaned(column)
    if pc.any(pc.ends_with(column, ".0")).as_py():
        column = pc.replace_substring_regex(column, r"^(\d+)\.0$", r"\1")
    return pc.if_else(pc.is_in(column, _MISSING_KEYS), None, column)


def cleaned_values(column: Any) -> Any:
    """Values of own fields, null where they are missing."""
    column = cleaned(column)
    return pc.if_else(pc.is_in(column, _MISSING_VALUES), None, column)


def are_keys(values: Any, *, words: bool) -> bool:
    """Whether all values look like keys; with `words`, whatever has no spaces does."""
    values = cleaned_keys(values).drop_null()
    if not len(values):
        return False
    if words:
        return not pc.any(pc.match_substring_regex(values, r"\s")).as_py()
    return bool(pc.all(pc.match_substring_regex(values, f"^{_CODE}$")).as_py())


def hold_objects(values: Any) -> bool:
    """Whether some texts are objects, or lists of such, as Python or JSON writes them."""
    return bool(pc.any(pc.match_substring_regex(values, _OBJECTS)).as_py())


def are_numbers(values: Any) -> bool:
    """Whether all values are integers, and there are some."""
    values = cleaned_keys(values).drop_null()
    return bool(len(values) and pc.all(pc.match_substring_regex(values, r"^\d+$")).as_py())


def number_rows(values: Any) -> bool:
    """Whether values are integers that do not repeat, as the ids of a table's rows."""
    values = values.drop_null()
    return 2 <= len(values) == len(values.unique()) and are_numbers(values)


def separator(values: Any, *, commas: bool) -> str | None:
    """What separates several values in the cells of a column, as far as a part of it tells."""
    values = values.drop_null()
    if hold_lists(values):
        return None
    for marks in (_SEPARATORS, ",") if commas else (_SEPARATORS,):
        cells = {mark: pc.sum(pc.match_substring(values, mark)).as_py() or 0 for mark in marks}
        if any(cells.values()):
            return max(cells, key=lambda mark: cells[mark])  # others are part of a name
    if (
        pc.all(pc.match_substring_regex(values, _HASHTAGS)).as_py()
        and pc.any(pc.match_substring_regex(values, "#.*#")).as_py()
    ):
        return "#"
    return None


def separated(column: Any, mark: str | None) -> Any:
    """Cells whose values are joined by `JOINT`, and no longer by a separator of the source."""
    return pc.replace_substring(column, mark, JOINT) if mark else column


def apart(column: Any, mark: str | None, *, written: bool = True) -> Any:
    """The values of each cell as a list; of a missing cell, one that is empty.

    Args:
        column: of cells.
        mark: what stands between the values of a cell.
        written: whether texts may be lists, as programs write them.
    """
    if written and mark is None and pc.any(pc.match_substring_regex(column, WRITTEN_LIST)).as_py():
        column = pa.array([JOINT.join(split_cell(cell)) for cell in column.to_pylist()], TEXT)
    column = pc.replace_substring_regex(separated(column, mark), f"{JOINT}$", "")
    return pc.split_pattern(pc.fill_null(column, ""), JOINT)


def are_lists(values: Any, *, plural: bool) -> bool:
    """Whether some cells are lists; of a column whose name is a plural, maybe texts of several."""
    lists = pc.any(pc.match_substring_regex(values, f"{JOINT}|{WRITTEN_LIST}")).as_py()
    return bool(lists) or (plural and joined_lists(values) is not None)


def hold_lists(values: Any) -> bool:
    """Whether cells are lists, where texts may be anything: few that look like it are none."""
    if pc.any(pc.match_substring(values, JOINT)).as_py():
        return True
    if not pc.any(pc.match_substring_regex(values, WRITTEN_LIST)).as_py():
        return False
    return bool(pc.mean(pc.match_substring_regex(values, BRACKETED)).as_py() >= _LEAST_LISTS)


def joined_lists(values: Any) -> str | None:
    """The separator by which cells of a column of keys look like lists, if they do."""
    values = values.drop_null()
    if pc.any(pc.match_substring_regex(values, f"{JOINT}|{WRITTEN_LIST}")).as_py():
        return None  # they are lists
    for mark in (*_SEPARATORS, ","):
        if not pc.any(pc.match_substring(values, mark)).as_py():
            continue
        part = rf"[^\s{re.escape(mark)}]+"
        lists = pc.match_substring_regex(values, rf"^{part}(\s?{re.escape(mark)}\s?{part})+$")
        if pc.mean(lists).as_py() >= _LEAST_LISTS:
            return mark
    spaced = pc.match_substring_regex(values, rf"^{_CODE}( {_CODE})*$")  # names have spaces, too
    if pc.all(spaced).as_py() and pc.any(pc.match_substring(values, " ")).as_py():
        return " "
    return None


@lru_cache(maxsize=1 << 16)
def split_cell(cell: str | None) -> tuple[str, ...]:
    """The values in a cell: a list as Python or JSON writes it, or texts between `JOINT`s."""
    if cell is None:
        return ()
    parts: Iterable[object] = cell.split(JOINT)
    if _A_LIST.match(cell) and (literal := _literal(cell)) is not None:
        parts = literal
    clean = (clean_text(text) for part in parts if (text := _text(part)))
    return tuple(dict.fromkeys(text for text in clean if text))


def _literal(cell: str) -> list[object] | None:
    if _NUMBERS.fullmatch(cell):  # as they are written: `007`, and without commas by numpy
        return [*re.findall(_NUMBER, cell)]
    if _BRACED.fullmatch(cell):
        found = [one for one in re.findall(_ELEMENT, cell[1:-1]) if one != "NULL"]
        return [_ESCAPED.sub(r"\1", one[1:-1]) if one[0] in "'\"" else one for one in found]
    strings = _STRING.findall(cell)
    if len(strings) > 1 and not _STRING.sub("", cell).strip("[] \n"):
        return [text[1:-1] for text in strings]  # an array as numpy prints it: Python joins these
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
        if isinstance(value, list | tuple):
            return list(value)
    return None
