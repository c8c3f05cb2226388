"""From files to a space in one call: as by hand, and nothing is lost when it fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from planted import planted_genres, planted_playlists, planted_songs, small_settings

from melon.catalog import (
    BadCorpus,
    BadFields,
    BadRecord,
    CorpusFiles,
    ReadReport,
    find_corpus,
    write_genres,
    write_playlists,
    write_songs,
)
from melon.embedding import EmbeddingSpace, build_from_files
from melon.embedding.errors import NotASpace
from melon.errors import ReplacedInput
from melon.learning import train_corpus


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    directory = tmp_path / "corpus"
    directory.mkdir()
    write_playlists(directory / "train.json", planted_playlists())
    write_songs(directory / "song_meta.json", planted_songs())
    write_genres(directory / "genre_gn_all.json", planted_genres().values())
    return directory


def test_it_is_the_space_of_the_records(corpus: Path, tmp_path: Path, space: EmbeddingSpace):
    report, steps = ReadReport(), []
    trained = train_corpus(
        [corpus],
        tmp_path / "space",
        small_settings(),
        ranking=False,
        report=report,
        progress=lambda step, *_: steps.append(step),
    )
    assert trained.hash == space.hash == EmbeddingSpace.load(tmp_path / "space").hash
    assert build_from_files(find_corpus([corpus]), small_settings()).hash == space.hash
    assert report.playlists == len(planted_playlists())
    epochs = [f"epoch {number}/{len(space.epochs)}" for number in range(1, len(space.epochs) + 1)]
    read = ["playlists", "songs"]
    assert list(dict.fromkeys(steps)) == [*read, "titles", "bags", *epochs, "vectors"]


def test_nothing_is_read_where_the_space_could_not_be_saved(corpus: Path, tmp_path: Path):
    with pytest.raises(NotASpace):
        train_corpus([tmp_path / "no such corpus"], corpus)
    train_corpus([corpus], tmp_path / "space", small_settings(epochs=1), ranking=False)
    inside = corpus / "train.json"
    inside = inside.rename(tmp_path / "space" / inside.name)
    with pytest.raises(ReplacedInput):
        train_corpus([inside], tmp_path / "space")
    assert inside.exists()


def test_a_bad_record_is_an_error_where_asked_for(corpus: Path, tmp_path: Path):
    (corpus / "train.json").write_text('[{"id": "x"}]')
    with pytest.raises(BadRecord):
        train_corpus([corpus], tmp_path / "space", strict=True)
    assert not (tmp_path / "space").exists()


def test_strings_in_place_of_ids_make_the_same_space_with_keys(
    corpus: Path, tmp_path: Path, space: EmbeddingSpace
):
    """Integers in quotes are these; and what a key names is one song in all files."""
    for quoted in (str, "track:{}".format):
        for name in ("train.json", "song_meta.json"):
            records = json.loads((corpus / name).read_text())
            for record in records:
                record["id"] = quoted(record["id"])
                record["songs"] = [quoted(song) for song in record.get("songs", ())]
            (tmp_path / name).write_text(json.dumps(records))
        files = CorpusFiles((tmp_path / "train.json",), tmp_path / "song_meta.json")
        keyed = build_from_files(files, small_settings())
        if quoted is str:
            assert keyed.song_ids.tolist() == space.song_ids.tolist()
        described = {song["key"]: song["name"] for song in keyed.songs.to_pylist()}
        assert described == {quoted(song["id"]): song["name"] for song in space.songs.to_pylist()}
        keys = dict(zip(keyed.song_ids.tolist(), keyed.songs["key"].to_pylist(), strict=True))
        held = {p["key"]: {keys[song] for song in p["songs"]} for p in keyed.playlists.to_pylist()}
        assert held == {
            quoted(playlist.id): {quoted(song) for song in playlist.songs}
            for playlist in planted_playlists()
        }


def test_metadata_of_other_songs_than_those_of_playlists_are_an_error(corpus: Path):
    """Where a few join, the report says how many."""
    path = corpus / "song_meta.json"
    songs = json.loads(path.read_text())
    held = len({song for one in planted_playlists() for song in one.songs})
    renamed = [song | {"id": f"track:{song['id']}"} for song in songs]
    path.write_text(json.dumps(renamed))
    none = f"0 of {held} songs of playlists are described"
    with pytest.raises(BadCorpus, match=f"{none}: .* this file describes 'track:"):
        build_from_files(find_corpus([corpus]), small_settings())
    kept = next(song for song in songs if song["id"] in planted_playlists()[0].songs)
    for records, lenient, count in ((renamed, True, 0), ([kept, *renamed], False, 1)):
        path.write_text(json.dumps(records))
        report = ReadReport()
        settings = small_settings(epochs=1)
        build_from_files(find_corpus([corpus]), settings, report=report, lenient=lenient)
        assert report.remarks[-1:] == [
            f"{path}: {count} of {held} songs of playlists are described"
        ]


def test_own_fields_without_metadata_are_an_error(corpus: Path):
    (corpus / "song_meta.json").unlink()
    (corpus / "fields.json").write_text('{"songs": [{"name": "bpm", "type": "float"}]}')
    with pytest.raises(BadFields, match=r"there is no song_meta\.json"):
        build_from_files(find_corpus([corpus]), small_settings())
    settings = small_settings(epochs=1)
    assert build_from_files(find_corpus([corpus]), settings, lenient=True).fields
    (corpus / "fields.json").write_text('{"songs": []}')
    assert not build_from_files(find_corpus([corpus]), settings).fields
