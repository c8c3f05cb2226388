"""The streamed array must equal `json.load`, wherever a chunk ends, and name the wrong byte."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melon.catalog import JsonArray
from melon.catalog.json_stream import CHECKED, CHUNK_BYTES, MAX_ELEMENT_CHARS
from melon.errors import MalformedJson, UnreadableFile

EVERYTHING = r"""
[ {"id": 1, "plylst_title": "비 오는 날 \ud83d\ude00 ☔🎧", "songs": [1, -2, 3.5e-7], "x": null},
  {"nested": {"a": [true, false, {"b": "\\\"\u00e9"}]}, "empty": {}} , "text", 12, -1.25E+3,
  true, [], null ]
"""


def write(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "array.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def failure(path: Path, chunk_bytes: int = CHUNK_BYTES) -> MalformedJson:
    with pytest.raises(MalformedJson) as caught:
        list(JsonArray(path, chunk_bytes=chunk_bytes))
    return caught.value


@pytest.mark.parametrize("chunk_bytes", [*range(1, 40), 1 << 20])
def test_chunks_may_end_anywhere(tmp_path: Path, chunk_bytes: int) -> None:
    path = write(tmp_path, EVERYTHING)
    assert list(JsonArray(path, chunk_bytes=chunk_bytes)) == json.loads(EVERYTHING)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    array=st.lists(json_values, max_size=6),
    chunk_bytes=st.integers(1, 64),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 2]),
)
def test_equals_json_load(
    tmp_path_factory: pytest.TempPathFactory,
    array: list[object],
    chunk_bytes: int,
    ascii_only: bool,
    indent: int | None,
) -> None:
    path = tmp_path_factory.mktemp("json") / "array.json"
    path.write_text(json.dumps(array, ensure_ascii=ascii_only, indent=indent), encoding="utf-8")
    assert list(JsonArray(path, chunk_bytes=chunk_bytes)) == array


def test_a_key_that_is_repeated_is_an_error_as_far_as_people_write(tmp_path: Path) -> None:
    twice = '{"id": 1, "songs": [1], "songs": [2]}'
    error = failure(write(tmp_path, f"[{'{}, ' * (CHECKED - 1)}{twice}]"))
    assert "the key 'songs' is repeated" in error.what
    assert error.place["record"] == CHECKED
    assert list(JsonArray(write(tmp_path, f"[{'{}, ' * CHECKED}{twice}]")))


@pytest.mark.parametrize("chunk_bytes", [1, 7, 1 << 20])
def test_a_file_cut_short_anywhere_is_an_error(tmp_path: Path, chunk_bytes: int) -> None:
    whole = EVERYTHING.strip().encode()
    for end in range(len(whole)):
        path = write(tmp_path, whole[:end])
        error = failure(path, chunk_bytes=chunk_bytes)
        assert error.place["byte"] <= end


@pytest.mark.parametrize(
    "tail",
    ['{"id": 1, "song_na', '{"a": "비', '{"a": tru', '{"a": -', '{"a": [1, 2', '{"a": "\\u12'],
)
def test_a_file_cut_inside_a_record_says_so(tmp_path: Path, tail: str) -> None:
    text = f'[{{"제목": "가"}}, {tail}'
    error = failure(write(tmp_path, text))
    assert "the file ends inside record 2" in str(error)
    assert f"begins at byte {len(text.encode()) - len(tail.encode())}" in str(error)
    assert error.place["byte"] == len(text.encode())


@pytest.mark.parametrize("chunk_bytes", [5, 1 << 20])
def test_offsets_count_bytes_not_characters(tmp_path: Path, chunk_bytes: int) -> None:
    records = [{"id": n, "title": "비 오는 날 🎧" * (n % 3)} for n in range(50)]
    text = json.dumps(records, ensure_ascii=False)
    array = JsonArray(write(tmp_path, text), chunk_bytes=chunk_bytes)
    offsets = []
    for number, _ in enumerate(array, start=1):
        assert array.number == number
        if number % 7:  # asking now and then must be right too
            offsets.append((number, array.offset))
            assert array.offset == offsets[-1][1]
    data = text.encode()
    for number, offset in offsets:
        assert data[offset:].startswith(f'{{"id": {number - 1},'.encode())


def test_a_byte_order_mark_is_skipped_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path, b'\xef\xbb\xbf[{"id": 1}]')
    array = JsonArray(path, chunk_bytes=4)
    assert [(value, array.offset) for value in array] == [({"id": 1}, 4)]


@pytest.mark.parametrize("text", ["[]", " [ ]\n", "[\n]"])
def test_an_empty_array_has_no_elements(tmp_path: Path, text: str) -> None:
    assert list(JsonArray(write(tmp_path, text), chunk_bytes=1)) == []


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("", 0, "the file is empty"),
        (" \n", 2, "the file is empty"),
        ('{"a": 1}', 0, "begins with '{', not with the '[' of an array"),
        ('  "a"', 2, "begins with '\"', not with"),
        ("17", 0, "begins with '1', not with"),
        ("null", 0, "begins with 'n', not with"),
        ("<html>", 0, "begins with '<', not with"),
        ("[1, 2] x", 7, "more after the end of the array"),
        ('[{"a": 1}][{"b": 2}]', 10, "more after the end of the array"),
        ("[1 2]", 3, "a comma or the array's end should come after record 1"),
        ("[1, 2", 5, "the file ends after record 2"),
        ("[1,]", 3, "expecting value"),
        ("[,1]", 1, "expecting value"),
        ('[{"가": 1, "b" 2}]', 16, "expecting ':' delimiter"),
        ('[{"a": 1}, {"b": [1, 2}]', 22, "expecting ',' delimiter"),
        ("[{'a': 1}]", 2, "expecting property name enclosed in double quotes"),
        ('[{"a": "line\nbreak"}]', 12, "invalid control character"),
        ('[{"a": NaN}]', 1, "NaN is not a JSON value"),
        ('[{"a": -Infinity}]', 1, "-Infinity is not a JSON value"),
        ("[" + "[" * 100_000, 1, "nested too deeply"),
        ('[{"a": ' + "9" * 5000 + "}]", 1, "exceeds the limit"),
    ],
)
def test_malformed_text_is_named_by_its_byte(
    tmp_path: Path, text: str, offset: int, message: str
) -> None:
    error = failure(write(tmp_path, text))
    assert message in str(error)
    assert error.place["byte"] == offset
    assert error.hint
    assert "array.json" in str(error)


@pytest.mark.parametrize("chunk_bytes", [1, 4, 1 << 20])
def test_invalid_utf8_is_named_by_its_byte(tmp_path: Path, chunk_bytes: int) -> None:
    path = write(tmp_path, '[{"제목": "비'.encode() + b"\xff" + b'"}]')
    error = failure(path, chunk_bytes=chunk_bytes)
    assert error.place["byte"] == len('[{"제목": "비'.encode())
    assert "0xff" in str(error)


def test_a_character_cut_by_the_end_of_the_file_is_invalid(tmp_path: Path) -> None:
    data = '[{"a": "비'.encode()[:-1]
    assert failure(write(tmp_path, data)).place["byte"] == 8


@pytest.mark.parametrize("wrong", ['{"songs": [1, 2}', '{"title": "unclosed}'])
def test_a_wrong_byte_in_a_large_file_is_found_without_reading_on(
    tmp_path: Path, wrong: str
) -> None:
    fill = ", ".join(['{"songs": [1, 2, 3], "title": "비"}'] * 40_000)
    text = f"[{fill}, {wrong}, {fill}, {fill}, {fill}]"
    read: list[int] = []
    with pytest.raises(MalformedJson) as caught:
        list(JsonArray(write(tmp_path, text), advance=read.append, chunk_bytes=1 << 16))
    assert caught.value.place["record"] == 40_001
    assert sum(read) < len(fill.encode()) + (1 << 17)


def test_an_endless_record_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "array.json"
    with path.open("w") as file:
        file.write('[{"a": "')
        for _ in range(2 * MAX_ELEMENT_CHARS // (1 << 20) + 1):
            file.write("x" * (1 << 20))
    assert "goes on for more than" in str(failure(path))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    record = json.dumps({"songs": list(range(50)), "title": "비 오는 날"}, ensure_ascii=False)
    path = write(tmp_path, "[" + ",".join([record] * 30_000) + "]")
    chunk_bytes = 1 << 16
    tracemalloc.start()
    try:
        count = sum(1 for _ in JsonArray(path, chunk_bytes=chunk_bytes))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 30_000
    assert peak < 10 * chunk_bytes < path.stat().st_size / 8


def test_every_byte_is_reported(tmp_path: Path) -> None:
    path = write(tmp_path, EVERYTHING)
    read: list[int] = []
    list(JsonArray(path, advance=read.append, chunk_bytes=10))
    assert sum(read) == path.stat().st_size


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"absent\.json: cannot be read: no such file"):
        list(JsonArray(tmp_path / "absent.json"))


def test_an_array_can_be_read_twice(tmp_path: Path) -> None:
    array = JsonArray(write(tmp_path, "[1, 2]"))
    assert list(array) == list(array) == [1, 2]
