"""Which of Gradio's addresses are open: those that the page needs."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from webapp.door.refusals import CLOSED, refuse

API = "/gradio_api/"
UPLOAD = "/gradio_api/upload"
FILE = "/gradio_api/file="
API_PARTS = frozenset(
    {
        "app_id",
        "cancel",
        "config",
        "heartbeat",
        "info",
        "login_check",
        "queue",
        "reset",
        "run",
        "startup-events",
        "theme.css",
        "token",
        "upload",
        "upload_progress",
        "user",
    }
)
CLOSED_PAGES = ("/openapi.json", "/docs", "/redoc", "/monitoring", "/login", "/logout", "/runs", "/pwa_icon")


class Addresses:
    """ASGI middleware: answers 403 closed for an address of Gradio's that no page needs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if is_closed(scope["path"]):
            await refuse(scope, receive, send, 403, CLOSED)
        else:
            await self._app(scope, receive, send)


def is_closed(path: str) -> bool:
    """Return whether an address is one of Gradio's that no page needs."""
    if "gradio_api" in path and not path.startswith(API):
        return True
    if path.startswith(FILE):
        return path.removeprefix(FILE).lower().startswith(("http:", "https:", "//"))
    if path.startswith(API):
        return path.removeprefix(API).split("/")[0] not in API_PARTS
    return path.startswith(CLOSED_PAGES)
