"""What a release says about itself, stored in the store beside its collections."""

from __future__ import annotations

import base64
import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from melon.store.schema import SCHEMA_VERSION, Collection
from melon.store.tuning import Preset


def _from_base64(value: bytes | str) -> bytes:
    return base64.b64decode(value, validate=True) if isinstance(value, str) else value


RELEASE_NAME = r"^[a-z0-9][a-z0-9-]*$"
GENERATED_NAME = r"r[0-9a-f]{1,12}(-[0-9]+)?"

Blob = Annotated[
    bytes,
    BeforeValidator(_from_base64),
    PlainSerializer(lambda b: base64.b64encode(b).decode("ascii"), when_used="json"),
]


class ReleaseManifest(BaseModel):
    """One build of the four collections from one space.

    A query host reads everything that it needs besides the collections from here: the title
    tokenizer, the genres' names and how the sparse vectors were weighted.
    """

    model_config = ConfigDict(frozen=True)

    release: str = Field(pattern=RELEASE_NAME, max_length=64)
    schema_version: int = SCHEMA_VERSION
    melon_version: str
    created: datetime
    space: str = Field(description="hash of the space that this release was built from")
    dim: int = Field(gt=0)
    counts: dict[Collection, int]
    training: dict[str, Any] = Field(default_factory=dict, description="hyper-parameters")
    weights: dict[str, float] = Field(default_factory=dict, description="of the sparse vectors")
    preset: Preset = Field(Preset.BALANCED, description="how the release is indexed")
    genres: dict[str, str] = Field(default_factory=dict, description="genre code to its name")
    title_tokenizer: Blob = b""


def is_generated_name(text: str) -> bool:
    """Whether `melon ingest` could have called a release this: `r` and hexadecimal digits."""
    return re.fullmatch(GENERATED_NAME, text) is not None


def is_release_name(text: str) -> bool:
    """Whether a release could be called this: lower-case letters, digits and hyphens."""
    return re.fullmatch(RELEASE_NAME, text) is not None
