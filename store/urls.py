"""URLs of servers: what is one, what of it may be shown, and whether it is this machine's."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from melon.errors import InputError

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def checked_url(url: str) -> str:
    """The URL of a server without white space around it.

    Raises:
        InputError: it is none, or has parts that would not be sent.
    """
    url = url.strip()
    if not _names_a_server(url):
        raise not_a_server(url)
    if re.search("[?#]", url):
        raise InputError(
            "the URL of a server ends before ? and #",
            where=shown_url(url),
            hint="leave out the rest; in a user's name or password, write %3F and %23",
        )
    return url


def shown_url(url: str) -> str:
    """What of a URL goes into a message: no user, no password, nothing after ? or #."""
    return re.split("[?#]", re.sub("//.*@", "//", url, flags=re.DOTALL))[0]


def is_loopback(host: str | None) -> bool:
    """Whether a host, by its name or address, is this machine itself."""
    host = (host or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback or address.is_unspecified


def not_a_server(url: str) -> InputError:
    """The error for what is not the URL of a server."""
    return InputError(
        f"{shown_url(url)!r} is not the URL of a server", hint="write it like http://localhost:6333"
    )


def _names_a_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # is read only here, and may be no number
        host = parts.hostname or ""
        host.encode("idna")
    except ValueError:
        return False
    readable = host.isprintable() and " " not in host and not _CONTROLS.search(url)
    return parts.scheme in ("http", "https") and host != "" and readable
