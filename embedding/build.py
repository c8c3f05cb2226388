"""From a corpus, its files or its records to a space."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from melon.catalog import (
    SONG_FILE,
    BadCorpus,
    BadFields,
    CorpusFiles,
    CorpusKeys,
    Genre,
    Playlist,
    ReadReport,
    Song,
    read_fields_file,
    read_genres,
    read_playlists,
    read_songs,
)
from melon.embedding.bags import TokenKind, TokenTable, build_bags
from melon.embedding.cold_start import TRAINED, Evidence, SourcedVectors, cold_start
from melon.embedding.columns import Corpus, column, number_strings, read_corpus
from melon.embedding.ragged import Ints, Ragged, Vectors, has_direction, unit_rows
from melon.embedding.settings import TrainingSettings, training_settings
from melon.embedding.space import EmbeddingSpace
from melon.embedding.training import train_vectors
from melon.errors import counted
from melon.fields import Field
from melon.progress import Progress, ignore
from melon.text import TitleTokenizer

FROM_ITEMS = "items"
ALBUM_WEIGHT, ARTIST_WEIGHT, DETAIL_GENRE_WEIGHT, GENRE_WEIGHT = 1.0, 0.5, 0.25, 0.125
"""Shares in a cold song's vector: each is trusted twice as much as the next."""


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """What was read to train on.

    Attributes:
        corpus: the playlists and songs.
        genres: by code.
        fields: the songs' own, beside those that are declared.
    """

    corpus: Corpus
    genres: Mapping[str, Genre] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()

    def without(self, playlists: Ints) -> Catalogue:
        """The same as if some playlists, by their rows, had never been read."""
        return replace(self, corpus=self.corpus.without(playlists))


def build_from_files(
    files: CorpusFiles,
    settings: TrainingSettings | None = None,
    *,
    report: ReadReport | None = None,
    strict: bool = False,
    lenient: bool = False,
    progress: Progress = ignore,
) -> EmbeddingSpace:
    """Read files, and train a space on them: see `read_catalogue` and `train_space`."""
    catalogue = read_catalogue(
        files, report=report, strict=strict, lenient=lenient, progress=progress
    )
    return train_space(catalogue, settings, progress)


def read_catalogue(
    files: CorpusFiles,
    *,
    report: ReadReport | None = None,
    strict: bool = False,
    lenient: bool = False,
    progress: Progress = ignore,
) -> Catalogue:
    """Read what there is to train on.

    Args:
        files: see `find_corpus`.
        report: counts what is read and skipped.
        strict: raise at the first record that would be skipped.
        lenient: take what there is of a file of which less than half can be used.
        progress: told how far `playlists` and `songs` are, in bytes; before them `keys`, where ids
            are strings.

    Raises:
        UnreadableFile, BadCorpus: a file cannot be read, or does not belong to the others.
        NothingToTrain, RepeatedPlaylist: see `build_space`.
    """
    report = report or ReadReport()
    genres = read_genres(files.genres) if files.genres else {}
    fields = read_fields_file(files.fields) if files.fields else ()
    if fields and not files.songs and not lenient:
        raise BadFields(
            f"it declares fields of songs, and there is no {SONG_FILE} that could have them",
            where=str(files.fields),
            hint=f"give {SONG_FILE}, too, or leave the fields out; --lenient goes on without",
        )
    keys = CorpusKeys(files, progress)
    songs = (
        read_songs(
            files.songs,
            genres=genres or None,
            fields=fields,
            report=report,
            keys=keys,
            strict=strict,
            lenient=lenient,
            progress=progress,
        )
        if files.songs
        else ()
    )
    playlists = read_playlists(
        files.playlists, report=report, keys=keys, strict=strict, lenient=lenient, progress=progress
    )
    described = array("q")
    songs = chain(_noting_ids(songs, described), keys.songs_without_metadata())
    corpus = read_corpus(playlists, songs, fields)
    if files.songs:
        remark = _check_joins(corpus, described, files.songs, lenient=lenient)
        report.remarks += [remark] if remark else []
    return Catalogue(corpus, genres, tuple(fields))


def _noting_ids(songs: Iterable[Song], ids: array[int]) -> Iterator[Song]:
    for song in songs:
        ids.append(song.id)
        yield song


