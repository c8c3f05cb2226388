"""The service on each engine, asked without a network."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from service_samples import service_of

from melon.store import VectorStore


@pytest.fixture(scope="session")
def service(demo_store: VectorStore) -> TestClient:
    """The demo release over HTTP."""
    return service_of(demo_store)


@pytest.fixture(scope="session")
def keyed_service(keyed_store: VectorStore) -> TestClient:
    """The demo release with keys and own fields over HTTP."""
    return service_of(keyed_store)
