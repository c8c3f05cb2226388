"""Fills and indexes the shards of one release, in this process or in one of its own.

Edge maps files that have holes, and a disk that is full when it writes into one ends its process by
SIGBUS, without a word. Such an end is told as an error where that process is another one.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol

import qdrant_edge as edge

from melon.errors import MelonError
from melon.fields import Field
from melon.progress import Progress
from melon.store.embedded.errors import FULL_HINT, edge_errors
from melon.store.embedded.shards import (
    build_indexes,
    close_shard,
    create_shard,
    open_in_place,
    open_shard,
)
from melon.store.embedded.translate import to_points
from melon.store.errors import IndexingFailed, RequestRefused, StoreUnavailable
from melon.store.points import PointBatch, PointId
from melon.store.presets import INDEX_SETTINGS, Preset
from melon.store.schema import SCHEMA, Collection

Fields = Mapping[Collection, Sequence[Field]]

WRITTEN = "the release cannot be written"
POLL_SECONDS = 0.2
STDERR_BYTES = 4096


class ShardWriter(Protocol):
    """Makes four shards, or opens those that are there, fills them, indexes them, closes them."""

    def upsert(self, collection: Collection, batch: PointBatch) -> None:
        """Add a batch to the collection's shard."""

    def remove(self, collection: Collection, ids: Sequence[PointId]) -> None:
        """Remove points from the collection's shard."""

    def finish(self, fields: Fields, sent: Mapping[Collection, int], progress: Progress) -> None:
        """Flush, build the indexes of these fields, and close the shards."""

    def close(self) -> None:
        """Give up, where nothing more can perhaps be written."""


class WriterHere:
    """In this process: for releases that are built at once, where there is room.

    Raises:
        StoreUnavailable: the directory cannot be written.
    """

    def __init__(self, directory: Path, dim: int, preset: Preset, *, begun: bool = False) -> None:
        self._directory = directory
        self._shards: dict[Collection, edge.EdgeShard] = {}
        self._in_order = not preset.has_graph
        try:
            for collection in Collection:
                path = directory / collection
                self._shards[collection] = (
                    open_in_place(path)
                    if begun
                    else create_shard(path, collection, dim, INDEX_SETTINGS[preset])
                )
        except BaseException:
            self.close()
            raise

    def upsert(self, collection: Collection, batch: PointBatch) -> None:
        """Add a batch to the collection's shard.

        Edge puts the points of one update in an order of chance, by which hits that tie are
        ordered ever after, and cut. One by one, which takes 50 µs more for each, they are in the
        same order in every build. Where there is a graph, which differs too, it is not worth it.
        """
        points = to_points(batch, SCHEMA[collection].sparse)
        updates = [[point] for point in points] if self._in_order else [points]
        with edge_errors(RequestRefused, self._directory, what=WRITTEN):
            for update in updates:
                self._shards[collection].update(edge.UpdateOperation.upsert_points(update))

    def remove(self, collection: Collection, ids: Sequence[PointId]) -> None:
        """Remove points from the collection's shard."""
        with edge_errors(RequestRefused, self._directory, what=WRITTEN):
            self._shards[collection].update(edge.UpdateOperation.delete_points(list(ids)))

    def finish(self, fields: Fields, sent: Mapping[Collection, int], progress: Progress) -> None:
        """Flush, then index one collection after the other."""
        with edge_errors(IndexingFailed, self._directory, what=WRITTEN):
            for shard in self._shards.values():
                shard.flush()
                shard.close()
        self._shards.clear()
        for collection in Collection:
            progress(f"index {collection}", 0, sent[collection])
            build_indexes(self._directory / collection, fields[collection])
            progress(f"index {collection}", sent[collection], sent[collection])

    def close(self) -> None:
        """Close the shards, whatever comes of it."""
        while self._shards:
            close_shard(self._shards.popitem()[1])


