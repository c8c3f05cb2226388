"""Questions and answers that name songs and playlists by keys: which ids a release has for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path

from melon.catalog import CorpusFiles, Names, integer_of, names_in
from melon.fields import MAX_ID
from melon.retrieval import ids_of
from melon.store import Collection, ReleaseReader


class StoreKeys:
    """The ids that strings in questions and answers stand for: `Keys` for `read_questions`.

    A string is a key, or else an id in digits. What the release does not know gets an id that it
    does not have, the same in all of the files, and in others that name the same.

    Args:
        opened: gives the release; called when the first string is met, and else never.
        paths: the files, which are then read once more.
        mixed_only: call it only where files name songs by ids as well; else their ids are such as
            only these files know.
    """

    def __init__(
        self,
        opened: Callable[[], ReleaseReader],
        paths: Sequence[Path],
        *,
        mixed_only: bool = False,
    ) -> None:
        self._opened = opened
        self._paths = tuple(paths)
        self._mixed_only = mixed_only

    def song(self, key: str) -> int:
        """The id of a song."""
        return self._ids[Collection.SONGS][key]

    def playlist(self, key: str) -> int:
        """The id of a playlist."""
        return self._ids[Collection.PLAYLISTS][key]

    @cached_property
    def _ids(self) -> Mapping[Collection, Mapping[str, int]]:
        songs, playlists = names_in(CorpusFiles(self._paths))
        reader = self._opened() if songs.ids or not self._mixed_only else None
        return {
            Collection.SONGS: _ids(reader, Collection.SONGS, songs),
            Collection.PLAYLISTS: _ids(reader, Collection.PLAYLISTS, playlists),
        }


def _ids(reader: ReleaseReader | None, collection: Collection, names: Names) -> Mapping[str, int]:
    stored = ids_of(reader, collection, names.strings) if reader else {}
    known = stored | names.keyed
    for key in names.strings:
        if (number := integer_of(key)) is not None:
            known.setdefault(key, number)
    unknown = sorted((key for key in names.strings if key not in known), reverse=True)
    taken = names.ids.union(known.values())
    free = (number for number in range(MAX_ID, -1, -1) if number not in taken)
    while unknown:
        candidates = list(islice(free, len(unknown)))
        points = reader.retrieve(collection, candidates, payload=False) if reader else []
        held = {point.id for point in points}
        for number in candidates:
            if number not in held:
                known[unknown.pop()] = number
    return known
