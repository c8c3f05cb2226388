"""A ranking is learned from a catalogue's own playlists."""

from melon.learning.memory import MemoryReader

__all__ = ["MemoryReader"]
