"""The log-in page and the ways in: name and password, or an OpenID Connect provider."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import quote, unquote

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData
from starlette.requests import ClientDisconnect

from core.errors import UserError
from webapp.door.bodies import UNREADABLE
from webapp.door.headers import UNKEPT
from webapp.door.html import SAFE_FORMS, document
from webapp.door.identity import Identity, set_cookie
from webapp.door.peer import address_of
from webapp.door.provider import FAILED, Provider, attempt_of
from webapp.door.visitor import VISITOR
from webapp.rates import Rates
from webapp.services import Services
from webapp.store.account_records import AccountRecord

log = logging.getLogger(__name__)

# a check of a password takes 64 MB
CHECKS_AT_ONCE = 4
# tries of one address in a span of seconds
TRIES, TRY_SECONDS = 20, 60.0
# of a browser that has signed in with a password before
KNOWN_COOKIE = "counterscan_known"
ATTEMPT_COOKIE = "counterscan_sign_in"
# how long a log-in with a provider may take, in seconds
ATTEMPT_SECONDS = 600
CALLBACK = "/sign-in/callback"
HEADERS = {**UNKEPT, **SAFE_FORMS}
# errors of a try, and the status of the page that explains them
STATUS: Mapping[str, int] = {"wrong_password": 401, "locked_out": 429, "too_fast": 429}


def router(services: Services, identity: Identity, provider: Provider | None) -> APIRouter:
    """Return the addresses of the log-in; provider: None without one."""
    routes = APIRouter()
    ways = _Ways(services, identity, provider)
    if provider is not None:
        _provided(routes, ways, provider)

    @routes.get("/sign-in")
    def page(next: str = "/") -> Response:
        """The log-in page."""
        return ways.page(safe_next(next))

    @routes.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        """Check a name and a password, and begin a visit."""
        form = await _form(request)
        following = safe_next(_text(form, "next"))
        try:
            account = await ways.checked(request, _text(form, "name"), _text(form, "password"))
            mark = await to_thread.run_sync(services.accounts.mark, account.name)
        except UserError as error:
            log.info("log-in refused", extra={"code": error.code})
            return ways.page(following, _text(form, "name")[:120], error)
        answer = await ways.begun(request, account, following)
        answer.set_cookie(
            _own(request, KNOWN_COOKIE), mark, services.settings.session_days * 86400, httponly=True,
            samesite="strict", secure=request.url.scheme == "https",
        )  # fmt: skip
        return answer

    return routes


def safe_next(wanted: str) -> str:
    """Return the address on this server to go on to, the page for one that could lead elsewhere."""
    plain = all(33 <= ord(letter) < 127 for letter in wanted) and "\\" not in wanted
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") else "/"


class _Ways:
    """What the addresses of the log-in share."""

    def __init__(self, services: Services, identity: Identity, provider: Provider | None) -> None:
        self._services = services
        self._settings = services.settings
        self._identity = identity
        self._provider = provider
        self._tries = Rates(TRIES, TRY_SECONDS)
        self._checks = CapacityLimiter(CHECKS_AT_ONCE)

    def page(self, following: str, name: str = "", error: UserError | None = None) -> Response:
        content = document(
            "sign_in",
            next=following,
            name=name,
            message=error.message if error else "",
            hint=error.hint if error else "",
            local=self._settings.accounts,
            provider=self._settings.oidc_title if self._provider else "",
            rater_account=self._settings.invitations == "account",
        )
        return HTMLResponse(content, STATUS.get(error.code, 403) if error else 200, HEADERS)

    async def checked(self, request: Request, name: str, password: str) -> AccountRecord:
        if not self._settings.accounts:
            raise UserError("sign_in_failed", "This server has no passwords.", "Use the log-in of your institution.")
        if self._tries.take(address_of(request.scope)):
            raise UserError("too_fast", "Too many tries from your address.", "Wait a minute, then try again.")
        mark = request.cookies.get(_own(request, KNOWN_COOKIE), "")
        accounts = self._services.accounts
        return await to_thread.run_sync(accounts.sign_in, name, password, mark, limiter=self._checks)

    def known(self, subject: str, name: str) -> AccountRecord:
        return self._services.accounts.subject(subject, name, self._settings.role_of_new)

    async def begun(self, request: Request, account: AccountRecord, following: str) -> Response:
        before = request.scope[VISITOR]
        if before is not None and before.name:
            # the cookie of that visit is replaced, and worth nothing any more
            await to_thread.run_sync(self._identity.sign_out, before)
        admitted = await to_thread.run_sync(self._identity.admit, account)
        log.info("signed in", extra={"account": account.id})
        answer = RedirectResponse(following, 303, UNKEPT)
        days = self._settings.session_days
        answer.headers.append("set-cookie", set_cookie(request.scope, admitted.cookie, days * 86400))
        return answer


def _provided(routes: APIRouter, ways: _Ways, provider: Provider) -> None:
    @routes.get("/sign-in/provider")
    async def begin(request: Request, next: str = "/") -> Response:
        """Send the browser to the provider."""
        try:
            address, attempt = await provider.begin(_back(request), safe_next(next))
        except UserError as error:
            return ways.page(safe_next(next), "", error)
        answer = RedirectResponse(address, 303, UNKEPT)
        # lax: the browser comes back by a link of another site
        answer.set_cookie(
            _own(request, ATTEMPT_COOKIE), quote(attempt.to_text(), safe=""), ATTEMPT_SECONDS, httponly=True,
            samesite="lax", secure=request.url.scheme == "https",
        )  # fmt: skip
        return answer

    @routes.get(CALLBACK)
    async def finish(request: Request) -> Response:
        """Take the browser back from the provider, and begin a visit."""
        try:
            kept = request.cookies.get(_own(request, ATTEMPT_COOKIE))
            if kept is None:
                raise FAILED
            attempt = attempt_of(unquote(kept))
            person = await provider.finish(attempt, dict(request.query_params), _back(request))
            account = await to_thread.run_sync(ways.known, person.subject, person.name)
        except UserError as error:
            log.info("log-in refused", extra={"code": error.code})
            return ways.page("/", "", error)
        answer = await ways.begun(request, account, safe_next(attempt.next))
        answer.delete_cookie(_own(request, ATTEMPT_COOKIE), secure=request.url.scheme == "https")
        return answer


def _back(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', '')}{CALLBACK}"


def _own(request: Request, name: str) -> str:
    """Return the name of a cookie; by HTTPS another host of the domain cannot set one of this name."""
    return f"__Host-{name}" if request.url.scheme == "https" else name


async def _form(request: Request) -> FormData:
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        raise UNREADABLE
    try:
        return await request.form(max_fields=10)
    except ClientDisconnect as error:
        raise FAILED from error


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
