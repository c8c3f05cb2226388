"""A store in a directory, by Qdrant Edge in this process."""

from melon.store.embedded.store import EmbeddedStore

__all__ = ["EmbeddedStore"]
