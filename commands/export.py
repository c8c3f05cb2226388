"""`melon query --export`: an answer as a playlist in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from melon.commands.console import note

if TYPE_CHECKING:
    from pathlib import Path

    from melon.retrieval import Recommendation


def write_playlist(answer: Recommendation, path: Path, title: str | None) -> None:
    """Write the recommended songs as a playlist, titled like the query or else like the file."""
    from melon.errors import UnwritableFile, counted
    from melon.files import write_atomically
    from melon.outputs import make_directory
    from melon.retrieval import playlist_file

    text = playlist_file(answer, path.suffix.lower()[1:], name=path.stem, title=title)
    make_directory(path.parent)
    try:
        write_atomically(path, text)
    except OSError as error:
        raise UnwritableFile.from_os_error(path, error) from error
    note(f"{counted(len(answer.songs), 'song')} written: {path}")
