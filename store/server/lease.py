"""One build at a time on a server, and one change of what is live at a time.

A process that works puts a mark into the registry and renews it. If a mark was not renewed for
`DEAD_AFTER`, or its process ran where this one does and has ended, then the process was killed, and
the next one removes the mark. One that cannot be right is left for `melon releases unlock`.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

from melon.errors import MelonError
from melon.store.errors import StoreBusy
from melon.store.protocol import Unlocked
from melon.store.server.marks import DEAD_AFTER, Mark, Work, hold, let_go
from melon.store.server.registry import Registry

RENEW_SECONDS = 10.0

TIE_SECONDS, TIE_POLL_SECONDS = 30.0, 0.02
"""Of processes that start at the same time, one waits so long for the others to step back."""

SWITCH_SECONDS = 30.0
"""How long to wait for another process that promotes or drops: it takes a fraction of a second."""


@contextmanager
def switching(registry: Registry, release: str) -> Iterator[None]:
    """Hold the right to promote or drop a release; waits for other processes that do so.

    Raises:
        StoreBusy: they take too long.
    """
    until = time.monotonic() + SWITCH_SECONDS
    while True:
        try:
            lease = Lease(registry, release, Work.SWITCH)
            break
        except StoreBusy:
            if time.monotonic() > until:
                raise
        time.sleep(random.uniform(0.01, 0.1))  # by chance, or two would meet again and again
    try:
        yield
    finally:
        lease.end()


class Lease:
    """The right to do one kind of work, from the moment this is made until `end`.

    Raises:
        StoreBusy: another process is doing it.
    """

    def __init__(self, registry: Registry, release: str, work: Work = Work.BUILD) -> None:
        self._registry = registry
        self._release = release
        self._work = work
        self._id = str(uuid4())
        self._waiting = True
        self._ended = threading.Event()
        self._renewer = threading.Thread(target=self._keep, name="melon-lease", daemon=True)
        hold(self._id)
        try:
            self._take()
        except BaseException:
            let_go(self._id)
            with suppress(MelonError):
                registry.remove_mark(self._id)
            raise
        self._renewer.start()

    def is_valid(self) -> bool:
        """Whether the mark is still there: no other process took this one for dead."""
        return self._id in self._registry.marks()

    def check(self) -> None:
        """Make sure that the mark is still there.

        Raises:
            StoreBusy: another process took this one for dead.
        """
        if not self.is_valid():
            raise self._lost()

    def end(self) -> None:
        """Remove the mark, if the server answers: the work is done in any case.

        A mark that stays is not renewed. This process knows that it has ended, others on this host
        know it when the process ends, and those on other hosts after `DEAD_AFTER`.
        """
        self._ended.set()
        let_go(self._id)
        self._renewer.join()  # so that it does not renew what is removed next
        with suppress(MelonError):
            self._registry.remove_mark(self._id)

    def _take(self) -> None:
        """Put the mark first and look second: of two that start at once, neither misses the other.

        Of those that are still waiting, the one with the first id waits until the others have
        stepped back: one of them may have looked before this mark was there, and go on as well.
        """
        self._registry.put_mark(self._id, self._mark())
        until = time.monotonic() + TIE_SECONDS
        while others := self._others():
            before = {
                mark_id: mark
                for mark_id, mark in others.items()
                if mark_id < self._id or not mark.waiting
            }
            if before or time.monotonic() > until:
                raise self._busy(next(iter((before or others).values())))
            time.sleep(TIE_POLL_SECONDS)
        self._waiting = False
        if not self._renew():
            raise self._lost()

    def _others(self) -> dict[str, Mark]:
        """The marks of the same work by living processes; those of dead ones are removed.

        Raises:
            StoreBusy: one cannot be right, so that nobody knows whether somebody is at work.
        """
        others = {}
        for mark_id, payload in self._registry.marks().items():
            if mark_id == self._id:
                continue
            mark = Mark.parse(payload)
            if isinstance(mark, str):
                raise StoreBusy(
                    f"a mark of work under way cannot be right: {mark}",
                    where=f"{self._registry.location}, point {mark_id} of {self._registry.name}",
                    hint="if no melon is at work there, `melon releases unlock` removes it",
                )
            if mark.work != self._work:
                continue
            if mark.is_dead(mark_id):
                self._registry.remove_mark(mark_id)
            else:
                others[mark_id] = mark
        return others

    def _busy(self, mark: Mark) -> StoreBusy:
        return StoreBusy(
            str(mark),
            where=self._registry.location,
            hint="wait for the other `melon` to end; if it was killed on another"
            f" host, or in another container, try again in {DEAD_AFTER.seconds // 60} minutes, or"
            " `melon releases unlock --force`",
        )

    def _lost(self) -> StoreBusy:
        return StoreBusy(
            "this process was silent for so long that another took it for dead, or somebody removed"
            " its mark",
            where=self._registry.location,
            hint="run the command again",
        )

    def _keep(self) -> None:
        while not self._ended.wait(RENEW_SECONDS):
            with suppress(MelonError):  # it may answer the next time
                if not self._renew():
                    return  # whoever works with this lease will notice

    def _renew(self) -> bool:
        """Renew the mark; False if another process took this one for dead and removed it."""
        return self._registry.renew_mark(self._id, self._mark())

    def _mark(self) -> dict[str, Any]:
        now = Mark.now(self._release, self._work, waiting=self._waiting)
        return now.model_dump(mode="json")


def unlock(registry: Registry, *, force: bool) -> Unlocked:
    """Remove the marks that cannot be right, and those of processes that have ended.

    Args:
        force: remove those of processes that may be at work, too: these notice, and give up.
    """
    removed, kept = [], []
    for mark_id, payload in registry.marks().items():
        mark = Mark.parse(payload)
        if isinstance(mark, str):
            what = f"a mark that cannot be right ({mark})"
        elif mark.is_dead(mark_id):
            what = f"a mark of a process that has ended: {mark}"
        else:
            what = str(mark)
            if not force:
                kept.append(what)
                continue
        registry.remove_mark(mark_id)
        removed.append(what)
    return Unlocked(tuple(removed), tuple(kept))
