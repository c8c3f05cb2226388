"""Files from a stranger, with hashes that are right, are taken or refused: nothing else happens."""

from __future__ import annotations

import json
import os
import random
import shutil
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fuzz_readers import SECONDS, run, small_fuzzers, time_limit
from fuzz_spaces import SpaceFuzz, TitleFuzz, repair
from hypothesis import given, settings
from hypothesis import strategies as st

from melon.embedding import EmbeddingSpace
from melon.embedding.errors import DamagedSpace
from melon.errors import ForeignFile, MalformedJson, MelonError, UnreadableFile
from melon.files import MAX_JSON_BYTES, MAX_JSON_DEPTH, read_json
from melon.outputs import MARKER, check_directory
from melon.store import StoreUnavailable
from melon.store.embedded import EmbeddedStore
from melon.titles import MAX_TITLE_BYTES, DamagedTitleTokenizer, TitleTokenizer

MANY = {"catalogue": 1500, "import": 1000, "questions": 2500, "query": 3000, "settings": 1500}

seeds = st.integers(0, 2**32)


@pytest.fixture(scope="module")
def base(demo_space: EmbeddingSpace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A space on disk; only to be read."""
    path = tmp_path_factory.mktemp("base") / "space"
    demo_space.save(path)
    return path


@pytest.fixture
def saved(base: Path, tmp_path: Path) -> Path:
    """A space on disk that a test may change."""
    return Path(shutil.copytree(base, tmp_path / "space"))


def try_all(fuzz: Callable[[random.Random], None], count: int) -> None:
    """Let the fuzzer make inputs: each is taken, or refused by an error of melon's, in time."""

    @settings(max_examples=count)
    @given(seeds)
    def each(seed: int) -> None:
        with time_limit(SECONDS), suppress(MelonError):
            fuzz(random.Random(seed))

    each()


@pytest.mark.filterwarnings("default")  # of numpy: an odd space may have odd numbers
def test_spaces(base: Path, tmp_path: Path):
    try_all(SpaceFuzz(base, tmp_path), 100)


def test_title_tokenizers(base: Path):
    try_all(TitleFuzz((base / "title.bin").read_bytes()), 300)


@pytest.mark.parametrize(("name", "count"), MANY.items())
def test_what_needs_no_space(tmp_path: Path, name: str, count: int):
    """Nine thousand inputs, one like the other in each run."""
    assert run(name, small_fuzzers(tmp_path)[name], count, 0)["foreign"] == 0


@pytest.mark.parametrize(
    "text",
    [
        "[" * (MAX_JSON_DEPTH + 1) + "]" * (MAX_JSON_DEPTH + 1),
        "[" * 10**6,
        "1" * 5000,
        '[{"a": 1, "b": {"c": 2, "c": 2}}]',
    ],
)
def test_json_that_no_file_of_melons_has(text: str, tmp_path: Path):
    path = tmp_path / "file.json"
    path.write_text(text)
    with pytest.raises(MalformedJson):
        read_json(path)


def test_json_as_deep_as_it_may_be(tmp_path: Path):
    path = tmp_path / "file.json"
    path.write_text("[" * MAX_JSON_DEPTH + "]" * MAX_JSON_DEPTH)
    assert read_json(path)


def test_json_that_is_too_long_is_not_read(tmp_path: Path):
    path = tmp_path / "file.json"
    with path.open("wb") as file:
        file.truncate(MAX_JSON_BYTES + 1)  # a hole, which takes no room
    with pytest.raises(UnreadableFile, match=r"more than 33,554,432 bytes"):
        read_json(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(
    "name", ["manifest.json", "songs.parquet", "tag_vectors.npy", "title.bin", "genres.json"]
)
@pytest.mark.timeout(20)
def test_a_pipe_in_place_of_a_file_is_not_waited_for(saved: Path, name: str):
    (saved / name).unlink()
    os.mkfifo(saved / name)
    with pytest.raises(UnreadableFile, match="is not a regular file"):
        EmbeddingSpace.load(saved)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.timeout(20)
def test_neither_is_one_in_place_of_a_mark(tmp_path: Path):
    os.mkfifo(tmp_path / "live")
    with pytest.raises(StoreUnavailable, match="is not a regular file"):
        EmbeddedStore(tmp_path).live()
    os.mkfifo(tmp_path / MARKER)
    (tmp_path / "mine").touch()
    with pytest.raises(ForeignFile, match="did not write it"):
        check_directory(tmp_path, ["mine"], "melon demo")


def test_a_title_tokenizer_is_not_unpacked_without_end():
    magic = TitleTokenizer(b"", (), {}).to_bytes().split(b"\n", 1)[0] + b"\n"
    packer = zlib.compressobj(9)
    zeros = bytes(1 << 20)
    packed = b"".join(packer.compress(zeros) for _ in range((MAX_TITLE_BYTES >> 20) + 200))
    tracemalloc.start()
    try:
        with pytest.raises(DamagedTitleTokenizer, match="more than"):
            TitleTokenizer.from_bytes(magic + packed + packer.flush())
        assert tracemalloc.get_traced_memory()[1] < 3 * MAX_TITLE_BYTES
    finally:
        tracemalloc.stop()


def test_a_table_is_not_unpacked_without_end(saved: Path):
    table = pq.read_table(saved / "playlists.parquet")
    titles = pa.array(["x" * 500_000] * len(table), pa.string())
    place = table.column_names.index("title")
    pq.write_table(
        table.set_column(place, "title", titles), saved / "playlists.parquet", compression="zstd"
    )
    repair(saved)
    assert (saved / "playlists.parquet").stat().st_size < 100_000
    with pytest.raises(DamagedSpace, match="too large"):
        EmbeddingSpace.load(saved)


@pytest.mark.parametrize(
    ("table", "column", "value", "says"),
    [
        ("songs", "id", -1, "'id' holds a number that is not between 0 and 2147483647"),
        ("songs", "id", None, "'id' lacks a value"),
        ("songs", "id", 7, "'id' holds a value twice"),
        ("songs", "artists", [None], "'artists' holds a list that lacks a value"),
        ("playlists", "songs", [2**31 - 1], "'songs' holds 2147483647, which no table has"),
        ("playlists", "tags", ["unheard of"], "'tags' holds 'unheard of', which no table has"),
        ("tags", "tag", "", "'tag' holds an empty text"),
    ],
)
def test_what_is_wrong_in_a_table_is_named(
    saved: Path, table: str, column: str, value: object, says: str
):
    path = saved / f"{table}.parquet"
    content = pq.read_table(path)
    values = content[column].to_pylist()
    values[0] = value
    if value == 7:
        values[1] = value
    place = content.column_names.index(column)
    changed = content.set_column(place, column, pa.array(values, content[column].type))
    pq.write_table(changed, path)
    repair(saved)
    with pytest.raises(DamagedSpace) as refusal:
        EmbeddingSpace.load(saved)
    assert says in refusal.value.what
    assert refusal.value.where == str(path)


def test_a_column_that_was_not_yet_there_is_unknown(saved: Path):
    path = saved / "songs.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["album", "artists"]), path)
    repair(saved)
    songs = EmbeddingSpace.load(saved).songs
    assert songs["album"].null_count == len(songs)
    assert songs["artists"].to_pylist() == [[]] * len(songs)


def test_own_fields_that_cannot_be_are_refused(saved: Path):
    manifest = json.loads((saved / "manifest.json").read_text())
    for name, says in (("popularity", "means something"), ("a.b", "no field can be called")):
        manifest["fields"] = [{"name": name, "type": "text", "many": False}]
        (saved / "manifest.json").write_text(json.dumps(manifest))
        repair(saved)
        with pytest.raises(DamagedSpace, match=says):
            EmbeddingSpace.load(saved)
