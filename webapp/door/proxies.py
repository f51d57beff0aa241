"""Which machines speak for others, and for whom: FORWARDED_ALLOW_IPS, and what such a proxy adds to a request."""

from __future__ import annotations

import os
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

VARIABLE = "FORWARDED_ALLOW_IPS"
USUAL = "127.0.0.1"
# every machine that reaches the server is a proxy
EVERY = "*"
# longer than any address; what is no address is kept as it is
LETTERS = 100


class Proxies:
    """The machines of FORWARDED_ALLOW_IPS: addresses and networks, with commas, or EVERY."""

    def __init__(self, given: str | None = None) -> None:
        names = {one.strip() for one in (os.environ.get(VARIABLE, USUAL) if given is None else given).split(",")}
        self._every = EVERY in names
        self._networks = tuple(network for one in names if (network := _network(one)) is not None)

    def __contains__(self, host: object) -> bool:
        """Return whether a machine, as ``plain`` writes it, is a proxy."""
        address = _address(str(host))
        return self._every or (address is not None and any(address in network for network in self._networks))

    def client(self, hops: Sequence[str]) -> str:
        """Return for whom a proxy speaks that was given ``hops``, the addresses in X-Forwarded-For; "" for nobody.

        Each proxy adds at the end from where a request came, and whoever sends one writes before that what they like.
        So the last one counts that is no proxy, where every machine is one the last of the internet; where there is
        none, all are inside, and the first is furthest away.
        """
        addresses = [plain(one) for one in hops]
        known = [one for one in addresses if not self._every or _address(one) is not None]
        outside = (one for one in reversed(known) if not self._is_inside(one))
        return next(outside, known[0] if known else "")

    def _is_inside(self, host: str) -> bool:
        address = _address(host)
        if self._every:
            return address is not None and not address.is_global
        return host in self


def plain(host: str) -> str:
    """Return an address without port, brackets and zone, one of the older kind that the newer wraps as itself.

    >>> [plain(one) for one in ("192.0.2.1:4711", "[2001:db8::1]:80", "fe80::1%eth0", "::ffff:192.0.2.1", "unknown")]
    ['192.0.2.1', '2001:db8::1', 'fe80::1', '192.0.2.1', 'unknown']
    """
    bare = host.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    address = _address(bare.partition("%")[0])
    if address is None:
        return host.strip()[:LETTERS]
    wrapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(wrapped or address)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None
