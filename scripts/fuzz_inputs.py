"""Changes values, tables, arrays and bytes by chance, into what a stranger could have written."""

from __future__ import annotations

import copy
import io
import json
import random
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from melon.store.embedded.sealing import checksum_of

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, -(2**64), 10**30, 10**400),
    *(
        0.5,
        -0.0,
        1e308,
        float("inf"),
        float("nan"),
        "",
        "x",
        "x" * 5000,
        "\0",
        "\x1b[31m",
        "\ud800",
    ),
    *("\ud800", "../../etc", "2015-13-45", "NaN", [], {}, [[]], [None], [-1], ["x", "x"], {"x": 1}),
    *("@deep 50", "@deep 500", "@deep 200000"),
)
"""What takes the place of a value; `@deep n` stands for n arrays, one in the other."""


def _some_odd(rng: random.Random) -> Any:
    """One of them, that may be changed in its turn."""
    return copy.deepcopy(rng.choice(ODD))


def odd_json(value: Any, rng: random.Random) -> str:
    """The text of a JSON value that was changed in one to three places."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        value = changed(value, rng)
    text = json.dumps(value)
    for depth in (50, 500, 200000):
        text = text.replace(f'"@deep {depth}"', "[" * depth + "]" * depth)
    if rng.random() < 0.03:
        text = text[: rng.randrange(len(text) + 1)]
    return text


def changed(value: Any, rng: random.Random) -> Any:
    """The value with one part deleted, replaced, repeated, renamed or added."""
    if rng.random() < 0.02 or not _members(value):
        return _some_odd(rng)
    holder, key = _place(value, rng)
    match rng.randrange(8):
        case 0 | 1:
            del holder[key]
        case 2 if isinstance(holder, list):
            holder.insert(rng.randrange(len(holder) + 1), copy.deepcopy(holder[key]))
        case 2:
            holder[f"{key}x"] = holder.pop(key)
        case 3 if isinstance(holder, dict):
            holder[rng.choice(("x", "", "__class__", *holder))] = _some_odd(rng)
        case 4:
            other_holder, other_key = _place(value, rng)
            holder[key] = copy.deepcopy(other_holder[other_key])
        case _:
            holder[key] = _some_odd(rng)
    return value


def _members(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value)
    return list(range(len(value))) if isinstance(value, list) else []


def _place(value: Any, rng: random.Random) -> tuple[Any, Any]:
    """A member somewhere in the value, each level as likely."""
    while True:
        holder, key = value, rng.choice(_members(value))
        value = holder[key]
        if not _members(value) or rng.random() < 0.4:
            return holder, key


def odd_bytes(content: bytes, rng: random.Random) -> bytes:
    """The bytes with some of them changed, cut off, repeated or added."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(5):
            case 0 | 1 if at < len(data):
                data[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
            case 2:
                del data[at : at + rng.randrange(1, 64)]
            case 3:
                data[at:at] = data[at : at + rng.randrange(1, 64)]
            case _:
                data[at:at] = rng.randbytes(rng.randrange(1, 9))
    return bytes(data)


def odd_table(table: pa.Table, rng: random.Random) -> pa.Table:
    """The table with one to three of its columns, or its rows, changed."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        with suppress(pa.ArrowException, ValueError, TypeError, OverflowError):
            table = _changed_table(table, rng)
    return table


def _changed_table(table: pa.Table, rng: random.Random) -> pa.Table:
    if not table.num_columns:
        return table
    number = rng.randrange(table.num_columns)
    name, column = table.column_names[number], table.column(number).combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    rows = len(table)

    def put(new: pa.Array) -> pa.Table:
        return table.set_column(number, name, new)

    match rng.randrange(12):
        case 0:
            return table.remove_column(number)
        case 1:
            return table.rename_columns({name: rng.choice((f"{name}x", *table.column_names))})
        case 2:
            types = (
                *(pa.string(), pa.int64(), pa.int32(), pa.uint64(), pa.float64(), pa.bool_()),
                *(pa.large_string(), pa.binary(), pa.date64(), pa.timestamp("ns", "UTC")),
                *(pa.list_(pa.string()), pa.list_(pa.int64()), pa.null(), pa.decimal128(38)),
            )
            kind = rng.choice(types)
            try:
                return put(column.cast(kind, safe=False))
            except (pa.ArrowException, ValueError):
                return put(pa.nulls(rows, kind))
        case 3:
            return put(pa.nulls(rows, column.type))
        case 4:
            chosen = pa.array([rng.random() < 0.1 for _ in range(rows)])
            return put(pc.if_else(chosen, pa.scalar(None, column.type), column))
        case 5:
            order = list(range(rows))
            rng.shuffle(order)
            return table.take(pa.array(order, pa.int64()))
        case 6:
            return table.slice(0, rng.choice((0, 1, rows - 1)))
        case 7:
            return pa.concat_tables([table, table.slice(0, 1)])
        case 8:
            return table.append_column("x", pa.nulls(rows))
        case 9:
            values = column.to_pylist()
            for _ in range(rng.choice((1, 3, rows))):
                values[rng.randrange(rows)] = rng.choice(_odd_values(column.type))
            return put(pa.array(values, column.type))
        case 10:
            return put(column.take(pa.array([0] * rows, pa.int64())))
        case _:
            values = column.to_pylist()
            values[rng.randrange(rows)] = values[rng.randrange(rows)]
            return put(pa.array(values, column.type))


def _odd_values(kind: pa.DataType) -> tuple[Any, ...]:
    if pa.types.is_list(kind):
        inner = _odd_values(kind.value_type)
        return (None, [], [None], [inner[-1]], [inner[-1], inner[-1]], [inner[-2]] * 300)
    if pa.types.is_string(kind):
        return (None, "", " ", "x" * 70_000, "\0", "\x1b[2J", "GN9999", "unheard of")
    if pa.types.is_integer(kind):
        return (None, 0, -1, 2**31, 2**63 - 1, -(2**63), 12345)
    if pa.types.is_date(kind):
        return (None, pa.scalar(2**31 - 1, pa.date32()), pa.scalar(-(2**31), pa.date32()))
    if pa.types.is_timestamp(kind):
        return (None, pa.scalar(2**63 - 1, kind), pa.scalar(-(2**62), kind))
    if pa.types.is_floating(kind):
        return (None, float("nan"), float("inf"), -1.5)
    return (None, None)


def odd_array(array: np.ndarray, rng: random.Random) -> bytes:
    """The bytes of a file that could be the array's."""
    file = io.BytesIO()
    match rng.randrange(10):
        case 0:
            kind = rng.choice(("f8", "i4", ">f4", "c8", "U3", "?", "M8[s]", "V4"))
            array = np.zeros(array.shape, kind)
        case 1:
            shapes = ((), (0,), (0, array.shape[1]), array.shape[::-1], (*array.shape, 1), (1, 0))
            array = np.zeros(rng.choice(shapes), np.float32)
        case 2:
            np.savez(file, array)
            return file.getvalue()
        case 3 | 4:
            array = array.copy()
            odd = (np.nan, np.inf, -np.inf, 1e38, -3e38, 1e-45, 5.0)
            array[rng.randrange(len(array)), rng.randrange(array.shape[1])] = rng.choice(odd)
        case 5:
            array = np.asfortranarray(array)
        case 6:
            array = np.array([{"x": 1}], object)
            np.save(file, array, allow_pickle=True)
            return file.getvalue()
        case 7:
            header = rng.choice(
                (
                    "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 16), }",
                    "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999), }",
                    "{'descr': '<f4', 'fortran_order': 0, 'shape': [500, 16], }",
                    "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (500,), }",
                    "(" * 9000,
                    "[" * 150 + "]" * 150,
                    "{'descr': '|O', 'fortran_order': False, 'shape': (500, 16), }",
                    "{'descr': '<f4', 'fortran_order': False, 'shape': (True, 16), }",
                    "{1: 2}",
                )
            )
            data = header.encode() + b"\n"
            return b"\x93NUMPY\x02\x00" + len(data).to_bytes(4, "little") + data + bytes(64)
        case 8:
            np.save(file, array)
            return odd_bytes(file.getvalue()[:128], rng) + file.getvalue()[128:]
        case _:
            return rng.choice((b"", b"\x93NUMPY", b"PK\x03\x04", bytes(100)))
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def odd_title(blob: bytes, rng: random.Random) -> bytes:
    """A title tokenizer's blob, its header or model changed, or what it is packed in."""
    magic, packed = blob[: blob.index(b"\n") + 1], blob[blob.index(b"\n") + 1 :]
    header, _, model = zlib.decompress(packed).partition(b"\n")
    match rng.randrange(6):
        case 0 | 1 | 2:
            text = odd_json(json.loads(header), rng)
            return magic + zlib.compress(text.encode("utf-8", "surrogatepass") + b"\n" + model)
        case 3 | 4:
            model = odd_bytes(model, rng)
            header = json.dumps(json.loads(header) | {"model_bytes": len(model)}).encode()
            return magic + zlib.compress(header + b"\n" + model)
        case _:
            return odd_bytes(blob, rng)


def repair_manifest(path: Path) -> None:
    """Write the size and checksum of an embedded release's manifest into the list of its files."""
    listed = path.with_name("files.json")
    files = json.loads(listed.read_bytes())
    with path.open("rb") as file:
        sealed = {"size": path.stat().st_size, "checksum": checksum_of(file)}
    files["files"][path.name] = sealed
    listed.write_text(json.dumps(files))
