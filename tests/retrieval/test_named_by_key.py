"""Songs and playlists are named by their keys, and come back with them, on both engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from keyed_demo import playlist_key, song_key

from melon.errors import InputError
from melon.retrieval import (
    AmbiguousSong,
    Constraints,
    Item,
    PlaylistQuery,
    Recommendation,
    Retriever,
    UnknownItem,
    UnknownSong,
)
from melon.store import Collection, VectorStore


@pytest.fixture(scope="module")
def keyed(keyed_store: VectorStore) -> Retriever:
    return Retriever(keyed_store)


@pytest.fixture(scope="module")
def songs(keyed: Retriever) -> list[int]:
    """Popular songs with a key that is no number."""
    found = keyed.reader.top(Collection.SONGS, "popularity", 200, payload=("key",))
    return [int(song.id) for song in found if ":" in song.payload.get("key", "")]


def key(song: int) -> str:
    found = song_key(song)
    assert found is not None
    return found


def ids(answer: Recommendation) -> list[int]:
    return [song.id for song in answer.songs]


def test_a_song_is_named_by_its_key(keyed: Retriever, songs: list[int]):
    by_id = keyed.recommend(songs=songs[:3])
    assert keyed.recommend(songs=[key(song) for song in songs[:3]]) == by_id
    assert keyed.recommend(PlaylistQuery(songs=[key(song) for song in songs[:3]])) == by_id
    mixed = PlaylistQuery(songs=[f" {key(songs[0])} ", songs[1]])
    assert keyed.recommend(mixed, songs=[key(songs[2])]) == by_id
    assert not {*songs[:3]} & {*ids(by_id)}
    disliked = keyed.recommend(songs=songs[:2], not_songs=[songs[5]])
    assert keyed.recommend(songs=songs[:2], not_songs=[key(songs[5])]) == disliked


def test_results_have_keys(keyed: Retriever, songs: list[int]):
    answer = keyed.recommend(songs=songs[:3], limit=100)
    for song in answer.songs:
        assert song.key == song_key(song.id)
        assert list(song.to_json())[:2] == ["id", "key"]
        assert song.to_json()["key"] == song_key(song.id)
    nearest = keyed.similar(Item(song=key(songs[0])), to=["songs", "playlists"])
    assert nearest == keyed.similar(Item(song=songs[0]), to=["songs", "playlists"])
    for near in nearest[Collection.SONGS]:
        assert near.song().key == song_key(int(near.id))
    for near in nearest[Collection.PLAYLISTS]:
        assert near.to_json().get("key") == playlist_key(int(near.id))


def test_explanations_have_keys(keyed: Retriever, songs: list[int]):
    answer = keyed.recommend(songs=[key(songs[0]), songs[1]], explain=True, limit=5)
    seeds = {part.ref: part.key for song in answer.songs for part in song.because}
    assert seeds == {song: song_key(song) for song in songs[:2]}
    through = {part.ref: part.key for song in answer.songs for part in song.playlists}
    assert through == {ref: playlist_key(int(ref)) for ref in through}
    assert None in through.values()
    for song in answer.songs:
        for part in (*song.because, *song.playlists):
            assert part.to_json().get("key") == part.key


def test_a_key_of_digits_comes_before_an_id(keyed: Retriever):
    """`demo:song` 6 has the key "7", which is also the id of another song."""
    held = {int(song.id) for song in keyed.reader.find(Collection.SONGS, None, 10_000)}
    song = next(song for song in sorted(held) if song % 4 == 2 and song + 1 in held)
    assert key(song) == str(song + 1)
    assert keyed.song_id(str(song + 1)) == song
    assert keyed.recommend(songs=[str(song + 1)]) == keyed.recommend(songs=[song])
    assert keyed.similar(Item(song=str(song + 1))) == keyed.similar(Item(song=song))
    assert keyed.recommend(PlaylistQuery(songs=[song + 1])) == keyed.recommend(songs=[song + 1])
    bare = next(song for song in sorted(held) if song_key(song - 1) != str(song))
    assert keyed.recommend(PlaylistQuery(songs=[str(bare)])) == keyed.recommend(songs=[bare])


def test_a_playlist_is_named_by_its_key(keyed: Retriever):
    found = keyed.reader.top(Collection.PLAYLISTS, "song_count", 20, payload=("key",))
    playlist = next(int(record.id) for record in found if "key" in record.payload)
    named = str(playlist_key(playlist))
    query = keyed.playlist(playlist)
    assert keyed.playlist(named) == keyed.playlist(str(playlist)) == query
    by_key = query.model_copy(update={"playlist": named})
    assert keyed.recommend(by_key) == keyed.recommend(query)
    explained = keyed.recommend(by_key, explain=True)
    assert explained.songs
    assert playlist not in {part.ref for song in explained.songs for part in song.playlists}
    assert keyed.similar(Item(playlist=named)) == keyed.similar(Item(playlist=playlist))
    assert keyed.recommend(by_key.model_copy(update={"playlist": "nobody:knows"}))


@pytest.mark.parametrize("named", ["demo:list:nope", "2147483647", "12345678901"])
def test_a_playlist_that_is_not_there(keyed: Retriever, named: str):
    with pytest.raises(UnknownItem, match=named):
        keyed.playlist(named)
    for item in (Item(playlist=named), Item(song=named)):
        with pytest.raises(UnknownItem, match=named):
            keyed.similar(item)


def test_excluded_songs_are_named_by_keys(keyed: Retriever, songs: list[int]):
    query = PlaylistQuery(songs=songs[:3])
    first, second, *_ = (song for song in keyed.recommend(query).songs if ":" in (song.key or ""))
    for named in (first.id, str(first.key)):
        left = keyed.recommend(query, Constraints(exclude_songs=[named, second.id, "no:key"]))
        assert not {first.id, second.id} & {*ids(left)}
        assert left.unknown.songs == ("no:key",)


def test_unknown_keys_are_reported(keyed: Retriever, songs: list[int]):
    query = PlaylistQuery(songs=["no:key", songs[0], "2147483000"], not_songs=["nor:this"])
    answer = keyed.recommend(query)
    assert answer.unknown.songs == ("no:key", 2147483000, "nor:this")
    assert answer.to_json()["unknown"]["songs"] == ["no:key", 2147483000, "nor:this"]
    assert answer.songs == keyed.recommend(songs=[songs[0]]).songs
    [ranking] = keyed.rank_many([query])
    assert ranking.unknown == answer.unknown
    assert keyed.recommend(PlaylistQuery(songs=["no:key"])).fallback == "popularity"
    with pytest.raises(UnknownSong, match="'no:key'"):
        keyed.recommend(songs=["no:key"])


def test_a_song_is_not_wanted_and_disliked_by_two_names(keyed: Retriever, songs: list[int]):
    with pytest.raises(InputError, match="wanted and disliked"):
        keyed.recommend(PlaylistQuery(songs=[songs[0]], not_songs=[key(songs[0])]))
    with pytest.raises(InputError, match=f"song '{key(songs[0])}' is wanted"):
        keyed.recommend(songs=[key(songs[0])], not_songs=[key(songs[0])])
    twice = PlaylistQuery(songs=[songs[0], key(songs[0])])
    assert keyed.recommend(twice) == keyed.recommend(songs=[songs[0]])


@pytest.mark.parametrize("wrong", ["", "  ", True, -1, 2**31, 1.5, None, b"key", ["a"]])
def test_what_is_neither_an_id_nor_a_key_is_refused(wrong: Any):
    for make in (
        lambda: PlaylistQuery(songs=[wrong]),
        lambda: PlaylistQuery(not_songs=[wrong]),
        lambda: Constraints(exclude_songs=[wrong]),
        lambda: PlaylistQuery(playlist=wrong if wrong is not None else ()),
        lambda: Item(song=wrong),
    ):
        with pytest.raises(InputError):
            make()


def test_queries_are_written_and_read_again():
    query = PlaylistQuery(songs=[1, "a:b", "7"], not_songs=["é"], playlist="list:1")
    assert PlaylistQuery.model_validate_json(query.model_dump_json()) == query
    assert PlaylistQuery.model_validate(query.model_dump()) == query
    limits = Constraints(exclude_songs=[3, "a:b"])
    assert Constraints.model_validate_json(limits.model_dump_json()) == limits


class Counted:
    """A reader that counts what it is asked."""

    def __init__(self, reader: Any) -> None:
        self._reader, self.asked = reader, Counter[str]()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._reader, name)
        if name not in ("find", "retrieve", "count", "top", "query"):
            return found

        def counted(*arguments: Any, **options: Any) -> Any:
            self.asked[name] += 1
            return found(*arguments, **options)

        return counted


def test_keys_cost_a_batch_one_request_and_ids_none(keyed: Retriever, songs: list[int]):
    def requests(queries: Sequence[PlaylistQuery], limits: Sequence[Constraints]) -> Counter[str]:
        reader = Counted(keyed.engine_reader)
        asking = keyed.with_reader(reader)  # type: ignore[arg-type]
        asking.rank_many(queries, limits, strategy="mean")
        reader.asked.clear()  # what is cached after the first time
        asking.rank_many(queries, limits, strategy="mean")
        return reader.asked

    by_id = requests(
        [PlaylistQuery(songs=songs[n : n + 3], not_songs=[songs[30]]) for n in range(20)],
        [Constraints(exclude_songs=[songs[31]])] * 20,
    )
    by_key = requests(
        [
            PlaylistQuery(songs=[*map(key, songs[n : n + 3])], not_songs=[key(songs[30])])
            for n in range(20)
        ],
        [Constraints(exclude_songs=[key(songs[31])])] * 20,
    )
    assert by_id["find"] == 0
    assert by_key == by_id + Counter(find=1)


def test_names_of_songs_come_with_keys(keyed: Retriever):
    reader = keyed.reader
    names = Counter(
        song.payload.get("name_key") for song in reader.find(Collection.SONGS, None, 10_000)
    )
    name = next(name for name, count in names.most_common() if name and count > 1)
    with pytest.raises(AmbiguousSong) as refusal:
        keyed.song_id(name)
    listed = [line.split()[0] for line in str(refusal.value.hint).splitlines()[1:]]
    named = [song.id for song in reader.find(Collection.SONGS, None, 10_000)]
    assert {*listed} <= {song_key(int(song)) or str(song) for song in named} | {"and"}
