"""The map as a PNG."""

from __future__ import annotations

import io
import unicodedata
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from melon.display import printable
from melon.errors import needing
from melon.outputs import write_file
from melon.plots.colours import MISSING, UNKNOWN, colouring
from melon.plots.map import Map
from melon.plots.map_page import map_data

MARKERS = "o^s"
"""Of songs, tags and playlists."""

FONTS = (
    *("Noto Sans CJK KR", "Noto Sans CJK JP", "Noto Sans KR", "NanumGothic", "Malgun Gothic"),
    *("Apple SD Gothic Neo", "Arial Unicode MS"),
)
"""With letters of Hangul: the first that is there stands in for what the usual one lacks."""

LABELS = 25
"""Tags that are named."""

LETTERS = 24
"""Of a name, the rest is cut off."""


def write_picture(of: Map, path: Path, colour: str | None = None) -> None:
    """Draw a map, on white, with a legend and the names of the commonest tags.

    Raises:
        MissingExtra: matplotlib is not installed.
        InputError: points cannot be coloured by that.
        UnwritableFile: the file cannot be written.
    """
    write_file(path, picture(of, colour))


def picture(of: Map, colour: str | None = None) -> bytes:
    """The PNG; see `write_picture`."""
    with needing("plot"):
        import matplotlib as mpl
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.font_manager import get_font_names
        from matplotlib.lines import Line2D
        from matplotlib.patheffects import withStroke

    by, drawn = colouring(of, colour), map_data(of, colour)
    codes, kinds = np.array(by.codes), np.array(drawn["kind"])
    sizes, xy = np.array(drawn["size"]), np.array([of.x, of.y])
    there = set(get_font_names())
    fonts = ["DejaVu Sans", *[name for name in FONTS if name in there][:1]]
    scale = min(1.0, (8000 / max(len(of), 1)) ** 0.5)
    # Of what no font has, a box is drawn.
    with (
        mpl.rc_context({"font.family": fonts, "text.parse_math": False}),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message="Glyph")
        figure = Figure(figsize=(12, 10), layout="constrained")
        canvas = FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        axes.set_axis_off()
        axes.set_aspect("equal")
        axes.set_title(f"Map of release {printable(of.release)}", loc="left")
        for code in sorted(set(by.codes)):
            for kind, marker in enumerate(MARKERS):
                some = (codes == code) & (kinds == kind)
                axes.scatter(
                    xy[0, some],
                    xy[1, some],
                    s=scale * (3 + 40 * sizes[some] ** 2),
                    c=UNKNOWN if code == MISSING else by.colours[code],
                    marker=marker,
                    alpha=0.7,
                    linewidths=0,
                    rasterized=True,
                )
        for row, name in names_of(of, kinds, sizes).items():
            axes.annotate(
                name,
                (of.x[row], of.y[row]),
                ha="center",
                path_effects=[withStroke(linewidth=3, foreground="white")],
            )
        handles = [
            Line2D([], [], marker="o", linestyle="", color=shade, label=printable(label))
            for label, shade in zip(by.labels, by.colours, strict=True)
        ]
        if MISSING in by.codes:
            handles.append(
                Line2D([], [], marker="o", linestyle="", color=UNKNOWN, label="not known")
            )
        axes.legend(
            handles=handles, title=printable(by.name), loc="upper left", bbox_to_anchor=(1, 1)
        )
        figure.supxlabel(printable(of.rule), fontsize=9, wrap=True)
        file = io.BytesIO()
        canvas.print_png(file)  # type: ignore[no-untyped-call]
    return file.getvalue()


def names_of(of: Map, kinds: NDArray[np.int64], sizes: NDArray[np.float64]) -> dict[int, str]:
    """The names of the commonest tags by row, without those that would lie over another's."""
    whole = max(np.ptp(of.x), np.ptp(of.y)) or 1
    line, letter = whole / 40, whole / 110
    names: dict[int, str] = {}
    halves: dict[int, float] = {}
    tags = np.flatnonzero(kinds == 1).tolist()
    for row in sorted(tags, key=lambda row: (-sizes[row], row)):
        name = printable(of.name[row] or "")
        name = name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"
        half = letter / 2 * sum(1 + (unicodedata.east_asian_width(c) in "FW") for c in name)
        if len(names) < LABELS and all(
            abs(of.x[row] - of.x[other]) > half + width or abs(of.y[row] - of.y[other]) > line
            for other, width in halves.items()
        ):
            names[row], halves[row] = name, half
    return names
