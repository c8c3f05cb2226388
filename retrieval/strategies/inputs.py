"""What a learned ranking looks at: a row of numbers for each candidate.

Counts and scores span orders of magnitude, so they come as logarithms. What is not known is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melon.retrieval.arrays import Floats, Scores
from melon.retrieval.facts import Facts, share_in_common
from melon.retrieval.seeds import Seeds
from melon.retrieval.settings import QueryKind
from melon.retrieval.strategies.holdings import Holdings
from melon.retrieval.tables import Numbers

SMALL = 1e-4
"""Is added to scores of about 1 at most before their logarithm is taken."""

NARROW, LIKELY_TAGS = 100, 20
"""The nearest playlists, and the tags of most weight, by themselves."""

QUERY_INPUTS = {
    **{f"from {kind}": f"1 where the query is of the kind `{kind}`, else 0" for kind in QueryKind},
    "seeds": "log of the number of songs that the query gives, and 1",
    "tags": "log of the number of tags that it gives, and 1",
    "neighbours": "log of the number of playlists around the query, and 1",
    "likeness": "log of how much of the query is in the most similar of them",
}

SONG_INPUTS = {
    "score": "log of its score by neighbours and co-embedding together",
    "rank": "log of its rank by the neighbours alone, and 1",
    "wide": "log of the sum of the similarities of the playlists that hold it",
    "narrow": "log of the same over the nearest 100, their similarities cubed",
    "in 100": "log of how many of the nearest 100 playlists hold it, and 1",
    "in all": "log of how many of all those around do, and 1",
    "beside seeds": "log of how often it stands beside seeds, over the roots of the popularities",
    "with tags": "log of how often it stands with the query's tags, over its root popularity",
    "with likely tags": "log of how often it does with the tags of the nearest playlists, likewise",
    "length": "the mean of log lengths of the playlists that hold it",
    "popularity": "log of the number of playlists that hold it",
    "more popular": "the same, less the mean of the seeds'",
    "cosine": "in the co-embedding, to where the query stands",
    "nearest seed": "the largest cosine to a seed",
    "nearest seeds": "the mean of the three largest",
    "artists": "share of the seeds that are by one of its artists",
    "album": "share of the seeds that are of its album",
    "genres": "share of the seeds that have one of its genres",
    "detail_genres": "share of the seeds that have one of its detail genres",
    "years": "log of the years between its issue and the mean of the seeds', and .3",
    **QUERY_INPUTS,
}
"""What each input of a song is, in the order of the columns."""

TAG_INPUTS = {
    "score": "log of its score by neighbours and nearby playlists together",
    "rank": "log of its rank by that, and 1",
    "by neighbours": "log of its score by the neighbours alone",
    "wide": "log of the sum of the similarities of the playlists that carry it",
    "narrow": "log of the same over the nearest 100, their similarities cubed",
    "in 100": "log of how many of the nearest 100 playlists carry it, and 1",
    "beside tags": "log of how often it stands beside the query's tags, over roots of popularities",
    "popularity": "log of the number of playlists that carry it",
    "cosine": "in the co-embedding, to where the query stands",
    "nearest seed": "the largest cosine to a song or tag of the query",
    **QUERY_INPUTS,
}
"""What each input of a tag is, in the order of the columns."""


@dataclass(frozen=True, slots=True, eq=False)
class Around:
    """The playlists around a query, most similar first.

    Attributes:
        seeds: of the query.
        similarities: (n,) float64, of each playlist, the largest 1.
        likeness: what that one was before, over what the seeds count; 0 where there is none.
        songs: which playlist holds which songs.
        seed_rows: the rows of the query's songs there.
        tags: which playlist carries which tags.
        tag_rows: the rows of the query's tags there, those in its title included.
        place: (dim,) float32, the unit vector of where the query stands, if anywhere.
    """

    seeds: Seeds
    similarities: Scores
    likeness: float
    songs: Holdings
    seed_rows: Numbers
    tags: Holdings
    tag_rows: Numbers
    place: Floats | None


def song_inputs(
    around: Around, held: Holdings, scores: Scores, by_hops: Scores, facts: Facts, seeds: Facts
) -> Floats:
    """(n, k) float32: the inputs of n songs, in the order of `SONG_INPUTS`.

    Args:
        held: which of the playlists around holds each song.
        scores: (n,) by neighbours and co-embedding, 1 at most.
        by_hops: (n,) by the neighbours alone.
        facts: (n,) of the songs.
        seeds: (m,) of the query's songs.
    """
    popularity = facts["popularity"].astype(np.float64)
    inputs = {
        "score": _log(scores),
        "rank": _rank(by_hops),
        **_near(held, around.similarities),
        "in all": np.log1p(held.sums_by_item(np.ones(len(around.similarities)))),
        "length": _mean_length(around, held),
        "popularity": np.log(popularity),
        **_with_tags(around, held, popularity),
        **_cosines(facts["vector"], around.place),
    }
    if len(seeds):
        cosines = np.sort(facts["vector"] @ seeds["vector"].T, axis=1)
        years = seeds["year"][~np.isnan(seeds["year"])]
        beside = _times_beside(around.songs, around.seed_rows, held, seeds["popularity"])
        inputs |= {
            "beside seeds": _log(beside / np.sqrt(popularity) / len(seeds)),
            "more popular": np.log(popularity) - np.log(seeds["popularity"]).mean(),
            "nearest seed": cosines[:, -1],
            "nearest seeds": cosines[:, -3:].mean(axis=1),
            **{
                name: share_in_common(facts[name], seeds[name])
                for name in ("artists", "album", "genres", "detail_genres")
                if seeds[name].any()
            },
        }
        if len(years):
            inputs["years"] = np.log(np.abs(facts["year"] - years.mean()) + 0.3)
    return _matrix(inputs, SONG_INPUTS, around, len(scores))


def tag_inputs(
    around: Around,
    held: Holdings,
    scores: Scores,
    by_hops: Scores,
    facts: Facts,
) -> Floats:
    """(n, k) float32: the inputs of n tags, in the order of `TAG_INPUTS`.

    Args:
        held: which of the playlists around carries each tag.
        scores: (n,) by neighbours and nearby playlists, 1 at most.
        by_hops: (n,) by the neighbours alone, likewise.
        facts: (n,) of the tags.
    """
    seeds, vectors, popularity = around.seeds, facts["vector"], facts["popularity"]
    own = np.vstack([seeds.songs.vectors, seeds.tags.vectors, seeds.title_tags.vectors])
    inputs = {
        "score": _log(scores),
        "rank": _rank(scores),
        "by neighbours": _log(by_hops),
        **_near(held, around.similarities),
        "popularity": np.log(popularity),
        **_cosines(vectors, around.place),
    }
    if len(own):
        inputs["nearest seed"] = (vectors @ own.T).max(axis=1)
    if len(around.tag_rows):
        counts = np.concatenate([seeds.tags.popularity, seeds.title_tags.popularity])
        beside = _times_beside(around.tags, around.tag_rows, held, counts)
        inputs["beside tags"] = _log(beside / np.sqrt(popularity) / len(counts))
    return _matrix(inputs, TAG_INPUTS, around, len(scores))


def _near(held: Holdings, similarities: Scores) -> dict[str, Scores]:
    nearest = similarities[:NARROW]
    return {
        "wide": _log(_scaled(held.sums_by_item(similarities))),
        "narrow": _log(held.sums_by_item(nearest**3)),
        "in 100": np.log1p(held.sums_by_item(np.ones(len(nearest)))),
    }


def _mean_length(around: Around, held: Holdings) -> Scores:
    """The mean log length of the playlists that hold each, weighted by similarity; else NaN."""
    similarities = around.similarities
    lengths = held.sums_by_item(similarities * np.log1p(around.songs.lengths))
    sums = held.sums_by_item(similarities)
    means: Scores = np.divide(lengths, sums, out=np.full(len(sums), np.nan), where=sums > 0)
    return means


def _with_tags(around: Around, held: Holdings, popularity: Scores) -> dict[str, Scores]:
    """How often songs stand in playlists that carry the query's tags, or likely ones."""
    tags, inputs = around.tags, {}
    if len(around.tag_rows):
        given = np.zeros(len(tags.ids))
        given[around.tag_rows] = 1
        inputs["with tags"] = held.sums_by_item(tags.sums_by_playlist(given))
    sums = tags.sums_by_item(around.similarities)
    if sums.any():
        likely = np.where(sums >= np.sort(sums)[-LIKELY_TAGS:][0], _scaled(sums), 0)
        inputs["with likely tags"] = held.sums_by_item(tags.sums_by_playlist(likely))
    return {name: _log(counts / np.sqrt(popularity)) for name, counts in inputs.items()}


