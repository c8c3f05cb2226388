"""One HTML page in one file, which asks nobody for anything: what map, inspect and evaluate share.

What a catalogue says stays text: in HTML it is escaped, in data it cannot end its script, and
control characters and marks of direction are treated as in a terminal. A policy in the page lets no
script run but its own, and no request leave.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from importlib.resources import files
from typing import Any

from melon.display import printable


def text(value: object) -> str:
    """A text of the catalogue as part of a page."""
    return html.escape(printable(str(value)))


def data(value: Any) -> str:
    """JSON as part of a script, which no text in it can end."""
    found = json.dumps(_printable(value), ensure_ascii=False, separators=(",", ":"))
    return found.replace("<", "\\u003c")


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(name): _printable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(one) for one in value]
    return value


def asset(name: str) -> str:
    """A script or style sheet of this package."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def page(title: str, body: str, *, scripts: tuple[str, ...] = (), given: Any = None) -> str:
    """A whole page.

    Args:
        title: as text.
        body: as HTML.
        scripts: names of assets, which run in this order.
        given: what they find as JSON in the element `data`.
    """
    script = "\n".join(map(asset, scripts))
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    runs = f"'sha256-{hashed}'" if scripts else "'none'"
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src {runs}"
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{text(title)}</title>",
        f"<style>\n{asset('page.css')}</style>\n</head>\n<body>\n{body}",
    ]
    if given is not None:
        parts.append(f'<script type="application/json" id="data">{data(given)}</script>')
    if scripts:
        parts.append(f"<script>{script}</script>")
    parts.append("</body>\n</html>\n")
    return "\n".join(parts)
