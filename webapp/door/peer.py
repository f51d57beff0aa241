"""Where a request comes from: the machine at the other end, and for whom a proxy there speaks."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from webapp.door.origin import host_name
from webapp.door.proxies import Proxies, plain
from webapp.settings import LOOPBACK

# the key in a request's scope of the address at the other end of the connection
PEER = "counterscan.peer"
# what one line of the internet has of the newer addresses
IPV6_PREFIX = 64
SCHEMES = ("http", "https")
# headers that only a proxy adds
FORWARDED = ("x-forwarded-for", "x-forwarded-host", "forwarded", "via", "x-real-ip")


class Peer:
    """ASGI middleware: notes the peer, then puts in its place for whom a proxy of FORWARDED_ALLOW_IPS speaks, and the
    scheme by which that one came."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._proxies = Proxies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        scope[PEER] = host = plain(_host(scope))
        if host in self._proxies:
            headers = Headers(scope=scope)
            hops = ",".join(headers.getlist("x-forwarded-for")).split(",")
            host = self._proxies.client([hop for hop in hops if hop.strip()]) or host
            # a chain of proxies names the first one's scheme first
            scheme = headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
            scope["scheme"] = scheme if scheme in SCHEMES else scope["scheme"]
        scope["client"] = (host, 0)
        await self._app(scope, receive, send)


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
    host = plain(_host(scope))
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(address) if address.version == 4 else str(ip_network(f"{address}/{IPV6_PREFIX}", strict=False))


def _host(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
