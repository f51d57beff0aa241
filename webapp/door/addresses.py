"""Which addresses are open: those of the table of routes that are not closed, and no others."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from webapp.door.refusals import CLOSED, refuse
from webapp.door.route_table import access_of, without_slash

API = "/gradio_api/"
UPLOAD = "/gradio_api/upload"
FILE = "/gradio_api/file="
# of programs: where a file arrives, and the streams of jobs
PROGRAM_FILES = "/api/v1/files"
JOB_EVENTS = re.compile(r"/api/v1/jobs/[^/]+/events/?")
# the key in a request's scope under which its access stands
ACCESS = "counterscan.access"


class Addresses:
    """ASGI middleware: puts the access of an address into ``scope[ACCESS]``; answers 403 closed for one that is closed.

    An address that is not in the table is closed, so that what an update of Gradio brings is open to nobody.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        access = scope[ACCESS] = access_of(scope["method"], scope["path"])
        if access == "closed":
            await refuse(scope, receive, send, 403, CLOSED)
            return
        scope["path"] = without_slash(scope["method"], scope["path"])
        await self._app(scope, receive, send)
