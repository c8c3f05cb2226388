"""Colours for the points of a map, by what is known of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from melon.errors import InputError
from melon.fields import FieldType
from melon.plots.map import Map, Value
from melon.store import ReleaseManifest
from melon.text import did_you_mean

NAMED = (
    *("#3c76c4", "#c8552b", "#3b8f53", "#9463b8", "#b0508a", "#8a7a18"),
    *("#2a8c96", "#c24d5a", "#6f7fb5", "#9a6a44", "#5f8a2d"),
)
"""For values without an order; each has a contrast of 3 at least with white and with black."""

ORDERED = ("#3f68c8", "#2f80ad", "#2b8c7d", "#4d8f3f", "#8f8420", "#be6c22", "#cf4a48")
"""For steps, from the least to the most; likewise."""

OTHER, UNKNOWN = "#8b7f78", "#808488"
OURS = ("kind", "genre", "era")
MISSING = -1
"""The code of a point of which the value is not known."""


@dataclass(frozen=True, slots=True)
class Colouring:
    """What colour each point has: `colours[code]`, for what `labels[code]` says.

    `codes` has one for each point, `MISSING` where the value is not known.
    """

    name: str
    labels: Sequence[str]
    colours: Sequence[str]
    codes: Sequence[int]


def check_colour(manifest: ReleaseManifest, name: str) -> None:
    """Refuse a name by which no map of a release could be coloured, before one is made.

    Raises:
        InputError: there is no such field.
    """
    own = [one.name for one in manifest.fields if one.type is not FieldType.TEXT]
    _check(name, [*OURS, *(_shown(field) for field in own)])


def _check(name: str, known: Collection[str]) -> None:
    if name not in known:
        raise InputError(
            f"points cannot be coloured by {name!r}",
            hint=did_you_mean(name, known) or f"they can by {', '.join(known)}",
        )


def _shown(field: str) -> str:
    """What an own field is called beside what every map has."""
    return f"{field} (own)" if field in OURS else field


def colourings(of: Map) -> dict[str, Colouring]:
    """All by which the points of a map can be coloured, by name; `kind` is always there.

    `genre` and the keywords of the catalogue's own have a colour each for the most frequent;
    `era` and numbers have steps.
    """
    found = {"kind": _kinds(of)}
    if any(of.genre):
        found["genre"] = _named("genre", of.genre)
    if any(year is not None for year in of.year):
        found["era"] = _eras(of.year)
    for field, values in of.fields.items():
        name = _shown(field)
        if any(isinstance(value, int | float) for value in values):
            found[name] = _steps(name, values)
        elif any(value is not None for value in values):
            found[name] = _named(name, values)
    return found


def colouring(of: Map, name: str | None) -> Colouring:
    """One of them: by default by genre, or by kind where no genre is known.

    Raises:
        InputError: there is none of that name.
    """
    found = colourings(of)
    if name is None:
        return found.get("genre", found["kind"])
    _check(name, found)
    return found[name]


def _kinds(of: Map) -> Colouring:
    names = ("song", "tag", "playlist")
    codes = [names.index(kind) for kind in of.kind]
    return Colouring("kind", [f"{name}s" for name in names], NAMED[:3], codes)


def _named(name: str, values: Sequence[Value]) -> Colouring:
    counts = Counter(value for value in values if value is not None)
    common = sorted(counts, key=lambda value: (-counts[value], str(value)))
    labels, colours = [*map(str, common)], [*NAMED, OTHER]
    if len(labels) > len(colours):
        labels[len(NAMED) :] = [f"{len(common) - len(NAMED):,} others"]
    code = {value: min(row, len(labels) - 1) for row, value in enumerate(common)}
    codes = [MISSING if value is None else code[value] for value in values]
    return Colouring(name, labels, colours[: len(labels)], codes)


def _steps(name: str, values: Sequence[Value]) -> Colouring:
    """Steps with about as many points each."""
    numbers = np.array([v if isinstance(v, int | float) else np.nan for v in values], float)
    known = numbers[~np.isnan(numbers)]
    cuts = np.unique(np.quantile(known, np.linspace(0, 1, len(ORDERED) + 1)[:-1], method="lower"))
    codes = np.where(np.isnan(numbers), MISSING, np.searchsorted(cuts, numbers, "right") - 1)
    begins = [*map(_number, cuts)]
    ends = [*(f"below {begin}" for begin in begins[1:]), f"to {_number(known.max())}"]
    labels = [f"{begin} {end}" for begin, end in zip(begins, ends, strict=True)]
    return Colouring(name, labels, _ramp(len(labels)), codes.tolist())


def _number(value: float) -> str:
    whole = float(value).is_integer() and abs(value) < 2**53
    return f"{value:,.0f}" if whole else f"{value:,g}"


def _eras(years: Sequence[Value]) -> Colouring:
    """A step for each of the last decades, the first for all before them."""
    decades = [year // 10 * 10 if isinstance(year, int) else None for year in years]
    there = sorted({decade for decade in decades if decade is not None})
    first = there[-len(ORDERED)] if len(there) > len(ORDERED) else there[0]
    shown = [decade for decade in there if decade >= first]
    labels = [f"{decade}s" for decade in shown]
    if first != there[0]:
        labels[0] = f"until the {first}s"
    codes = [MISSING if d is None else shown.index(max(d, first)) for d in decades]
    return Colouring("era", labels, _ramp(len(labels)), codes)


def _ramp(steps: int) -> list[str]:
    """As many of `ORDERED` as there are steps, from end to end."""
    rows = np.linspace(0, len(ORDERED) - 1, steps).round().astype(int)
    return [ORDERED[row] for row in rows]
