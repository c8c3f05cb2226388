"""What an import read, and what it left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from melon.errors import counted


@dataclass
class ImportReport:
    """What was read, what was left out of it, and how much is known of what came in."""

    rows: int = 0
    entries: int = 0
    playlists: int = 0
    songs: int = 0
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many of what (`row`) are in which way (`without a track`) worth a look."""
    examples: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    shares: dict[str, float] = field(default_factory=dict)
    """Of playlists or songs, of which something is known."""

    def count(self, noun: str, how: str, number: int, example: str = "") -> None:
        """Count something that is worth a line, if there is any."""
        if number:
            self.counts[noun, how] += number
            if example:
                self.examples.setdefault((noun, how), example)

    def counted(self) -> list[str]:
        """What is worth a line, each with its number and maybe an example."""
        lines = []
        for (noun, how), number in self.counts.items():
            many = "entries" if noun == "entry" else None
            example = self.examples.get((noun, how))
            such = f", such as {example}" if example else ""
            lines.append(f"{counted(number, noun, many)} {how}{such}")
        return lines

    def lines(self) -> list[str]:
        """For people."""
        lines = [
            f"{counted(self.rows, 'row')}: {counted(self.entries, 'entry', 'entries')}, "
            f"{counted(self.playlists, 'playlist')}, {counted(self.songs, 'song')}"
        ]
        lines += [f"  {line}" for line in self.counted()]
        lines += [f"  {note}" for note in self.notes]
        lines.append(", ".join(f"{what} {share:.0%}" for what, share in self.shares.items()))
        return lines

    def __str__(self) -> str:
        return "\n".join(self.lines())
