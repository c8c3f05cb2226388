"""A saved space comes back as it was, or not at all."""

import hashlib
import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted import planted_playlists, small_settings

from melon.catalog import Playlist, Song
from melon.embedding import EmbeddingSpace, build_space
from melon.embedding.errors import DamagedSpace, NotASpace, SpaceError, SpaceVersionMismatch
from melon.embedding.files import check_place
from melon.embedding.manifest import FORMAT_VERSION, hash_of
from melon.errors import UnreadableFile, UnwritableFile
from melon.fields import FieldType, own_field
from melon.ranking import Ranking

FILES = [
    *(f"{part}s.parquet" for part in ("song", "playlist", "tag", "word")),
    *(f"{part}_vectors.npy" for part in ("song", "playlist", "tag", "word")),
    "genres.json",
    "title.bin",
    "ranking.json",
]


@pytest.fixture(scope="module")
def other() -> EmbeddingSpace:
    return build_space(planted_playlists(seed=1), settings=small_settings())


@pytest.fixture
def saved(space: EmbeddingSpace, tmp_path: Path) -> Path:
    space.save(tmp_path / "space")
    return tmp_path / "space"


def rewrite_manifest(path: Path, **changes: object) -> None:
    """Change the manifest as one would who knows how it is checked."""
    manifest = json.loads((path / "manifest.json").read_text())
    manifest.pop("checksum")
    manifest |= changes
    manifest["checksum"] = hash_of(manifest)
    (path / "manifest.json").write_text(json.dumps(manifest))


def test_everything_comes_back(space, saved):
    loaded = EmbeddingSpace.load(saved)
    for table in ("songs", "playlists", "tag_table", "word_table"):
        assert getattr(loaded, table).equals(getattr(space, table))
    for vectors in ("song_vectors", "playlist_vectors", "tag_vectors", "word_vectors"):
        np.testing.assert_array_equal(getattr(loaded, vectors), getattr(space, vectors))
    assert loaded.genres == space.genres
    assert loaded.title.to_bytes() == space.title.to_bytes()
    # the usual minimum was settled on
    asked = small_settings().model_dump(mode="json") | {"min_count": 3}
    assert loaded.settings == space.settings == asked
    assert [entry["epoch"] for entry in loaded.manifest["epochs"]] == list(range(1, 13))
    assert loaded.hash == space.hash == loaded.manifest["hash"]


def test_a_learned_ranking_comes_back_and_makes_another_space(space, tmp_path):
    ranked = replace(space, ranking=Ranking(strategy="vote", questions=99))
    loaded = ranked.save(tmp_path / "ranked")
    assert loaded.ranking == ranked.ranking
    assert loaded.hash == ranked.hash != space.hash
    assert space.ranking is None


def test_the_directory_holds_the_documented_files_and_nothing_else(saved):
    assert sorted(file.name for file in saved.iterdir()) == sorted([*FILES, "manifest.json"])
    assert [file.name for file in saved.parent.iterdir()] == ["space"]


def test_the_hash_follows_the_contents_not_the_times(space, other, saved):
    assert other.hash != space.hash
    rewrite_manifest(saved, epochs=[])
    assert EmbeddingSpace.load(saved).hash == space.hash


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "empty", "append"])
def test_damage_to_any_file_is_detected(saved, name, damage):
    file = saved / name
    content = bytearray(file.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
    elif damage == "cut":
        del content[-7:]
    elif damage == "empty":
        content.clear()
    elif damage == "append":
        content += b"}"
    file.write_bytes(content)
    if damage == "remove":
        file.unlink()
    with pytest.raises(SpaceError) as caught:
        EmbeddingSpace.load(saved)
    assert str(file) in str(caught.value) or name == "manifest.json"


@pytest.mark.parametrize("name", ["manifest.json", "title.bin"])
def test_a_file_that_the_system_does_not_open_is_not_called_damaged(space, saved, name):
    file = saved / name
    file.unlink()
    file.symlink_to(file)
    with pytest.raises(UnreadableFile, match="cannot be read: too many levels") as caught:
        EmbeddingSpace.load(saved)
    assert caught.value.where == str(file)
    if name == "manifest.json":
        for write in (space.save, check_place):
            with pytest.raises(UnwritableFile, match="cannot be written: too many levels"):
                write(saved)


def test_nothing_is_ever_unpickled(saved):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    file = saved / "tag_vectors.npy"
    np.save(file, np.array([Trap()], dtype=object), allow_pickle=True)
    content = file.read_bytes()
    assert pickle.dumps(1)[:2] in content
    manifest = json.loads((saved / "manifest.json").read_text())
    entry = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    rewrite_manifest(saved, files=manifest["files"] | {file.name: entry})
    with pytest.raises(DamagedSpace):
        EmbeddingSpace.load(saved)


def test_own_fields_come_back_and_make_another_space(tmp_path: Path):
    bpm, moods = own_field("bpm", FieldType.FLOAT), own_field("moods", FieldType.KEYWORD, many=True)
    playlists = [Playlist(n, None, (1, 2), ("a",), None, None, key=f"list:{n}") for n in range(3)]
    songs = [Song(1, key="track:1", more={"bpm": 120.5, "moods": ("calm",)}), Song(2)]
    with_own, without = (
        build_space(playlists, songs, settings=small_settings(), fields=fields)
        for fields in ((bpm, moods), ())
    )
    loaded = with_own.save(tmp_path / "space")
    assert loaded.fields == (bpm, moods)
    assert loaded.hash == with_own.hash != without.hash
    assert loaded.songs.select(["id", "key", "bpm", "moods"]).to_pylist() == [
        {"id": 1, "key": "track:1", "bpm": 120.5, "moods": ["calm"]},
        {"id": 2, "key": None, "bpm": None, "moods": []},
    ]
    assert loaded.playlists["key"].to_pylist() == ["list:0", "list:1", "list:2"]
    assert "bpm" not in without.songs.column_names


def test_vectors_must_fit_their_table(space, saved):
    rewrite_manifest(saved, dim=space.dim + 1)
    with pytest.raises(DamagedSpace, match="shape"):
        EmbeddingSpace.load(saved)


def test_other_versions_are_refused_with_what_to_do(saved):
    rewrite_manifest(saved, format_version=FORMAT_VERSION + 1)
    with pytest.raises(SpaceVersionMismatch, match="update melon"):
        EmbeddingSpace.load(saved)
    rewrite_manifest(saved, format_version=FORMAT_VERSION - 1)
    with pytest.raises(SpaceVersionMismatch, match="train the space again"):
        EmbeddingSpace.load(saved)


def test_what_is_no_space_is_not_read(tmp_path):
    (tmp_path / "file").write_text("{}")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "manifest.json").write_text('{"name": "an app"}')
    for name in ("missing", "file", "other"):
        with pytest.raises(NotASpace):
            EmbeddingSpace.load(tmp_path / name)


