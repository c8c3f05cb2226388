"""The four aliases of a server, by which applications read the live release."""

from __future__ import annotations

from qdrant_client import models

from melon.errors import MelonError
from melon.store.errors import LIST_HINT, StoreUnavailable
from melon.store.manifest import is_release_name
from melon.store.schema import Collection
from melon.store.server.connection import ServerConnection
from melon.store.server.errors import name_taken


class Aliases:
    """`<prefix>_songs` and the three others: reads which collections they name, and moves them.

    Qdrant applies the actions of a request one after the other. If one fails, those before it
    stay applied.
    """

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._names = [connection.name(collection) for collection in Collection]

    def live(self) -> str | None:
        """The release that the alias of the songs names.

        Raises:
            NameTaken: it names a collection that does not belong to a release.
        """
        return self._live(self._targets())

    def astray(self) -> dict[str, str | None]:
        """Aliases that do not name the live release, with the collections that they do name."""
        targets = self._targets()
        live = self._live(targets)
        wanted = self._targets_of(live) if live is not None else {}
        return {
            alias: targets.get(alias)
            for alias in self._names
            if targets.get(alias) != wanted.get(alias)
        }

    def check_names(self) -> None:
        """Refuse a prefix whose aliases name collections that do not belong to a release.

        Raises:
            NameTaken: names one of them.
        """
        self._check(self._targets())

    def move(self, release: str) -> None:
        """Make all four name the collections of `release`, in one request.

        Raises:
            NameTaken: melon did not make one of them; none was moved.
            MelonError: the request failed; they name what they named before.
            StoreUnavailable: the request failed, and so did moving them back.
        """
        before = self._targets()
        self._check(before)
        wanted = self._targets_of(release)
        try:
            self._point(wanted)
        except MelonError as error:
            if self._are(wanted):
                return  # only the answer was lost
            if self._restore(before):
                raise
            raise StoreUnavailable(
                f"the aliases could not be moved, nor moved back: {error.what}",
                where=self._connection.location,
                hint=f"{LIST_HINT}: promote one of them",
            ) from error

    def _restore(self, before: dict[str, str]) -> bool:
        """Move them back, and return whether they name again what they named before."""
        together = {alias: before.get(alias) for alias in self._names}
        # All at once, else one by one: one that cannot be moved must not stop the others.
        for part in (together, *({alias: target} for alias, target in together.items())):
            try:
                self._point(part)
            except StoreUnavailable:
                break  # nor will it answer the next one
            except MelonError:
                continue
            if self._are(before):
                return True
        return self._are(before)

    def _live(self, targets: dict[str, str]) -> str | None:
        alias = self._connection.name(Collection.SONGS)
        target = targets.get(alias)
        return None if target is None else self._release(alias, target)

    def _check(self, targets: dict[str, str]) -> None:
        for alias, target in targets.items():
            self._release(alias, target)

    def _release(self, alias: str, target: str) -> str:
        release = target.removeprefix(f"{alias}__")
        if release == target or not is_release_name(release):
            what = f"{alias} is an alias of the collection {target}"
            raise name_taken(what, self._connection.location)
        return release

    def _targets_of(self, release: str) -> dict[str, str]:
        """The collections that they name if `release` is live."""
        names = self._connection.name
        return {names(collection): names(collection, release) for collection in Collection}

    def _targets(self) -> dict[str, str]:
        """The collections that they name now; an alias that is not there is left out."""
        with self._connection.rest() as client:
            known = client.get_aliases().aliases
        return {
            alias.alias_name: alias.collection_name
            for alias in known
            if alias.alias_name in self._names
        }

    def _are(self, targets: dict[str, str]) -> bool:
        try:
            return self._targets() == targets
        except MelonError:
            return False

    def _point(self, targets: dict[str, str] | dict[str, str | None]) -> None:
        actions: list[models.AliasOperations] = []
        for alias, target in targets.items():
            old = models.DeleteAlias(alias_name=alias)
            actions.append(models.DeleteAliasOperation(delete_alias=old))
            if target is not None:
                new = models.CreateAlias(alias_name=alias, collection_name=target)
                actions.append(models.CreateAliasOperation(create_alias=new))
        with self._connection.rest() as client:
            client.update_collection_aliases(actions)
