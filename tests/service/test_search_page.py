"""The page in Chromium: a query is put together, answered with reasons, and kept in the URL."""

from __future__ import annotations

import re
from typing import Any

import httpx
from page_samples import Site, on_one_engine
from playwright.sync_api import Route, expect


def test_what_is_typed_is_suggested_and_chosen_by_keyboard(site: Site) -> None:
    page = site.open()
    expect(page.get_by_text("these are the most popular")).to_be_visible()
    box = page.get_by_role("combobox", name="Songs, tags, artists or a playlist")
    box.press_sequentially("rain")
    tag = site.options().filter(has_text="rain").filter(has_text="playlists").first
    expect(tag).to_be_visible()
    options = site.options()
    expect(options.first).to_have_text("rain")  # the title
    expect(box).to_have_attribute("aria-expanded", "true")
    box.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    box.press("ArrowDown")
    box.press("ArrowDown")
    active = box.get_attribute("aria-activedescendant")
    expect(page.locator(f"#{active}")).to_have_attribute("aria-selected", "true")
    box.press("Escape")
    expect(box).to_have_attribute("aria-expanded", "false")
    box.press("ArrowDown")
    expect(options.first).to_be_visible()
    box.press("Enter")
    site.answered()
    assert site.search == "?title=rain"
    assert page.get_by_label("Title of the playlist").input_value() == "rain"
    assert box.input_value() == ""
    expect(box).to_be_focused()


@on_one_engine
def test_korean_is_looked_for_while_it_is_composed(site: Site) -> None:
    """The last syllable is composed until another key comes; Enter then belongs to the method."""
    page = site.open()
    box = page.get_by_label("Songs, tags, artists or a playlist")
    box.focus()
    keys = page.context.new_cdp_session(page)
    for text in ("ㅂ", "비"):
        keys.send("Input.imeSetComposition", {"text": text, "selectionStart": 1, "selectionEnd": 1})
    option = site.options(name="비 오는 날").first
    expect(option).to_be_visible()
    keys.send(
        "Input.dispatchKeyEvent",
        {"type": "rawKeyDown", "key": "Process", "windowsVirtualKeyCode": 229},
    )
    assert site.search == ""
    keys.send("Input.insertText", {"text": "비"})
    expect(option).to_be_visible()
    option.click()
    site.answered()
    assert site.chips("Like") == ["비 오는 날"]


def test_every_kind_of_seed_is_found_named_and_taken_out(site: Site) -> None:
    """Also after the page is loaded anew from its URL, which holds ids."""
    page = site.open()
    box = page.get_by_label("Songs, tags, artists or a playlist")
    names = {}
    for kind, text in (("Songs", "별"), ("Tags", "rain"), ("Playlists", "rain"), ("Artists", "lu")):
        box.fill(text)
        option = page.get_by_role("group", name=kind).get_by_role("option").first
        names[kind] = option.locator(".name").inner_text()
        option.click()
        site.answered()
    page.reload()
    site.answered()
    assert sorted(site.chips("Like")) == sorted([names["Playlists"], names["Songs"], names["Tags"]])
    assert site.chips("Only") == [names["Artists"]]
    for _ in range(3):
        page.get_by_role("button", name="Remove").first.press("Enter")
        site.answered()
    expect(page.get_by_role("button", name="Remove artist")).to_be_focused()
    page.get_by_role("button", name="Start again").click()
    site.answered()
    assert site.search == ""
    expect(box).to_be_focused()


def test_answers_say_why_in_words(site: Site) -> None:
    page = site.open("?songs=5&tags=rain&title=rainy+day")
    reason = site.songs().first.locator(".because")
    expect(reason).to_contain_text("hold it; shares ")
    assert "playlist 0" not in reason.inner_text()
    expect(reason).to_contain_text(" % ")
    assert page.get_by_role("list", name="Tags", exact=True).locator("li").count() == 10
    widths = (
        site.songs()
        .locator(".score div")
        .evaluate_all("bars => bars.map(bar => parseFloat(bar.style.width))")
    )
    assert widths[0] == 100
    assert widths == sorted(widths, reverse=True)


def test_thumbs_and_tags_go_into_the_query_and_back(site: Site) -> None:
    page = site.open("?tags=rain")
    liked, disliked = site.songs().nth(0), site.songs().nth(1)
    names = [song.locator("h4").inner_text() for song in (liked, disliked)]
    disliked.get_by_role("button", name="Less like this").click()
    site.answered()
    assert site.chips("Not like") == [names[1]]
    assert names[1] not in site.songs().locator("h4").all_inner_texts()
    page.get_by_role("button", name=f"More like this: {names[0]}").press("Enter")
    site.answered()
    assert names[0] in site.chips("Like")
    first_tag = page.get_by_role("list", name="Tags", exact=True).get_by_role("button").first
    added = first_tag.inner_text()
    first_tag.click()
    site.answered()
    assert added in site.chips("Like")
    page.go_back()
    site.answered()
    assert added not in site.chips("Like")
    page.go_back()
    page.go_back()
    site.answered()
    assert site.search == "?tags=rain"
    page.go_forward()
    site.answered()
    assert site.chips("Not like") == [names[1]]


