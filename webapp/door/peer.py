"""Where a request comes from: the machine at the other end, and for whom a proxy there speaks."""

from __future__ import annotations

import os
from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from webapp.door.origin import host_name
from webapp.settings import LOOPBACK

# the key in a request's scope of the address at the other end of the connection
PEER = "counterscan.peer"
# what one line of the internet has of the newer addresses
IPV6_PREFIX = 64
# headers that only a proxy adds
FORWARDED = ("x-forwarded-for", "x-forwarded-host", "forwarded", "via", "x-real-ip")


class Peer:
    """ASGI middleware: notes the peer, then puts in its place for whom a proxy of FORWARDED_ALLOW_IPS speaks."""

    def __init__(self, app: ASGIApp) -> None:
        trusted = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
        # the types of uvicorn are its own
        self._inner: ASGIApp = ProxyHeadersMiddleware(app, trusted)  # type: ignore[arg-type, assignment]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        scope[PEER] = _host(scope)
        await self._inner(scope, receive, send)


def is_within(scope: Scope, networks: Collection[IPv4Network | IPv6Network]) -> bool:
    """Return whether the machine at the other end of the connection has an address in one of ``networks``."""
    try:
        address = ip_address(scope[PEER])
    except (KeyError, ValueError):
        return False
    return any(address in network for network in networks)


def is_near(scope: Scope) -> bool:
    """Return whether a program on this machine sends a request, and for nobody else.

    A proxy on this machine speaks for others: what it passes on has another name of the server, or headers of its own.
    """
    headers = Headers(scope=scope)
    named = {scope[PEER], _host(scope), host_name(headers.get("host", "")).strip("[]")}
    return named <= set(LOOPBACK) and not any(name in headers for name in FORWARDED)


def address_of(scope: Scope) -> str:
    """Return by which a client is counted: its address, of the newer kind the line's."""
    host = _host(scope)
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(address) if address.version == 4 else str(ip_network(f"{address}/{IPV6_PREFIX}", strict=False))


def _host(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
