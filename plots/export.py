"""A map for other tools: Embedding Atlas, and TensorBoard's projector."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from melon.display import printable
from melon.files import replacing
from melon.outputs import check_directory, claim_directory, write_file, writing_to
from melon.plots.map import BATCH, KINDS, Map, Value, vectors_of
from melon.progress import Progress, ignore
from melon.store import PointId, ReleaseReader

PROJECTOR = ("tensors.tsv", "metadata.tsv")
WRITER = "`melon map`"


def write_parquet(of: Map, path: Path) -> None:
    """A row for each point: x, y, id, name, kind, genre, year, popularity, artists, own fields.

    Ids are texts. Embedding Atlas takes it: `embedding-atlas FILE --x x --y y --text name`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "x": pa.array(of.x, pa.float32()),
        "y": pa.array(of.y, pa.float32()),
        "id": pa.array(map(str, of.id), pa.string()),
        "name": pa.array(of.name, pa.string()),
        "kind": pa.array(of.kind, pa.string()),
        "genre": pa.array(of.genre, pa.string()),
        "year": pa.array(of.year, pa.int64()),
        "popularity": pa.array(of.popularity, pa.int64()),
        "artists": pa.array(of.artists, pa.string()),
    }
    columns |= {name: pa.array(values) for name, values in _own(of, beside=columns).items()}
    file = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), file)
    write_file(path, file.getvalue().to_pybytes())


def check_projector(directory: Path) -> None:
    """Make sure that `write_projector` could write into a directory, replacing only its own.

    Raises:
        UnwritableFile: the directory could not be made or written to, or is a file.
        ForeignFile: one of the files is there, and something else wrote it.
    """
    check_directory(directory, PROJECTOR, WRITER)


def write_projector(
    of: Map, reader: ReleaseReader, directory: Path, progress: Progress = ignore
) -> None:
    """The vectors of a map's points and what is known of them, a line for each point.

    `tensors.tsv` and `metadata.tsv`, whose first line names its columns, are what the projector
    loads. Tabs and line breaks in names are spaces.

    Args:
        reader: of the release that the map is of.
        progress: told as `write vectors` of how many points.

    Raises:
        UnwritableFile, ForeignFile: see `check_projector`.
    """
    check_projector(directory)
    claim_directory(directory, WRITER)
    tensors, metadata = (directory / name for name in PROJECTOR)
    with writing_to(tensors), replacing(tensors) as file:
        done = 0
        for kind, ids in _by_kind(of):
            for start in range(0, len(ids), BATCH):
                progress("write vectors", done, len(of))
                collection = next(c for c, name in KINDS.items() if name == kind)
                some = ids[start : start + BATCH]
                records = reader.retrieve(collection, some, payload=False, vectors=True)
                for vector in vectors_of(records):
                    file.write("\t".join(f"{value:.6g}" for value in vector) + "\n")
                done += len(some)
        progress("write vectors", len(of), len(of))
    columns = {
        "name": of.name,
        "kind": of.kind,
        "id": of.id,
        "artists": of.artists,
        "genre": of.genre,
        "year": of.year,
        "popularity": of.popularity,
    }
    columns |= _own(of, beside=columns)
    rows = [tuple(columns), *zip(*columns.values(), strict=True)]
    write_file(metadata, "".join("\t".join(map(_cell, cells)) + "\n" for cells in rows))


def _own(of: Map, beside: Collection[str]) -> dict[str, list[Value]]:
    """The columns of own fields, beside others which may have their names."""
    return {
        f"{name} (own)" if name in beside else name: values for name, values in of.fields.items()
    }


def _by_kind(of: Map) -> Iterable[tuple[str, Sequence[PointId]]]:
    """The ids of each kind, in the order of the map, which has one kind after the other."""
    for kind in KINDS.values():
        yield kind, [one for one, its in zip(of.id, of.kind, strict=True) if its == kind]


def _cell(value: object) -> str:
    return "" if value is None else printable(str(value))
