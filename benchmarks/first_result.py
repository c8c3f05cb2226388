"""How long the page takes from the last key of a title to its first result, in Chromium.

    python benchmarks/first_result.py http://127.0.0.1:8000

Titles of the store's playlists are typed one after the other into the page of a `melon serve` that
runs; a result is there when it has been laid out and painted. The pause after a key is part of it.
"""

from __future__ import annotations

import shutil
import sys

import httpx
import numpy as np
from playwright.sync_api import sync_playwright

TITLES = 100

TIMED = """() => {
  const title = document.getElementById("title");
  title.addEventListener("input", () => { window.lastKey = performance.now(); }, true);
  window.nextResult = () => new Promise((done) => {
    new MutationObserver((_, seen) => {
      seen.disconnect();
      requestAnimationFrame(() => setTimeout(() => done(performance.now() - window.lastKey)));
    }).observe(document.getElementById("answers"), { childList: true });
  });
}"""


def main(url: str) -> None:
    """Print the milliseconds until the first paint, and from the last key to a result."""
    answer = httpx.get(f"{url}/api/v1/playlists", params={"limit": 5 * TITLES}, timeout=60)
    titles = [one["title"] for one in answer.json()["playlists"] if len(one.get("title", "")) > 1]
    took = []
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=shutil.which("chromium")).new_page()
        page.goto(url)
        page.locator(".answer").wait_for()
        [paint, *_] = page.evaluate(
            "performance.getEntriesByType('paint').map((one) => one.startTime)"
        )
        page.evaluate(TIMED)
        for title in titles[:TITLES]:
            page.fill("#title", "")
            page.wait_for_timeout(500)
            page.locator("#title").press_sequentially(title[:-1])
            page.evaluate("() => { window.result = window.nextResult(); }")
            page.keyboard.insert_text(title[-1])
            took.append(page.evaluate("window.result"))
    print(f"first paint: {paint:.0f} ms")
    middle, high = np.percentile(took, [50, 95])
    print(f"first result after the last key: {len(took)} titles, {middle:.0f} ms, p95 {high:.0f}")


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