def test_a_tag_is_disliked_by_keyboard_and_kept_out(site: Site) -> None:
    page = site.open("?songs=5&tags=rain")
    tags = page.get_by_role("list", name="Tags", exact=True).locator(".tag")
    first = tags.first.inner_text()
    before = site.songs().locator(".said").all_inner_texts()
    thumb = page.get_by_role("button", name=f"Less like this: {first}", exact=True)
    tags.first.focus()
    page.keyboard.press("Tab")
    expect(thumb).to_be_focused()
    page.keyboard.press("Enter")
    site.answered()
    assert httpx.URL(page.url).params.get_list("not_tags") == [first]
    assert site.chips("Not like") == [first]
    assert first not in tags.all_inner_texts()
    assert site.songs().locator(".said").all_inner_texts() != before
    next_tag = tags.first.inner_text()
    expect(page.locator(":focus")).to_have_attribute("aria-label", f"Less like this: {next_tag}")
    page.reload()
    site.answered()
    assert site.chips("Not like") == [first]
    page.get_by_role("button", name=f"Remove tag {first}", exact=True).press("Enter")
    site.answered()
    assert first in tags.all_inner_texts()


@on_one_engine
def test_a_disliked_tag_that_is_unknown_is_put_right_as_a_dislike(site: Site) -> None:
    page = site.open("?songs=5&not_tags=raim")
    page.get_by_role("button", name="rain", exact=True).click()
    site.answered()
    assert site.search == "?songs=5&not_tags=rain"


def test_a_title_is_answered_as_it_is_typed_and_is_one_step_back(site: Site) -> None:
    page = site.open("?tags=rain")
    title = page.get_by_label("Title of the playlist")
    title.press_sequentially("비 오는 날", delay=5)
    expect(page).to_have_url(re.compile("title="))
    title.press_sequentially(" 2", delay=5)
    expect(page).to_have_url(re.compile("2$"))
    site.answered()
    assert title.input_value() == "비 오는 날 2"
    title.blur()
    page.go_back()
    site.answered()
    assert site.search == "?tags=rain"
    assert title.input_value() == ""


@on_one_engine
def test_going_back_takes_back_what_was_just_typed(site: Site) -> None:
    """Also where the control has the focus: on leaving it, it would be asked again."""
    page = site.open("?tags=rain")
    page.get_by_text("How to answer").click()
    for name, value in (("title", "night"), ("limit", "5"), ("title", "dawn")):
        control = page.locator(f"#{name}")
        control.press_sequentially(value)
        if name == "limit":
            control.press("Enter")
        expect(page).to_have_url(re.compile(f"{name}={value}$"))
        site.answered()
        page.go_back()
        site.answered()
        expect(control).to_have_value("")
        control.press("Tab")
        site.answered()
        assert site.search == "?tags=rain"


@on_one_engine
def test_a_tag_may_be_called_as_what_scripts_inherit(site: Site) -> None:
    page = site.open("?tags=constructor&tags=__proto__&exclude_songs=toString")
    expect(page.locator(".note li")).to_have_text(
        ["song toString", "tag constructor", "tag __proto__"]
    )
    with site.refusals():
        page.goto(f"{site.url}?constructor=1&__proto__=2")
        expect(page.get_by_role("alert")).to_contain_text("constructor: there is nothing of this")
        assert page.locator(".chip small").all_inner_texts() == ["constructor", "__proto__"]


def test_what_is_unknown_is_said_with_what_is_meant(site: Site) -> None:
    page = site.open("?tags=raim&exact=true")
    expect(page.get_by_text("tag raim – did you mean")).to_be_visible()
    assert site.chips("Also") == ["true"]  # what has no control is not hidden
    page.get_by_role("button", name="rain", exact=True).click()
    site.answered()
    assert site.chips("Like") == ["rain"]


@on_one_engine
def test_names_are_text_whatever_is_in_them(site: Site) -> None:
    bad = "<img src=x onerror=\"document.title='gone'\"><b>bold</b>"

    def rename(route: Route) -> None:
        answer = route.fetch()
        said: dict[str, Any] = answer.json()
        version = {**said["songs"][1], "name": bad}
        said["songs"][0] |= {"name": bad, "artists": [bad], "genres": [bad], "versions": [version]}
        said["tags"][0]["tag"] = bad
        route.fulfill(response=answer, json=said)

    with site.altered("query", rename):
        page = site.open("?tags=rain&not_tags=" + "%3Cb%3Ex%3C/b%3E")
        assert site.songs().first.locator("h4").inner_text() == bad
        assert page.locator("img, b").count() == 0
        page.get_by_text("1 other version").click()
        page.get_by_role("button", name="More like this: <img").last.click()
        site.answered()
    assert page.title() == "melon"


@on_one_engine
def test_arabic_names_leave_numbers_where_they_are(site: Site) -> None:
    """What a name of a script that runs to the left stands beside is not taken into it."""

    def rename(route: Route) -> None:
        answer = route.fetch()
        said: dict[str, Any] = answer.json()
        because = [{"kind": "tag", "tag": "مطر", "share": 1.0}]
        facts = {"genres": ["موسيقى"], "issue_date": "2019-02", "because": because}
        said["songs"][0] |= {"artists": []} | facts
        route.fulfill(response=answer, json=said)

    with site.altered("query", rename):
        site.open("?tags=rain")
        song = site.songs().first
        expect(song.locator(".facts").first).to_have_text("\u2068موسيقى\u2069 · 2019-02")
        expect(song.locator(".because")).to_contain_text("100 % \u2068مطر\u2069")
