"""A value of the wrong kind is a TypeError that says what is wanted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from melon.errors import InputError
from melon.retrieval import Constraints, Item, PlaylistQuery, Retriever

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
        ("kinds", [["rainy day"]], 'write PlaylistQuery(title="rainy day")'),
        ("similar", [7], "write Item(song=7)"),
        ("song_id", [7], "a song's name or id is wanted as text, not 7"),
    ],
)
def test_what_is_asked(retriever: Retriever, method: str, arguments: list[object], said: str):
    assert said in refused(getattr(retriever, method), *arguments)


def test_a_number_in_place_of_variety(retriever: Retriever):
    said = refused(retriever.recommend, RAIN, variety=0.5)
    assert "write Variety(max_per_artist=2)" in said


@pytest.mark.parametrize("store", ["store", Path("store"), None])
def test_a_path_in_place_of_a_store(store: object):
    assert "open_store(" in refused(Retriever, store)


def test_a_path_in_place_of_settings(retriever: Retriever):
    said = refused(Retriever, retriever._store, settings=Path("retrieval.json"))
    assert "RetrievalSettings.load(" in said
