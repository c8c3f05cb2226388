"""An updated space holds what is new where training would look for it, and all else as it was."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from planted import (
    COLD_BY_ALBUM,
    GROUPS,
    planted_genres,
    planted_playlists,
    planted_songs,
    small_settings,
)

from melon.catalog import BadFields, Genre, Playlist, Song, find_corpus
from melon.embedding import (
    TRAINED,
    Catalogue,
    Change,
    EmbeddingSpace,
    ForeignCatalogue,
    build_space,
    read_catalogue,
    train_space,
    update_corpus,
    update_space,
)
from melon.embedding.bags import TokenKind
from melon.embedding.columns import read_corpus
from melon.embedding.errors import SpaceBusy
from melon.fields import FieldType, own_field
from melon.files import locked
from melon.ranking import Ranking

NEW_PLAYLIST = Playlist(
    9_000,
    title="Focus unheard",
    songs=(200, 201, 202, 950),
    tags=("Focus", "brand new"),
    like_count=0,
    updated=None,
)
NEW_SONG = Song(950, name="new", album_id=99, artist_ids=(10,), genres=("GN0300",))
"""Held by a playlist of group 2, by an artist of group 1."""


def of(playlists=(), songs=(), space=None, genres=None, fields=()) -> Catalogue:
    known = dict(space.genres) if space else planted_genres()
    own = tuple(fields) or (space.fields if space else ())
    return Catalogue(read_corpus(playlists, songs, own), known | (genres or {}), own)


def row(space: EmbeddingSpace, kind: str, name: object) -> np.ndarray:
    names = {
        "song": space.song_ids.tolist(),
        "playlist": space.playlist_ids.tolist(),
        "tag": space.tags,
        "word": space.words,
    }[kind]
    vector: np.ndarray = getattr(space, f"{kind}_vectors")[names.index(name)]
    return vector


def by(space: EmbeddingSpace, kind: str, key: str, value: str) -> dict:
    """Two columns of a table, the one by the other."""
    table = getattr(space, kind)
    return dict(zip(table[key].to_pylist(), table[value].to_pylist(), strict=True))


def vectors(space: EmbeddingSpace) -> dict[tuple[str, object], bytes]:
    tables = {
        "song": space.song_ids.tolist(),
        "playlist": space.playlist_ids.tolist(),
        "tag": space.tags,
        "word": space.words,
    }
    return {
        (kind, name): row.tobytes()
        for kind, names in tables.items()
        for name, row in zip(names, getattr(space, f"{kind}_vectors"), strict=True)
    }


@pytest.fixture(scope="module")
def ranked(space: EmbeddingSpace) -> EmbeddingSpace:
    return replace(space, ranking=Ranking(strategy="vote", questions=99))


@pytest.fixture(scope="module")
def updated(ranked: EmbeddingSpace) -> EmbeddingSpace:
    """With one playlist, one song, a tag and a word more."""
    return update_space(ranked, of([NEW_PLAYLIST], [NEW_SONG], ranked))[0]


def test_the_same_catalogue_changes_nothing(space: EmbeddingSpace) -> None:
    again, changes = update_space(space, of(planted_playlists(), planted_songs(), space))
    assert again is space
    assert not changes.any
    assert changes.songs == Change(0, 0, len(space.songs), 0)
    assert changes.tags == Change(0, 0, len(space.tags), 0)
    assert changes.playlists == Change(0, 0, len(space.playlists), 0)


def test_what_has_not_changed_keeps_its_vector_bit_by_bit(
    ranked: EmbeddingSpace, updated: EmbeddingSpace
) -> None:
    before, after = vectors(ranked), vectors(updated)
    assert before.items() <= after.items()
    assert {kind for kind, _ in after.keys() - before.keys()} == {
        *("song", "playlist", "tag", "word")
    }
    assert (updated.ranking, updated.settings) == (ranked.ranking, ranked.settings)
    assert updated.epochs == ranked.epochs


def test_a_new_playlist_is_at_the_mean_of_its_trained_items(updated: EmbeddingSpace) -> None:
    words = by(updated, "playlists", "id", "words")[9_000]
    sources = by(updated, "word_table", "word", "vector_source")
    items = [row(updated, "song", song) for song in (200, 201, 202)]
    items += [row(updated, "tag", "Focus")]
    items += [row(updated, "word", word) for word in words if sources[word] == TRAINED]
    mean = np.sum(items, axis=0)
    expected = mean / np.linalg.norm(mean)
    np.testing.assert_allclose(row(updated, "playlist", 9_000), expected, atol=1e-5)


def test_a_new_song_is_by_its_metadata_and_a_new_tag_by_its_playlists(
    updated: EmbeddingSpace,
) -> None:
    assert by(updated, "songs", "id", "vector_source")[950] == "artist"
    groups = [
        np.mean([row(updated, "song", 100 * group + i) for i in range(12)], axis=0)
        for group in range(GROUPS)
    ]
    assert np.argmax([row(updated, "song", 950) @ group for group in groups]) == 1
    np.testing.assert_allclose(
        row(updated, "tag", "brand new"), row(updated, "playlist", 9_000), atol=1e-6
    )
    assert by(updated, "tag_table", "tag", "vector_source")["brand new"] == "playlists"


def test_popularity_follows(ranked: EmbeddingSpace, updated: EmbeddingSpace) -> None:
    before, after = (by(one, "songs", "id", "popularity") for one in (ranked, updated))
    held = set(NEW_PLAYLIST.songs)
    assert after == {song: before.get(song, 0) + (song in held) for song in before | {950: 0}}
    tags = [by(one, "tag_table", "tag", "popularity")["Focus"] for one in (ranked, updated)]
    assert tags[1] == tags[0] + 1


def test_it_can_be_saved_and_updated_once_more(updated: EmbeddingSpace, tmp_path: Path) -> None:
    saved = updated.save(tmp_path / "space")
    again, changes = update_space(saved, of([NEW_PLAYLIST], [NEW_SONG], saved))
    assert again is saved
    assert changes.playlists == Change(0, 0, 1, 160)
    playlists = [*planted_playlists(), NEW_PLAYLIST]
    assert update_space(saved, of(playlists, [*planted_songs(), NEW_SONG], saved))[0] is saved


def test_the_same_update_gives_the_same_space(ranked, updated) -> None:
    once_more = update_space(ranked, of([NEW_PLAYLIST], [NEW_SONG], ranked))[0]
    assert once_more.hash == updated.hash


def test_what_has_changed_is_placed_anew(space: EmbeddingSpace) -> None:
    """A playlist that now holds songs of another group, a cold song of another album."""
    playlists = planted_playlists()
    moved = replace(playlists[4], songs=(101, 102, 103, 104), title=None, tags=())
    renamed = replace(playlists[5], like_count=77)
    songs = [
        replace(song, album_id=30) if song.id == COLD_BY_ALBUM else song for song in planted_songs()
    ]
    updated, changes = update_space(space, of([moved, renamed], songs, space))
    assert changes.playlists == Change(0, 2, 0, 158)
    assert changes.songs.changed == 1
    of_group = np.mean([row(updated, "song", 100 + i) for i in range(12)], axis=0)
    assert row(updated, "playlist", 4) @ of_group > row(space, "playlist", 4) @ of_group + 0.1
    assert (
        row(updated, "song", COLD_BY_ALBUM)
        @ np.mean([row(updated, "song", 308 + i) for i in range(4)], axis=0)
        > (row(space, "song", COLD_BY_ALBUM) @ of_group) * 0.9
    )
    same = vectors(space).items() & vectors(updated).items()
    assert len(same) >= len(vectors(space)) - 3


def test_a_song_that_is_only_named_keeps_what_is_known_of_it(space: EmbeddingSpace) -> None:
    updated, changes = update_space(space, of([NEW_PLAYLIST], (), space))
    assert changes.songs.changed == 0
    names = by(updated, "songs", "id", "name")
    assert names[200] == "song 0"
    assert names[950] is None


def test_what_is_gone_stays_unless_it_is_to_be_removed(space: EmbeddingSpace) -> None:
    half = planted_playlists()[:80]
    kept, changes = update_space(space, of(half, planted_songs(), space))
    assert kept is space
    assert changes.playlists == Change(0, 0, 80, 80)
    less, changes = update_space(space, of(half, planted_songs()[:-1], space), remove_gone=True)
    assert changes.playlists == Change(0, 0, 80, 80)
    assert changes.songs.gone == 1
    assert less.counts["playlists"] == 80
    assert less.song_popularity.sum() == sum(len(one.songs) for one in half)
    assert vectors(less).items() <= vectors(space).items()


def test_trained_playlists_stay_and_new_ones_are_by_their_items() -> None:
    settings = small_settings(kinds=list(TokenKind), epochs=2)
    space = build_space(planted_playlists(), settings=settings)
    liked = replace(planted_playlists()[3], like_count=1_000)
    updated = update_space(space, of([NEW_PLAYLIST, liked], (), space))[0]
    assert updated.playlists["vector_source"].to_pylist()[-1] == "items"
    assert row(updated, "playlist", 0).tobytes() == row(space, "playlist", 0).tobytes()
    assert row(updated, "playlist", 3).tobytes() == row(space, "playlist", 3).tobytes()


def test_a_tag_that_has_become_frequent_is_found_in_titles(space: EmbeddingSpace) -> None:
    many = [
        Playlist(9_000 + i, title=None, songs=(200,), tags=("citypop",), like_count=0, updated=None)
        for i in range(space.settings["title_tag_min_count"])
    ]
    assert space.title.tags("citypop 80s") == []
    assert update_space(space, of(many, (), space))[0].title.tags("citypop 80s") == ["citypop"]


def test_a_new_name_of_a_genre_is_a_change(space: EmbeddingSpace) -> None:
    named = {"GN0100": Genre("GN0100", "Ballad", None)}
    updated, changes = update_space(space, of([planted_playlists()[0]], (), space, genres=named))
    assert changes.names
    assert changes.any
    assert updated.genres["GN0100"].name == "Ballad"
    assert vectors(updated) == vectors(space)


def test_another_catalogue_is_refused(space: EmbeddingSpace) -> None:
    strange = Playlist(77_000, title="x", songs=(5_000,), tags=(), like_count=0, updated=None)
    with pytest.raises(ForeignCatalogue, match="none of its songs and playlists is in the space"):
        update_space(space, of([strange], (), space))
    renamed = [replace(song, name=f"other {song.id}") for song in planted_songs()]
    with pytest.raises(ForeignCatalogue, match="0 of 49 songs have the name"):
        update_space(space, of([NEW_PLAYLIST], renamed, space))
    shuffled = [
        replace(playlist, title="other", songs=tuple(1_000 + song for song in playlist.songs))
        for playlist in planted_playlists()[:20]
    ]
    with pytest.raises(ForeignCatalogue, match="0 of 20 playlists have the title"):
        update_space(space, of(shuffled, (), space))


def write(directory: Path, playlists: list[dict], songs: list[dict] | None = None) -> Path:
    directory.mkdir()
    (directory / "train.json").write_text(json.dumps(playlists))
    if songs is not None:
        (directory / "song_meta.json").write_text(json.dumps(songs))
    return directory


def keyed(ids: list[str], **more: object) -> list[dict]:
    return [{"id": f"list:{i}", "songs": [f"x:{i % 5}", f"x:{(i + 1) % 5}"]} | more for i in ids]


@pytest.fixture(scope="module")
def keyed_space(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingSpace:
    directory = tmp_path_factory.mktemp("keyed")
    corpus = write(directory / "corpus", keyed(range(20)))
    catalogue = read_catalogue(find_corpus([corpus]))
    settings = small_settings(dim=4, epochs=1)
    return train_space(catalogue, settings).save(directory / "space")


def test_keys_have_the_ids_that_they_had(keyed_space: EmbeddingSpace, tmp_path: Path) -> None:
    """New ones come first in the files, and get the ids after the largest."""
    new = [{"id": "another", "songs": ["a:new", "x:1", "x:2"]}, *keyed([3], plylst_title="now")]
    keyed_space.save(tmp_path / "space")
    corpus = write(tmp_path / "more", new)
    _, updated, changes = update_corpus([corpus], tmp_path / "space")
    assert changes.playlists == Change(1, 1, 0, 19)
    assert changes.songs.added == 1
    for kind in ("songs", "playlists"):
        before, after = (by(one, kind, "key", "id") for one in (keyed_space, updated))
        assert before.items() <= after.items()
        [added] = after.keys() - before.keys()
        assert after[added] == max(before.values()) + 1
    assert EmbeddingSpace.load(tmp_path / "space").hash == updated.hash
    assert not update_corpus([corpus], tmp_path / "space").changes.any


def test_two_updates_at_once_would_lose_one(keyed_space: EmbeddingSpace, tmp_path: Path) -> None:
    keyed_space.save(tmp_path / "space")
    corpus = write(tmp_path / "more", keyed([3], plylst_title="now"))
    with locked(tmp_path / "space.lock"), pytest.raises(SpaceBusy):
        update_corpus([corpus], tmp_path / "space")
    assert update_corpus([corpus], tmp_path / "space").changes.any


def test_a_space_that_is_trained_during_an_update_stays(
    keyed_space: EmbeddingSpace, tmp_path: Path
) -> None:
    path = tmp_path / "space"
    keyed_space.save(path)
    other = {**keyed_space.settings, "seed": 7}
    trained = replace(keyed_space, settings=other, manifest={})
    corpus = write(tmp_path / "more", keyed([3], plylst_title="now"))

    def save(step: str, *_: object) -> None:
        if step == "compare":
            trained.save(path)

    with pytest.raises(SpaceBusy, match="another space there meanwhile"):
        update_corpus([corpus], path, progress=save)
    assert EmbeddingSpace.load(path).hash == trained.hash
    assert update_corpus([corpus], path).changes.any


@pytest.mark.parametrize(
    ("song", "said"),
    [
        ({"id": 0, "key": "x:4"}, "song 'x:4' has the id 0, and in the space"),
        ({"id": 0, "key": "y:9"}, "song 0 is 'y:9', and in the space 'x:0'"),
    ],
)
def test_keys_with_other_ids_are_refused(
    keyed_space: EmbeddingSpace, tmp_path: Path, song: dict, said: str
) -> None:
    before = keyed_space.save(tmp_path / "space").hash
    corpus = write(tmp_path / "more", [{"id": 5, "songs": [0, 1]}], [song])
    with pytest.raises(ForeignCatalogue) as refused:
        update_corpus([corpus], tmp_path / "space")
    assert refused.value.what.startswith(said)
    assert "melon train" in (refused.value.hint or "")
    assert EmbeddingSpace.load(tmp_path / "space").hash == before


def test_own_fields_stay_and_may_be_added(space: EmbeddingSpace, tmp_path: Path) -> None:
    bpm = own_field("bpm", FieldType.FLOAT)
    moods = own_field("moods", FieldType.KEYWORD, many=True)
    songs = [replace(song, more={"bpm": 90.5}) for song in planted_songs()]
    with_bpm = build_space(
        planted_playlists(), songs, settings=small_settings(epochs=1), fields=[bpm]
    )
    with_bpm.save(tmp_path / "space")
    more = write(
        tmp_path / "more", [{"id": 9_000, "songs": [200]}], [{"id": 200, "moods": ["calm"]}]
    )
    (more / "fields.json").write_text(
        json.dumps({"songs": [{"name": "moods", "type": "keyword", "many": True}]})
    )
    _, updated, changes = update_corpus([more], tmp_path / "space")
    assert changes.songs.changed == 1
    assert updated.fields == (bpm, moods)
    assert updated.songs["bpm"].to_pylist()[1] == 90.5
    [of_200] = updated.songs.filter(pa.array(updated.song_ids == 200)).to_pylist()
    assert (of_200["moods"], of_200["bpm"]) == (["calm"], None)

    (more / "fields.json").write_text(json.dumps({"songs": [{"name": "bpm", "type": "integer"}]}))
    with pytest.raises(BadFields, match="field 'bpm' is integer, and was float in training"):
        update_corpus([more], tmp_path / "space")
