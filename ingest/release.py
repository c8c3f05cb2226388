"""A space becomes a release: built beside what is live, checked, then promoted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version

import pyarrow.compute as pc

from melon.embedding import EmbeddingSpace
from melon.fields import OwnField
from melon.ingest.build import Followed, build_release, is_whole
from melon.ingest.contents import Contents, SparseWeights, contents
from melon.ingest.delta import Delta, delta
from melon.progress import Progress, ignore
from melon.store import (
    SCHEMA_VERSION,
    Collection,
    MadeName,
    Preset,
    ReleaseIsComplete,
    ReleaseManifest,
    VectorStore,
    drop_older,
    preset_for,
)

LAYOUT = 5
"""Raise it when a space is laid out or indexed in another way, which makes another release."""

KEEP = 2
"""Complete releases that stay: the live one and the one before it, for rollback."""


class Outcome(StrEnum):
    """What an ingest did."""

    BUILT = "built"
    PROMOTED = "promoted"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class IngestResult:
    """The release that is live now, how it came to be, what was removed, and the points sent."""

    manifest: ReleaseManifest
    outcome: Outcome
    dropped: tuple[str, ...] = ()
    sent: int = 0


def ingest(
    space: EmbeddingSpace,
    store: VectorStore,
    *,
    weights: SparseWeights | None = None,
    preset: Preset | None = None,
    before: EmbeddingSpace | None = None,
    rebuild: bool = False,
    progress: Progress = ignore,
) -> IngestResult:
    """Make `space` the live release of `store`, and keep the previous one for rollback.

    The release's name is a hash of the space and of what the collections are made with, so the
    same space again changes nothing (but mends aliases that name something else), and an
    interrupted ingest can simply be run again: readers see the old release until the new one is
    complete. Where that release is there but damaged, another is built beside it, with a number
    after its name.

    Args:
        weights: exponents of the sparse vectors.
        preset: how the collections are indexed; chosen by the number of songs if it is None.
        before: the space that was updated. Weights and preset that are None are as somebody chose
            them for the live release; and where that is of this space, and has a graph, the new one
            takes over what has not changed, with its graph. Not on a cluster.
        rebuild: whether to build another release even where one of this space seems to be whole.
        progress: told how many points each step has done: `layout`, `upload`, `index songs` and so
            on, `check`.

    Raises:
        StoreUnavailable, StoreBusy: the store does not answer, or cannot be written to.
        IndexingFailed, CheckFailed: the engine does not hold what was sent. Nothing is promoted.
    """
    infos = store.releases()
    live = next((info.manifest for info in infos if info.live and before), None)
    if live:
        weights = weights or _weights_of(live)
        preset = preset or _chosen_preset(live)
    weights = weights or SparseWeights()
    preset = preset or _preset_for(space)
    name = _name(space, weights, preset)
    made = [info for info in infos if name.is_same_recipe(info.manifest.release)]
    for info in sorted(made, key=lambda info: not info.live):
        if not rebuild and is_whole(store, info.manifest):
            if info.live and not store.astray():
                return IngestResult(info.manifest, Outcome.UNCHANGED, drop_older(store, KEEP))
            dropped = _promote(store, info.manifest.release)
            return IngestResult(info.manifest, Outcome.PROMOTED, dropped)
    damaged = {info.manifest.release for info in made}

    known = sum(space.counts.values())  # all points but the bigrams
    progress("layout", 0, known)
    laid_out = contents(space, weights)
    progress("layout", known, known)
    counts = {collection: len(part) for collection, part in laid_out.items()}
    follows = _followed(store, live, before, space, laid_out) if live and before else None
    while True:
        release = str(name.free(taken=damaged))
        manifest = manifest_of(release, space, weights, preset, counts)
        try:
            sent = build_release(store, manifest, laid_out, progress, follows=follows)
            break
        except ReleaseIsComplete:  # and was not listed, for its manifest cannot be read
            damaged.add(release)
    return IngestResult(manifest, Outcome.BUILT, _promote(store, release), sent)


def release_name(
    space: EmbeddingSpace, weights: SparseWeights, preset: Preset | None = None
) -> str:
    """Name of the release that these make: `r`, or `g` where it has a graph, and 12 hex digits."""
    return str(_name(space, weights, preset or _preset_for(space)))


def _name(space: EmbeddingSpace, weights: SparseWeights, preset: Preset) -> MadeName:
    parts = [space.hash, SCHEMA_VERSION, LAYOUT, weights.model_dump(), preset]
    return MadeName.of(json.dumps(parts, sort_keys=True), graph=preset.has_graph)


def _preset_for(space: EmbeddingSpace) -> Preset:
    return preset_for(max(len(space.song_ids), len(space.playlist_ids)), space.dim)


def _followed(
    store: VectorStore,
    live: ReleaseManifest,
    before: EmbeddingSpace,
    space: EmbeddingSpace,
    laid_out: Mapping[Collection, Contents],
) -> Followed | None:
    """The live release, if it holds the space that was updated as it would be laid out now.

    Its payloads follow from the tables alone where genres have the same names.
    """
    weights = _weights_of(live)
    same = (
        live.melon_version == version("melon")
        and _name(before, weights, live.preset).is_same_recipe(live.release)
        and before.genres == space.genres
        and before.fields == space.fields
    )
    if not same or not is_whole(store, live):
        return None

    def deltas() -> Mapping[Collection, Delta]:
        was = contents(before, weights)
        return {collection: delta(was[collection], part) for collection, part in laid_out.items()}

    return Followed(live.release, deltas)


def _weights_of(manifest: ReleaseManifest) -> SparseWeights:
    known = SparseWeights.model_fields.keys() & manifest.weights.keys()
    return SparseWeights(**{name: manifest.weights[name] for name in known})


def _chosen_preset(manifest: ReleaseManifest) -> Preset | None:
    """The preset of a release, if its size would not have chosen that."""
    points = max(manifest.counts.get(part, 0) for part in (Collection.SONGS, Collection.PLAYLISTS))
    return None if manifest.preset is preset_for(points, manifest.dim) else manifest.preset


def manifest_of(
    release: str,
    space: EmbeddingSpace,
    weights: SparseWeights,
    preset: Preset,
    counts: dict[Collection, int],
) -> ReleaseManifest:
    """What a release of a space says about itself.

    Args:
        release: its name.
        weights: exponents of the sparse vectors.
        preset: how it is indexed.
        counts: the points of each collection.
    """
    return ReleaseManifest(
        release=release,
        melon_version=version("melon"),
        created=datetime.now(UTC),
        space=space.hash,
        dim=space.dim,
        counts=counts,
        training=dict(space.settings),
        weights=weights.model_dump(),
        preset=preset,
        fields=tuple(map(OwnField.of, space.fields)),
        genres=genre_names(space),
        title_tokenizer=space.title.to_bytes(),
        ranking=space.ranking,
    )


def genre_names(space: EmbeddingSpace) -> dict[str, str]:
    """The genres that songs have, by code; one without a name goes by its code."""
    codes = {
        code
        for field in ("genres", "detail_genres")
        for code in pc.unique(pc.list_flatten(space.songs[field])).to_pylist()
    }
    named = space.genres
    return {code: named[code].name if code in named else code for code in sorted(codes)}


def _promote(store: VectorStore, release: str) -> tuple[str, ...]:
    store.promote(release)
    return drop_older(store, KEEP)
