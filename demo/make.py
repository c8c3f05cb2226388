"""A made-up corpus in Melon's format, whose structure is known because it was planted.

Every playlist has a mood and draws its songs, tags and title mostly from it. A model trained on
the files has to find the moods again, and `DemoTruth` tells tests and benchmarks whether it did.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from melon.catalog import (
    GENRE_FILE,
    PLAYLIST_FILES,
    SONG_FILE,
    write_genres,
    write_playlists,
    write_songs,
)
from melon.demo.draws import LONGEST_PLAYLIST, SHORTEST_PLAYLIST
from melon.errors import InputError
from melon.files import check_directory, claim_directory
from melon.progress import Progress, ignore

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

WRITER = "`melon demo`"
MIN_SONGS = 500
MIN_TAGS = 14
TOLD = 500
"""Records from one report of progress to the next."""


class ImpossibleDemo(InputError):
    """A demo corpus that is too small to hold what is planted in it."""


@dataclass(frozen=True, slots=True)
class DemoScale:
    """How large a demo corpus is.

    `songs_per_playlist` is about their mean, 5 to 200. As no playlist is shorter or longer than
    that, the mean is drawn inwards near these ends; it is less if songs are few.

    Raises:
        ImpossibleDemo: there is too little of something for the moods to be told apart, or
            playlists would be longer than are made.
    """

    playlists: int
    songs: int
    tags: int
    songs_per_playlist: float = 20

    SMALL: ClassVar[DemoScale]
    """Trained on in a few seconds."""

    FULL: ClassVar[DemoScale]
    """The size of the *Melon Playlist Dataset*."""

    def __post_init__(self) -> None:
        for field, least in (
            ("playlists", 1),
            ("songs", MIN_SONGS),
            ("tags", MIN_TAGS),
            ("songs_per_playlist", SHORTEST_PLAYLIST),
        ):
            value = getattr(self, field)
            if not value >= least:  # nor is NaN
                raise ImpossibleDemo(
                    f"{value} {field.replace('_', ' ')} are too few",
                    where="the demo corpus",
                    hint=f"ask for {least} at least",
                )
        if self.songs_per_playlist > LONGEST_PLAYLIST:
            raise ImpossibleDemo(
                f"{self.songs_per_playlist} songs per playlist are too many",
                where="the demo corpus",
                hint=f"ask for {LONGEST_PLAYLIST} at most",
            )


DemoScale.SMALL = DemoScale(playlists=2_000, songs=4_000, tags=100)
DemoScale.FULL = DemoScale(playlists=148_826, songs=707_989, tags=30_652, songs_per_playlist=46)


@dataclass(frozen=True, slots=True)
class DemoTruth:
    """What was planted in a demo corpus.

    Args:
        moods: Names of the moods; others refer to them by index.
        song_mood: (songs,) int64, indexed by song id.
        playlist_mood: (playlists,) int64, indexed by playlist id.
        tag_mood: Index of each tag's mood; None for tags of genres and eras, which fit several.
        cold_songs: (cold,) int64, sorted ids of the songs that no playlist holds.
    """

    moods: tuple[str, ...]
    song_mood: npt.NDArray[np.int64]
    playlist_mood: npt.NDArray[np.int64]
    tag_mood: Mapping[str, int | None]
    cold_songs: npt.NDArray[np.int64]


def make_demo(
    out_dir: Path,
    *,
    scale: DemoScale = DemoScale.SMALL,
    seed: int = 0,
    progress: Progress = ignore,
) -> DemoTruth:
    """Write `train.json`, `song_meta.json` and `genre_gn_all.json` of an invented catalogue.

    The same scale and seed give the same bytes, with the same version of numpy. What is planted
    is returned and not written: make the corpus again to have it again.

    Args:
        out_dir: Where to write; made if it does not exist.
        scale: How many playlists, songs and tags.
        seed: Where chance begins.
        progress: Told how many songs and playlists are written, as the step `corpus`.

    Raises:
        UnwritableFile: the directory or a file in it cannot be written.
        ForeignFile: a file is there that is not of a demo.
    """
    import numpy as np

    from melon.demo import words
    from melon.demo.playlists import plant_playlists, playlist_records
    from melon.demo.songs import genre_records, plant_songs, song_records
    from melon.demo.tags import NEUTRAL, plant_tags, vocabulary

    check_directory(out_dir, (PLAYLIST_FILES[0], SONG_FILE, GENRE_FILE), WRITER)
    rng = np.random.default_rng(seed)
    songs = plant_songs(scale.songs, rng)
    playlists = plant_playlists(scale.playlists, rng)
    tags = vocabulary(scale.tags)
    worn = plant_tags(tags, playlists.mood, playlists.genre, rng)
    held = np.zeros(scale.songs, dtype=np.bool_)

    counted = partial(_counted, count(1), scale.songs + scale.playlists, progress)
    claim_directory(out_dir, WRITER)
    write_genres(out_dir / GENRE_FILE, genre_records())
    write_songs(out_dir / SONG_FILE, counted(song_records(songs, rng)))
    written = playlist_records(playlists, songs, worn, scale.songs_per_playlist, rng, held)
    write_playlists(out_dir / PLAYLIST_FILES[0], counted(written))
    return DemoTruth(
        moods=tuple(mood.name for mood in words.MOODS),
        song_mood=songs.mood,
        playlist_mood=playlists.mood,
        tag_mood={
            tag: None if mood == NEUTRAL else mood
            for tag, mood in zip(tags.tags, tags.mood.tolist(), strict=True)
        },
        cold_songs=np.flatnonzero(~held),
    )


RecordT = TypeVar("RecordT")


def _counted(
    numbers: Iterator[int], total: int, progress: Progress, records: Iterable[RecordT]
) -> Iterator[RecordT]:
    for record in records:
        yield record
        number = next(numbers)
        if number % TOLD == 0 or number == total:
            progress("corpus", number, total)