def _times_beside(
    items: Holdings, rows: Numbers, held: Holdings, popularity: NDArray[np.float32]
) -> Scores:
    """How often each candidate stands in a playlist with items, over the roots of their counts."""
    values = np.zeros(len(items.ids))
    values[rows] = 1 / np.sqrt(np.maximum(popularity, 1))
    return held.sums_by_item(items.sums_by_playlist(values))


def _cosines(vectors: Floats, place: Floats | None) -> dict[str, Scores]:
    return {} if place is None else {"cosine": np.asarray(vectors @ place, np.float64)}


def _matrix(
    inputs: Mapping[str, Scores], columns: Mapping[str, str], around: Around, count: int
) -> Floats:
    """The inputs and those of the query, NaN where one is not there."""
    seeds, asked = around.seeds, around.seeds.kind
    of_query = {
        **{f"from {kind}": float(asked is kind) for kind in QueryKind},
        "seeds": np.log1p(len(seeds.songs)),
        "tags": np.log1p(len(seeds.tags)),
        "neighbours": np.log1p(len(around.similarities)),
        "likeness": np.log(around.likeness + 1e-2),
    }
    matrix = np.full((len(columns), count), np.nan, np.float32)
    for row, name in zip(matrix, columns, strict=True):
        if (values := inputs.get(name, of_query.get(name))) is not None:
            row[:] = values
    return matrix.T


def _log(scores: Scores) -> Scores:
    return np.log(np.maximum(scores, 0) + SMALL)


def _rank(scores: Scores) -> Scores:
    """log of each one's rank and 1, the best 0."""
    ranks = np.empty(len(scores))
    ranks[np.argsort(-scores, kind="stable")] = np.arange(len(scores))
    return np.log1p(ranks)


def _scaled(scores: Scores) -> Scores:
    return scores / max(float(scores.max(initial=0)), SMALL)
