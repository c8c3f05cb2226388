"""A release whose payloads are other than an ingest would make them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from melon.embedding import EmbeddingSpace
from melon.ingest import SparseWeights, contents, manifest_of
from melon.ingest.build import in_turns
from melon.store import Collection, Payload, PointId, Preset, VectorStore

Change = Callable[[Collection, PointId, Payload], Payload]


def build(space: EmbeddingSpace, store: VectorStore, change: Change) -> None:
    """Make a release of the space live whose payloads are what `change` makes of them."""
    laid_out = contents(space, SparseWeights())
    counts = {collection: len(part) for collection, part in laid_out.items()}
    builder = store.build(manifest_of("odd", space, SparseWeights(), Preset.EXACT, counts))
    for collection, batch in in_turns(laid_out):
        points = zip(batch.ids, batch.payloads, strict=True)
        payloads = [change(collection, point, dict(payload)) for point, payload in points]
        builder.upsert(collection, replace(batch, payloads=payloads))
    builder.finish()
    builder.seal()
    store.promote("odd")
