"""The service on each engine, asked without a network."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from faults import Faults
from page_samples import Site, running
from playwright.sync_api import Browser
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


@pytest.fixture(scope="module")
def shared_site(browser: Browser, keyed_store: VectorStore) -> Iterator[Site]:
    """The page of a service, which the tests of a module use one after the other."""
    with running(keyed_store) as url, browser.new_context(base_url=url) as context:
        context.set_default_timeout(15_000)
        faults = Faults(context)
        yield Site(url, context.new_page(), faults)


@pytest.fixture
def site(shared_site: Site) -> Iterator[Site]:
    """The page at work; the test fails if it reports an error or asks another host for anything."""
    yield shared_site
    seen = shared_site.faults.seen.copy()
    shared_site.faults.seen.clear()
    assert not seen
