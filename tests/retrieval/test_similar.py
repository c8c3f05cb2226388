"""The co-embedding seen from one point: every kind of item to every collection."""

from __future__ import annotations

import numpy as np
import pytest
from demo_catalogue import Catalogue

from melon.demo import DemoTruth
from melon.embedding import EmbeddingSpace
from melon.errors import InputError
from melon.retrieval import ConstraintError, Constraints, Item, Nearest, Retriever, UnknownItem
from melon.store import Collection

RAINY = "rainy day"


def items(truth: DemoTruth) -> dict[str, Item]:
    mood = truth.moods.index(RAINY)
    cold = {*truth.cold_songs.tolist()}
    song = next(s for s in np.flatnonzero(truth.song_mood == mood).tolist() if s not in cold)
    playlist = int(np.flatnonzero(truth.playlist_mood == mood)[0])
    return {
        "song": Item(song=song),
        "tag": Item(tag=RAINY),
        "title": Item(title="비 오는 날"),
        "playlist": Item(playlist=playlist),
        "word": Item(word="rainy"),
    }


def is_rainy(near: Nearest, truth: DemoTruth, space: EmbeddingSpace) -> bool:
    mood = truth.moods.index(RAINY)
    match near.collection:
        case Collection.SONGS:
            return bool(truth.song_mood[int(near.id)] == mood)
        case Collection.PLAYLISTS:
            return bool(truth.playlist_mood[int(near.id)] == mood)
        case Collection.TAGS:
            return truth.tag_mood[near.payload["tag"]] == mood
        case Collection.WORDS:
            titles = zip(space.playlist_ids, space.playlists["words"].to_pylist(), strict=True)
            moods = [truth.playlist_mood[i] for i, words in titles if near.payload["word"] in words]
            return moods.count(mood) > len(moods) / 3


@pytest.mark.parametrize("kind", ["song", "tag", "title", "playlist", "word"])
@pytest.mark.parametrize("to", Collection)
def test_neighbours_share_the_items_mood(
    retriever: Retriever,
    demo_truth: DemoTruth,
    demo_space: EmbeddingSpace,
    kind: str,
    to: Collection,
):
    limit = 5 if to in (Collection.TAGS, Collection.WORDS) else 10
    found = retriever.similar(items(demo_truth)[kind], to=(to,), limit=limit)
    assert list(found) == [to]
    assert len(found[to]) == limit
    scores = [near.score for near in found[to]]
    assert scores == sorted(scores, reverse=True)
    share = sum(is_rainy(near, demo_truth, demo_space) for near in found[to]) / limit
    assert share >= 0.6, found[to]


@pytest.mark.parametrize(
    ("kind", "to"),
    [("song", Collection.SONGS), ("tag", Collection.TAGS), ("word", Collection.WORDS),
     ("playlist", Collection.PLAYLISTS)],
)  # fmt: skip
def test_an_item_is_not_its_own_neighbour(
    retriever: Retriever, demo_truth: DemoTruth, kind: str, to: Collection
):
    item = items(demo_truth)[kind]
    everything = retriever.similar(item, to=(to,), limit=1000)[to]
    own = getattr(item, kind)
    shown = {near.payload.get(kind, near.id) for near in everything}
    assert own not in shown
    assert len(everything) == len(shown) > 20


def test_neighbours_are_numpys(
    retriever: Retriever, demo_space: EmbeddingSpace, demo_truth: DemoTruth
):
    song = items(demo_truth)["song"].song
    assert song is not None
    [found] = retriever.similar(
        Item(song=song), to=(Collection.SONGS,), limit=20, exact=True
    ).values()
    cosines = demo_space.song_vectors @ demo_space.song_vectors[song]
    cosines[song] = -1
    assert [near.score for near in found] == pytest.approx(np.sort(cosines)[::-1][:20], abs=1e-5)


