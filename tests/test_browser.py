"""The browser of the tests: what it shows is real, and what a page does wrong is seen."""

from __future__ import annotations

from faults import Faults, is_foreign
from playwright.sync_api import Browser, Page


def test_a_page_shows_html_and_runs_scripts(page: Page) -> None:
    page.set_content("<p>비 오는 날</p><script>document.title = 1 + 1</script>")
    assert page.inner_text("p") == "비 오는 날"
    assert page.title() == "2"


def test_errors_and_foreign_requests_are_faults(browser: Browser) -> None:
    with browser.new_context(offline=True) as context:
        faults = Faults(context)
        context.new_page().set_content(
            "<script>console.error('said')</script><script>throw Error('thrown')</script>"
            "<img src='http://melon.invalid/a.png'>"
        )
    for text in ("said", "thrown", "melon.invalid/a.png"):
        assert any(text in fault for fault in faults.seen)


def test_only_other_hosts_are_foreign() -> None:
    for url in ("http://127.0.0.1:8000/", "http://[::1]/", "file:///a.html", "data:text/html,a"):
        assert not is_foreign(url)
    for url in ("https://cdn.example/a.js", "wss://example.org/"):
        assert is_foreign(url)
