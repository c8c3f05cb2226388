"""How many of the songs that pass some constraints have each value of a field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from melon.errors import InputError, WrongType
from melon.fields import Field, FieldType
from melon.retrieval.constraints import Constraints
from melon.retrieval.live import OpenRelease
from melon.retrieval.show import HIDDEN
from melon.store import Collection, FacetValue, ReleaseManifest, facet_fields
from melon.text import did_you_mean

NAMED_BY_CODE = ("genres", "detail_genres")
"""Fields that hold codes of genres, which the manifest has names of."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The songs that pass some constraints, counted by the values of fields.

    Attributes:
        total: how many songs pass.
        facets: of each field its most frequent values, and how many songs have them; of equal
            counts the smaller value first.
        genres: code to name of every genre.
    """

    total: int
    facets: Mapping[str, Sequence[tuple[FacetValue, int]]]
    genres: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """As the service answers it: genres with their name, where it is known."""
        return {
            "total": self.total,
            "facets": {
                field: [
                    {"value": value, **self._named(field, value), "songs": songs}
                    for value, songs in values
                ]
                for field, values in self.facets.items()
            },
        }

    def _named(self, field: str, value: FacetValue) -> dict[str, str | None]:
        return {"name": self.genres.get(str(value))} if field in NAMED_BY_CODE else {}


def wanted_fields(manifest: ReleaseManifest) -> tuple[Field, ...]:
    """The fields of songs that people constrain by, the catalogue's own among them."""
    return tuple(
        field
        for field in manifest.schema(Collection.SONGS).indexed
        if field.type is not FieldType.TEXT and field.name not in HIDDEN
    )


def counted_fields(manifest: ReleaseManifest) -> tuple[str, ...]:
    """Those of them whose values can be counted, by name; keys, which songs differ in, are not."""
    fields = facet_fields(wanted_fields(manifest))
    return tuple(field for field in fields if field != "key")


def counts(
    release: OpenRelease, fields: Sequence[str] | None, constraints: Constraints | None, limit: int
) -> Counts:
    """As `Retriever.counts`, in one release."""
    if isinstance(fields, str):
        raise WrongType(f"{fields!r} is not a list of fields", hint=f'write ["{fields}"]')
    if limit < 1:
        raise InputError(f"{limit} values of each field cannot be counted")
    reader = release.reader
    known = counted_fields(reader.manifest)
    for field in fields or ():
        if field not in known:
            raise InputError(
                f"the values of {field!r} cannot be counted",
                hint=did_you_mean(str(field), known) or f"fields: {', '.join(known)}",
            )
    own = [field.name for field in reader.manifest.fields if field.name in known]
    [_, [limits]] = release.by_ids([], [constraints])
    filter = release.filter(limits)
    return Counts(
        reader.count(Collection.SONGS, filter),
        {
            field: reader.facet(Collection.SONGS, field, limit, filter)
            for field in (("genres", "issue_year", *own) if fields is None else fields)
        },
        reader.manifest.genres,
    )
