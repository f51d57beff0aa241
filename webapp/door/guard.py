"""The door: every request has a session, comes from our own page, is bounded, and touches only its own files."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from anyio import to_thread
from sqlalchemy.exc import OperationalError
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import UserError
from webapp.door.limits import Bounded, Buckets, Owners, read_bounded
from webapp.services import Services

COOKIE = "counterscan_session"
KEY = "counterscan.session"
COOKIE_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")
SAFE = ("GET", "HEAD")
# of what belongs to one visitor
PRIVATE = {"cache-control": "private, no-store"}
RATING_PAGE = re.compile(r"/rate/[A-Za-z0-9_-]+")
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
GRADIO_CLOSED = ("/openapi.json", "/docs", "/redoc", "/monitoring", "/login", "/logout", "/runs", "/pwa_icon")
JSON_BYTES = 4 << 20
MASK_BYTES = 8 << 20
FORM_BYTES = 1 << 20  # what a multipart form adds to its files
HEADERS = {
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
AGAIN = '<!doctype html><meta http-equiv="refresh" content="0"><title>Counterscan</title>'


def session_of(request: Any) -> str:
    """Return the session of a ``gr.Request`` or a Starlette request that came through the guard."""
    inner = getattr(request, "request", None) or request
    found = inner.scope.get(KEY)
    if not found:
        raise UserError("no_session", "This browser has no session yet.", "Reload the page; cookies must be allowed.")
    return str(found)


class Guard:
    """ASGI middleware around the whole server; ``uploads`` is the folder of Gradio's uploads."""

    def __init__(self, app: ASGIApp, services: Services, uploads: Path) -> None:
        self._app = app
        self.services = services
        settings = self._settings = services.settings
        self._uploads = os.path.realpath(uploads)
        self._buckets = Buckets(settings.post_burst, settings.post_rate)
        self._visits = Buckets(1, 1 / 60)
        self._files = Owners()
        self._pages = Owners()
        self._hosts = settings.allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with the reason why not."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, _with_headers(send))

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        cookie = _cookie(headers)
        session = session_id(cookie) if cookie else None
        scope[KEY] = session
        refusal = self._refusal(scope, headers, session)
        if refusal is not None:
            await _refuse(scope, receive, send, *refusal)
        elif session is None and _is_page(scope):
            await self._welcome(scope, headers, receive, send)
        elif scope["method"] in SAFE or session is None:
            await self._app(scope, receive, send)
        else:
            await self._change(scope, headers, session, receive, send)

    def _refusal(self, scope: Scope, headers: Headers, session: str | None) -> tuple[int, UserError] | None:
        """Return why a request is turned away before its body is read, if it is."""
        if self._hosts and _host_name(headers.get("host", "")) not in self._hosts:
            return 421, WRONG_HOST
        path = scope["path"]
        if _closed(path) or (path.startswith(FILE) and not self._may_read(path, session)):
            return 403, CLOSED
        if not self._owns_page(scope, session):
            return 403, CLOSED
        if scope["method"] in SAFE:
            return None
        if session is None:
            return 403, NO_SESSION
        if not _same_origin(headers):
            return 403, CROSS_ORIGIN
        if not self._buckets.take(session):
            return 429, TOO_FAST
        return None

    async def _welcome(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        """Answer a first visit: with a cookie, or with a page that asks again.

        A strict cookie is not sent when a link on another site leads here, so that visit may not be the first.
        """
        if headers.get("sec-fetch-site") == "cross-site":
            await HTMLResponse(AGAIN, headers={"cache-control": "no-store"})(scope, receive, send)
            return
        cookie = secrets.token_urlsafe(32)
        scope[KEY] = session_id(cookie)

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", self._set_cookie(scope, cookie))
            await send(message)

        await self._app(scope, receive, with_cookie)

    def _set_cookie(self, scope: Scope, cookie: str) -> str:
        age = self._settings.session_days * 86400
        secure = "; Secure" if scope["scheme"] == "https" else ""
        return f"{COOKIE}={cookie}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}"

    async def _change(self, scope: Scope, headers: Headers, session: str, receive: Receive, send: Send) -> None:
        path = scope["path"]
        limit = self._body_limit(path)
        bounded = Bounded(receive, send, limit, _answer(413, _too_large(limit)))
        if bounded.refuses(headers.get("content-length")):
            await _refuse(scope, receive, send, 413, _too_large(limit))
            return
        if self._visits.take(session):
            try:
                await to_thread.run_sync(self.services.repo.touch, session)
            except OperationalError:
                await _refuse(scope, receive, send, 503, BUSY)
                return
        if path.startswith(UPLOAD) and path.rstrip("/") == UPLOAD:
            await bounded.run(self._app, scope, self._files.recorder(bounded.send, session))
        elif path.startswith(API):
            await self._api(scope, headers, session, bounded)
        else:
            await bounded.run(self._app, scope)

    async def _api(self, scope: Scope, headers: Headers, session: str, bounded: Bounded) -> None:
        """Look into a small body for the page and the files it speaks about, then pass it on."""
        body = await read_bounded(bounded)
        if body is None:
            return
        if "json" in headers.get("content-type", "") and not self._owns_body(body, session):
            await _answer(403, CLOSED)(bounded.send)
            return
        await bounded.run(self._app, scope, body=body)

    def _owns_body(self, body: bytes, session: str) -> bool:
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            return False
        page = content.get("session_hash") if isinstance(content, dict) else None
        if page is not None and not self._pages.claim(str(page), session):
            return False
        return all(self._files.owns(path, session) for path in _paths(content) if self._is_upload(path))

    def _owns_page(self, scope: Scope, session: str | None) -> bool:
        """Whether the page named in the address (Gradio's session_hash) is this session's; the first to name it is."""
        path = scope["path"]
        if not path.startswith(API):
            return True
        named = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("session_hash", [])
        if path.startswith(API + "heartbeat/"):
            named = [path.removeprefix(API + "heartbeat/").strip("/")]
        if not named:
            return True
        return session is not None and all(self._pages.claim(page, session) for page in named)

    def _may_read(self, path: str, session: str | None) -> bool:
        return session is not None and self._files.owns(os.path.realpath(path.removeprefix(FILE)), session)

    def _is_upload(self, path: str) -> bool:
        return os.path.realpath(path).startswith(self._uploads + os.sep)

    def _body_limit(self, path: str) -> int:
        if path.startswith(UPLOAD):
            return (self._settings.max_upload_mb << 20) + FORM_BYTES
        return MASK_BYTES if path.startswith("/mask/") else JSON_BYTES


def session_id(cookie: str) -> str:
    """Return the name of the session a cookie opens; it does not tell the cookie."""
    return hashlib.sha256(cookie.encode()).hexdigest()[:32]


WRONG_HOST = UserError(
    "wrong_host", "This server does not go by that name.", "Use its own address, or add the name to COUNTERSCAN_HOSTS."
)
CLOSED = UserError("closed", "This address is closed.", "Use the page.")
NO_SESSION = UserError("no_session", "This browser has no session yet.", "Open the page first; allow cookies.")
CROSS_ORIGIN = UserError("cross_origin", "The request came from another site.", "Use the page of this server.")
BUSY = UserError("busy", "The database is busy.", "Nothing is lost; the page sends it again.")
TOO_FAST = UserError("too_fast", "Too many requests at once.", "Wait a few seconds, then try again.")


def _too_large(limit: int) -> UserError:
    size = f"{limit >> 20} MB"
    return UserError("too_large", f"The file is larger than {size}.", "Upload one scan, compressed as .nii.gz.")


def _is_page(scope: Scope) -> bool:
    return scope["method"] in SAFE and (scope["path"] == "/" or RATING_PAGE.fullmatch(scope["path"]) is not None)


def _closed(path: str) -> bool:
    """Whether an address is one of Gradio's that no page of ours needs."""
    if "gradio_api" in path and not path.startswith(API):
        return True
    if path.startswith(FILE):
        return path.removeprefix(FILE).lower().startswith(("http:", "https:", "//"))
    if path.startswith(API):
        return path.removeprefix(API).split("/")[0] not in API_PARTS
    return path.startswith(GRADIO_CLOSED)


def _host_name(host: str) -> str:
    """Return a Host header's name without its port; brackets of an IPv6 address stay."""
    return re.sub(r":\d+$", "", host.strip().lower())


def _same_origin(headers: Headers) -> bool:
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or (origin != "null" and urlsplit(origin).netloc == headers.get("host"))


def _cookie(headers: Headers) -> str | None:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get("cookie", ""))
    except CookieError:
        return None
    value = jar[COOKIE].value if COOKIE in jar else ""
    return value if COOKIE_VALUE.fullmatch(value) else None


def _paths(content: object) -> list[str]:
    """Return every text in a JSON value: any of them may be taken for a path."""
    found, todo = [], [content]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, dict):
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
    return [text for text in found if "/" in text and len(text) < 4096 and "\0" not in text]


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def _response(status: int, error: UserError) -> JSONResponse:
    body = {"code": error.code, "message": error.message, "hint": error.hint, "detail": f"{error.message} {error.hint}"}
    retry = {"retry-after": "5"} if status in (429, 503) else {}
    return JSONResponse(body, status, {"cache-control": "no-store", **retry})


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, error: UserError) -> None:
    await _response(status, error)(scope, receive, send)


def _answer(status: int, error: UserError) -> Any:
    async def answer(send: Send) -> None:
        await _response(status, error)({"type": "http"}, _nothing, send)

    return answer


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
