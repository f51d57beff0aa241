"""Where a request comes from and which host it names: only this server's own page may change anything."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import UserError
from webapp.door.refusals import refuse

# methods that change nothing
SAFE = ("GET", "HEAD")
WRONG_HOST = UserError(
    "wrong_host", "This server does not go by that name.", "Use its own address, or add the name to COUNTERSCAN_HOSTS."
)
CROSS_ORIGIN = UserError("cross_origin", "The request came from another site.", "Use the page of this server.")


class Origin:
    """ASGI middleware: refuses other hosts than ``hosts``, and changes from pages of other servers."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 421 wrong_host or 403 cross_origin."""
        headers = Headers(scope=scope)
        if host_name(headers.get("host", "")) not in self._hosts:
            await refuse(scope, receive, send, 421, WRONG_HOST)
        elif scope["method"] not in SAFE and not same_origin(headers):
            await refuse(scope, receive, send, 403, CROSS_ORIGIN)
        else:
            await self._app(scope, receive, send)


def host_name(host: str) -> str:
    """Return the name in a Host header, in lower case and without its port; an IPv6 address keeps its brackets."""
    return re.sub(r":\d+$", "", host.strip().lower())


def same_origin(headers: Headers) -> bool:
    """Return whether a request comes from a page of the host that it is addressed to, or from no page at all."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or (origin != "null" and urlsplit(origin).netloc == headers.get("host"))
