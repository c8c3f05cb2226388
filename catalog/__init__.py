"""Files in the format of the *Melon Playlist Dataset* become typed records, and back."""

from melon.catalog.corpus import (
    FIELDS_FILE,
    GENRE_FILE,
    PLAYLIST_FILES,
    SONG_FILE,
    CorpusFiles,
    find_corpus,
)
from melon.catalog.corpus_keys import CorpusKeys, Keys, KnownIds, Names, key_of, names_in
from melon.catalog.errors import (
    BadCorpus,
    BadFields,
    BadGenres,
    BadImport,
    BadRecord,
    UnclearColumns,
)
from melon.catalog.genres import read_genres
from melon.catalog.importing.door import (
    ImportPlan,
    check_import,
    from_frame,
    import_frame,
    plan_import,
    write_import,
)
from melon.catalog.json_stream import JsonArray
from melon.catalog.keys import KeyIds, integer_of
from melon.catalog.own_fields import read_fields_file, write_fields_file
from melon.catalog.readers import read_playlists, read_songs
from melon.catalog.records import Genre, IssueDate, Playlist, RecordId, Song, is_attribute
from melon.catalog.report import Cause, ReadReport
from melon.catalog.writers import (
    array_writer,
    playlist_record,
    write_genres,
    write_playlists,
    write_songs,
)

__all__ = [
    "FIELDS_FILE",
    "GENRE_FILE",
    "PLAYLIST_FILES",
    "SONG_FILE",
    "BadCorpus",
    "BadFields",
    "BadGenres",
    "BadImport",
    "BadRecord",
    "Cause",
    "CorpusFiles",
    "CorpusKeys",
    "Genre",
    "ImportPlan",
    "IssueDate",
    "JsonArray",
    "KeyIds",
    "Keys",
    "KnownIds",
    "Names",
    "Playlist",
    "ReadReport",
    "RecordId",
    "Song",
    "UnclearColumns",
    "array_writer",
    "check_import",
    "find_corpus",
    "from_frame",
    "import_frame",
    "integer_of",
    "is_attribute",
    "key_of",
    "names_in",
    "plan_import",
    "playlist_record",
    "read_fields_file",
    "read_genres",
    "read_playlists",
    "read_songs",
    "write_fields_file",
    "write_genres",
    "write_import",
    "write_playlists",
    "write_songs",
]
