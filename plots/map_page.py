"""The map as a page, and the data of which the page, or another, draws it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from melon.plots.colours import UNKNOWN, colouring, colourings
from melon.plots.map import KINDS, Map
from melon.plots.page import page, text

_BODY = """\
<header><h1>Map of release {release}</h1>
<p class="faint">{rule} Near each other is what stands in the same playlists; a larger point is more
popular. Distances across the map mean little.</p></header>
<main class="map">
<div class="view">
<div class="canvas"><canvas id="canvas" tabindex="0" role="application"
 aria-label="Map of {count} points: arrow keys move, plus and minus zoom, 0 shows all.
 Search to pick a point."></canvas></div>
<div class="tools"><button type="button" id="closer" aria-label="Closer">+</button>
<button type="button" id="away" aria-label="Further away">−</button>
<button type="button" id="all">All</button></div>
</div>
<aside aria-label="Search and legend">
<div><label for="search">Search</label><input type="search" id="search" autocomplete="off">
<p class="faint" id="count" role="status"></p><ul id="found"></ul></div>
<section id="picked" aria-live="polite" hidden><h2 id="what"></h2><p id="about" class="faint"></p>
<p>Nearest in the co-embedding:</p><ol id="near"></ol></section>
<fieldset id="kinds"><legend>Kinds</legend></fieldset>
<div><label for="colour">Colour</label><select id="colour"></select></div>
<fieldset><legend>Legend</legend><div id="legend"></div></fieldset>
</aside>
</main>
<footer>melon, {made}: t-SNE of the vectors of release {release}, seed {seed}.</footer>
"""


def map_page(of: Map, colour: str | None = None) -> str:
    """A page of its own that shows a map: to pan, zoom, search, point at, and pick.

    Args:
        colour: by what the points are coloured at first, as `colouring` takes it.

    Raises:
        InputError: points cannot be coloured by that.
    """
    release = text(of.release)
    body = _BODY.format(
        release=release,
        rule=text(of.rule),
        count=f"{len(of):,}",
        made=f"{of.created:%Y-%m-%d}",
        seed=of.seed,
    )
    return page(
        f"Map of {of.release}",
        body,
        scripts=("map.js", "map_page.js"),
        given=map_data(of, colour),
    )


def map_data(of: Map, colour: str | None = None) -> dict[str, Any]:
    """What map.js draws a map from, to be given as JSON: lists with a value for each point.

    Those of the `Map`, but `kind` by its number in `kinds`, and beside them `size`, from 0 to 1, a
    logarithm of the popularity among points of the kind; `colourings` by name, each with `labels`,
    `colours` and `codes`; `first`, the name of one; and the colour of what is `unknown`.

    Raises:
        InputError: points cannot be coloured by that.
    """
    kinds = list(KINDS.values())
    numbers = [kinds.index(kind) for kind in of.kind]
    return {
        "release": of.release,
        "kinds": kinds,
        "kind": numbers,
        "id": of.id,
        "name": of.name,
        "artists": of.artists,
        "popularity": of.popularity,
        "size": _sizes(numbers, of.popularity),
        "x": of.x,
        "y": of.y,
        "near": of.near,
        "first": colouring(of, colour).name,
        "colourings": {
            name: {"labels": one.labels, "colours": one.colours, "codes": one.codes}
            for name, one in colourings(of).items()
        },
        "unknown": UNKNOWN,
    }


def _sizes(kinds: Sequence[int], popularity: Sequence[int | None]) -> list[float]:
    logs = [math.log1p(count or 0) for count in popularity]
    most = dict.fromkeys(kinds, 0.0)
    for kind, log in zip(kinds, logs, strict=True):
        most[kind] = max(most[kind], log)
    return [
        round(log / most[kind], 3) if most[kind] else 0.0
        for kind, log in zip(kinds, logs, strict=True)
    ]
