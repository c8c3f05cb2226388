"""What is found, shown and listed is what the catalogue says, on both engines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from demo_catalogue import Catalogue
from keyed_demo import own_values, playlist_key, song_key

from melon.embedding import EmbeddingSpace
from melon.errors import InputError, WrongType
from melon.ingest import ingest
from melon.retrieval import KINDS, LISTINGS, SHOWN_KINDS, Found, Retriever, UnknownItem, UnknownSong
from melon.store import Collection, VectorStore
from melon.text import name_key
from melon.word_index import asked_words, finds, indexed_words


@pytest.fixture(scope="module")
def keyed(keyed_store: VectorStore) -> Retriever:
    return Retriever(keyed_store)


def is_meant(text: str, name: str | None) -> bool:
    return name is not None and finds(asked_words(text), indexed_words(name))


def songs_of(catalogue: Catalogue, ids: Iterable[int]) -> list[int]:
    return sorted(ids, key=lambda song: (-catalogue.popularity[song], song))


def playlists_of(catalogue: Catalogue, ids: Iterable[int]) -> list[int]:
    """Most liked first."""
    return sorted(ids, key=lambda one: (-(catalogue.playlists[one].like_count or 0), one))


def artists_counted(catalogue: Catalogue) -> Counter[str]:
    return Counter(artist for song in catalogue.songs.values() for artist in set(song.artists))


def ranked(counts: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


TEXTS = ["lu", "the", "비", "모", "하 비", "rainy", "day ra", "RAINY", "비오는", "songs 20", "m"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("limit", [3, 200])
def test_find(keyed: Retriever, catalogue: Catalogue, text: str, limit: int):
    found = keyed.find(text, limit=limit)
    songs = [song.id for song in catalogue.songs.values() if is_meant(text, song.name)]
    assert [song.id for song in found.songs] == songs_of(catalogue, songs)[:limit]
    lists = [one.id for one in catalogue.playlists.values() if is_meant(text, one.title)]
    assert [one.id for one in found.playlists] == playlists_of(catalogue, lists)[:limit]
    artists = [pair for pair in ranked(artists_counted(catalogue)) if is_meant(text, pair[0])]
    assert [(artist.artist, artist.songs) for artist in found.artists] == artists[:limit]
    tags = Counter(tag for one in catalogue.playlists.values() for tag in set(one.tags))
    meant = {tag: count for tag, count in tags.items() if is_meant(text, tag)}
    counts = [(tag.payload["tag"], tag.payload["popularity"]) for tag in found.tags]
    assert counts == sorted(counts, key=lambda pair: -pair[1])
    assert dict(counts).items() <= meant.items()
    assert len(counts) == min(limit, len(meant))


def test_the_texts_find_something_of_every_kind(keyed: Retriever):
    found = [keyed.find(text) for text in TEXTS]
    for kind in KINDS:
        assert any(getattr(one, kind) for one in found), kind


def test_find_by_key_and_by_id(keyed: Retriever, catalogue: Catalogue):
    song, bare = 17, 15
    assert (song_key(song), song_key(bare)) == ("demo:song:17", None)
    for text in ("demo:song:17", " demo:song:17"):
        assert keyed.find(text, limit=1).songs[0].id == song
    for text in ("song:17", "DEMO song 17"):
        assert song in [one.id for one in keyed.find(text, limit=500).songs]
    assert bare in [one.id for one in keyed.find("15", limit=2).songs]
    by_part = keyed.find("song:1", kinds=["songs"], limit=500).songs
    begins = [one for one in catalogue.songs if (song_key(one) or "").startswith("demo:song:1")]
    assert [one.id for one in by_part] == songs_of(catalogue, begins)
    found, *others = keyed.find("demo:list:7·💿", kinds=["playlists"]).playlists
    assert 7 not in [other.id for other in others] != []
    assert (found.id, found.payload["key"]) == (7, playlist_key(7))


def test_of_kinds_that_are_not_looked_for_there_are_none(keyed: Retriever):
    found = keyed.find("rainy", kinds=("tags",))
    assert found.tags
    assert found.songs == found.artists == found.playlists == ()
    assert set(found.to_json()) == {"tags"}
    assert keyed.find("rainy", kinds=()) == Found(kinds=())


@pytest.mark.parametrize("text", ["zzzz", "\u200b", "💿💿💿💿", ":-)"])
def test_nothing_is_found_of_what_is_not_there(keyed: Retriever, text: str):
    assert not keyed.find(text)
    assert keyed.find(text).to_json() == {kind: [] for kind in KINDS}


@pytest.mark.parametrize(
    "wrong",
    [{"text": ""}, {"text": "  "}, {"text": "a", "limit": 0}, {"text": "a", "kinds": ["song"]},
     {"text": "\udc80"}],
)  # fmt: skip
def test_what_cannot_be_found_is_refused(keyed: Retriever, wrong: dict[str, Any]):
    with pytest.raises(InputError):
        keyed.find(**wrong)


def test_other_types_are_refused(keyed: Retriever):
    with pytest.raises(WrongType):
        keyed.find(17)  # type: ignore[arg-type]
    with pytest.raises(WrongType):
        keyed.find("a", kinds="songs")
    with pytest.raises(WrongType):
        keyed.show("song", None)  # type: ignore[arg-type]
    with pytest.raises(WrongType):
        keyed.listing("tags", prefix=1)  # type: ignore[arg-type]


def test_a_song(keyed: Retriever, catalogue: Catalogue):
    song = next(
        one
        for one in catalogue.songs
        if catalogue.popularity[one] > 5 and song_key(one) is not None
    )
    shown = keyed.show("song", song_key(song) or "", limit=4)
    assert (shown.kind, shown.id, shown.name) == ("song", song, catalogue.songs[song].name)
    assert shown.payload["artists"] == list(catalogue.songs[song].artists)
    assert set(own_values(song)) <= set(shown.payload)
    holders = [one.id for one in catalogue.playlists.values() if song in one.songs]
    assert shown.playlist_count == len(holders) == catalogue.popularity[song]
    assert [one.id for one in shown.playlists] == playlists_of(catalogue, holders)[:4]
    assert set(shown.nearest) == {Collection.SONGS, Collection.TAGS}
    assert song not in [near.id for near in shown.nearest[Collection.SONGS]]
    assert keyed.show("song", song, limit=4) == shown


def test_a_song_in_no_playlist(keyed: Retriever, catalogue: Catalogue):
    cold = next(one for one in catalogue.songs if not catalogue.popularity[one])
    shown = keyed.show("song", cold)
    assert (shown.playlist_count, shown.playlists) == (0, ())


def test_a_tag(keyed: Retriever, catalogue: Catalogue):
    shown = keyed.show("tag", "Rainy day ", limit=3)
    holders = [one.id for one in catalogue.playlists.values() if "rainy day" in one.tags]
    assert (shown.name, shown.playlist_count) == ("rainy day", len(holders))
    assert [one.id for one in shown.playlists] == playlists_of(catalogue, holders)[:3]
    assert [len(near) for near in shown.nearest.values()] == [3, 3]


def test_a_playlist(keyed: Retriever, catalogue: Catalogue):
    shown = keyed.show("playlist", "demo:list:7·💿", limit=5)
    playlist = catalogue.playlists[7]
    assert (shown.id, shown.name, shown.song_count) == (7, playlist.title, len(playlist.songs))
    assert [song.id for song in shown.songs] == list(playlist.songs[:5])
    assert 7 not in [near.id for near in shown.nearest[Collection.PLAYLISTS]]
    titles = Counter(one.title for one in catalogue.playlists.values())
    single = next(
        one for one in catalogue.playlists.values() if one.title and titles[one.title] == 1
    )
    assert keyed.show("playlist", single.title or "").id == single.id
    several = next(title for title, count in titles.items() if title and count > 1)
    with pytest.raises(InputError, match="have the title"):
        keyed.show("playlist", several)


def test_an_artist(keyed: Retriever, catalogue: Catalogue):
    artist, count = artists_counted(catalogue).most_common(1)[0]
    shown = keyed.show("artist", artist.upper(), limit=6)
    theirs = {one.id: one for one in catalogue.songs.values() if artist in one.artists}
    assert (shown.name, shown.song_count) == (artist, count)
    assert [song.id for song in shown.songs] == songs_of(catalogue, theirs)[:6]
    holders = [one for one, held in catalogue.playlists.items() if theirs.keys() & set(held.songs)]
    assert shown.playlist_count == len(holders)
    assert [one.id for one in shown.playlists] == playlists_of(catalogue, holders)[:6]
    genres = Counter(genre for song in theirs.values() for genre in song.genres)
    assert [(one.value, one.count) for one in shown.genres] == ranked(genres)
    years = Counter(
        str(song.issue_date.day.year) for song in theirs.values() if song.issue_date is not None
    )
    assert [(one.value, one.count) for one in shown.years] == sorted(years.items())
    assert not theirs.keys() & {near.id for near in shown.nearest[Collection.SONGS]}


@pytest.mark.parametrize("kind", SHOWN_KINDS)
def test_what_is_not_there_is_named_with_what_is_near(keyed: Retriever, kind: str):
    with pytest.raises((UnknownItem, UnknownSong)) as error:
        keyed.show(kind, "ranydayy")
    assert error.value.hint
    with pytest.raises(InputError):
        keyed.show(kind, " ")
    with pytest.raises(InputError):
        keyed.show("word", "rain")


def test_a_misspelt_name_has_its_hint(keyed: Retriever, catalogue: Catalogue):
    with pytest.raises(UnknownItem, match="did you mean rainy day"):
        keyed.show("tag", "rianyday")
    artist = next(name for name in sorted(artists_counted(catalogue)) if name.isascii())
    with pytest.raises(UnknownItem, match=f"did you mean.*{artist}"):
        keyed.show("artist", f"{artist[:-1]}xq")


def test_what_is_shown_is_json(keyed: Retriever):
    for kind, what in (("song", 17), ("tag", "rain"), ("playlist", 7)):
        shown = keyed.show(kind, what).to_json()
        assert json.loads(json.dumps(shown)) == shown
        assert not {"name_key", "search_words"} & set(shown["payload"])


def test_tags_are_listed(keyed: Retriever, catalogue: Catalogue):
    counts = Counter(tag for one in catalogue.playlists.values() for tag in set(one.tags))
    page = keyed.listing("tags")
    assert [(one.value, one.count) for one in page.values] == ranked(counts)
    assert (page.total, page.next) == (len(counts), None)
    records = keyed.reader.find(Collection.TAGS, None, 1000)
    assert {one.payload["tag"]: one.payload["popularity"] for one in records} == dict(counts)


def test_artists_are_listed(keyed: Retriever, catalogue: Catalogue):
    counts = ranked(artists_counted(catalogue))
    assert [(one.value, one.count) for one in keyed.listing("artists").values] == counts
    begun = [pair for pair in counts if name_key(pair[0]).startswith("b")]
    page = keyed.listing("artists", prefix="B")
    assert [(one.value, one.count) for one in page.values] == begun != []


def test_genres_are_listed(keyed: Retriever, catalogue: Catalogue):
    counts = Counter(
        code for song in catalogue.songs.values() for code in {*song.genres, *song.detail_genres}
    )
    page = keyed.listing("genres")
    assert [(one.value, one.count) for one in page.values] == ranked(counts)
    for one in page.values:
        assert one.more == {"name": catalogue.genres[one.value].name}
    by_name, by_code = keyed.listing("genres", prefix="jaz"), keyed.listing("genres", prefix="gn08")
    assert by_name.values[0] == by_code.values[0]


def test_fields_are_listed(keyed: Retriever, catalogue: Catalogue):
    fields = {one.value: one for one in keyed.listing("fields").values}
    for name in ("bpm", "분위기", "lyrics"):
        assert fields[name].count == sum(name in own_values(song) for song in catalogue.songs)
        assert fields[name].more["own"]
    assert fields["분위기"].more == {"type": "keyword", "many": True, "indexed": True, "own": True}
    assert not fields["lyrics"].more["indexed"]
    assert fields["album"].count == sum(song.album is not None for song in catalogue.songs.values())
    assert fields["key"].count == sum(song_key(song) is not None for song in catalogue.songs)
    assert not fields["key"].more["own"]


@pytest.mark.parametrize("kind", LISTINGS)
@pytest.mark.parametrize("limit", [1, 7])
def test_pages_are_the_whole_in_pieces(keyed: Retriever, kind: str, limit: int):
    whole = keyed.listing(kind)
    pieces, after = [], None
    for _ in range(len(whole.values) // limit + 1):
        page = keyed.listing(kind, limit=limit, after=after)
        pieces += page.values
        after = page.next
        if after is None:
            break
    assert tuple(pieces) == whole.values
    assert page.total == whole.total


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "tag"}, {"kind": "tags", "limit": 0}, {"kind": "tags", "after": "no such tag"}],
)
def test_what_cannot_be_listed_is_refused(keyed: Retriever, wrong: dict[str, Any]):
    with pytest.raises(InputError):
        keyed.listing(**wrong)


def test_a_long_part_of_a_key_is_compared_to_its_end(
    demo_space: EmbeddingSpace, store: VectorStore
):
    """The index knows how each part begins; what else begins so is left out, however much it is."""
    songs = demo_space.songs
    keys = [f"uri:Abcdefgh{number:04}x{number % 3}" for number in range(len(songs))]
    column = pa.array(keys, pa.string())
    at = songs.schema.get_field_index("key")
    ingest(replace(demo_space, songs=songs.set_column(at, "key", column)), store)
    retriever = Retriever(store)
    ids = demo_space.song_ids.tolist()
    for text, meant in (
        ("Abcdefgh0007", {7}),
        ("abcdefgh000", set(range(10))),
        ("URI:abcdefgh0007x1", {7}),
        ("abcdefgh0007x2", set()),
        ("Abcdefgh", set(range(len(keys)))),
    ):
        found = retriever.find(text, kinds=["songs"], limit=1000).songs
        assert {song.id for song in found} == {ids[row] for row in meant}
