"""A field that only some catalogues have is read, kept and filtered by, once it is declared."""

from __future__ import annotations

import json
from pathlib import Path

from melon.embedding import EmbeddingSpace, train_corpus, training_settings
from melon.ingest import ingest
from melon.store import Collection, Filter, MatchAny, VectorStore

PLAYLISTS = [{"id": n, "songs": [1, 2, 3], "tags": ["rain"]} for n in range(3)]
SONGS = [
    {"id": 1, "song_name": "비", "language": " ko "},
    {"id": 2, "song_name": "Rain", "language": "en"},
    {"id": 3, "song_name": "Intro"},
]


def trained(directory: Path) -> EmbeddingSpace:
    (directory / "train.json").write_text(json.dumps(PLAYLISTS))
    (directory / "song_meta.json").write_text(json.dumps(SONGS))
    settings = training_settings(dim=4, epochs=1, min_count=1, title_pieces=32)
    return train_corpus([directory], directory / "space", settings)


def test_songs_are_found_by_their_language(tmp_path: Path, store: VectorStore) -> None:
    space = trained(tmp_path)
    assert space.songs["language"].to_pylist() == ["ko", "en", None]
    ingest(space, store)
    reader = store.open()
    filter = Filter(must=(MatchAny("language", ("ko",)),))
    [song] = reader.find(Collection.SONGS, filter, 10)
    assert (song.id, song.payload["language"]) == (1, "ko")
    [unknown] = reader.retrieve(Collection.SONGS, [3])
    assert "language" not in unknown.payload
