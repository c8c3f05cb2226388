"""The map of a release: its points with their places, and what is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError, model_validator

from melon.errors import InputError, MelonError, first_problem
from melon.fields import Field, FieldType
from melon.files import MAX_JSON_BYTES, read_bytes
from melon.outputs import check_file, write_file
from melon.plots.choice import choose
from melon.plots.layout import Floats, lay_out
from melon.progress import Progress, ignore
from melon.store import Collection, PointId, Record, ReleaseManifest, ReleaseReader

Kind = Literal["song", "tag", "playlist"]
Value = str | int | float | None

KINDS: dict[Collection, Kind] = {
    Collection.SONGS: "song",
    Collection.TAGS: "tag",
    Collection.PLAYLISTS: "playlist",
}
NEAR = 5
"""How many of the nearest are kept of each point."""

PLACES = 50_000
"""Points of a map, where no other number is asked for."""

BATCH = 5_000
"""Points that are read at a time."""


class MalformedMap(InputError):
    """A file that holds no map."""


class Map(BaseModel):
    """The points of a release on a plane; each list has a value for every point.

    Attributes:
        release: which it is of, and when that was made.
        places: how many points there might have been.
        seed: that of the layout.
        rule: which points are shown, in words.
        kind: song, tag or playlist.
        id: of the store's points.
        name: a song's, tag's or playlist's title; None where there is none.
        artists: of a song, in one text.
        popularity: how many playlists hold a song or tag; how many people like a playlist.
        x: the place, to three decimals.
        y: likewise.
        near: the rows of the `NEAR` nearest points by the cosine of their vectors, nearest first.
        genre: the first that a song or playlist has, by its name.
        year: of issue.
        fields: the songs' own: of several values the first, of a date the year.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    release: str
    created: AwareDatetime
    places: int
    seed: int
    rule: str
    kind: list[Kind]
    id: list[PointId]
    name: list[str | None]
    artists: list[str | None]
    popularity: list[int | None]
    x: list[float]
    y: list[float]
    near: list[list[int]]
    genre: list[str | None]
    year: list[int | None]
    fields: dict[str, list[Value]]

    @model_validator(mode="after")
    def _has_values_for_all(self) -> Self:
        n = len(self.kind)
        lists: list[Sequence[Any]] = [self.id, self.name, self.artists, self.popularity]
        lists += [self.x, self.y, self.near, self.genre, self.year, *self.fields.values()]
        if any(len(values) != n for values in lists):
            raise ValueError("its lists differ in length")
        if any(not 0 <= row < n for rows in self.near for row in rows):
            raise ValueError("a row of the nearest is none")
        return self

    def __len__(self) -> int:
        return len(self.kind)

    def is_of(self, manifest: ReleaseManifest) -> bool:
        """Whether it is of this release, and not of another that has had its name."""
        return self.release == manifest.release and self.created == manifest.created


def map_of(
    reader: ReleaseReader,
    *,
    places: int = PLACES,
    seed: int = 0,
    progress: Progress = ignore,
    quick: bool = False,
) -> Map:
    """Lay out the points of a release; see `choose` for which, and `lay_out` for how.

    Args:
        places: how many points there may be.
        seed: of the layout.
        progress: told of the steps `choose points`, `read points`, `nearest` and `lay out`.
        quick: by the principal components alone, which takes no extra.

    Raises:
        MelonError: no point has a vector.
        MissingExtra: openTSNE is not installed.
    """
    manifest = reader.manifest
    choice = choose(reader, places, progress)
    records: list[Record] = []
    kinds: list[Kind] = []
    total = sum(map(len, choice.ids.values()))
    for collection, ids in choice.ids.items():
        for start in range(0, len(ids), BATCH):
            progress("read points", len(records), total)
            some = reader.retrieve(collection, ids[start : start + BATCH], vectors=True)
            records += [record for record in some if record.vector is not None]
        kinds += [KINDS[collection]] * (len(records) - len(kinds))
    progress("read points", total, total)
    if not records:
        raise MelonError("none of its points has a vector", where=f"release {manifest.release}")
    xy, near = lay_out(vectors_of(records), seed, progress, quick=quick)
    payloads = [record.payload for record in records]
    return Map(
        release=manifest.release,
        created=manifest.created,
        places=places,
        seed=seed,
        rule=choice.rule,
        kind=kinds,
        id=[record.id for record in records],
        name=[p.get("name") or p.get("title") or p.get("tag") for p in payloads],
        artists=[", ".join(p.get("artists", ())) or None for p in payloads],
        popularity=[p.get("popularity", p.get("like_count")) for p in payloads],
        x=np.round(xy[:, 0].astype(float), 3).tolist(),
        y=np.round(xy[:, 1].astype(float), 3).tolist(),
        near=near[:, :NEAR].tolist(),
        genre=[_genre(manifest, p.get("genres")) for p in payloads],
        year=[p.get("issue_year") for p in payloads],
        fields={
            own.name: [_value(own.field(), p.get(own.name)) for p in payloads]
            for own in manifest.fields
            if own.type is not FieldType.TEXT
        },
    )


def vectors_of(records: Sequence[Record]) -> Floats:
    """The vectors of records that have one, as unit rows: (n, dim) float32."""
    vectors = np.stack([record.vector for record in records if record.vector is not None])
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _genre(manifest: ReleaseManifest, codes: Sequence[str] | None) -> str | None:
    return manifest.genres.get(codes[0], codes[0]) if codes else None


def _value(field: Field, value: Any) -> Value:
    """The value of an own field by which a point can be coloured."""
    if field.many:
        value = value[0] if value else None
    if value is None:
        return None
    if field.type in (FieldType.DATE, FieldType.DATETIME):
        return int(str(value)[:4])
    if field.type is FieldType.BOOL:
        return "true" if value else "false"
    return value  # type: ignore[no-any-return]


def saved_map(home: Path, manifest: ReleaseManifest) -> Map | None:
    """The map that `melon map` made of this release, if it did; read in a part of a second.

    Args:
        home: melon's directory, `MELON_HOME`.

    Raises:
        MalformedMap, UnreadableFile: the file holds something else.
    """
    path = map_file(home, manifest.release)
    if not path.exists():
        return None
    try:
        found = Map.model_validate_json(read_bytes(path, 4 * MAX_JSON_BYTES))
    except ValidationError as error:
        raise MalformedMap(
            f"is no map: {first_problem(error).what}",
            where=str(path),
            hint="remove it: `melon map` makes it again",
        ) from error
    return found if found.is_of(manifest) else None


def save_map(home: Path, made: Map) -> None:
    """Keep a map for `saved_map`, in place of one that is there.

    Raises:
        UnwritableFile: it cannot be written.
    """
    path = map_file(home, made.release)
    check_file(path)
    write_file(path, made.model_dump_json())


def map_file(home: Path, release: str) -> Path:
    """Where the map of a release is kept."""
    return home / "maps" / f"{release}.json"
