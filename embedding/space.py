"""The co-embedding space: what training makes, and ingest loads into a store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from melon.catalog import Genre
from melon.embedding.columns import column
from melon.embedding.ragged import Ints, Vectors
from melon.fields import Field
from melon.ranking import Ranking
from melon.titles import TitleTokenizer


@dataclass(frozen=True)
class EmbeddingSpace:
    """Songs, tags, words and playlists in one space, with the catalogue they come from.

    Tables are Arrow's; vectors are aligned with their table's rows: `(n, dim) float32`, unit rows,
    zero where nothing is known. `vector_source` says where a row's vector comes from: `trained`,
    `album`, `artist`, `genre`, `playlists`, or for a playlist `trained` or `items`; null for a
    zero row. `popularity` is the number of playlists that hold a song or tag, or have a word in
    their title or tags.

    Attributes:
        songs: ordered by id: id, key, name, artist_ids, artists, album_id, album, genres,
            detail_genres, issue_date (date32), issue_date_precision, `fields`, popularity,
            vector_source. Unknown values are null, unknown lists empty.
        playlists: ordered by id: id, key, title, tags, songs, like_count, updated (timestamp),
            words, vector_source; likewise.
        tag_table: every tag, most frequent first: tag, popularity, vector_source.
        word_table: every word of titles and tags, most frequent first: word, popularity,
            vector_source.
        genres: by code.
        title: cuts titles into words and finds known tags in them.
        settings: the training settings, as JSON has them.
        epochs: the log of the epochs, as JSON has it.
        fields: the songs' own, as their catalogue declares them.
        ranking: what was learned of how to rank songs and tags, if anything was.
        manifest: what `manifest.json` holds; empty for a space that was not loaded from disk.
    """

    songs: pa.Table
    song_vectors: Vectors
    playlists: pa.Table
    playlist_vectors: Vectors
    tag_table: pa.Table
    tag_vectors: Vectors
    word_table: pa.Table
    word_vectors: Vectors
    genres: Mapping[str, Genre]
    title: TitleTokenizer
    settings: Mapping[str, Any]
    epochs: list[Mapping[str, Any]]
    fields: tuple[Field, ...] = ()
    ranking: Ranking | None = None
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> EmbeddingSpace:
        """Read a space, its vectors memory-mapped, after checking every file of it.

        Raises:
            NotASpace: there is none at `path`.
            SpaceVersionMismatch: another version of melon wrote it.
            DamagedSpace: a file is missing, cut short, altered, or does not fit the others.
            UnreadableFile: a file cannot be opened or read.
        """
        from melon.embedding.files import read_space

        return cls(**read_space(Path(path)))

    def save(self, path: Path) -> EmbeddingSpace:
        """Write the space to the directory `path`, in place of a space that is there.

        The new space is complete before it takes the old one's place; an interruption leaves the
        old one as it was. Only where the process is killed between the last two renames is the old
        one left beside, as `.<name>.previous`, and `load` says so. What other killed saves left
        behind is removed.

        Returns:
            The saved space, as `load` gives it.

        Raises:
            NotASpace: `path` holds something else, which is left alone.
            UnwritableFile: the directory, or what is in it, cannot be written.
        """
        from melon.embedding.files import save_space

        save_space(self._parts(), Path(path))
        return self.load(path)

    def _parts(self) -> dict[str, Any]:
        return {part.name: getattr(self, part.name) for part in fields(self)}

    @cached_property
    def hash(self) -> str:
        """Hash of the contents (SHA-256, hexadecimal): no times and no names are in it."""
        if self.manifest:
            return str(self.manifest["hash"])
        from melon.embedding.files import content_hash

        return content_hash(self._parts())

    @property
    def dim(self) -> int:
        """Dimensions of the vectors."""
        return int(self.song_vectors.shape[1])

    @property
    def counts(self) -> dict[str, int]:
        """How many songs, tags, playlists and words there are."""
        return {
            "songs": len(self.songs),
            "tags": len(self.tag_table),
            "playlists": len(self.playlists),
            "words": len(self.word_table),
        }

    @property
    def vector_sources(self) -> dict[str, Counter[str | None]]:
        """How many vectors of songs and tags are from each source: `trained`, `artist`, and so on.

        None counts those without a vector.
        """
        return {
            name: Counter(table["vector_source"].to_pylist())
            for name, table in (("songs", self.songs), ("tags", self.tag_table))
        }

    @cached_property
    def song_ids(self) -> Ints:
        """(n_songs,) int64, ascending."""
        return column(self.songs, "id")

    @cached_property
    def song_popularity(self) -> Ints:
        """(n_songs,) int64: how many playlists hold the song."""
        return column(self.songs, "popularity")

    @cached_property
    def playlist_ids(self) -> Ints:
        """(n_playlists,) int64, ascending."""
        return column(self.playlists, "id")

    @cached_property
    def tags(self) -> list[str]:
        """Every tag, most frequent first."""
        return _strings(self.tag_table, "tag")

    @cached_property
    def tag_popularity(self) -> Ints:
        """(n_tags,) int64: how many playlists carry the tag."""
        return column(self.tag_table, "popularity")

    @cached_property
    def words(self) -> list[str]:
        """Every word of titles and tags, most frequent first."""
        return _strings(self.word_table, "word")


def _strings(table: pa.Table, name: str) -> list[str]:
    values: list[str] = table[name].to_pylist()
    return values
