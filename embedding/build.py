"""From a corpus, its files or its records to a space."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from melon.catalog import (
    SONG_FILE,
    BadCorpus,
    BadFields,
    CorpusFiles,
    CorpusKeys,
    Genre,
    KnownIds,
    Playlist,
    ReadReport,
    Song,
    read_fields_file,
    read_genres,
    read_playlists,
    read_songs,
)
from melon.embedding.bags import TokenKind, build_bags
from melon.embedding.columns import Corpus, column, number_strings, read_corpus
from melon.embedding.placing import Trained, place, space_of
from melon.embedding.ragged import Ints, Ragged
from melon.embedding.settings import TrainingSettings, training_settings
from melon.embedding.space import EmbeddingSpace
from melon.embedding.training import train_vectors
from melon.errors import counted
from melon.fields import Field
from melon.progress import Progress, ignore
from melon.titles import TitleTokenizer


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
    known: EmbeddingSpace | None = None,
    report: ReadReport | None = None,
    strict: bool = False,
    lenient: bool = False,
    progress: Progress = ignore,
) -> Catalogue:
    """Read what there is to train on.

    Args:
        files: see `find_corpus`.
        known: the space of what was read before: keys have the ids that they have there, and its
            genres and own fields are there, too.
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
    genres = {**(known.genres if known else {})}
    genres |= read_genres(files.genres) if files.genres else {}
    fields = read_fields_file(files.fields) if files.fields else ()
    if fields and not files.songs and not lenient:
        raise BadFields(
            f"it declares fields of songs, and there is no {SONG_FILE} that could have them",
            where=str(files.fields),
            hint=f"give {SONG_FILE}, too, or leave the fields out; --lenient goes on without",
        )
    fields = _joined(known.fields, fields, files) if known else fields
    keys = CorpusKeys(files, progress, _known_ids(known) if known else None)
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


def _known_ids(space: EmbeddingSpace) -> tuple[KnownIds, KnownIds]:
    """The ids and keys of a space's songs, and of its playlists."""
    songs, playlists = (
        KnownIds(
            frozenset(table["id"].to_pylist()),
            {key: one for key, one in zip(*_columns(table, "key", "id"), strict=True) if key},
        )
        for table in (space.songs, space.playlists)
    )
    return songs, playlists


def _columns(table: pa.Table, *names: str) -> list[list[Any]]:
    return [table[name].to_pylist() for name in names]


def _joined(
    before: Sequence[Field], fields: Sequence[Field], files: CorpusFiles
) -> tuple[Field, ...]:
    """The own fields that there were, and those that a file adds.

    Raises:
        BadFields: one has become another.
    """
    by_name = {one.name: one for one in before}
    for one in fields:
        if by_name.setdefault(one.name, one) != one:
            was = by_name[one.name]
            raise BadFields(
                f"field {one.name!r} is {_typed(one)}, and was {_typed(was)} in training",
                where=str(files.fields),
                hint="train the space again, or give the new field another name",
            )
    return tuple(by_name.values())


def _typed(field: Field) -> str:
    return f"{field.type}[]" if field.many else str(field.type)


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
    by_kind = {kind: vectors[table.span(kind)] for kind in table.numbers}
    placed = place(corpus, playlist_words, len(words), Trained(by_kind, vectors.shape[1]))
    progress("vectors", len(vectors), len(vectors))
    return space_of(
        corpus,
        playlist_words,
        words,
        placed,
        genres=dict(catalogue.genres),
        title=title,
        settings=settings.model_dump(mode="json"),
        epochs=[asdict(epoch) for epoch in epochs],
        fields=catalogue.fields,
    )


def _read_titles(
    corpus: Corpus, settings: TrainingSettings, progress: Progress
) -> tuple[TitleTokenizer, list[str], Ragged, Ragged]:
    """Train the title tokenizer; then every playlist's words, and the known tags in its title."""
    titles = [title or "" for title in corpus.playlists["title"].to_pylist()]
    counts = np.bincount(corpus.playlist_tags.values, minlength=len(corpus.tags)).tolist()
    tokenizer = TitleTokenizer.train(
        titles,
        dict(zip(corpus.tags, counts, strict=True)),
        pieces=settings.title_pieces,
        tag_min_count=settings.title_tag_min_count,
    )
    words, playlist_words = number_strings(
        pa.chunked_array([words_of(corpus.playlists, tokenizer)])
    )
    index_of = {tag: index for index, tag in enumerate(corpus.tags)}
    indices = [[index_of[tag] for tag in tokenizer.tags(title)] for title in titles]
    title_tags = Ragged.of_lengths(
        np.array([len(tags) for tags in indices], np.int64),
        np.array([index for tags in indices for index in tags], np.int64),
    )
    progress("titles", len(titles), len(titles))
    return tokenizer, words, playlist_words, title_tags


def words_of(playlists: pa.Table, tokenizer: TitleTokenizer) -> pa.ChunkedArray:
    """For each playlist the words of its title and of its tags.

    So a title finds playlists that say the same in their tags.
    """
    words = cache(tokenizer.words)
    titles, tag_lists = _columns(playlists, "title", "tags")
    texts = (
        [*tokenizer.words(title or ""), *chain.from_iterable(map(words, tags))]
        for title, tags in zip(titles, tag_lists, strict=True)
    )
    return pa.chunked_array([pa.array(texts, pa.list_(pa.string()))])
