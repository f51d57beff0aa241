"""The headers that every answer has, so that a browser trusts nothing but this server."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# of what a browser must ask for each time
UNKEPT = {"cache-control": "no-store"}
# of what belongs to one visitor
PRIVATE = {"cache-control": "private, no-store"}
# of volumes and pictures of them: what an address of one visitor gives never changes. Who has signed in since has
# another cookie; signing out empties the cache
LASTING = {"cache-control": "private, max-age=86400, immutable", "vary": "cookie"}
# of files of the page whose address has the digest of what is in them
NAMED = {"cache-control": "max-age=31536000, immutable"}
FORGOTTEN = {"clear-site-data": '"cache"'}
SECURITY = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; connect-src 'self' data: blob:; font-src 'self' data:; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


POLICY = "content-security-policy"
FRAMED = re.compile(r"frame-ancestors [^;]*")


class SecurityHeaders:
    """ASGI middleware: adds the headers of ``SECURITY`` that an answer lacks, and opens it to no other site.

    Gradio allows every origin that asks, with its cookies, on every host but this machine's own names. sites: origins
    whose pages may show this server in a frame.
    """

    def __init__(self, app: ASGIApp, sites: Sequence[str] = ()) -> None:
        self._app = app
        self._ancestors = " ".join(("frame-ancestors 'self'", *sites)) if sites else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete its answer."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers.setdefault(name, value)
                for name in [name for name in headers if name.startswith("access-control-")]:
                    del headers[name]
                if self._ancestors:
                    headers[POLICY] = FRAMED.sub(self._ancestors, headers[POLICY])
            await send(message)

        await self._app(scope, receive, sending)