class WriterApart:
    """In a process of its own, which ends with this one.

    Edge's calls block a process until they end: this one can show progress meanwhile, be
    interrupted, and lay the next points out. What is sent is pickled, for it goes from a process to
    its child alone.

    Raises:
        StoreUnavailable: the process cannot be started.
    """

    def __init__(self, directory: Path, dim: int, preset: Preset, *, begun: bool = False) -> None:
        self._directory = directory
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._said = b""
        # -P: else the child would import what lies in the directory where the command is run.
        command = [sys.executable, "-P", "-m", "melon.store.embedded.writing", str(os.getpid())]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is ours to handle
            )
        except OSError as error:
            raise StoreUnavailable(
                f"{WRITTEN}: no process can be started: {error}", where=str(directory)
            ) from error
        self._listeners = [
            threading.Thread(target=listen, name="melon-writer", daemon=True)
            for listen in (self._listen, self._listen_to_stderr)
        ]
        for listener in self._listeners:
            listener.start()
        try:
            self._send("create", directory, dim, preset, begun)
            self._wait()
        except BaseException:
            self.close()
            raise

    def upsert(self, collection: Collection, batch: PointBatch) -> None:
        """Send a batch; a pipe that is full waits for the process."""
        self._send("upsert", collection, batch)

    def remove(self, collection: Collection, ids: Sequence[PointId]) -> None:
        """Send which points go."""
        self._send("remove", collection, list(ids))

    def finish(self, fields: Fields, sent: Mapping[Collection, int], progress: Progress) -> None:
        """Have the rest done, and wait for it."""
        self._send("finish", fields, sent)
        told = self._wait()
        while told is not None:
            progress(*told)
            told = self._wait(partial(progress, *told))
        self.close()

    def close(self) -> None:
        """End the process, if it has not ended."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for listener in self._listeners:
            listener.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with suppress(OSError):  # what is left to be written there nobody reads
                _there(pipe).close()

    def _send(self, *message: object) -> None:
        pipe = _there(self._process.stdin)
        try:
            pickle.dump(message, pipe, pickle.HIGHEST_PROTOCOL)
            pipe.flush()
        except OSError:  # it has ended, and perhaps said why
            self._wait()
            raise self._ended() from None

    def _wait(self, meanwhile: Callable[[], object] = lambda: None) -> Any:
        """The next answer; raises the error that it is, or that there is none."""
        while True:
            try:
                kind, answer = self._answers.get(timeout=POLL_SECONDS)
            except queue.Empty:
                meanwhile()
                continue
            if kind == "error":
                raise answer
            if kind == "ended":
                raise self._ended()
            return answer

    def _listen(self) -> None:
        pipe = _there(self._process.stdout)
        with suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                self._answers.put(pickle.load(pipe))
        self._answers.put(("ended", None))

    def _listen_to_stderr(self) -> None:
        for line in _there(self._process.stderr):
            self._said = (self._said + line)[-STDERR_BYTES:]

    def _ended(self) -> MelonError:
        """The error for a process that ended without an answer."""
        code = self._process.wait()
        self._listeners[1].join()
        said = self._said.decode(errors="replace").strip().splitlines()[-1:]
        reason = said[0] if said else f"exit code {code}"
        hint = None
        if code < 0:
            reason = f"the process that builds it was ended by {signal.Signals(-code).name}"
            if -code == signal.SIGBUS:
                reason, hint = f"the disk is full: {reason}", FULL_HINT
        return StoreUnavailable(f"{WRITTEN}: {reason}", where=str(self._directory), hint=hint)


def serve(messages: IO[bytes], answers: IO[bytes]) -> None:
    """Do what a `WriterApart` sends, until it is done or fails."""

    def answer(kind: str, value: object = None) -> None:
        pickle.dump((kind, value), answers)
        answers.flush()

    try:
        _, directory, dim, preset, begun = pickle.load(messages)
        writer = WriterHere(directory, dim, preset, begun=begun)
        answer("made")
        while (message := pickle.load(messages))[0] != "finish":
            change = writer.upsert if message[0] == "upsert" else writer.remove
            change(*message[1:])
        _, fields, sent = message
        writer.finish(fields, sent, lambda *told: answer("told", told))
        for collection in Collection:  # what is written at the first opening is written here
            close_shard(open_shard(directory / collection))
        answer("done")
    except MelonError as error:
        answer("error", error)


def _there(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the process was started without pipes")
    return pipe
