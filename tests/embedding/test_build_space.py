"""A built space holds the whole catalogue, and what belongs together lies together in it."""

from datetime import date, datetime

import numpy as np
import pytest
from planted import (
    COLD_BY_ALBUM,
    COLD_BY_PLAYLIST,
    GROUPS,
    MOODS,
    UNKNOWABLE,
    planted_genres,
    planted_playlists,
    planted_songs,
    small_settings,
)

from melon.catalog import Genre, IssueDate, Playlist, Song
from melon.embedding import build_space, training_settings
from melon.embedding.bags import TokenKind
from melon.embedding.errors import NothingToTrain, RepeatedPlaylist
from melon.titles import TitleTokenizer


def nearest(vectors: np.ndarray, vector: np.ndarray, k: int) -> list[int]:
    return np.argsort(-(vectors @ vector), kind="stable")[:k].tolist()


def test_neighbours_of_a_song_are_of_its_group(space):
    planted = np.flatnonzero(space.song_ids < 100 * GROUPS)
    vectors, groups = space.song_vectors[planted], space.song_ids[planted] // 100
    same = [
        groups[near] == groups[i]
        for i, vector in enumerate(vectors)
        for near in nearest(vectors, vector, 9)[1:]
    ]
    assert np.mean(same) > 0.95


