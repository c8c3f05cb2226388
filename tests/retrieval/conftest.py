"""A retriever on each engine, and the catalogue that its answers are checked against."""

from __future__ import annotations

from pathlib import Path

import pytest
from demo_catalogue import Catalogue

from melon.demo import DemoTruth
from melon.retrieval import Retriever
from melon.store import VectorStore


@pytest.fixture(scope="session")
def retriever(demo_store: VectorStore) -> Retriever:
    return Retriever(demo_store)


@pytest.fixture(scope="session")
def catalogue(demo_corpus: tuple[Path, DemoTruth]) -> Catalogue:
    return Catalogue.read(demo_corpus[0])
