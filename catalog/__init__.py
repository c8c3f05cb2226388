"""Files in the format of the *Melon Playlist Dataset* become typed records, and back."""

from melon.catalog.corpus import CorpusFiles, find_corpus
from melon.catalog.dates import parse_issue_date, parse_updated
from melon.catalog.demo import DemoScale, DemoTruth, make_demo
from melon.catalog.errors import (
    AmbiguousCorpus,
    BadGenres,
    BadRecord,
    ForeignFile,
    ImpossibleDemo,
    MalformedJson,
    NoPlaylists,
    ReplacedInput,
    UnreadableFile,
    UnwritableFile,
)
from melon.catalog.genres import read_genres
from melon.catalog.json_stream import JsonArray
from melon.catalog.outputs import (
    check_beside,
    check_directory,
    check_file,
    check_not_read,
    claim_directory,
)
from melon.catalog.readers import read_playlists, read_songs
from melon.catalog.records import MAX_ID, DatePrecision, Genre, IssueDate, Playlist, Song
from melon.catalog.report import Cause, Finding, ReadReport, RecordKind
from melon.catalog.text import clean_text
from melon.catalog.writers import (
    array_writer,
    make_directory,
    playlist_record,
    write_genres,
    write_playlists,
    write_songs,
)

__all__ = [
    "MAX_ID",
    "AmbiguousCorpus",
    "BadGenres",
    "BadRecord",
    "Cause",
    "CorpusFiles",
    "DatePrecision",
    "DemoScale",
    "DemoTruth",
    "Finding",
    "ForeignFile",
    "Genre",
    "ImpossibleDemo",
    "IssueDate",
    "JsonArray",
    "MalformedJson",
    "NoPlaylists",
    "Playlist",
    "ReadReport",
    "RecordKind",
    "ReplacedInput",
    "Song",
    "UnreadableFile",
    "UnwritableFile",
    "array_writer",
    "check_beside",
    "check_directory",
    "check_file",
    "check_not_read",
    "claim_directory",
    "clean_text",
    "find_corpus",
    "make_demo",
    "make_directory",
    "parse_issue_date",
    "parse_updated",
    "playlist_record",
    "read_genres",
    "read_playlists",
    "read_songs",
    "write_genres",
    "write_playlists",
    "write_songs",
]
