"""What a release says about itself, stored beside its collections, and what it is called."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)

from melon.errors import first_problem
from melon.fields import MAX_DIM, OwnFields
from melon.ranking import Ranking
from melon.store.errors import (
    LIST_HINT,
    DamagedRelease,
    NoRelease,
    SchemaMismatch,
    copied_release,
    damaged_manifest,
    unknown_release,
)
from melon.store.evidence import KnownPoint
from melon.store.presets import Preset
from melon.store.schema import SCHEMA, SCHEMA_VERSION, Collection, CollectionSchema

RELEASE_NAME = r"^[a-z0-9][a-z0-9-]*$"
MAX_RELEASE_NAME = 64
DIGITS = 12
_MADE = re.compile(rf"([rg])([0-9a-f]{{{DIGITS}}})(?:-([2-9]|[1-9][0-9]+))?")

T = TypeVar("T")
log = logging.getLogger(__name__)


def _from_base64(value: bytes | str) -> bytes:
    return base64.b64decode(value, validate=True) if isinstance(value, str) else value


Blob = Annotated[
    bytes,
    BeforeValidator(_from_base64),
    PlainSerializer(lambda b: base64.b64encode(b).decode("ascii"), when_used="json"),
]


class ReleaseManifest(BaseModel):
    """One build of the four collections from one space.

    A query host reads everything that it needs besides the collections from here: the title
    tokenizer, the genres' names, the songs' own fields, how the sparse vectors were weighted, and
    the learned ranking.
    """

    model_config = ConfigDict(frozen=True)

    release: str = Field(pattern=RELEASE_NAME, max_length=MAX_RELEASE_NAME)
    schema_version: int = SCHEMA_VERSION
    melon_version: str
    created: AwareDatetime
    space: str = Field(description="hash of the space that this release was built from")
    dim: int = Field(gt=0, le=MAX_DIM)
    counts: dict[Collection, Annotated[int, Field(ge=0)]]
    training: dict[str, Any] = Field(default_factory=dict, description="hyper-parameters")
    weights: dict[str, Annotated[float, Field(ge=-2, le=2)]] = Field(
        default_factory=dict, description="exponents of the sparse vectors"
    )
    preset: Preset = Field(default=Preset.BALANCED, description="how the release is indexed")
    genres: dict[str, str] = Field(
        default_factory=dict, description="code to name of every genre that a song has"
    )
    fields: OwnFields = Field(default=(), description="the songs' own")
    title_tokenizer: Blob = b""
    ranking: Ranking | None = Field(default=None, description="how songs and tags are ordered")
    evidence: dict[Collection, tuple[KnownPoint, ...]] = Field(
        default_factory=dict, description="what it answered when it was sealed"
    )

    def may_begin_with(self, base: ReleaseManifest) -> bool:
        """Whether the release can begin with a copy of another one's collections, its graph too."""
        alike = ("schema_version", "dim", "preset", "fields")
        same = all(getattr(base, name) == getattr(self, name) for name in alike)
        return same and self.preset.has_graph

    # Of the same name as a method of pydantic's, which it has deprecated for `model_json_schema`.
    def schema(self, collection: Collection) -> CollectionSchema:  # type: ignore[override]
        """What the collection's points have, with the songs' own fields."""
        if collection is not Collection.SONGS:
            return SCHEMA[collection]
        return SCHEMA[collection].with_fields(own.field() for own in self.fields)


def manifest_to_read(
    location: str,
    release: str | None,
    live: Callable[[], str | None],
    load: Callable[[str], ReleaseManifest | None],
    names: Callable[[], Iterable[str]],
) -> ReleaseManifest:
    """The manifest of a release, of the live one by default, for a reader of it.

    Args:
        location: the store, for messages.
        release: its name; None for the live one.
        live: tells the name of the live one.
        load: reads the manifest of a release, if there is one.
        names: those of all releases, to name one that may be meant.

    Raises:
        NoRelease: no release is live, or the live one was removed by somebody else.
        UnknownRelease: there is none of the name that was asked for.
        SchemaMismatch: this version of melon cannot read it.
    """
    name = live() if release is None else release
    if name is None:
        there = list(names())
        raise NoRelease(
            "none of its releases is live" if there else "it holds no live release",
            where=location,
            hint=f"make one live: `melon releases promote {there[0]}`"
            if there
            else "run `melon ingest` first",
        )
    manifest = load(name)
    if manifest is not None:
        check_schema(manifest)
        return manifest
    if release is not None:
        raise unknown_release(location, release, names())
    if live() != name:  # another was promoted, and this one dropped
        return manifest_to_read(location, None, live, load, names)
    raise NoRelease(
        f"its live release {name!r} is not there any more",
        where=location,
        hint=f"promote another one ({LIST_HINT}), or run `melon ingest` again",
    )


