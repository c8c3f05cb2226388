"""Three small catalogues, their spaces, and all that a release of each has to hold."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melon.catalog import find_corpus
from melon.embedding import EmbeddingSpace, build_from_files, training_settings, update_corpus
from melon.ingest import SparseWeights, back_up, contents, release_name
from melon.ingest.contents import Points
from melon.ingest.transfer import digest, rows_of
from melon.learning import MemoryReader
from melon.retrieval import PlaylistQuery
from melon.store import Collection, PointBatch

SONGS, PLAYLISTS = 50, 40
MOODS = (("rainy day", "rain"), ("night drive", "night"), ("sunny walk", "sun"))
TRAINING: dict[str, Any] = {"dim": 8, "epochs": 2, "min_count": 1, "title_pieces": 32, "seed": 1}

QUERIES = (
    PlaylistQuery(title="rainy day", tags=["rain"], songs=[1, 2, 3]),
    PlaylistQuery(title="night drive"),
    PlaylistQuery(songs=[5, 7]),
    PlaylistQuery(tags=["sun"]),
)


def write_catalogue(directory: Path, seed: int, playlists: int = PLAYLISTS) -> None:
    """Write files in Melon's format; other seeds, other playlists of the same songs."""
    chance = random.Random(seed)
    songs = [
        {
            "id": song,
            "song_name": f"song {song}",
            "artist_id_basket": [song % 7],
            "artist_name_basket": [f"artist {song % 7}"],
            "song_gn_gnr_basket": [f"GN0{1 + song % 3}00"],
            "album_id": song // 5,
            "album_name": f"album {song // 5}",
            "issue_date": f"20{song % 20:02}0101",
        }
        for song in range(SONGS)
    ]
    lists = []
    for number in range(playlists):
        mood = number % len(MOODS)
        title, tag = MOODS[mood]
        fitting = [s for s in range(SONGS) if s % len(MOODS) == mood or chance.random() < 0.1]
        lists.append(
            {
                "id": number,
                "plylst_title": title,
                "songs": sorted(chance.sample(fitting, 8)),
                "tags": [tag, chance.choice(("calm", "loud"))],
                "like_cnt": chance.randrange(50),
                "updt_date": "2020-01-01 00:00:00.000",
            }
        )
    genres = {f"GN0{number}00": f"genre {number}" for number in (1, 2, 3)}
    directory.mkdir(parents=True, exist_ok=True)
    for name, value in (("train", lists), ("song_meta", songs), ("genre_gn_all", genres)):
        (directory / f"{name}.json").write_text(json.dumps(value), "utf-8")


@dataclass(frozen=True)
class Held:
    """All points of a collection, by their ids: a hash of all but the vectors, and these."""

    hash: str
    vectors: NDArray[np.float32]

    @classmethod
    def of(cls, points: Points) -> Held:
        """Of points that are stored, or that would be, in whatever order."""
        batch = points.batch(0, len(points))
        order = sorted(range(len(points)), key=lambda row: batch.ids[row])
        rows = batch.sparse
        batch = PointBatch(
            [batch.ids[row] for row in order],
            batch.dense[order],
            None if rows is None else rows_of([rows.row(row) for row in order]),
            [batch.payloads[row] for row in order],
        )
        norms = np.linalg.norm(batch.dense, axis=1, keepdims=True)
        norms[norms == 0] = 1
        return cls(digest(batch), batch.dense / norms)

    def difference(self, other: Held) -> str | None:
        """What another one holds otherwise."""
        if len(self.vectors) != len(other.vectors):
            return f"{len(other.vectors)} points in place of {len(self.vectors)}"
        if self.hash != other.hash:
            return "other ids, payloads or sparse vectors"
        if not np.allclose(self.vectors, other.vectors, atol=1e-5):
            return "other vectors"
        return None


Contents = Mapping[Collection, Held]


@dataclass(frozen=True)
class Trained:
    """A catalogue, the space that was trained on it, and what its release is to hold."""

    catalogue: Path
    path: Path
    space: EmbeddingSpace

    @cached_property
    def release(self) -> str:
        """The name of its release."""
        return release_name(self.space, SparseWeights())

    @cached_property
    def held(self) -> Contents:
        """Laid out without any engine."""
        laid_out = contents(self.space, SparseWeights())
        return {collection: Held.of(points) for collection, points in laid_out.items()}

    def back_up(self, path: Path) -> None:
        """Write the backup of its release, without any engine."""
        reader = MemoryReader(self.space)
        reader.manifest = reader.manifest.model_copy(update={"release": self.release})
        back_up(reader, path)


@dataclass(frozen=True)
class Update:
    """A space, what is new in its catalogue, and the space that `melon update` makes of both."""

    base: Trained
    after: Trained


def make_update(directory: Path, base: Trained, seed: int) -> Update:
    """Four new playlists; where the updated space would be saved is not written to."""
    catalogue = directory / f"new-{seed}"
    write_catalogue(catalogue, seed, PLAYLISTS + 4)
    space = update_corpus([catalogue], base.path, write=False).space
    return Update(base, Trained(catalogue, directory / "out" / "updated", space))


def make_spaces(directory: Path, count: int = 3) -> list[Trained]:
    """Write catalogues, and train a space on each."""
    made = []
    settings = training_settings(**TRAINING)
    for seed in range(count):
        catalogue, path = directory / f"catalogue-{seed}", directory / f"space-{seed}"
        write_catalogue(catalogue, seed)
        space = build_from_files(find_corpus([catalogue]), settings).save(path)
        made.append(Trained(catalogue, path, space))
    return made
