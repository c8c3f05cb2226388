"""Pages of a service in Chromium, for tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from faults import Faults
from places import EMBEDDED
from playwright.sync_api import Browser, Locator, Page, Route, expect

from melon.retrieval import RetrievalSettings
from melon.service import listen
from melon.service.app import create_app
from melon.service.source import Source
from melon.store import VectorStore

on_one_engine = pytest.mark.parametrize("keyed_place", [EMBEDDED], indirect=True)
"""For what no engine decides: how the page looks, and what it does without the service."""

expect.set_options(timeout=60_000)  # the machine may have much else to do


@contextmanager
def running(store: VectorStore, *, key: str | None = None) -> Iterator[str]:
    """The URL of a service of a store, which stays open."""
    app = create_app(Source(store, RetrievalSettings.default(), None), key=key)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    there = listen("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [there]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{there.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(30)
        there.close()


@dataclass(frozen=True)
class Site:
    """A service, and a page of it that tests share one after the other."""

    url: str
    page: Page
    faults: Faults

    def open(self, search: str = "") -> Page:
        """The page of a query, with its answer."""
        self.page.goto(self.url + search)
        self.answered()
        return self.page

    def answered(self) -> None:
        """Wait until the page shows the answer to what its URL says."""
        expect(self.page.locator("body")).to_have_attribute("data-shows", self.search)

    @property
    def search(self) -> str:
        """The query in the URL."""
        _, mark, search = self.page.url.partition("?")
        return mark + search

    def chips(self, heading: str) -> list[str]:
        """The chips below a heading."""
        chips = self.page.get_by_role("list", name=heading, exact=True)
        return chips.locator(".name").all_inner_texts()

    def options(self, **of: Any) -> Locator:
        """The suggestions."""
        return self.page.get_by_role("listbox").get_by_role("option", **of)

    def songs(self) -> Locator:
        """The songs of the answer, or of both."""
        return self.page.get_by_role("list", name="Songs").locator("> li")

    @contextmanager
    def altered(self, path: str, alter: Any) -> Iterator[None]:
        """Requests to a path of the API are handed to `alter`."""

        def handle(route: Route) -> None:
            alter(route)

        pattern = f"**/api/v1/{path}*"  # all of it, without a path
        self.page.route(pattern, handle)
        try:
            yield
        finally:
            self.page.unroute(pattern)

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Chromium reports answers other than 200 on its console: here they are meant."""
        before = len(self.faults.seen)
        yield
        new = self.faults.seen[before:]
        assert all("Failed to load resource" in fault for fault in new), new
        del self.faults.seen[before:]


@contextmanager
def new_site(browser: Browser, url: str) -> Iterator[Site]:
    """A page of its own, of which only refusals are seen on the console."""
    with browser.new_context() as context:
        site = Site(url, context.new_page(), Faults(context))
        with site.refusals():
            yield site
        assert not site.faults.seen


def against_wcag(page: Page) -> list[str]:
    """What axe-core finds that WCAG 2.2 AA does not allow, and what it calls good practice."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]
