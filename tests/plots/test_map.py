"""The map of a release: what is alike lies together, and what is kept of it is read again."""

from __future__ import annotations

import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from command_line import on_one_engine
from places import EMBEDDED, Place
from some_map import some_map

from melon.demo import DemoTruth
from melon.errors import InputError, MissingExtra, UnwritableFile
from melon.fields import FieldType
from melon.plots import (
    MalformedMap,
    Map,
    check_colour,
    colouring,
    map_data,
    map_file,
    map_of,
    save_map,
    saved_map,
    write_parquet,
    write_picture,
    write_projector,
)
from melon.plots.colours import NAMED, ORDERED, OTHER, UNKNOWN, colourings
from melon.plots.layout import lay_out
from melon.store import Collection, ReleaseReader


@pytest.fixture(scope="module")
def reader(demo_place: Place) -> Iterator[ReleaseReader]:
    with demo_place.open() as store, closing(store.open()) as opened:
        yield opened


@pytest.fixture(scope="module")
def made(reader: ReleaseReader) -> Map:
    return map_of(reader, places=300)


@on_one_engine
def test_points_of_one_mood_lie_together(made: Map, demo_truth: DemoTruth) -> None:
    songs = [row for row, kind in enumerate(made.kind) if kind == "song"]
    moods = np.array([demo_truth.song_mood[int(made.id[row])] for row in songs])
    xy = np.array([made.x, made.y]).T[songs]
    apart = np.linalg.norm(xy[:, None] - xy[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    nearest = apart.argsort(axis=1)[:, :5]
    same = (moods[nearest] == moods[:, None]).mean()
    assert same > 0.6
    assert (moods[:, None] == moods[None]).mean() < 0.2


@on_one_engine
def test_what_is_known_of_a_point_is_the_stores(made: Map, reader: ReleaseReader) -> None:
    row = made.kind.index("song")
    [record] = reader.retrieve(Collection.SONGS, [made.id[row]])
    assert made.name[row] == record.payload.get("name")
    assert made.popularity[row] == record.payload["popularity"]
    assert made.year[row] == record.payload.get("issue_year")
    codes = record.payload.get("genres")
    assert made.genre[row] == (reader.manifest.genres[codes[0]] if codes else None)


@pytest.mark.parametrize("n", [0, 1, 2, 40])
def test_few_points_have_places_too(n: int) -> None:
    vectors = np.random.default_rng(n).normal(size=(n, 4)).astype(np.float32)
    places, rows = lay_out(vectors, 0)
    assert places.shape == (n, 2)
    assert np.isfinite(places).all()
    assert rows.shape == (n, max(n - 1, 0))


def test_a_layout_is_the_same_again() -> None:
    vectors = np.random.default_rng(1).normal(size=(120, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    steps: list[tuple[str, int, int | None]] = []
    places, _ = lay_out(vectors, 5, lambda *step: steps.append(step))
    assert np.array_equal(places, lay_out(vectors, 5)[0])
    assert steps[-1] == ("lay out", 750, 750)


def test_it_can_be_interrupted() -> None:
    def stop(step: str, done: int, total: int | None) -> None:
        if step == "lay out" and done >= 20:
            raise KeyboardInterrupt

    vectors = np.random.default_rng(1).normal(size=(120, 8)).astype(np.float32)
    with pytest.raises(KeyboardInterrupt):
        lay_out(vectors, 0, stop)


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_waits_for_the_end_of_a_step(told: signal.Signals) -> None:
    """In the midst of one, it would end in a crash of openTSNE now and then."""
    waited: list[int] = []

    def interrupted(step: str, done: int, total: int | None) -> None:
        if step == "lay out" and done == 20:
            signal.raise_signal(told)
            waited.append(done)

    vectors = np.random.default_rng(1).normal(size=(120, 8)).astype(np.float32)
    before = signal.signal(told, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            lay_out(vectors, 0, interrupted)
        assert signal.getsignal(told) is signal.default_int_handler
    finally:
        signal.signal(told, before)
    assert waited == [20]


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openTSNE", None)
    with pytest.raises(MissingExtra, match="openTSNE") as missing:
        lay_out(np.eye(120, dtype=np.float32), 0)
    assert missing.value.hint == "pip install 'melon[plot]'"


@on_one_engine
def test_a_map_that_is_kept_is_read_again(made: Map, reader: ReleaseReader, tmp_path: Path) -> None:
    assert saved_map(tmp_path, reader.manifest) is None
    save_map(tmp_path, made)
    assert saved_map(tmp_path, reader.manifest) == made
    later = reader.manifest.model_copy(update={"created": datetime(2030, 1, 1, tzinfo=UTC)})
    assert saved_map(tmp_path, later) is None, "another release that has its name"


@on_one_engine
def test_own_fields_do_not_stand_for_melons(
    made: Map, reader: ReleaseReader, tmp_path: Path
) -> None:
    own = made.model_copy(update={"fields": {"year": ["own"] * len(made), "bpm": made.popularity}})
    write_projector(own, reader, tmp_path)
    lines = (tmp_path / "metadata.tsv").read_text().splitlines()
    names, cells = lines[0].split("\t"), lines[1].split("\t")
    assert names[5:] == ["year", "popularity", "year (own)", "bpm"]
    assert cells[5] == ("" if made.year[0] is None else str(made.year[0]))
    assert cells[7] == "own"


@on_one_engine
@pytest.mark.parametrize("name", ["a.png", "a.parquet", "maps/RELEASE.json", "tensors.tsv"])
def test_a_file_that_cannot_be_written_is_named(
    name: str, made: Map, reader: ReleaseReader, tmp_path: Path
) -> None:
    """As on a full disk, of which the system says no name."""
    name = name.replace("RELEASE", made.release)
    writers: dict[str, Callable[[], object]] = {
        ".png": lambda: write_picture(made, tmp_path / name),
        ".parquet": lambda: write_parquet(made, tmp_path / name),
        ".json": lambda: save_map(tmp_path, made),
        ".tsv": lambda: write_projector(made, reader, tmp_path),
    }
    written, write = tmp_path / name, writers[Path(name).suffix]
    write()
    before = written.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(UnwritableFile) as refused:
            write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert refused.value.where == str(written)
    assert written.read_bytes() == before
    assert [file for file in written.parent.iterdir() if file.suffix in (".new", ".lock")] == []


@on_one_engine
@pytest.mark.parametrize("content", ["", "{}", '{"release": 7}', None])
def test_a_file_that_holds_no_map_is_named(
    content: str | None, made: Map, reader: ReleaseReader, tmp_path: Path
) -> None:
    path = map_file(tmp_path, reader.manifest.release)
    save_map(tmp_path, made)
    if content is None:  # a list that is too short
        content = made.model_copy(update={"x": made.x[1:]}).model_dump_json()
    path.write_text(content)
    with pytest.raises(MalformedMap) as refused:
        saved_map(tmp_path, reader.manifest)
    assert refused.value.where == str(path)


def test_points_are_coloured_by_what_is_known() -> None:
    found = colourings(some_map())
    assert list(found) == ["kind", "genre", "era", "tempo", "mood"]
    assert found["genre"].labels == ["발라드", "Jazz"]
    assert found["genre"].codes[:3] == [-1, 0, 1]
    assert found["era"].labels == ["1950s", "1960s", "1970s", "1980s", "1990s", "2000s"]
    assert found["tempo"].labels[0] == "0 below 4"
    large = some_map(fields={"ms": [1_234_567 + row for row in range(60)]})
    assert colourings(large)["ms"].labels[-1] == "1,234,617 to 1,234,626"
    assert found["tempo"].labels[-1].endswith("to 29.5")
    for one in found.values():
        assert len(one.labels) == len(one.colours)
        assert set(one.codes) - {-1} == set(range(len(one.labels)))


def test_what_is_rare_shares_a_colour() -> None:
    genres = [f"genre {row % 20}" for row in range(60)]
    by = colouring(some_map(genre=genres), None)
    assert by.labels[-1] == "9 others"
    assert len(by.labels) == 12
    assert by.codes.count(11) == 27


def test_early_decades_are_one() -> None:
    by = colouring(some_map(year=[1850 + 2 * row for row in range(60)]), "era")
    assert by.labels[0] == "until the 1900s"
    assert by.labels[-1] == "1960s"


@on_one_engine
def test_without_genres_it_is_coloured_by_kind(reader: ReleaseReader) -> None:
    bare = some_map(genre=[None] * 60)
    assert colouring(bare, None).name == "kind"
    with pytest.raises(InputError, match="genre"):
        colouring(bare, "genre")
    check_colour(reader.manifest, "genre")
    with pytest.raises(InputError, match="'gener'") as refused:
        check_colour(reader.manifest, "gener")
    assert refused.value.hint == "did you mean genre?"


def test_own_fields_with_our_names_are_told_apart() -> None:
    found = colourings(some_map(fields={"era": ["baroque"] * 60}))
    assert found["era (own)"].labels == ["baroque"]
    assert found["era"].labels[0] == "1950s"


def test_colours_stand_out_on_white_and_on_black() -> None:
    """A contrast of 3 at least: WCAG 2.2, 1.4.11."""
    for colour in (*NAMED, *ORDERED, OTHER, UNKNOWN):
        for paper in ("#ffffff", "#15171b"):
            light, dark = sorted([luminance(colour), luminance(paper)], reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 3, (colour, paper)


def luminance(colour: str) -> float:
    """As WCAG defines it, of `#rrggbb`."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_sizes_are_by_popularity_within_a_kind() -> None:
    drawn = map_data(some_map())
    sizes = np.array(drawn["size"])
    assert sizes.min() == 0
    for kind in range(3):
        some = np.array(drawn["kind"]) == kind
        assert sizes[some].max() == 1
        assert (np.diff(sizes[some]) >= 0).all()


@pytest.mark.parametrize("keyed_place", [EMBEDDED], indirect=True)
def test_the_catalogues_own_fields_colour_it(keyed_place: Place, tmp_path: Path) -> None:
    with keyed_place.open() as store, closing(store.open()) as opened:
        found = map_of(opened, places=60)
        own = [one for one in opened.manifest.fields if one.type is not FieldType.TEXT]
        assert list(found.fields) == [one.name for one in own]
        for one in own:
            check_colour(opened.manifest, one.name)
        save_map(tmp_path, found)
        assert saved_map(tmp_path, opened.manifest) == found
        row = found.kind.index("song")
        [record] = opened.retrieve(Collection.SONGS, [found.id[row]])
    for one in own:
        value = record.payload.get(one.name)
        value = (value or [None])[0] if one.many else value
        shown = found.fields[one.name][row]
        if one.type in (FieldType.DATE, FieldType.DATETIME):
            assert shown == (value and int(value[:4]))
        elif one.type is FieldType.BOOL:
            assert shown == {True: "true", False: "false", None: None}[value]
        else:
            assert shown == value
    known = {name for name, values in found.fields.items() if any(v is not None for v in values)}
    assert known
    assert known <= set(colourings(found))
