"""Addresses: who can reach them, and a socket at one."""

from __future__ import annotations

import ipaddress
import socket

from melon.errors import InputError, MelonError, reason_of

MAX_CONNECTIONS = 1000
"""At once, in each process, and as many that wait until one takes them."""

UNREAD_SECONDS = 60
"""After this, a connection ends of which the client does not take what is sent."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address, by its name or number."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """A socket at an address, which processes that are started can share.

    Who connects from now on waits until one of them takes the connection.

    Raises:
        InputError: there is no such address.
        MelonError: it is taken, or may not be used.
    """
    try:
        [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise InputError(f"{host!r} is no address of this machine: {error.strerror}") from None
    # asyncio sends answers at once only where the socket says that it is TCP's: else in two parts,
    # of which the second waits 40 ms for the client to acknowledge the first.
    there = socket.socket(family, kind, protocol)
    try:
        there.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # on Linux
            there.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * UNREAD_SECONDS)
        there.bind(address)
        there.listen(MAX_CONNECTIONS)  # two may have bound an address that nobody listens at yet
    except OSError as error:
        there.close()
        raise MelonError(
            f"cannot listen: {reason_of(error)}",
            where=f"{host}:{port}",
            hint="another port: --port, where 0 takes a free one",
        ) from None
    there.set_inheritable(True)
    return there