@pytest.mark.parametrize("group", range(GROUPS))
def test_songs_nearest_to_a_tag_and_to_a_playlist_are_of_its_group(space, group):
    planted = np.flatnonzero(space.song_ids < 100 * GROUPS)
    tag = space.tag_vectors[space.tags.index(MOODS[group])]
    playlist = space.playlist_vectors[int(np.flatnonzero(space.playlist_ids == 20 + group)[0])]
    for vector in (tag, playlist):
        near = planted[nearest(space.song_vectors[planted], vector, 8)]
        assert np.mean(space.song_ids[near] // 100 == group) > 0.9


def test_playlist_tokens_can_be_trained_themselves():
    settings = small_settings(kinds=list(TokenKind))
    space = build_space(planted_playlists(), settings=settings)
    assert set(space.playlists["vector_source"].to_pylist()) == {"trained"}
    near = [nearest(space.playlist_vectors, vector, 6)[1:] for vector in space.playlist_vectors]
    same = [space.playlist_ids[near[i]] % GROUPS == i % GROUPS for i in range(len(near))]
    assert np.mean(same) > 0.9


def test_songs_are_those_with_metadata_and_those_of_playlists(space):
    assert space.song_ids.dtype == np.int64
    assert (np.diff(space.song_ids) > 0).all()
    assert COLD_BY_PLAYLIST in space.song_ids
    assert space.songs["id"].to_numpy().tolist() == space.song_ids.tolist()
    assert space.counts == {"songs": 53, "tags": 5, "playlists": 160, "words": len(space.words)}


def test_vectors_are_aligned_unit_rows(space):
    for vectors, table in (
        (space.song_vectors, space.songs),
        (space.tag_vectors, space.tag_table),
        (space.word_vectors, space.word_table),
    ):
        assert vectors.dtype == np.float32
        assert vectors.shape == (len(table), space.dim)
        known = table["vector_source"].is_valid().to_numpy()
        np.testing.assert_allclose(np.linalg.norm(vectors[known], axis=1), 1, rtol=1e-5)
        assert not vectors[~known].any()


def test_popularity_is_the_number_of_playlists(space):
    playlists = planted_playlists()
    assert space.song_popularity.tolist() == [
        sum(song in playlist.songs for playlist in playlists) for song in space.song_ids
    ]
    # titles hold tags too, but only a tag that was given counts
    assert space.tag_popularity.tolist() == [
        sum(tag in playlist.tags for playlist in playlists) for tag in space.tags
    ]
    # a playlist's words are those of its title and of its tags
    texts = [
        {word for text in (p.title or "", *p.tags) for word in space.title.words(text)}
        for p in playlists
    ]
    assert space.word_table["popularity"].to_pylist() == [
        sum(word in text for text in texts) for word in space.words
    ]
    assert (np.diff(space.tag_popularity) <= 0).all()


def test_tags_below_the_minimum_keep_a_place(space):
    place = space.tags.index("seen once")
    assert space.tag_table["vector_source"][place].as_py() == "playlists"


def test_metadata_is_kept_as_it_was_given():
    songs = [
        Song(
            5,
            name="이름",
            artist_ids=(1, 2),
            artists=("a", "b"),
            album_id=9,
            album="album",
            genres=("GN0100",),
            detail_genres=("GN0101",),
            issue_date=IssueDate(date(2006, 1, 1), "year"),
        ),
        Song(3),
    ]
    playlists = [
        Playlist(8, None, (5, 4), ("태그", "b c"), 7, datetime(2014, 8, 19, 1, 57, 26)),
        Playlist(7, "a title", (5, 4), ("태그",), None, None),
    ]
    genres = {"GN0100": Genre("GN0100", "pop", None)}
    space = build_space(playlists, songs, genres, small_settings(min_count=1))
    rows = {
        row["id"]: {name: value for name, value in row.items() if value not in (None, [])}
        for row in space.songs.to_pylist()
    }
    assert list(rows) == [3, 4, 5]
    assert rows[5] == {
        "id": 5,
        "name": "이름",
        "artist_ids": [1, 2],
        "artists": ["a", "b"],
        "album_id": 9,
        "album": "album",
        "genres": ["GN0100"],
        "detail_genres": ["GN0101"],
        "issue_date": date(2006, 1, 1),
        "issue_date_precision": "year",
        "popularity": 2,
        "vector_source": "trained",
    }
    assert rows[4] == {"id": 4, "popularity": 2, "vector_source": "trained"}
    assert rows[3] == {"id": 3, "popularity": 0}
    first, second = space.playlists.to_pylist()
    assert (first["id"], first["title"]) == (7, "a title")
    assert (first["like_count"], first["updated"]) == (None, None)
    assert set(first["words"]) >= set(space.title.words("a title"))
    assert second == {
        "id": 8,
        "key": None,
        "title": None,
        "tags": ["태그", "b c"],
        "songs": [5, 4],
        "like_count": 7,
        "updated": datetime(2014, 8, 19, 1, 57, 26),
        "words": ["태그", "b", "c"],
        "vector_source": "items",
    }
    assert space.genres == genres


def test_playlists_of_cold_songs_only_are_where_these_are():
    of_cold = Playlist(9001, None, (COLD_BY_ALBUM,), (), 0, None)
    of_unknowable = Playlist(9002, None, (UNKNOWABLE,), (), 0, None)
    playlists = [*planted_playlists(), of_cold, of_unknowable]
    space = build_space(playlists, planted_songs(), planted_genres(), small_settings())
    song = int(np.searchsorted(space.song_ids, COLD_BY_ALBUM))
    assert space.songs["vector_source"][song].as_py() == "album"
    np.testing.assert_allclose(space.playlist_vectors[-2], space.song_vectors[song], rtol=1e-5)
    assert not space.playlist_vectors[-1].any()
    assert space.playlists["vector_source"].to_pylist()[-2:] == ["items", None]


def test_text_that_no_encoder_takes_is_replaced_not_fatal():
    playlists = [Playlist(n, "a \ud800 b", (1, 2), ("tag\udfff",), 0, None) for n in range(3)]
    settings = small_settings(title_tag_min_count=1)
    space = build_space(playlists, [Song(1, name="\ud83d")], settings=settings)
    assert space.tags == ["tag?"]
    assert TitleTokenizer.from_bytes(space.title.to_bytes()).tags("a tag?") == ["tag?"]


def test_songs_described_twice_count_where_they_come_first():
    playlists = [Playlist(1, None, (1, 2), (), 0, None)] * 1
    songs = [Song(1, name="first"), Song(1, name="second")]
    space = build_space(playlists, songs, settings=small_settings(min_count=1))
    assert space.songs["name"].to_pylist() == ["first", None]


def test_no_playlists_and_repeated_playlists_are_errors():
    with pytest.raises(NothingToTrain):
        build_space([])
    one = Playlist(5, None, (1, 2), (), 0, None)
    with pytest.raises(RepeatedPlaylist, match="playlist 5"):
        build_space([one, one])


def test_the_minimum_count_follows_how_often_songs_are_held():
    """Where few songs stand in three playlists, rarer ones are trained too."""
    usual = training_settings()
    assert usual.settled(np.array([1, 3, 3, 5, 0])).min_count == 3
    assert usual.settled(np.array([1, 2, 2, 2, 3])).min_count == 2
    assert usual.settled(np.array([1, 1, 1, 1, 3])).min_count == 1
    assert training_settings(min_count=7).settled(np.array([1])).min_count == 7
