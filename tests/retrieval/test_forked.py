"""A server that forks its workers opens the store, and makes the Retriever, in each of them."""

from __future__ import annotations

import os
import subprocess
import sys

from places import Place

FORK = """
import os, signal, sys, warnings
from melon.retrieval import PlaylistQuery, Retriever
from melon.settings import load_settings
from melon.store import ForkedStore, open_store

option, value = sys.argv[1:]
warnings.simplefilter("ignore", DeprecationWarning)  # of a fork where there are threads

def opened():
    return open_store(load_settings(), **{option.removeprefix("--"): value})

def answer(retriever):
    found = retriever.recommend(PlaylistQuery(title="rainy day"), limit=5)
    return [song.id for song in found.songs]

with opened() as store:
    retriever = Retriever(store)
    expected = answer(retriever)
    assert expected
    if not (child := os.fork()):
        signal.alarm(60)  # ends what waits for ever
        try:
            answer(retriever)
        except ForkedStore as error:
            assert "after the fork" in str(error)
        else:
            raise AssertionError("it answered")
        with opened() as own:
            assert answer(Retriever(own)) == expected
    else:
        _, status = os.waitpid(child, 0)
        assert status == 0, status
        assert answer(retriever) == expected
"""


def test_a_forked_process_answers_from_a_store_of_its_own(demo_place: Place) -> None:
    command = [sys.executable, "-c", FORK, *demo_place.options]
    environment = os.environ | demo_place.environment
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
