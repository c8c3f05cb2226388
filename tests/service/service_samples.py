"""Services to ask in tests."""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient

from melon.retrieval import RetrievalSettings
from melon.service.app import create_app
from melon.service.asking import Limits
from melon.service.source import Source
from melon.store import VectorStore

LOCAL = "http://localhost"


def service_of(
    store: VectorStore,
    *,
    key: str | None = None,
    limits: Limits | None = None,
    home: Path | None = None,
) -> TestClient:
    """A service of a store, which stays open, asked without a network."""
    source = Source(store, RetrievalSettings.default(), None)
    return TestClient(create_app(source, key=key, limits=limits, home=home), base_url=LOCAL)
