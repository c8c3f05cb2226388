"""The proxy by which a server is reached: one decision for REST and gRPC.

httpx, gRPC and Python each read the variables of the environment in a way of their own.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from typing import Self
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from melon.errors import InputError
from melon.store.urls import is_loopback, shown_url


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and the variable of the environment that names it."""

    url: str = field(repr=False)
    variable: str

    @classmethod
    def towards(cls, url: str) -> Self | None:
        """The proxy to the server at `url`; there is none to this machine itself.

        Raises:
            InputError: the one that is named cannot be used, or `NO_PROXY` cannot be read.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        known = getproxies()
        kind = parts.scheme if known.get(parts.scheme) else "all"
        if is_loopback(host) or not (named := known.get(kind)):
            return None
        if _goes_without(host, parts.port, known.get("no", "")):
            return None
        proxy = cls(named if "://" in named else f"http://{named}", _variable(kind))
        proxy._check()
        return proxy

    @property
    def takes_grpc(self) -> bool:
        """Whether gRPC can use it, too."""
        return self.url.startswith("http://")

    def _check(self) -> None:
        try:
            parts = urlsplit(self.url)
            httpx.Proxy(self.url)
            usable = bool(parts.hostname) and parts.port != 0
        except (ValueError, httpx.InvalidURL):
            usable = False
        if not usable or parts.scheme not in ("http", "https", "socks5", "socks5h"):
            raise self.unusable("it is not the URL of a proxy", "write it like http://proxy:3128")
        if parts.scheme.startswith("socks") and find_spec("socksio") is None:
            raise self.unusable(
                "a proxy of this kind needs the package socksio", "pip install socksio"
            )

    def unusable(self, reason: str, hint: str) -> InputError:
        """The error for a proxy that cannot be used."""
        return InputError(
            f"the proxy {shown_url(self.url)} cannot be used: {reason}",
            where=self.variable,
            hint=f"{hint}; hosts that NO_PROXY lists go without a proxy",
        )


def _variable(kind: str) -> str:
    """The variable that names the proxy of a kind: `HTTPS_PROXY`, or how it is written."""
    named = [name for name in os.environ if name.lower() == f"{kind}_proxy"]
    return f"environment variable {max(named)}" if named else "the system's settings"


def _goes_without(host: str, port: int | None, listed: str) -> bool:
    """Whether `NO_PROXY` lists a host: by name, domain, address or network."""
    return any(_covers(entry, host, port) for entry in re.split(r"[,\s]+", listed) if entry)


def _covers(entry: str, host: str, port: int | None) -> bool:
    try:
        network = ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass
    else:
        try:
            return ip_address(host) in network
        except ValueError:
            return False
    try:
        parts = urlsplit(entry if "://" in entry else f"//{entry}")
        of_port = parts.port
    except ValueError:
        raise InputError(
            f"{entry!r} is not a host",
            where=_variable("no"),
            hint="it lists hosts, domains and networks between commas",
        ) from None
    name = (parts.hostname or "").lstrip("*.")
    within = host == name or host.endswith(f".{name}")
    return entry == "*" or (bool(name) and within and of_port in (None, port))
