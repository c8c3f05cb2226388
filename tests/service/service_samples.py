"""Services to ask in tests."""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient
from starlette.types import ASGIApp

from melon.retrieval import RetrievalSettings
from melon.service.app import create_app
from melon.service.asking import Limits
from melon.service.source import Source
from melon.store import VectorStore

LOCAL = "http://localhost"


def app_of(
    store: VectorStore,
    *,
    key: str | None = None,
    limits: Limits | None = None,
    home: Path | None = None,
) -> ASGIApp:
    """The application of a store, which stays open."""
    source = Source(store, RetrievalSettings.default(), None)
    return create_app(source, key=key, limits=limits, home=home)


def service_of(
    store: VectorStore,
    *,
    key: str | None = None,
    limits: Limits | None = None,
    home: Path | None = None,
) -> TestClient:
    """The same, asked without a network."""
    return TestClient(app_of(store, key=key, limits=limits, home=home), base_url=LOCAL)
