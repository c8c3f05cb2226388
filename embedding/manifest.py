"""The manifest of a space: how it was trained, and what its files hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError

from melon.embedding.errors import DamagedSpace, NotASpace, SpaceVersionMismatch
from melon.embedding.reading import TRAIN_AGAIN, damaged
from melon.errors import MalformedJson, first_problem
from melon.fields import MAX_DIM, OwnField, OwnFields
from melon.files import read_json

Parts = Mapping[str, Any]
"""The fields of an `EmbeddingSpace`, by name."""

FORMAT = "melon-space"
FORMAT_VERSION = 3
MANIFEST = "manifest.json"

PARTS = ("song", "playlist", "tag", "word")
FILES = (
    *(f"{part}s.parquet" for part in PARTS),
    *(f"{part}_vectors.npy" for part in PARTS),
    "genres.json",
    "title.bin",
    "ranking.json",
)

_Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_Count = Annotated[StrictInt, Field(ge=0)]


class FileEntry(BaseModel):
    """What the manifest says of a file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    bytes: int = Field(ge=0)
    sha256: _Hash


class Manifest(BaseModel):
    """What `manifest.json` says of a space."""

    model_config = ConfigDict(frozen=True)

    dim: StrictInt = Field(gt=0, le=MAX_DIM)
    counts: dict[Literal["songs", "tags", "playlists", "words"], _Count]
    settings: dict[str, Any]
    fields: OwnFields
    files: dict[str, FileEntry]
    hash: _Hash
    epochs: list[dict[str, Any]]

    @classmethod
    def read(cls, path: Path, content: dict[str, Any]) -> Self:
        """What a file holds.

        Raises:
            DamagedSpace: it is not what training writes.
        """
        try:
            manifest = cls.model_validate(content)
        except ValidationError as error:
            problem = first_problem(error)
            damaged(path, f"{problem.place}: {problem.what}")
        for name in (*FILES, *(f"{part}s" for part in PARTS)):
            if name not in manifest.files and name not in manifest.counts:
                damaged(path, f"it does not list {name}")
        return manifest


def manifest_of(parts: Parts, files: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What is to be written as the manifest of a space.

    Args:
        files: of each its size and its hash, as a `FileEntry` has them.
    """
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "dim": int(parts["song_vectors"].shape[1]),
        "counts": {
            "songs": len(parts["songs"]),
            "tags": len(parts["tag_table"]),
            "playlists": len(parts["playlists"]),
            "words": len(parts["word_table"]),
        },
        "settings": dict(parts["settings"]),
        "fields": [OwnField.of(field).model_dump(mode="json") for field in parts["fields"]],
        "files": files,
    }
    manifest = content | {"hash": hash_of(content), "epochs": [dict(e) for e in parts["epochs"]]}
    return manifest | {"checksum": hash_of(manifest)}


def hash_of(content: dict[str, Any]) -> str:
    """SHA-256 of a manifest's content, in hexadecimal digits."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def read_manifest(file: Path) -> dict[str, Any]:
    """What the file of a manifest holds, of this format and not altered; without its checksum.

    Raises:
        MissingFile: it is not there.
        NotASpace: it is the manifest of something else.
        SpaceVersionMismatch: it is of another version's format.
        DamagedSpace: it was altered.
    """
    try:
        manifest = read_json(file)
    except MalformedJson as error:
        raise DamagedSpace(error.what, where=error.where, hint=TRAIN_AGAIN) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise NotASpace("is not the manifest of a space", where=str(file))
    version = manifest.get("format_version")
    if version != FORMAT_VERSION:
        newer = isinstance(version, int) and version > FORMAT_VERSION
        raise SpaceVersionMismatch(
            f"the space has format {version}, and this melon reads format {FORMAT_VERSION}",
            where=str(file.parent),
            hint="update melon" if newer else "train the space again",
        )
    if manifest.pop("checksum", None) != hash_of(manifest):
        raise DamagedSpace("was altered after training", where=str(file), hint=TRAIN_AGAIN)
    return manifest
