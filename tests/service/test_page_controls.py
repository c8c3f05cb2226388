"""What the page constrains, compares, copies and saves; by keyboard, and for everybody's eyes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import httpx
import pyarrow as pa
import pytest
from keyed_demo import keyed
from page_samples import Site, against_wcag, new_site, on_one_engine, running
from playwright.sync_api import Browser, Locator, Page, expect

import melon
from melon.embedding import EmbeddingSpace
from melon.ingest import ingest
from melon.retrieval import RetrievalSettings, Retriever
from melon.store import VectorStore


def constraints(site: Site, search: str = "") -> Page:
    page = site.open(search)
    if not page.locator("#constraints").evaluate("panel => panel.open"):
        page.get_by_text("Constraints").click()
    expect(page.locator("#passing")).to_contain_text("pass")
    return page


def rows(page: Page, field: str) -> dict[str, tuple[int, bool]]:
    """Of a field with boxes, how many songs each value has, and whether it is chosen."""
    group = page.get_by_role("group", name=field, exact=True)
    return {
        item.locator("span").inner_text(): (
            int(item.locator("small").inner_text().replace(",", "")),
            item.get_by_role("checkbox").is_checked(),
        )
        for item in group.get_by_role("listitem").all()
    }


def passing(page: Page) -> int:
    return int(page.locator("#passing").inner_text().split()[0].replace(",", ""))


def asked(site: Site, path: str, **given: Any) -> Any:
    return httpx.get(f"{site.url}api/v1/{path}", params=given, timeout=60).json()


def test_genres_are_counted_chosen_and_left_out(site: Site) -> None:
    page = constraints(site, "?tags=rain")
    every = {one["name"]: one["songs"] for one in asked(site, "facets")["facets"]["genres"]}
    assert {name: songs for name, (songs, _) in rows(page, "Genre").items()} == every
    box = page.get_by_role("checkbox", name="Jazz")
    box.press("Space")
    site.answered()
    expect(page.locator("#passing")).to_contain_text(f"{every['Jazz']} songs")
    expect(page.get_by_role("checkbox", name="Jazz")).to_be_focused()
    assert rows(page, "Genre")["Jazz"] == (every["Jazz"], True)
    assert rows(page, "Genre")["Ballad"] == (every["Ballad"], False)  # what else there is
    never = page.get_by_role("button", name="Never Ballad")
    never.click()
    site.answered()
    expect(page.get_by_role("button", name="Never Ballad")).to_have_attribute(
        "aria-pressed", "true"
    )
    assert site.chips("Never") == ["Ballad"]
    assert site.chips("Only") == ["Jazz"]
    for genres in site.songs().locator(".facts:first-of-type").all_inner_texts():
        assert "Jazz" in genres


def test_years_popularity_artists_and_any_field_constrain(site: Site) -> None:
    page = constraints(site)
    for label, value in (
        ("From year", "1990"),
        ("To year", "2009"),
        ("In playlists, at least", "5"),
    ):
        page.get_by_label(label).fill(value)
        page.get_by_label(label).press("Tab")
        site.answered()
    page.get_by_label("Another condition on a field").fill("popularity < 40")
    page.get_by_label("Another condition on a field").press("Enter")
    site.answered()
    assert site.chips("Only") == ["1990", "2009", "5", "popularity < 40"]
    given = {"since": 1990, "until": 2009, "min_popularity": 5, "where": "popularity < 40"}
    expect(page.locator("#passing")).to_contain_text(str(asked(site, "facets", **given)["total"]))
    artist = site.songs().first.locator("button.plain").first
    name = artist.inner_text()
    artist.click()
    site.answered()
    assert site.chips("Only")[0] == name
    for song in site.songs().all():
        assert name in song.locator("button.plain").all_inner_texts()


def test_the_catalogues_own_fields_constrain(site: Site) -> None:
    page = constraints(site)
    labels = rows(page, "label")
    assert 'the "label"' in labels
    for value in ('the "label"', "x, y (z)"):
        group = page.get_by_role("group", name="label", exact=True)
        group.get_by_role("checkbox", name=value).click()
        site.answered()
    total = labels['the "label"'][0] + labels["x, y (z)"][0]
    expect(page.locator("#passing")).to_contain_text(f"{total} songs")
    assert {value for value, (_, chosen) in rows(page, "label").items() if chosen} == {
        'the "label"',
        "x, y (z)",
    }
    page.get_by_role("group", name="explicit").get_by_role("checkbox", name="true").click()
    site.answered()
    page.get_by_label("bpm, from").fill("110.5")
    page.get_by_label("bpm, from").press("Tab")
    site.answered()
    page.get_by_label("premiere, to").fill("2020-01-02")
    page.get_by_label("premiere, to").press("Tab")
    site.answered()
    where = [
        'label in ("the \\"label\\"", "x, y (z)")',
        "explicit = true",
        "bpm >= 110.5",
        "premiere <= 2020-01-02",
    ]
    total = asked(site, "facets", where=where)["total"]
    expect(page.locator("#passing")).to_contain_text(f"{total} song")
    page.reload()
    site.answered()
    constraints_again = constraints(site, site.search)
    assert constraints_again.get_by_label("bpm, from").input_value() == "110.5"
    page.get_by_role("group", name="label", exact=True).get_by_role("checkbox", name="x, y").click()
    site.answered()
    assert rows(page, "label")["x, y (z)"][1] is False


def test_two_strategies_stand_side_by_side(site: Site) -> None:
    page = site.open("?tags=rain")
    page.get_by_text("How to answer").click()
    page.get_by_label("Beside it").select_option("strategy:vote")
    site.answered()
    sides = page.get_by_role("heading", name=" · ", exact=False).all_inner_texts()
    assert len(sides) == 2
    assert sides[1].startswith("vote")
    place = page.get_by_text("on the other side")
    assert place.count() == 40
    page.get_by_label("Strategy").select_option("vote")
    site.answered()
    assert place.all_inner_texts() == [f"place {n} on the other side" for n in range(1, 21)] * 2
    release = asked(site, "about")["release"]
    page.get_by_label("Release").select_option(release)
    site.answered()
    page.get_by_role("spinbutton", name="Songs").fill("5")
    page.get_by_role("spinbutton", name="Songs").press("Enter")
    site.answered()
    page.get_by_label("Beside it").select_option("nothing")
    site.answered()
    page.get_by_label("Order").select_option("flow")
    site.answered()
    assert site.search == f"?tags=rain&strategy=vote&release={release}&limit=5&order=flow"
    assert site.songs().count() == 5


def second_edition(space: EmbeddingSpace) -> EmbeddingSpace:
    """The same space, in which songs and playlists are called otherwise."""

    def renamed(table: pa.Table, column: str) -> pa.Table:
        names = [name and f"{name}, 2nd" for name in table[column].to_pylist()]
        return table.set_column(table.schema.get_field_index(column), column, pa.array(names))

    songs, playlists = renamed(space.songs, "name"), renamed(space.playlists, "title")
    return replace(space, songs=songs, playlists=playlists)


def test_two_releases_stand_side_by_side_each_with_its_own_names(
    browser: Browser, store: VectorStore, demo_space: EmbeddingSpace
) -> None:
    old = ingest(demo_space, store).manifest.release
    new = ingest(second_edition(demo_space), store).manifest.release
    seeds = [int(song) for song in demo_space.songs["id"].to_pylist()[:2]]
    with running(store) as url, new_site(browser, url) as site:
        page = site.open(f"?songs={seeds[0]}&songs={seeds[1]}&limit=5")
        page.get_by_text("How to answer").click()
        page.get_by_label("Beside it").select_option(f"release:{old}")
        site.answered()
        assert_sides(site, new, old)
        page.get_by_label("Release").select_option(old)
        site.answered()
        assert_sides(site, old, old)
        page.get_by_label("Beside it").select_option(f"release:{new}")
        site.answered()
        assert_sides(site, old, new)
        page.reload()
        site.answered()
        assert_sides(site, old, new)
        page.goto(f"{url}?tags=rain&beside=release:rgone")
        expect(page.get_by_role("alert")).to_contain_text("rgone")


def test_what_another_release_answers_is_shown_with_what_is_in_it(
    browser: Browser, store: VectorStore, demo_space: EmbeddingSpace
) -> None:
    old = ingest(demo_space, store).manifest.release
    with running(store) as url, new_site(browser, url) as site:
        page = site.open("?tags=rain&beside=strategy:mean")
        live, side = page.locator("#release option").first, page.locator("h3.side").first
        expect(live).to_have_text(f"live: {old}")
        new = ingest(second_edition(demo_space), store).manifest.release
        number = 0
        while new not in side.inner_text():
            number += 1
            page.get_by_label("Title of the playlist").fill(f"rain {number}")
            expect(page).to_have_url(re.compile(f"title=rain.{number}$"))
            site.answered()
        assert live.text_content() == f"live: {new}"


def test_a_release_that_is_named_is_constrained_by_its_own_fields(
    browser: Browser, store: VectorStore, demo_space: EmbeddingSpace
) -> None:
    old = ingest(keyed(demo_space), store).manifest.release
    new = ingest(demo_space, store).manifest.release
    with running(store) as url, new_site(browser, url) as site:
        page = constraints(site, f"?tags=rain&release={old}")
        label = page.get_by_role("group", name="label", exact=True)
        label.get_by_role("checkbox", name='the "label"').click()
        site.answered()
        total = asked(site, "facets", where='label = the "label"', release=old)["total"]
        expect(page.locator("#passing")).to_contain_text(f"{total} songs")
        expect(site.songs().first.get_by_text('label: the "label"')).to_be_visible()
        page.get_by_role("button", name="Remove label").click()
        page.get_by_text("How to answer").click()
        release = page.get_by_label("Release")
        release.select_option(label=f"live: {new}")
        expect(label).to_have_count(0)
        expect(page.locator("#passing")).to_contain_text(f"{len(demo_space.songs)} songs")
        page.goto(f"{url}?tags=rain&release=rgone")
        expect(page.get_by_role("alert")).to_contain_text("rgone")
        page.get_by_text("How to answer").click()
        release.select_option(old)
        site.answered()


def assert_sides(site: Site, *releases: str) -> None:
    """Each side has the songs of its release, and reasons in the words of that."""
    sides = site.page.locator(".answer").all()
    assert len(sides) == len(releases)
    for side, release in zip(sides, releases, strict=True):
        assert side.locator("h3.side").inner_text().endswith(f" · {release}")
        of = {"release": release, "limit": 5, "explain": True}
        query = httpx.URL(site.search).params.get_list("songs")
        songs = asked(site, "query", songs=query, **of)["songs"]
        assert side.locator("h4").all_inner_texts() == [song["name"] for song in songs]
        for song, said in zip(songs, side.locator(".because").all_inner_texts(), strict=True):
            seeds = [part["id"] for part in song["because"]]
            lists = [song["playlists"][0]["id"]] if song["playlists"] else []
            names = asked(site, "names", songs=seeds, playlists=lists, release=release)
            assert any(one["name"] in said for one in names["songs"])
            assert all((one["title"] or "playlist") in said for one in names["playlists"])
            assert ("2nd" in said) == ("2nd" in songs[0]["name"])
        expect(side.get_by_text("on the other side")).to_have_count(5)


QUERY = (
    "?title=it's+a+%22rainy%22+day&songs=5&tags=rain&not_tags=party&genres=Jazz&since=1990"
    "&min_popularity=2&where=bpm+>=+90&max_per_artist=2&tag_weight=0.5&all_versions=true"
    "&strategy=vote&limit=7&beside=strategy:mean"
)


def copied(page: Page, way: str) -> str:
    page.get_by_role("radio", name=way).check()
    return page.get_by_label("Text to copy").inner_text()


@on_one_engine
def test_a_query_is_copied_as_programs_ask_it(
    site: Site, keyed_store: VectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = site.open(QUERY)
    page.get_by_role("button", name="Copy as").click()
    body = json.loads(copied(page, "JSON"))
    answer = httpx.post(f"{site.url}api/v1/query", json=body, timeout=60).json()
    shown = site.page.locator(".answer").first.locator("h4").all_inner_texts()
    assert [song["name"] for song in answer["songs"]] == shown
    curl = copied(page, "curl")
    assert curl.startswith(f"curl '{site.url}api/v1/query' ")
    data = curl.split("--data ")[1].strip()[1:-1].replace("'\\''", "'")
    assert json.loads(data) == body
    python = copied(page, "Python")
    retriever = Retriever(keyed_store, settings=RetrievalSettings.default())
    opened: list[str] = []

    def reopen(path: str | None = None, url: str | None = None) -> Retriever:
        opened.append(f"embedded store {path}" if path else f"Qdrant server {url}")
        return retriever

    monkeypatch.setattr(melon, "open", reopen)
    names: dict[str, Any] = {}
    exec(python, names)
    assert opened == [keyed_store.location]
    assert names["answer"].to_json() == answer
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_text("copied", exact=True)).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == python
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Copy as")).to_be_focused()


def test_songs_are_saved_as_playlists(site: Site) -> None:
    page = site.open("?title=rainy+day&limit=3")
    page.get_by_role("button", name="Save as").click()
    for format, name in (
        ("m3u8", "M3U8"),
        ("jspf", "JSPF"),
        ("csv", "CSV"),
        ("json", "Melon JSON"),
    ):
        with page.expect_download() as download:
            page.get_by_role("button", name=name, exact=True).click()
        assert download.value.suggested_filename == f"rainy day.{format}"
        given = {"title": "rainy day", "limit": 3, "format": format}
        same = httpx.get(f"{site.url}api/v1/export", params=given, timeout=60)
        assert "rainy day" in same.text
        assert download.value.path().read_text("utf-8") == same.text
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


@on_one_engine
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("dark", 375)])
def test_everybody_can_use_it(site: Site, theme: Any, width: int) -> None:
    page = site.page
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=theme)
    try:
        constraints(site, QUERY + "&not_genres=Ballad&tags=raim&songs=4000")
        page.get_by_text("How to answer").click()
        assert against_wcag(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.get_by_label("Songs, tags, artists or a playlist").fill("비")
        expect(site.options().first).to_be_visible()
        assert against_wcag(page) == []
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Copy as").click()
        assert against_wcag(page) == []
        page.keyboard.press("Escape")
    finally:
        page.set_viewport_size({"width": 1280, "height": 800})
        page.emulate_media(color_scheme="light")


def paper(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return colour


@on_one_engine
def test_a_theme_can_be_chosen_and_stays(site: Site) -> None:
    page = site.open()
    button = page.get_by_role("button", name="theme")
    light = paper(page)
    button.click()
    assert paper(page) == light
    button.press("Enter")
    dark = paper(page)
    assert dark != light
    page.reload()
    site.answered()
    assert paper(page) == dark
    button.click()
    expect(button).to_have_text("theme: auto")


@on_one_engine
def test_all_is_reached_by_the_keyboard_alone(site: Site) -> None:
    """From the address bar on, in the order of the page, each with a focus that is seen."""
    page = site.open("?tags=rain")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the results")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Map")).to_be_focused()
    wanted = ["Copy as", "Save as", "Add tag", "More like this", "Less like this", "artist"]
    seen: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        seen.append(name_of(focused))
        assert focused.evaluate("element => getComputedStyle(element).outlineWidth") == "3px"
    assert [name for name in wanted if not any(name in one for one in seen)] == []


def name_of(element: Locator) -> str:
    said: str = element.evaluate(
        "e => `${e.getAttribute('aria-label') ?? e.textContent} ${e.dataset.key}`"
    )
    return said
