"""The demo corpus is what it says it is: repeatable, well-formed, and with findable structure."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from melon.catalog import (
    Genre,
    Playlist,
    ReadReport,
    Song,
    find_corpus,
    read_genres,
    read_playlists,
    read_songs,
)
from melon.demo import DemoScale, DemoTruth, ImpossibleDemo, make_demo
from melon.demo.tags import vocabulary
from melon.demo.words import MOODS, artist_name, work_name


@dataclass
class Demo:
    directory: Path
    truth: DemoTruth
    playlists: list[Playlist]
    songs: list[Song]
    genres: dict[str, Genre]


def make(directory: Path, scale: DemoScale, seed: int) -> Demo:
    truth = make_demo(directory, scale=scale, seed=seed)
    files = find_corpus([directory])
    assert files.songs is not None
    assert files.genres is not None
    report = ReadReport()
    genres = read_genres(files.genres)
    demo = Demo(
        directory,
        truth,
        list(read_playlists(files.playlists, report=report, strict=True)),
        list(read_songs(files.songs, genres=genres, report=report, strict=True)),
        genres,
    )
    assert not report.counts
    return demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return make(tmp_path_factory.mktemp("demo"), DemoScale.SMALL, seed=0)


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_the_same_seed_gives_the_same_bytes(demo: Demo, tmp_path: Path) -> None:
    make_demo(tmp_path / "again")
    make_demo(tmp_path / "other", seed=1)
    assert content(tmp_path / "again") == content(demo.directory)
    assert content(tmp_path / "other") != content(demo.directory)
    assert set(content(demo.directory)) == {
        "train.json",
        "song_meta.json",
        "genre_gn_all.json",
        ".written-by",
    }


@pytest.mark.parametrize(
    "scale",
    [
        DemoScale.SMALL,
        DemoScale(playlists=60, songs=500, tags=14, songs_per_playlist=7),
        DemoScale(playlists=3_000, songs=1_000, tags=2_500, songs_per_playlist=8),
    ],
)
def test_the_scale_is_kept(tmp_path: Path, scale: DemoScale) -> None:
    demo = make(tmp_path, scale, seed=3)
    assert [playlist.id for playlist in demo.playlists] == list(range(scale.playlists))
    assert [song.id for song in demo.songs] == list(range(scale.songs))
    assert {tag for playlist in demo.playlists for tag in playlist.tags} == set(demo.truth.tag_mood)
    assert len(demo.truth.tag_mood) == scale.tags
    mean = np.mean([len(playlist.songs) for playlist in demo.playlists])
    assert mean == pytest.approx(scale.songs_per_playlist, rel=0.2)
    assert demo.truth.song_mood.shape == (scale.songs,)
    assert demo.truth.playlist_mood.shape == (scale.playlists,)


@pytest.mark.parametrize("seed", range(20))
def test_one_playlist_wears_every_tag_whatever_the_seed(tmp_path: Path, seed: int) -> None:
    scale = DemoScale(playlists=1, songs=500, tags=14, songs_per_playlist=5)
    demo = make(tmp_path, scale, seed=seed)
    (playlist,) = demo.playlists
    assert set(playlist.tags) == set(demo.truth.tag_mood)


@pytest.mark.parametrize(
    "sizes",
    [
        {"playlists": 0, "songs": 4000, "tags": 100},
        {"playlists": 10, "songs": 3, "tags": 100},
        {"playlists": 10, "songs": 4000, "tags": 1},
        {"playlists": 10, "songs": 4000, "tags": 100, "songs_per_playlist": 4.9},
        {"playlists": 10, "songs": 4000, "tags": 100, "songs_per_playlist": float("nan")},
    ],
)
def test_too_small_a_scale_is_refused(sizes: dict[str, Any]) -> None:
    with pytest.raises(ImpossibleDemo, match="too few"):
        DemoScale(**sizes)


def test_longer_playlists_than_are_made_are_refused() -> None:
    with pytest.raises(ImpossibleDemo, match="201 songs per playlist are too many"):
        DemoScale(playlists=10, songs=4000, tags=100, songs_per_playlist=201)


def test_playlists_draw_mostly_from_their_mood(demo: Demo) -> None:
    truth = demo.truth
    songs = [
        truth.song_mood[song] == truth.playlist_mood[playlist.id]
        for playlist in demo.playlists
        for song in playlist.songs
    ]
    tags = [
        truth.tag_mood[tag] == truth.playlist_mood[playlist.id]
        for playlist in demo.playlists
        for tag in playlist.tags
        if truth.tag_mood[tag] is not None
    ]
    assert 0.8 < np.mean(songs) < 0.95
    assert 0.9 < np.mean(tags) < 0.99
    assert set(truth.playlist_mood.tolist()) == set(range(len(truth.moods)))


def test_the_moods_can_be_found_again(demo: Demo) -> None:
    """Where a song is heard tells its mood, so that a model has something to learn."""
    truth = demo.truth
    heard: dict[int, Counter[int]] = defaultdict(Counter)
    for playlist in demo.playlists:
        for song in playlist.songs:
            heard[song][int(truth.playlist_mood[playlist.id])] += 1
    frequent = {song: moods for song, moods in heard.items() if moods.total() >= 10}
    found = [
        moods.most_common(1)[0][0] == truth.song_mood[song] for song, moods in frequent.items()
    ]
    assert len(found) > 1000
    assert np.mean(found) > 0.99


def test_artists_tell_the_mood_of_cold_songs(demo: Demo) -> None:
    by_artist: dict[int, Counter[int]] = defaultdict(Counter)
    cold = set(demo.truth.cold_songs.tolist())
    for song in demo.songs:
        if song.id not in cold:
            by_artist[song.artist_ids[0]][int(demo.truth.song_mood[song.id])] += 1
    told = [
        by_artist[song.artist_ids[0]].most_common(1)[0][0] == demo.truth.song_mood[song.id]
        for song in demo.songs
        if song.id in cold and song.artist_ids[0] in by_artist
    ]
    assert len(told) > 0.9 * len(cold)
    assert np.mean(told) > 0.7


def test_cold_songs_are_those_that_no_playlist_holds(demo: Demo) -> None:
    held = {song for playlist in demo.playlists for song in playlist.songs}
    everything = {song.id for song in demo.songs}
    assert held <= everything
    assert everything - held == set(demo.truth.cold_songs.tolist())
    assert len(demo.truth.cold_songs) >= 0.08 * len(demo.songs)


def test_popularity_has_a_long_tail(demo: Demo) -> None:
    plays = sorted(
        Counter(song for playlist in demo.playlists for song in playlist.songs).values(),
        reverse=True,
    )
    hundredth = len(plays) // 100
    assert sum(plays[:hundredth]) > 0.05 * sum(plays)
    assert plays[hundredth] > 5 * plays[len(plays) // 2]


def test_titles_and_tags_are_in_two_languages_and_may_be_absent(demo: Demo) -> None:
    titles = [playlist.title for playlist in demo.playlists]
    assert {"rainy day", "비 오는 날", None} <= set(titles)
    assert {"rainy day", "비 오는 날"} <= set(demo.truth.tag_mood)
    rainy = demo.truth.moods.index("rainy day")
    assert demo.truth.tag_mood["비 오는 날"] == rainy == demo.truth.tag_mood["rainy day"]
    assert all(
        demo.truth.playlist_mood[playlist.id] == rainy
        for playlist in demo.playlists
        if playlist.title and "비 오는 날" in playlist.title
    )
    assert 0.03 < np.mean([title is None for title in titles]) < 0.15
    assert 0.05 < np.mean([not playlist.tags for playlist in demo.playlists]) < 0.2


def test_metadata_is_as_patchy_as_in_the_world(demo: Demo) -> None:
    precisions = Counter(
        song.issue_date.precision if song.issue_date else None for song in demo.songs
    )
    assert set(precisions) == {"day", "month", "year", None}
    assert precisions["day"] > 0.75 * len(demo.songs)
    assert 0.01 < np.mean([not song.genres for song in demo.songs]) < 0.06
    assert any(song.name is None for song in demo.songs)
    assert any(len(song.artist_ids) == 2 for song in demo.songs)
    names = Counter(song.name for song in demo.songs if song.name)
    assert 10 < sum(count > 1 for count in names.values()) < 0.05 * len(names)
    for song in demo.songs:
        assert len(song.artists) == len(song.artist_ids)
        assert [demo.genres[code].parent for code in song.detail_genres] == [*song.genres]


def test_no_playlist_is_older_than_its_songs(demo: Demo) -> None:
    dated = [playlist for playlist in demo.playlists if playlist.updated]
    assert 0.9 < len(dated) / len(demo.playlists) < 1
    for playlist in dated:
        assert playlist.updated is not None
        for song in playlist.songs:
            issued = demo.songs[song].issue_date
            assert issued is None or issued.day < playlist.updated.date()


def test_the_vocabulary_reaches_melons_size_without_repeats() -> None:
    words = vocabulary(DemoScale.FULL.tags)
    assert len(set(words.tags)) == DemoScale.FULL.tags
    assert np.bincount(words.mood[words.mood >= 0]).min() >= DemoScale.FULL.tags // len(MOODS) - 2


def test_invented_names_do_not_meet() -> None:
    assert len({artist_name(number) for number in range(50_000)}) == 50_000
    assert len({work_name(number) for number in range(50_000)}) == 50_000


def test_progress_counts_every_record(tmp_path: Path) -> None:
    scale = DemoScale(playlists=20, songs=500, tags=20)
    told: list[tuple[str, int, int | None]] = []
    make_demo(tmp_path, scale=scale, progress=lambda *now: told.append(now))
    assert told == [("corpus", 500, 520), ("corpus", 520, 520)]


def test_the_import_alone_is_light() -> None:
    code = "import sys, melon.demo; sys.exit(not {'numpy', 'pydantic'}.isdisjoint(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