def test_saving_replaces_a_space_and_nothing_else(space, other, saved, tmp_path):
    assert other.save(saved).hash == other.hash
    assert [file.name for file in saved.parent.iterdir()] == ["space"]
    home = tmp_path / "home"
    home.mkdir()
    (home / "precious").write_text("mine")
    for there in ("precious", "manifest.json"):
        (home / there).write_text('{"name": "mine"}')
        for write in (space.save, check_place):
            with pytest.raises(NotASpace, match="left alone"):
                write(home)
        assert (home / there).read_text() == '{"name": "mine"}'


def test_a_damaged_space_may_be_replaced(space, saved):
    manifest = saved / "manifest.json"
    manifest.write_text(manifest.read_text()[:200])
    check_place(saved)
    assert space.save(saved).hash == space.hash


def test_a_place_that_cannot_be_is_known_before_and_after(space, tmp_path):
    (tmp_path / "file").write_text("")
    for write in (space.save, check_place):
        with pytest.raises(UnwritableFile, match="cannot be written: not a directory") as refusal:
            write(tmp_path / "file" / "space")
        assert refusal.value.where == str(tmp_path / "file" / "space")
    check_place(tmp_path / "new" / "space")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_mount_point_is_refused_before_the_training(tmp_path, monkeypatch):
    monkeypatch.setattr("os.path.ismount", lambda path: Path(path) == tmp_path / "volume")
    (tmp_path / "volume").mkdir()
    (tmp_path / "link").symlink_to("volume")
    for path in (tmp_path / "volume", tmp_path / "link"):
        with pytest.raises(UnwritableFile, match="is a mount point") as refusal:
            check_place(path)
        assert "inside it" in str(refusal.value.hint)
    check_place(tmp_path / "volume" / "space")


@pytest.mark.parametrize(
    ("error", "raised"), [(KeyboardInterrupt, KeyboardInterrupt), (OSError, UnwritableFile)]
)
def test_an_interrupted_save_leaves_the_old_space(space, other, saved, monkeypatch, error, raised):
    def stop(*args, **kwargs):
        raise error

    for target in ("melon.embedding.files.pq.write_table", "melon.embedding.files.np.save"):
        with monkeypatch.context() as patch:
            patch.setattr(target, stop)
            with pytest.raises(raised):
                other.save(saved)
        assert EmbeddingSpace.load(saved).hash == space.hash
        assert [file.name for file in saved.parent.iterdir()] == ["space"]


def test_a_failing_last_step_brings_the_old_space_back(space, saved, monkeypatch):
    plain = Path.rename

    def fail_for_the_new(self, target):
        if self.name.endswith(".new"):
            raise OSError("no")
        return plain(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_the_new)
    with pytest.raises(UnwritableFile, match="no"):
        space.save(saved)
    assert EmbeddingSpace.load(saved).hash == space.hash


def test_what_killed_saves_left_is_removed_and_nothing_else(space, saved):
    for name in (".space.0123abcd.new", ".space.mine.new", ".other.0123abcd.new"):
        (saved.parent / name).mkdir()
        (saved.parent / name / "songs.parquet").touch()
        (saved.parent / name).with_suffix(".lock").touch()
    space.save(saved)
    left = sorted(file.name for file in saved.parent.iterdir() if file.suffix != ".lock")
    assert left == [".other.0123abcd.new", ".space.mine.new", "space"]


def test_a_save_beside_another_leaves_it_alone(space, other, saved, monkeypatch):
    write = np.save

    def save_meanwhile(*args, **kwargs):
        monkeypatch.undo()
        other.save(saved)
        assert EmbeddingSpace.load(saved).hash == other.hash
        write(*args, **kwargs)

    monkeypatch.setattr("melon.embedding.files.np.save", save_meanwhile)
    space.save(saved)
    assert EmbeddingSpace.load(saved).hash == space.hash
    assert [file.name for file in saved.parent.iterdir()] == ["space"]


def test_a_kill_between_the_last_two_steps_is_named_with_its_cure(saved):
    saved.rename(saved.parent / ".space.previous")
    with pytest.raises(NotASpace, match=r"rename .*\.space\.previous to space"):
        EmbeddingSpace.load(saved)


def test_a_space_without_tags_words_or_genres_is_a_space(tmp_path):
    playlists = [Playlist(n, None, (1, 2, 3), (), 0, None) for n in range(3)]
    space = build_space(playlists, settings=small_settings())
    loaded = space.save(tmp_path / "space")
    assert (loaded.tags, loaded.words) == ([], [])
    assert loaded.tag_vectors.shape == (0, 16)
    assert loaded.hash == space.hash
