"""The songs, tags, playlists or words nearest to an item in the co-embedding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from pydantic import model_validator

from melon.errors import InputError, WrongType
from melon.retrieval.arrays import Floats
from melon.retrieval.constraints import Constraints
from melon.retrieval.errors import ConstraintError, UnknownItem
from melon.retrieval.keys import point_of
from melon.retrieval.live import OpenRelease
from melon.retrieval.query import FrozenInput, Named, PlaylistQuery, TagText, Title, Word
from melon.retrieval.results import Description, Song
from melon.retrieval.strategies.probes import modalities
from melon.store import (
    DENSE,
    SCHEMA,
    Collection,
    Filter,
    HasId,
    PointId,
    VectorQuery,
    tag_point_id,
    word_point_id,
)
from melon.text import did_you_mean, normalise


class Item(FrozenInput):
    """Where to look from: exactly one of a song, a tag, a title, a playlist or a word.

    Values are taken, and keys and tags are looked for, as in a `PlaylistQuery`.

    Raises:
        InputError: there is none, or more than one, or no such item can have that value.
    """

    song: Named | None = None
    tag: TagText | None = None
    title: Title | None = None
    playlist: Named | None = None
    word: Word | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        names = [name for name, value in self if value is not None]
        if len(names) != 1:
            given = f"{len(names)} items are given ({', '.join(names)})"
            raise InputError(
                given if names else "no item is given",
                hint="give exactly one song, tag, title, playlist or word",
            )
        return self

    def __str__(self) -> str:
        [(name, value)] = [(name, value) for name, value in self if value is not None]
        return f"{name} {value!r}"


@dataclass(frozen=True, slots=True)
class Nearest:
    """A point near the item, with the cosine and the payload that describes it."""

    collection: Collection
    id: PointId
    score: float
    payload: Mapping[str, Any]

    def song(self) -> Song:
        """The point as a song, where it is one."""
        return Song.of(int(self.id), self.score, Description.of(self.payload))

    def to_json(self) -> dict[str, Any]:
        """As `melon similar --json` prints it."""
        if self.collection is Collection.SONGS:
            return self.song().to_json()
        shown: dict[str, Any] = {"id": self.id} if self.collection is Collection.PLAYLISTS else {}
        shown |= {
            name: self.payload[name]
            for name in SCHEMA[self.collection].shown
            if name in self.payload
        }
        return shown | {"score": round(self.score, 6)}


def similar(
    release: OpenRelease,
    item: Item,
    *,
    to: Sequence[Collection | str],
    limit: int,
    constraints: Constraints | None,
    exact: bool,
) -> dict[Collection, list[Nearest]]:
    """The nearest points of each collection, the item itself left out; see `Retriever.similar`."""
    Item.check(item, "Item(song=7)")
    if limit < 1:
        raise InputError(f"the nearest {limit} points cannot be found")
    collections = _collections(to)
    [_, [limits]] = release.by_ids([], [constraints])
    song_filter = release.filter(limits)
    if constraints not in (None, Constraints()) and Collection.SONGS not in collections:
        raise ConstraintError(
            f"constraints are about songs, and only {', '.join(collections)} are looked for",
            hint="look for songs, too, or leave the constraints out",
        )
    itself = _point_of(release, item)
    vector = _vector(release, item, itself)
    nearest: dict[Collection, list[Nearest]] = {}
    for collection in collections:
        filter = song_filter if collection is Collection.SONGS else Filter()
        if itself is not None and itself[0] is collection:
            filter = filter & Filter(must_not=(HasId((itself[1],)),))
        schema = release.reader.manifest.schema(collection)
        query = VectorQuery(vector, DENSE, limit, filter, schema.shown, exact=exact)
        [hits] = release.reader.query(collection, [query])
        nearest[collection] = [
            Nearest(collection, hit.id, hit.score, schema.in_order(hit.payload)) for hit in hits
        ]
    return nearest


def _collections(names: Sequence[Collection | str]) -> list[Collection]:
    if isinstance(names, str):  # as a `Collection` is, too: its letters are no names
        raise WrongType(f"{str(names)!r} is not a list of collections", hint=f'write ["{names}"]')
    try:
        return [Collection(name) for name in names]
    except ValueError as error:
        raise InputError(str(error), hint=f"collections are {', '.join(Collection)}") from None


def _vector(release: OpenRelease, item: Item, itself: tuple[Collection, PointId] | None) -> Floats:
    if itself is None:
        query = PlaylistQuery(title=item.title)
        [seeds] = release.seeds([query])
        title = modalities(seeds, seeds.weights)
        if not title:
            raise UnknownItem(f"nothing is known of {item}", hint="try other words, or a tag")
        return title[0].mean / np.float32(title[0].length)
    collection, point = itself
    records = release.reader.retrieve(collection, [point], payload=False, vectors=True)
    if not records:
        raise UnknownItem(
            f"the store holds no {item}",
            hint=did_you_mean(item.tag, release.known_tags()) if item.tag else None,
        )
    if records[0].vector is None:
        raise UnknownItem(f"the store holds no vector of {item}: no playlist says what it is like")
    return records[0].vector


def _point_of(release: OpenRelease, item: Item) -> tuple[Collection, PointId] | None:
    """The collection and the id of the item's point; None for a title, which has no point."""
    for collection, named in (
        (Collection.SONGS, item.song),
        (Collection.PLAYLISTS, item.playlist),
    ):
        if named is not None:
            point = point_of(release.reader, collection, named)
            if point is None:
                raise UnknownItem(
                    f"the store holds no {item}",
                    hint=did_you_mean(item.tag, release.known_tags()) if item.tag else None,
                )
            return collection, point
    if item.tag is not None:
        spellings = [tag_point_id(tag) for tag in release.tokenizer.spellings(item.tag)]
        records = release.reader.retrieve(Collection.TAGS, spellings, payload=False)
        return Collection.TAGS, records[0].id if records else spellings[0]
    if item.word is not None:
        return Collection.WORDS, word_point_id(normalise(item.word))
    return None
