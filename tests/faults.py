"""What a page in a browser must not do: report errors, or ask another host for anything."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Faults:
    """Whatever the pages of a context do wrong, as text."""

    def __init__(self, context: BrowserContext) -> None:
        self.seen: list[str] = []
        context.on("weberror", lambda error: self.seen.append(str(error.error)))
        context.on("console", lambda line: line.type == "error" and self.seen.append(line.text))
        context.on("request", lambda asked: is_foreign(asked.url) and self.seen.append(asked.url))


def is_foreign(url: str) -> bool:
    """Whether a request for it leaves this host."""
    parts = urlsplit(url)
    return parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname not in LOOPBACK
