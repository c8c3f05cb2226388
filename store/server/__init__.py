"""A store on a Qdrant server, or on a cluster of them."""

from melon.store.server.store import ServerStore

__all__ = ["ServerStore"]
