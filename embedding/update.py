"""A space takes up what is new in its catalogue, without training.

What training placed stays where it is. What is new, or has changed, is placed as training places
what is too rare to be trained: playlists by what they hold, songs by their metadata, tags and words
by the playlists that have them. What was learned of how to rank stays, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from melon.catalog import ReadReport, find_corpus
from melon.embedding.bags import TokenKind
from melon.embedding.build import Catalogue, read_catalogue, words_of
from melon.embedding.cold_start import TRAINED, SourcedVectors
from melon.embedding.columns import Corpus, described, number_strings
from melon.embedding.files import alone, check_place, check_unchanged
from melon.embedding.merging import Change, Mask, Merged, check_fits, merged, with_columns_of
from melon.embedding.placing import Placed, Trained, place, space_of
from melon.embedding.ragged import Ints, Ragged, Vectors, has_direction, unit_rows
from melon.embedding.settings import training_settings
from melon.embedding.space import EmbeddingSpace
from melon.outputs import check_not_read
from melon.progress import Progress, ignore

PLACED_BY = {
    "songs": ("album_id", "artist_ids", "artists", "genres", "detail_genres"),
    "playlists": ("title", "tags", "songs"),
}
"""The columns that say where something is."""


@dataclass(frozen=True, slots=True)
class Changes:
    """How a catalogue differs from what a space holds.

    Attributes:
        names: whether it names a genre otherwise, or another one, or declares another own field.
        gone_removed: whether what is gone was removed, and not kept.
    """

    songs: Change
    tags: Change
    playlists: Change
    names: bool
    gone_removed: bool

    @property
    def any(self) -> bool:
        """Whether the space that takes it up is another one."""
        kinds = (self.songs, self.tags, self.playlists)
        return self.names or any(
            kind.added or kind.changed or (self.gone_removed and kind.gone) for kind in kinds
        )


class Update(NamedTuple):
    """A space before and after an update, the same one where nothing has changed, and what has."""

    before: EmbeddingSpace
    space: EmbeddingSpace
    changes: Changes


def update_corpus(
    corpus: Sequence[Path],
    path: Path,
    *,
    remove_gone: bool = False,
    write: bool = True,
    report: ReadReport | None = None,
    strict: bool = False,
    lenient: bool = False,
    progress: Progress = ignore,
) -> Update:
    """Read a corpus, and write the space that takes it up in place of the one that is there.

    Args:
        corpus: directories in Melon's format, and files of playlists: see `find_corpus`.
        path: directory of the space.
        remove_gone: see `update_space`.
        write: whether the space is written, if anything has changed.
        report: counts what is read and skipped.
        strict: raise at the first record that would be skipped.
        lenient: take what there is of a file of which less than half can be used.
        progress: told how far each step is: `playlists` and `songs` (in bytes; before them `keys`,
            where ids are strings), then those of `update_space`.

    Raises:
        NotASpace, SpaceVersionMismatch, DamagedSpace, UnreadableFile: see `EmbeddingSpace.load`.
        UnwritableFile: see `EmbeddingSpace.save`.
        SpaceBusy: another process is updating it, or has put another space there meanwhile.
        ReplacedInput: a file of the corpus lies in the space.
        BadCorpus, BadFields, NothingToTrain, RepeatedPlaylist: see `read_catalogue`.
        ForeignCatalogue: see `update_space`.
    """
    with alone(path) if write else nullcontext():
        space = EmbeddingSpace.load(path)
        files = find_corpus(corpus)
        if write:
            check_place(path)
            check_not_read(path, files.all)
        catalogue = read_catalogue(
            files, known=space, report=report, strict=strict, lenient=lenient, progress=progress
        )
        updated, changes = update_space(
            space, catalogue, remove_gone=remove_gone, progress=progress
        )
        if write and changes.any:
            check_unchanged(path, space.hash)
            updated = updated.save(path)
    return Update(space, updated, changes)


def update_space(
    space: EmbeddingSpace,
    catalogue: Catalogue,
    *,
    remove_gone: bool = False,
    progress: Progress = ignore,
) -> tuple[EmbeddingSpace, Changes]:
    """Take up what is new in a catalogue, and what has changed; nothing is trained.

    The vectors of what has not changed stay the same, bit by bit, where there are any. The same
    catalogue once more changes nothing.

    Args:
        space: what was trained, or updated before.
        catalogue: all that there is now, or what is new alone, read with `known=space`.
        remove_gone: whether what the catalogue does not hold is removed; else it is kept.
        progress: told of the steps `compare` and `vectors`, in songs and playlists.

    Returns:
        The updated space, the same one where nothing has changed, and what has.

    Raises:
        ForeignCatalogue: the catalogue is another one than the space's.
    """
    total = len(space.songs) + len(space.playlists)
    progress("compare", 0, total)
    read = catalogue.corpus
    known_songs, known_playlists = (
        with_columns_of(table, of)
        for table, of in ((space.songs, read.songs), (space.playlists, read.playlists))
    )
    check_fits((known_songs, read.songs), (known_playlists, read.playlists))
    songs = merged(known_songs, read.songs, described(read.songs), PLACED_BY["songs"], remove_gone)
    all_count = np.ones(len(read.playlists), np.bool_)
    playlists = merged(
        known_playlists, read.playlists, all_count, PLACED_BY["playlists"], remove_gone
    )
    corpus = Corpus.of_tables(playlists.table, songs.table)
    tags = _tag_changes(space, read, corpus)
    changes = Changes(
        songs=songs.change,
        tags=tags,
        playlists=playlists.change,
        names=catalogue.genres != space.genres or catalogue.fields != space.fields,
        gone_removed=remove_gone,
    )
    progress("compare", total, total)
    if not changes.any:
        return space, changes
    total = len(corpus.songs) + len(corpus.playlists)
    progress("vectors", 0, total)
    updated = _placed(space, corpus, catalogue, songs, playlists)
    progress("vectors", total, total)
    return updated, changes


def _tag_changes(space: EmbeddingSpace, read: Corpus, merged: Corpus) -> Change:
    was = dict(zip(space.tags, space.tag_popularity.tolist(), strict=True))
    counts = np.bincount(merged.playlist_tags.values, minlength=len(merged.tags)).tolist()
    now = dict(zip(merged.tags, counts, strict=True))
    both = was.keys() & set(read.tags)
    changed = sum(was[tag] != now[tag] for tag in both)
    return Change(
        added=len(read.tags) - len(both),
        changed=changed,
        unchanged=len(both) - changed,
        gone=len(was) - len(both),
    )


def _placed(
    space: EmbeddingSpace,
    corpus: Corpus,
    catalogue: Catalogue,
    songs: Merged,
    playlists: Merged,
) -> EmbeddingSpace:
    """The space of what was joined: what stays is where it was, and the rest is placed by it."""
    words, playlist_words = _words(space, corpus, playlists)
    tags_before = _places(corpus.tags, space.tags)
    words_before = _places(words, space.words)
    kinds = {
        TokenKind.SONG: _Known.of(songs.before, space.song_vectors, space.songs),
        TokenKind.TAG: _Known.of(tags_before, space.tag_vectors, space.tag_table),
        TokenKind.WORD: _Known.of(words_before, space.word_vectors, space.word_table),
        TokenKind.PLAYLIST: _Known.of(
            np.where(playlists.moved, -1, playlists.before),
            space.playlist_vectors,
            space.playlists,
        ),
    }
    trained = {kind: known.trained for kind, known in kinds.items()}
    # Artists and genres of which no song was trained are where their songs were placed.
    for kind, groups, count in (
        (TokenKind.ARTIST, corpus.song_artists, corpus.artist_count),
        (TokenKind.GENRE, corpus.song_genres, len(corpus.genres)),
        (TokenKind.DETAIL_GENRE, corpus.song_detail_genres, len(corpus.detail_genres)),
    ):
        trained[kind] = unit_rows(groups.inverse(count).sum_of(kinds[TokenKind.SONG].vectors))
    fresh = place(corpus, playlist_words, len(words), Trained(trained, space.dim))
    placed = Placed(
        songs=kinds[TokenKind.SONG].over(fresh.songs, songs.moved),
        playlists=kinds[TokenKind.PLAYLIST].over(fresh.playlists),
        tags=kinds[TokenKind.TAG].over(fresh.tags),
        words=kinds[TokenKind.WORD].over(fresh.words),
    )
    counts = np.bincount(corpus.playlist_tags.values, minlength=len(corpus.tags)).tolist()
    return space_of(
        corpus,
        playlist_words,
        words,
        placed,
        genres=dict(catalogue.genres),
        title=space.title.with_tags(
            dict(zip(corpus.tags, counts, strict=True)),
            tag_min_count=training_settings(**space.settings).title_tag_min_count,
        ),
        settings=space.settings,
        epochs=space.epochs,
        fields=catalogue.fields,
        ranking=space.ranking,
    )


class _Known(NamedTuple):
    """The vectors (n, dim) that were known, rows of zeros for others, and where each is from."""

    vectors: Vectors
    sources: NDArray[np.object_]

    @classmethod
    def of(cls, before: Ints, vectors: Vectors, table: pa.Table) -> _Known:
        """Those of some rows of before; -1 for none."""
        known = before >= 0
        carried = np.zeros((len(before), vectors.shape[1]), np.float32)
        carried[known] = vectors[before[known]]
        sources = np.full(len(before), None, dtype=object)
        sources[known] = table["vector_source"].to_numpy()[before[known]]
        return cls(carried, sources)

    @property
    def trained(self) -> Vectors:
        """Those that training gave."""
        return np.where((self.sources == TRAINED)[:, None], self.vectors, np.float32(0))

    def over(self, fresh: SourcedVectors, moved: Mask | None = None) -> SourcedVectors:
        """What stays where it was, and the rest where it is placed now.

        Args:
            moved: (n,) bool, what is placed anew where there is a new place for it.
        """
        stays = has_direction(self.vectors)
        if moved is not None:
            stays &= ~moved
        return SourcedVectors(
            np.where(stays[:, None], self.vectors, fresh.vectors),
            np.where(stays, self.sources, fresh.sources),
        )


def _words(space: EmbeddingSpace, corpus: Corpus, playlists: Merged) -> tuple[list[str], Ragged]:
    """The words of all playlists; those of what has not changed were cut before."""
    stays = (playlists.before >= 0) & ~playlists.moved
    fresh = words_of(corpus.playlists.filter(pa.array(~stays)), space.title)
    lists = pa.chunked_array([*space.playlists["words"].chunks, *fresh.chunks]).combine_chunks()
    place = np.where(stays, playlists.before, len(space.playlists) + np.cumsum(~stays) - 1)
    return number_strings(pa.chunked_array([lists.take(pa.array(place))]))


def _places(names: list[str], before: list[str]) -> Ints:
    """(n,) int64: the row that each name had, -1 where it had none."""
    rows = pc.index_in(pa.array(names, pa.string()), value_set=pa.array(before, pa.string()))
    places: Ints = pc.fill_null(rows, -1).to_numpy().astype(np.int64)
    return places