def parse_manifest(release: str, payload: object) -> ReleaseManifest:
    """Read the stored manifest of a release.

    Args:
        release: what it is called where it lies, which the manifest has to agree with: a copy
            under another name would stand for the release that it was made of.
        payload: the manifest as JSON has it.

    Raises:
        SchemaMismatch: another version of melon wrote it, and this one does not understand it.
        DamagedRelease: it is damaged, or another release's.
    """
    try:
        manifest = ReleaseManifest.model_validate(payload)
    except ValidationError as error:
        version = payload.get("schema_version") if isinstance(payload, dict) else None
        if isinstance(version, int) and version != SCHEMA_VERSION:
            raise _schema_mismatch(release, version) from error
        problem = first_problem(error)
        reason = f"{problem.place}: {problem.what}" if problem.place else problem.what
        raise damaged_manifest(release, reason) from error
    if manifest.release != release:
        raise copied_release(release, manifest.release)
    return manifest


def readable(manifests: Iterable[Callable[[], T]]) -> Iterator[T]:
    """The results of the calls; those that this melon cannot read are left out with a warning."""
    for manifest in manifests:
        try:
            yield manifest()
        except (SchemaMismatch, DamagedRelease) as error:
            log.warning("%s", error)


def check_schema(manifest: ReleaseManifest) -> None:
    """Refuse a release of another schema version.

    Raises:
        SchemaMismatch: with what to do about it.
    """
    if manifest.schema_version != SCHEMA_VERSION:
        raise _schema_mismatch(manifest.release, manifest.schema_version)


def _schema_mismatch(release: str, version: int) -> SchemaMismatch:
    newer = version > SCHEMA_VERSION
    return SchemaMismatch(
        f"it has schema version {version}, this melon reads {SCHEMA_VERSION}",
        where=f"release {release}",
        hint="upgrade melon" if newer else "run `melon ingest` again to build a new release",
    )


def is_release_name(text: str) -> bool:
    """Whether a release could be called this: lower-case letters, digits and hyphens."""
    return len(text) <= MAX_RELEASE_NAME and re.fullmatch(RELEASE_NAME, text) is not None


@dataclass(frozen=True, slots=True)
class MadeName:
    """A letter and hexadecimal digits, which say what a release is made of: `r0123456789ab`.

    Where a release of that name is damaged, the next one has a number after it: `r0123456789ab-2`.
    The letter is `g` for one with a graph: several threads build it, each time another one, by
    which the last of many hits may be others. Others answer the same, however often they are built:
    to the last digit, and in the same order.
    """

    digest: str
    number: int = 1
    graph: bool = False

    @classmethod
    def of(cls, recipe: str, *, graph: bool = False) -> Self:
        """The name of what is made by this recipe: the beginning of its SHA-256."""
        return cls(hashlib.sha256(recipe.encode()).hexdigest()[:DIGITS], graph=graph)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The name that `str` writes like this, or None if `melon ingest` makes no such name."""
        parts = _MADE.fullmatch(text)
        return cls(parts[2], int(parts[3] or 1), parts[1] == "g") if parts else None

    def __str__(self) -> str:
        name = f"{'g' if self.graph else 'r'}{self.digest}"
        return f"{name}-{self.number}" if self.number > 1 else name

    def is_same_recipe(self, release: str) -> bool:
        """Whether the release of that name is made of the same as one of this name."""
        other = MadeName.parse(release)
        return other is not None and replace(other, number=self.number) == self

    def free(self, taken: Container[str]) -> MadeName:
        """This name, or where it is taken the same with the first number that is free."""
        names = (replace(self, number=number) for number in count(self.number))
        return next(name for name in names if str(name) not in taken)