def _check_joins(
    corpus: Corpus, described: array[int], metadata: Path, *, lenient: bool
) -> str | None:
    """Refuse metadata that describe no song of any playlist; what to say where it is the fewer.

    Args:
        described: the ids that have metadata.
        lenient: do not refuse them, but say that it is none.
    """
    held = np.unique(corpus.playlist_songs.values)
    with_metadata = np.searchsorted(column(corpus.songs, "id"), np.array(described, np.int64))
    count = int(np.isin(held, with_metadata).sum())
    if 2 * count >= len(held):
        return None
    what = f"{count:,} of {counted(len(held), 'song')} of playlists are described"
    if not count and not lenient:
        examples = corpus.songs.take([held[0], *with_metadata[:1]]).to_pylist()
        named = [repr(song["key"] or song["id"]) for song in examples]
        raise BadCorpus(
            f"{what}: a playlist holds {', and this file describes '.join(named)}",
            where=str(metadata),
            hint="songs have the same ids, or keys, in playlists as in their metadata; "
            "correct them, or leave the file out; --lenient takes what there is",
        )
    return f"{metadata}: {what}"


def build_space(
    playlists: Iterable[Playlist],
    songs: Iterable[Song] = (),
    genres: Mapping[str, Genre] | None = None,
    settings: TrainingSettings | None = None,
    progress: Progress = ignore,
    *,
    fields: Sequence[Field] = (),
) -> EmbeddingSpace:
    """Train a space on playlists, and give all songs and tags of the catalogue their place in it.

    Args:
        playlists: read once, as a stream.
        songs: the songs' metadata, read once, as a stream, after the playlists; may be empty.
        genres: the names of the genre codes.
        settings: hyper-parameters; the default preset where there are none.
        progress: told how far each step is: `titles`, `bags`, `epoch 1/10` and so on (in bags),
            `vectors`. Reading the records is not among them.
        fields: the songs' own, beside those that are declared.

    Raises:
        NothingToTrain: there are no playlists.
        RepeatedPlaylist: two have the same id.
        EmptyVocabulary: no token is frequent enough to be trained.
        TrainingDiverged: training produced vectors that are not numbers.
    """
    catalogue = Catalogue(read_corpus(playlists, songs, fields), genres or {}, tuple(fields))
    return train_space(catalogue, settings, progress)


