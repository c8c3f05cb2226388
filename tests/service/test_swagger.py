"""Swagger UI shows the API from this host alone, and asks it."""

from __future__ import annotations

import pytest
from page_samples import Site
from places import EMBEDDED
from playwright.sync_api import expect


@pytest.mark.parametrize("keyed_place", [EMBEDDED], indirect=True)
def test_swagger_ui_describes_the_api_and_asks_it(site: Site) -> None:
    page = site.page
    page.goto("/api/docs")
    about = page.locator("#operations-look_up-about_api_v1_about_get")
    about.locator(".opblock-summary-control").click()
    about.get_by_role("button", name="Try it out").click()
    about.get_by_role("button", name="Execute").click()
    expect(about.locator(".live-responses-table .response-col_status").last).to_contain_text(
        "200", timeout=30_000
    )
