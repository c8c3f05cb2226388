"""A value of the wrong kind is a TypeError that says what is wanted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from melon.errors import InputError
from melon.retrieval import Constraints, Item, PlaylistQuery, Retriever
from melon.store import VectorStore

RAIN = PlaylistQuery(title="rain")


def refused(call: Callable[..., object], *arguments: Any, **options: Any) -> str:
    with pytest.raises(TypeError) as refusal:
        call(*arguments, **options)
    assert isinstance(refusal.value, InputError)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("kind", "field", "value", "said"),
    [
        (PlaylistQuery, "tags", "rain", "tags: PlaylistQuery: it is a list: write tags=['rain']"),
        (PlaylistQuery, "songs", 7, "PlaylistQuery: it is a list: write songs=[7]"),
        (PlaylistQuery, "title", 7, "title: PlaylistQuery: input should be a valid string"),
        (Constraints, "genres", "Jazz", "genres: Constraints: it is a list: write genres=['Jazz']"),
        (Constraints, "exclude_songs", 7, "Constraints: it is a list: write exclude_songs=[7]"),
        (Item, "song", [7], "song: Item: input should be an id, 0 to 2147483647, or a key"),
    ],
)
def test_a_field_of_what_is_asked(kind: type, field: str, value: object, said: str):
    assert said in refused(kind, **{field: value})


@pytest.mark.parametrize(
    ("method", "arguments", "said"),
    [
        ("recommend", ["rainy day"], 'write recommend(title="rainy day")'),
        ("recommend", [RAIN, {"genres": ["Jazz"]}], 'write Constraints(genres=["Jazz"])'),
        ("recommend_many", [RAIN], "queries is a list: write queries=[PlaylistQuery("),
        ("recommend_many", ["rainy day"], 'write PlaylistQuery(title="rainy day")'),
        ("recommend_many", [[RAIN], Constraints()], "constraints is a list: write constraints=["),
        ("rank_many", [["rainy day"]], 'write PlaylistQuery(title="rainy day")'),
        ("candidates", [["rainy day"]], 'write PlaylistQuery(title="rainy day")'),
        ("similar", [7], "write Item(song=7)"),
        ("song_id", [7], "a song's name or id is wanted as text, not 7"),
    ],
)
def test_what_is_asked(retriever: Retriever, method: str, arguments: list[object], said: str):
    assert said in refused(getattr(retriever, method), *arguments)


def test_a_number_in_place_of_variety(retriever: Retriever):
    said = refused(retriever.recommend, RAIN, variety=0.5)
    assert "write Variety(max_per_artist=2)" in said


def test_a_dictionary_in_place_of_weights_or_variety(retriever: Retriever):
    assert "write ModalityWeights(" in refused(retriever.recommend, RAIN, weights={"tags": 2})
    for nothing in ({}, {"diversity": 0.5}):
        assert "write Variety(" in refused(retriever.recommend, RAIN, variety=nothing)


@pytest.mark.parametrize("number", ["5", 2.5, None, True, [5]])
def test_a_limit_that_is_no_whole_number(retriever: Retriever, number: object):
    for method, arguments in (
        (retriever.recommend, [RAIN]),
        (retriever.recommend_many, [[RAIN]]),
        (retriever.rank_many, [[RAIN]]),
        (retriever.similar, [Item(tag="rain")]),
        (retriever.find, ["rain"]),
        (retriever.show, ["tag", "rain"]),
        *([(retriever.listing, ["tags"])] if number is not None else []),
    ):
        assert "limit is a whole number, not" in refused(method, *arguments, limit=number)
    for method in (retriever.recommend_many, retriever.rank_many):
        assert "tag_limit is a" in refused(method, [RAIN], tag_limit=number)


def test_a_limit_of_numpy(retriever: Retriever):
    assert len(retriever.recommend(RAIN, limit=np.int64(3)).songs) == 3  # type: ignore[arg-type]
    assert len(retriever.find("rain", limit=np.int32(1)).tags) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("strategy", [3, ["mean"]])
def test_a_strategy_that_is_no_name(retriever: Retriever, strategy: object):
    assert "strategies are hybrid" in refused(retriever.recommend, RAIN, strategy=strategy)
    assert "strategies are hybrid" in refused(retriever.rank_many, [RAIN], strategy=strategy)


@pytest.mark.parametrize("store", ["store", Path("store"), None])
def test_a_path_in_place_of_a_store(store: object):
    assert "open_store(" in refused(Retriever, store)


def test_a_path_in_place_of_settings(demo_store: VectorStore):
    said = refused(Retriever, demo_store, settings=Path("retrieval.json"))
    assert "RetrievalSettings.load(" in said
