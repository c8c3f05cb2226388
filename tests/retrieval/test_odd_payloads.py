"""What somebody else wrote into a payload is left out, and spoils no query that meets it."""

from __future__ import annotations

import json
import logging
import random
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
from odd_release import build

from melon.embedding import EmbeddingSpace
from melon.retrieval import Item, PlaylistQuery, Retriever
from melon.store import Collection, Payload, PointId, VectorStore

ODD = (5, -1, 2**62, 0.5, True, "", "x", ["x"], [7], [0.5], [True], [-1], "2015-13-01")
"""What both engines take. They index even a list in place of one number."""


def answers(retriever: Retriever) -> Iterator[Any]:
    """What users ask, as JSON."""
    query = PlaylistQuery(title="rainy day", songs=[1, 2, 3], tags=["rain"])
    for strategy in ("hybrid", "learned", "vote", "cluster", "mean", "neighbours"):
        explained = strategy != "learned"
        yield retriever.recommend(query, strategy=strategy, explain=explained).to_json()
    yield retriever.recommend(PlaylistQuery(title="unheard of")).to_json()
    near = retriever.similar(Item(song=1), to=list(Collection)).values()
    yield [one.to_json() for one in chain.from_iterable(near)]
    yield retriever.find("a").to_json()
    for kind in ("tags", "artists", "genres"):
        yield retriever.listing(kind).to_json()
    for what in range(1, 4):
        yield retriever.show("song", what).to_json()
        yield retriever.show("playlist", what).to_json()


def test_odd_payloads_spoil_no_query(
    demo_space: EmbeddingSpace, store: VectorStore, caplog: pytest.LogCaptureFixture
):
    rng = random.Random(7)

    def odd(collection: Collection, point: PointId, payload: Payload) -> Payload:
        if collection is Collection.SONGS and point == 1:
            return payload | {"artists": 5, "issue_date": 7}
        name = rng.choice(list(payload))
        changed = {field: value for field, value in payload.items() if field != name}
        return changed | {name: rng.choice(ODD)} if rng.random() < 0.8 else changed

    build(demo_space, store, odd)
    with caplog.at_level(logging.WARNING, "melon"):
        for answer in answers(retriever := Retriever(store)):
            json.dumps(answer)
        song = retriever.show("song", 1)
    assert "name" in song.payload
    assert not {"artists", "issue_date"} & song.payload.keys()
    said = Counter(
        (record.args[1], record.args[3])
        for record in caplog.records
        if isinstance(record.args, tuple)
    )
    assert set(said.values()) == {1}  # each field of a collection once
    assert len(said) > 10
    assert "release odd: its field 'artists' cannot be " in caplog.text