def train_space(
    catalogue: Catalogue, settings: TrainingSettings | None = None, progress: Progress = ignore
) -> EmbeddingSpace:
    """Train a space on what was read; else as `build_space`."""
    corpus = catalogue.corpus
    settings = settings or training_settings()
    title, words, playlist_words, title_tags = _read_titles(corpus, settings, progress)
    table, bags = build_bags(corpus, words, playlist_words, title_tags, settings.kinds)
    progress("bags", len(bags), len(bags))
    counts = np.bincount(bags.values, minlength=len(table))
    settings = settings.settled(counts[table.span(TokenKind.SONG)])
    vectors, epochs = train_vectors(bags, table, settings, progress)
    trained = Trained(table, vectors)
    warm_playlists = _place_playlists(corpus, playlist_words, trained)
    placed_songs = _place_songs(corpus, trained, warm_playlists.vectors)
    placed_playlists = _place_by_cold_songs(
        warm_playlists, corpus.playlist_songs, placed_songs.vectors
    )
    tag_vectors = trained.of(TokenKind.TAG, len(corpus.tags))
    placed_tags = cold_start(tag_vectors, corpus.playlist_tags, placed_playlists.vectors)
    word_vectors = trained.of(TokenKind.WORD, len(words))
    placed_words = cold_start(word_vectors, playlist_words, placed_playlists.vectors)
    progress("vectors", len(vectors), len(vectors))
    return EmbeddingSpace(
        songs=_described(corpus.songs, corpus.playlist_songs, placed_songs.sources),
        song_vectors=placed_songs.vectors,
        playlists=corpus.playlists.append_column(
            "words", _spelled(playlist_words, words)
        ).append_column("vector_source", pa.array(placed_playlists.sources, pa.string())),
        playlist_vectors=placed_playlists.vectors,
        tag_table=_described(_named("tag", corpus.tags), corpus.playlist_tags, placed_tags.sources),
        tag_vectors=placed_tags.vectors,
        word_table=_described(_named("word", words), playlist_words, placed_words.sources),
        word_vectors=placed_words.vectors,
        genres=dict(catalogue.genres),
        title=title,
        settings=settings.model_dump(mode="json"),
        epochs=[asdict(epoch) for epoch in epochs],
        fields=catalogue.fields,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What training left: the tokens, and their vectors (n_tokens, dim) float32, by code."""

    table: TokenTable
    vectors: Vectors

    def of(self, kind: TokenKind, size: int) -> Vectors:
        """(size, dim) float32: the vectors of a kind, zero where it took no part."""
        if kind in self.table.numbers:
            return self.vectors[self.table.span(kind)]
        return np.zeros((size, self.vectors.shape[1]), np.float32)


def _read_titles(
    corpus: Corpus, settings: TrainingSettings, progress: Progress
) -> tuple[TitleTokenizer, list[str], Ragged, Ragged]:
    """Train the title tokenizer; then every playlist's words, and the known tags in its title.

    A playlist's words are those of its title and of its tags, so that a title finds playlists
    that say the same in their tags.
    """
    titles = [title or "" for title in corpus.playlists["title"].to_pylist()]
    counts = np.bincount(corpus.playlist_tags.values, minlength=len(corpus.tags)).tolist()
    tokenizer = TitleTokenizer.train(
        titles,
        dict(zip(corpus.tags, counts, strict=True)),
        pieces=settings.title_pieces,
        tag_min_count=settings.title_tag_min_count,
    )
    tag_words = {tag: tokenizer.words(tag) for tag in corpus.tags}
    texts = (
        [*tokenizer.words(title), *chain.from_iterable(tag_words[tag] for tag in tags)]
        for title, tags in zip(titles, corpus.playlists["tags"].to_pylist(), strict=True)
    )
    words, playlist_words = number_strings(
        pa.chunked_array([pa.array(texts, pa.list_(pa.string()))])
    )
    index_of = {tag: index for index, tag in enumerate(corpus.tags)}
    indices = [[index_of[tag] for tag in tokenizer.tags(title)] for title in titles]
    title_tags = Ragged.of_lengths(
        np.array([len(tags) for tags in indices], np.int64),
        np.array([index for tags in indices for index in tags], np.int64),
    )
    progress("titles", len(titles), len(titles))
    return tokenizer, words, playlist_words, title_tags


def _place_playlists(corpus: Corpus, playlist_words: Ragged, trained: Trained) -> SourcedVectors:
    """Playlists where training put them, or where their trained songs, tags and words are."""
    playlists = trained.of(TokenKind.PLAYLIST, len(corpus.playlists))
    word_count = int(playlist_words.values.max(initial=-1)) + 1
    items = corpus.playlist_songs.sum_of(trained.of(TokenKind.SONG, len(corpus.songs)))
    items += corpus.playlist_tags.sum_of(trained.of(TokenKind.TAG, len(corpus.tags)))
    items += playlist_words.sum_of(trained.of(TokenKind.WORD, word_count))
    learnt = has_direction(playlists)
    placed = np.where(learnt[:, None], playlists, unit_rows(items))
    sources = np.full(len(placed), None, dtype=object)
    sources[has_direction(placed)] = FROM_ITEMS
    sources[learnt] = TRAINED
    return SourcedVectors(placed, sources)


def _place_songs(corpus: Corpus, trained: Trained, playlist_vectors: Vectors) -> SourcedVectors:
    """Songs where training put them, or near their album, artists and genres."""
    albums = corpus.song_album
    evidence = [
        Evidence(
            "album",
            ALBUM_WEIGHT,
            Ragged.of_lengths((albums >= 0).astype(np.int64), albums[albums >= 0]),
            np.zeros((int(albums.max(initial=-1)) + 1, playlist_vectors.shape[1]), np.float32),
        ),
        Evidence(
            "artist",
            ARTIST_WEIGHT,
            corpus.song_artists,
            trained.of(TokenKind.ARTIST, corpus.artist_count),
        ),
        Evidence(
            "genre",
            DETAIL_GENRE_WEIGHT,
            corpus.song_detail_genres,
            trained.of(TokenKind.DETAIL_GENRE, len(corpus.detail_genres)),
        ),
        Evidence(
            "genre",
            GENRE_WEIGHT,
            corpus.song_genres,
            trained.of(TokenKind.GENRE, len(corpus.genres)),
        ),
    ]
    song_vectors = trained.of(TokenKind.SONG, len(corpus.songs))
    return cold_start(song_vectors, corpus.playlist_songs, playlist_vectors, evidence)


def _place_by_cold_songs(
    playlists: SourcedVectors, playlist_songs: Ragged, song_vectors: Vectors
) -> SourcedVectors:
    """Place the playlists that hold only cold songs: at the mean of these, which are placed now."""
    vectors, sources = playlists.vectors.copy(), playlists.sources.copy()
    bare = np.flatnonzero(~has_direction(vectors))
    means = unit_rows(playlist_songs.select(bare).sum_of(song_vectors))
    vectors[bare] = means
    sources[bare[has_direction(means)]] = FROM_ITEMS
    return SourcedVectors(vectors, sources)


def _named(name: str, values: list[str]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.string())})


def _described(table: pa.Table, members: Ragged, sources: NDArray[np.object_]) -> pa.Table:
    """Add to a table of items how many playlists hold each, and where its vector is from."""
    popularity: Ints = np.bincount(members.values, minlength=len(table))
    return table.append_column("popularity", pa.array(popularity)).append_column(
        "vector_source", pa.array(sources, pa.string())
    )


def _spelled(lists: Ragged, words: list[str]) -> pa.Array:
    """The lists of numbers as a column of lists of strings."""
    flat = pa.array(words, pa.string()).take(pa.array(lists.values))
    return pa.ListArray.from_arrays(pa.array(lists.offsets.astype(np.int32)), flat)
