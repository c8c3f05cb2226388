"""`melon query --export`: an answer as a playlist in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from melon.commands.console import note

if TYPE_CHECKING:
    from pathlib import Path

    from melon.retrieval import Recommendation


def write_playlist(answer: Recommendation, path: Path, title: str | None) -> None:
    """Write the recommended songs as a playlist, titled like the query or else like the file."""
    from melon.errors import counted
    from melon.outputs import write_file
    from melon.retrieval import playlist_file

    text = playlist_file(answer, path.suffix.lower()[1:], name=path.stem, title=title)
    write_file(path, text)
    note(f"{counted(len(answer.songs), 'song')} written: {path}")
