"""What an inspection found, as rows of tables and as a page."""

from __future__ import annotations

from collections.abc import Sequence

from melon.evaluation import Semantics, Spread
from melon.plots.charts import histogram, table
from melon.plots.page import page, text

COVERAGE = ("collection", "points>", "with a vector>", "from")
FIGURES = ("figure", "value>", "of")
GENRES = ("genre", "songs>", "to each other>", "to all others>")
TAGS = ("tag", "playlists>", "nearest tags")

Rows = list[Sequence[object]]


def coverage_rows(found: Semantics) -> Rows:
    """Rows under `COVERAGE`."""
    return [
        (
            name,
            f"{one.points:,}",
            f"{one.with_vector / one.points:.1%}" if one.points else None,
            ", ".join(f"{source} {count:,}" for source, count in one.sources.items()),
        )
        for name, one in found.coverage.items()
    ]


def figure_rows(found: Semantics) -> Rows:
    """Rows under `FIGURES`: what is not known is left out."""
    rows: Rows = []
    if fit := found.playlists:
        of = f"{fit.own.count:,} playlists"
        rows += [
            ("a playlist's vector and the mean of its songs', cosine", _spread(fit.own), of),
            ("… and the mean of another playlist's songs", _spread(fit.other), None),
            ("… is nearer to its own", f"{fit.nearer:.1%}", None),
        ]
    if genres := found.genres:
        pairs = f"{genres.within.count:,} pairs of {genres.songs:,} songs"
        rows += [
            ("songs with a genre in common, cosine", _spread(genres.within), pairs),
            ("songs without", _spread(genres.between), f"{genres.between.count:,} pairs"),
            ("KL divergence of these distributions, bits", f"{genres.kl_divergence:.3f}", None),
        ]
    if hubs := found.hubness:
        songs = f"{hubs.songs:,} songs"
        correlation = hubs.popularity_correlation
        rows += [
            ("hubness: skewness of 10-occurrences", f"{hubs.skewness:.2f}", songs),
            ("… most often a neighbour, 10 on average", f"{hubs.most:,}", None),
            ("… never a neighbour", f"{hubs.never:.1%}", None),
            (
                "popularity bias: rank correlation of popularity and 10-occurrence",
                None if correlation is None else f"{correlation:.3f}",
                None,
            ),
            ("… playlists that hold a song, on average", f"{hubs.popularity:,.1f}", None),
            ("… that hold a neighbour", f"{hubs.near_popularity:,.1f}", None),
        ]
    return rows


def genre_rows(found: Semantics) -> Rows:
    """Rows under `GENRES`."""
    return [
        (one.name, f"{one.songs:,}", _shown(one.within), _shown(one.between))
        for one in (found.genres.by_genre if found.genres else ())
    ]


def tag_rows(found: Semantics) -> Rows:
    """Rows under `TAGS`."""
    return [
        (
            one.tag,
            f"{one.popularity:,}",
            ", ".join(f"{tag} {score:.2f}" for tag, score in one.nearest),
        )
        for one in found.tags
    ]


def _spread(spread: Spread) -> str:
    return f"{spread.mean:.3f} ± {spread.standard_deviation:.3f}"


def _shown(cosine: float | None) -> str | None:
    return None if cosine is None else f"{cosine:.3f}"


def missing(found: Semantics) -> str | None:
    """What could not be looked at, as a sentence."""
    parts = [
        what
        for what, known in (
            ("no playlist with its songs has a vector", found.playlists),
            ("no songs of different genres have one", found.genres),
            ("no two songs have one", found.hubness),
        )
        if not known
    ]
    return f"Not looked at: {'; '.join(parts)}." if parts else None


def inspection_tables(found: Semantics) -> list[tuple[str, tuple[str, ...], Rows]]:
    """What was found as tables: the title, the columns, and rows of each that has any."""
    tables: list[tuple[str, tuple[str, ...], Rows]] = [
        ("Vectors", COVERAGE, coverage_rows(found)),
        ("Figures", FIGURES, figure_rows(found)),
        ("Genres, mean cosines", GENRES, genre_rows(found)),
        ("Tags", TAGS, tag_rows(found)),
    ]
    return [one for one in tables if one[2]]


def inspection_page(found: Semantics) -> str:
    """A page with all figures, their distributions, and what they mean."""
    parts = [
        f'<header><h1>What the vectors of release {text(found.release)} say</h1><p class="faint">'
        f"Samples are drawn by seed {found.seed}; ± is a standard deviation.</p></header>"
        '<main class="read">'
    ]
    if said := missing(found):
        parts.append(f"<p>{text(said)}</p>")
    parts += [
        "<h2>Coverage</h2>",
        table("Points that have a vector, and from where it is", COVERAGE, coverage_rows(found)),
        "<h2>Figures</h2>",
        table("Similarities, hubness and popularity", FIGURES, figure_rows(found)),
    ]
    if fit := found.playlists:
        series = [("its own songs", fit.own.histogram), ("another's", fit.other.histogram)]
        parts += [
            "<h2>Playlists</h2><p>A playlist should lie where its songs do. One whose vector comes "
            "from its items is a mean of these, tags and words included: it is near its songs by "
            "construction; the distance to other playlists' songs is what training has made.</p>",
            histogram("Cosine of a playlist's vector and the mean of songs'", series, -1, 1),
        ]
    if genres := found.genres:
        series = [
            ("a genre in common", genres.within.histogram),
            ("none in common", genres.between.histogram),
        ]
        parts += [
            "<h2>Genres</h2><p>Training saw genres beside the songs, if the catalogue has any; "
            "songs of one genre should be more alike. Where one is as near to others as to itself, "
            "the playlists do not keep to it.</p>",
            histogram("Cosine of two songs", series, -1, 1),
            table("Mean cosines of the largest genres", GENRES, genre_rows(found)),
        ]
    if found.tags:
        rows = [
            (
                text(one.tag),
                f"{one.popularity:,}",
                ", ".join(f"<bdi>{text(tag)}</bdi> {score:.2f}" for tag, score in one.nearest),
            )
            for one in found.tags
        ]
        parts += ["<h2>Tags</h2>", table("The commonest tags", TAGS, rows, html=True)]
    if hubs := found.hubness:
        last = len(hubs.histogram) - 1
        parts += [
            "<h2>Hubs</h2><p>Hubs are near to everything, and crowd searches: the further above 0 "
            "the skewness, the more. In a sample, neighbours are further away than among all "
            "songs.</p>",
            histogram(
                f"Among the 10 nearest of how many songs a song is; the last bar: {last} or more",
                [("songs", hubs.histogram)],
                0,
                last + 1,
            ),
        ]
    parts.append("</main>")
    return page(f"Inspection of {found.release}", "\n".join(parts))
