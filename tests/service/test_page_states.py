"""The page where there is nothing to show, something is wrong, or an answer takes its time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from page_samples import Site, against_wcag, new_site, on_one_engine, running
from playwright.sync_api import Browser, Route, expect

from melon.service.pages import PAGE
from melon.store import VectorStore


def test_an_empty_store_says_what_to_do(browser: Browser, store: VectorStore) -> None:
    with running(store) as url, new_site(browser, url) as site:
        site.page.goto(url)
        failure = site.page.get_by_role("alert")
        expect(failure).to_contain_text(re.compile("no store|no live release"))
        expect(failure.locator(".hint")).to_contain_text("melon ingest")
        expect(failure.get_by_role("button", name="Try again")).to_be_visible()


def test_what_is_wrong_is_said_and_can_be_put_right(site: Site) -> None:
    with site.refusals():
        site.page.goto(f"{site.url}?tags=rain&genres=Jaz")
        failure = site.page.get_by_role("alert")
        expect(failure).to_contain_text("there is no genre 'Jaz'")
        expect(failure).to_contain_text("did you mean Jazz?")
        expect(site.songs()).to_have_count(0)
    site.page.get_by_role("button", name="Remove genre Jaz").click()
    site.answered()
    expect(failure).to_be_empty()
    expect(site.songs()).to_have_count(20)


@on_one_engine
@pytest.mark.parametrize(
    ("search", "said"),
    [
        ("genres=", "a genre's name is empty"),
        ("limit=", "limit: "),
        ("exact=2", "exact: "),
        ("limit=5&limit=7", "limit: it takes one value, and 2 are given"),
        ("since=1990&since=2000&since=", "since: it takes one value, and 3 are given"),
        ("beside=strategy:vote&beside=strategy:mean", "beside: it takes one value, and 2"),
        ("beside=foo", "beside: 'foo' is neither a strategy nor a release"),
        ("beside=strategy:", "beside: 'strategy:' is neither"),
        ("beside=", "beside: '' is neither"),
        ("view=list", "view: there is no view 'list'"),
    ],
)
def test_what_the_url_says_is_never_left_out(site: Site, search: str, said: str) -> None:
    """Where a constraint is empty, an answer without it would be of a wider search."""
    with site.refusals():
        site.page.goto(f"{site.url}?tags=rain&{search}")
        expect(site.page.get_by_role("alert")).to_contain_text(said)


def test_what_is_given_twice_can_be_put_right(site: Site) -> None:
    with site.refusals():
        site.page.goto(f"{site.url}?playlist=1&playlist=2&limit=5&limit=7")
        failure = site.page.get_by_role("alert")
        expect(failure).to_contain_text("playlist: it takes one value, and 2 are given")
        site.page.get_by_role("button", name="Remove playlist").last.click()
        expect(failure).to_contain_text("limit: it takes one value, and 2 are given")
    site.page.get_by_text("How to answer").click()
    site.page.get_by_role("spinbutton", name="Songs").fill("3")
    site.page.get_by_role("spinbutton", name="Songs").press("Enter")
    site.answered()
    assert site.search == "?playlist=1&limit=3"
    expect(failure).to_be_empty()
    expect(site.songs()).to_have_count(3)


@on_one_engine
def test_ids_in_the_url_are_numbers_and_keys_are_texts(site: Site) -> None:
    with site.page.expect_request("**/api/v1/query") as asked:
        site.open("?songs=007&songs=8&songs=0")
    assert asked.value.post_data_json["songs"] == ["007", 8, 0]


@on_one_engine
def test_where_no_song_passes_it_is_said(site: Site) -> None:
    none = site.page.get_by_text("No songs: there are no others, or none passes the constraints.")
    site.open("?tags=rain&min_popularity=100000")
    expect(none).to_be_visible()
    site.open("?tags=rain&limit=0")
    expect(none).to_have_count(0)


@on_one_engine
def test_constraints_that_exclude_each_other_are_told_and_nothing_else(site: Site) -> None:
    page = site.open("?tags=rain&genres=Jazz&since=2005")
    page.get_by_text("Constraints", exact=False).first.click()
    expect(page.get_by_role("checkbox", name="Jazz")).to_be_checked()
    with site.refusals():
        page.get_by_label("To year").fill("1990")
        page.get_by_label("To year").press("Enter")
        expect(page.locator("#facets")).to_contain_text("No counts: no day is since 2005")
        expect(page.get_by_role("alert")).to_contain_text("no day is since 2005")


@on_one_engine
def test_an_older_answer_never_takes_the_place_of_a_newer_one(site: Site) -> None:
    page = site.open("?tags=party")
    held: list[Route] = []

    def hold(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    with site.altered("query", hold):
        tag = page.get_by_role("button", name="Add tag")
        tag.nth(0).click()
        expect(page.locator("#busy")).to_be_visible()
        expect(page.locator("#status")).to_have_text("Asking …")
        expect(page.locator("#results")).to_have_attribute("aria-busy", "true")
        with page.expect_event("requestfailed") as failed:
            tag.nth(1).click()
        assert failed.value.failure == "net::ERR_ABORTED"
        site.answered()
    expect(page.locator("#busy")).to_be_hidden()
    assert len(site.chips("Like")) == 3
    shown = site.songs().locator("h4").all_inner_texts()
    page.reload()
    site.answered()
    assert site.songs().locator("h4").all_inner_texts() == shown


@on_one_engine
def test_reasons_that_do_not_come_leave_the_answer(site: Site) -> None:
    def refuse(route: Route) -> None:
        if "explain" in (route.request.post_data or ""):
            route.fulfill(status=504, json={"error": {"what": "it took too long"}})
        else:
            route.continue_()

    with site.refusals(), site.altered("query", refuse):
        page = site.open("?tags=rain")
        expect(page.locator("#status")).to_contain_text("no reasons: it took too long")
        expect(site.songs()).to_have_count(20)


@on_one_engine
def test_a_service_that_was_away_is_asked_again(site: Site) -> None:
    with site.refusals():
        with site.altered("", lambda route: route.abort()):
            site.page.goto(f"{site.url}?tags=rain")
            expect(site.page.get_by_role("alert")).to_contain_text("the service does not answer")
        site.answered()
    expect(site.songs()).to_have_count(20)
    expect(site.page.get_by_role("alert")).to_be_empty()


@on_one_engine
def test_a_key_is_asked_for_and_kept(browser: Browser, keyed_store: VectorStore) -> None:
    with running(keyed_store, key="s3cret") as url, new_site(browser, url) as site:
        site.page.goto(f"{url}?tags=rain")
        expect(site.page.get_by_text("an API key is needed")).to_be_visible()
        for key in ("wrong", "s3cret"):
            site.page.get_by_label("Key", exact=True).fill(key)
            site.page.keyboard.press("Enter")
            if key == "wrong":
                expect(site.page.get_by_text("the API key is wrong")).to_be_visible()
        site.answered()
        expect(site.songs()).to_have_count(20)
        site.page.reload()
        site.answered()


def test_the_map_shows_the_query_and_its_answer(site: Site) -> None:
    page = site.open("?tags=rain&songs=5&limit=3")
    page.get_by_role("button", name="Map").click()
    marked = page.get_by_text("On the map:")
    expect(marked).to_have_text(
        "On the map: 3 of the 3 songs of the answer, in rings; 2 of 2 seeds, in thick rings."
    )
    canvas = page.locator("#canvas")
    box = canvas.bounding_box()
    assert box
    chosen = page.locator("#chosen")
    for step in range(1, 20):  # somewhere in the middle there is a point
        canvas.click(position={"x": box["width"] / 2, "y": box["height"] * step / 20})
        if chosen.inner_text():
            break
    expect(chosen).to_contain_text("nearest: ")
    assert against_wcag(page) == []
    page.get_by_label("Colour by").select_option("era")
    chosen.get_by_role("button", name="Take into the query").click()
    site.answered()
    assert len(site.chips("Like")) == 3
    expect(marked).to_contain_text("3 of 3 seeds")
    page.get_by_role("button", name="Map").click()
    site.answered()
    expect(canvas).to_be_hidden()


@on_one_engine
def test_the_page_is_small_and_asks_for_nothing_but_itself(site: Site) -> None:
    """What leaves the host is a fault of every test here; a script in the page would be, too."""
    page = site.open()
    loaded: list[str] = page.evaluate(
        "performance.getEntriesByType('resource').map((one) => one.name)"
    )
    files = [PAGE / "static" / Path(re.sub(r"\?.*", "", url)).name for url in loaded]
    size = sum(file.stat().st_size for file in files if file.is_file())
    assert size > 30_000
    assert size + len(page.content().encode()) < 200_000
    assert page.locator("script:not([src]), style, [style*=url]").count() == 0