def test_constraints_apply_to_songs(retriever: Retriever, catalogue: Catalogue):
    limits = Constraints(not_genres=("Ballad",), since="2005")
    found = retriever.similar(Item(tag=RAINY), to=tuple(Collection), constraints=limits)
    assert {int(near.id) for near in found[Collection.SONGS]} <= catalogue.allowed(limits)
    assert all(len(found[collection]) == 10 for collection in Collection)


def test_constraints_without_songs_are_refused(retriever: Retriever):
    with pytest.raises(ConstraintError, match="only tags, words are looked for"):
        retriever.similar(
            Item(tag=RAINY), to=("tags", "words"), constraints=Constraints(since="1990")
        )
    assert retriever.similar(Item(tag=RAINY), to=("tags",), constraints=Constraints())


def test_collections_may_be_given_by_name(
    retriever: Retriever, demo_truth: DemoTruth, catalogue: Catalogue
):
    """The constraints hold, and the item itself stays out, as with members of `Collection`."""
    song, limits = items(demo_truth)["song"], Constraints(not_genres=("Ballad",), since="2005")
    for limit in (limits, None):
        named = retriever.similar(song, to=("songs", "tags"), limit=500, constraints=limit)
        members = (Collection.SONGS, Collection.TAGS)
        assert named == retriever.similar(song, to=members, limit=500, constraints=limit)
        allowed = catalogue.allowed(limit or Constraints()) - {song.song}
        assert {near.id for near in named[Collection.SONGS]} <= allowed
        assert all(type(name) is Collection for name in named)


@pytest.mark.parametrize(
    ("to", "what"),
    [(("albums",), "'albums'"), ("songs", "'songs' is not a list"), (Collection.TAGS, "'tags'")],
    ids=str,
)
def test_what_is_no_list_of_collections_is_refused(retriever: Retriever, to: str, what: str):
    with pytest.raises(InputError, match=what):
        retriever.similar(Item(tag=RAINY), to=to)


def test_an_id_may_be_numpys(retriever: Retriever):
    for kind in ("song", "playlist"):
        item = Item(**{kind: np.int64(7)})
        assert type(getattr(item, kind)) is int
        assert retriever.similar(item) == retriever.similar(Item(**{kind: 7}))


@pytest.mark.parametrize("spelling", ["RAINY DAY", "rainyday", " rainy day\n"])
def test_a_tag_is_known_however_it_is_spelt(retriever: Retriever, spelling: str):
    assert retriever.similar(Item(tag=spelling)) == retriever.similar(Item(tag=RAINY))


def test_a_tag_that_is_held_as_it_is_given_is_no_other(retriever: Retriever):
    for given, other in (("비 오는 날", "비오는날"), ("비오는날", "비 오는 날")):
        [near] = retriever.similar(Item(tag=given), to=(Collection.TAGS,), limit=50).values()
        tags = [point.payload["tag"] for point in near]
        assert given not in tags
        assert other in tags


@pytest.mark.parametrize(
    "item",
    [Item(song=99_999), Item(tag="no such tag"), Item(title="zzzzq"), Item(playlist=99_999),
     Item(word="zzzzq")],
    ids=str,
)  # fmt: skip
def test_an_unknown_item_is_named(retriever: Retriever, item: Item):
    kind, _, value = str(item).partition(" ")
    with pytest.raises(UnknownItem, match=value) as refusal:
        retriever.similar(item)
    assert kind in str(refusal.value)


@pytest.mark.parametrize(
    "given", [{}, {"song": 1, "tag": "rain"}, {"song": -1}, {"playlist": 2**31}], ids=str
)
def test_an_item_is_exactly_one_thing_that_can_be(given: dict[str, object]):
    with pytest.raises(InputError):
        Item(**given)


def test_a_limit_is_positive(retriever: Retriever):
    with pytest.raises(InputError, match="nearest 0 points"):
        retriever.similar(Item(tag=RAINY), limit=0)
