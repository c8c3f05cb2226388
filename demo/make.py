"""An invented corpus in Melon's format, whose structure is known because it was planted.

Every playlist has a mood, and most of its songs, tags and title are drawn from that mood. A model
trained on the files should find the moods again; `DemoTruth` tells whether it did.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from melon.demo.words import LONGEST_PLAYLIST, MOODS, SHORTEST_PLAYLIST
from melon.errors import InputError
from melon.outputs import check_directory, claim_directory
from melon.progress import Progress, ignore

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

WRITER = "`melon demo`"
MIN_SONGS = 500
MIN_TAGS = 14
REPORT_EVERY = 500
"""Records from one report of progress to the next."""


class ImpossibleDemo(InputError):
    """A size of a demo corpus that cannot be made."""


@dataclass(frozen=True, slots=True)
class DemoScale:
    """How large a demo corpus is.

    `songs_per_playlist`, 5 to 200, is roughly their mean. No playlist is shorter or longer than
    that, so that the mean comes out above 5 and below 200; it comes out lower if songs are few.

    Raises:
        ImpossibleDemo: there is too little of something to tell the moods apart, or playlists
            would be too long.
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
        cold_songs: (cold,) int64, sorted ids of the songs that are in no playlist.
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
    is returned, and not written to any file.

    Args:
        out_dir: Where to write; made if it does not exist.
        scale: How many playlists, songs and tags.
        seed: Of all random draws.
        progress: Told how many songs and playlists are written, as the step `corpus`.

    Raises:
        UnwritableFile: the directory or a file in it cannot be written.
        ForeignFile: one of the files is there, and `melon demo` did not write it.
    """
    import numpy as np

    from melon.catalog import (
        GENRE_FILE,
        PLAYLIST_FILES,
        SONG_FILE,
        write_genres,
        write_playlists,
        write_songs,
    )
    from melon.demo.playlists import plant_playlists, playlist_records
    from melon.demo.songs import genre_records, plant_songs, song_records
    from melon.demo.tags import NEUTRAL, plant_tags, vocabulary

    check_directory(out_dir, (PLAYLIST_FILES[0], SONG_FILE, GENRE_FILE), WRITER)
    rng = np.random.default_rng(seed)
    songs = plant_songs(scale.songs, rng)
    playlists = plant_playlists(scale.playlists, rng)
    tags = vocabulary(scale.tags)
    playlist_tags = plant_tags(tags, playlists.mood, playlists.genre, rng)
    is_cold = np.ones(scale.songs, dtype=np.bool_)

    counted = partial(_counted, count(1), scale.songs + scale.playlists, progress)
    claim_directory(out_dir, WRITER)
    write_genres(out_dir / GENRE_FILE, genre_records())
    write_songs(out_dir / SONG_FILE, counted(song_records(songs, rng)))
    records = playlist_records(
        playlists, songs, playlist_tags, scale.songs_per_playlist, rng, is_cold
    )
    write_playlists(out_dir / PLAYLIST_FILES[0], counted(records))
    return DemoTruth(
        moods=tuple(mood.name for mood in MOODS),
        song_mood=songs.mood,
        playlist_mood=playlists.mood,
        tag_mood={
            tag: None if mood == NEUTRAL else mood
            for tag, mood in zip(tags.tags, tags.mood.tolist(), strict=True)
        },
        cold_songs=np.flatnonzero(is_cold),
    )


RecordT = TypeVar("RecordT")


def _counted(
    numbers: Iterator[int], total: int, progress: Progress, records: Iterable[RecordT]
) -> Iterator[RecordT]:
    for record in records:
        yield record
        number = next(numbers)
        if number % REPORT_EVERY == 0 or number == total:
            progress("corpus", number, total)
