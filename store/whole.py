"""Whether a release is all there: four collections, with as many points as its manifest says."""

from __future__ import annotations

from melon.store.errors import DamagedRelease, NoRelease
from melon.store.protocol import ReleaseReader
from melon.store.schema import Collection


def check_whole(reader: ReleaseReader) -> None:
    """Refuse a release of which something is missing.

    Raises:
        DamagedRelease: says what is missing, and what to do.
    """
    manifest = reader.manifest
    wrong: list[str] = []
    for collection in Collection:
        try:
            held = reader.count(collection)
        except (NoRelease, DamagedRelease):
            wrong.append(f"its collection of {collection} is missing or damaged")
            continue
        expected = manifest.counts.get(collection, held)
        if held != expected:
            wrong.append(f"its collection of {collection} holds {held} points of {expected}")
    if wrong:
        raise DamagedRelease(
            "; ".join(wrong),
            where=f"release {manifest.release}",
            hint=f"`melon ingest` of its space builds it anew; `melon releases drop"
            f" {manifest.release}` removes what is left of it",
        )
