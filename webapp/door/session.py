"""The session of a visitor: who sends a request, whether they may, and the strict cookie of a browser."""

from __future__ import annotations

from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from sqlalchemy.exc import OperationalError
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import UserError
from webapp.door.addresses import ACCESS
from webapp.door.bearer import BAD_TOKEN, TOKEN_IN_ADDRESS, TOKEN_NEEDED
from webapp.door.headers import UNKEPT
from webapp.door.identity import Identity, cookie_of, set_cookie
from webapp.door.limits import TOO_FAST
from webapp.door.origin import SAFE
from webapp.door.peer import address_of
from webapp.door.refusals import BUSY, ask_for_token, is_opened, refuse, refuse_program, send_to_sign_in
from webapp.door.route_table import NEEDED, Access
from webapp.door.token import has_token
from webapp.door.visitor import Visitor, not_allowed, put
from webapp.rates import Rates
from webapp.roles import covers

SIGN_IN = "/sign-in"
# a visit is written down once in so many seconds
VISIT_SECONDS = 60
HOUR = 3600.0
LOOKS_AT_ONCE = 8
# wrong tokens of one address in a span of seconds
GUESSES, GUESS_SECONDS = 20, 60.0
OF_PROGRAMS = (BAD_TOKEN.code, TOKEN_IN_ADDRESS.code, TOKEN_NEEDED.code)
# what a browser loads into a frame of a page
FRAMES = ("iframe", "frame")
RELOADED = '<!doctype html><meta http-equiv="refresh" content="0"><title>Counterscan</title>'
# who sends the token of the administrator, and where that counts: nothing is stored under this session
ADMINISTRATOR = Visitor("", "admin", "administrator")
BY_TOKEN: tuple[Access, ...] = ("admin", "open")
NO_SESSION = UserError("no_session", "This browser has no session yet.", "Open the page first; allow cookies.")
SIGN_IN_FIRST = UserError("sign_in", "This server asks who is there.", "Sign in, then open the address again.")
TOO_MANY_SESSIONS = UserError(
    "too_many_sessions", "Too many new visitors came from your address.", "Try again later; allow cookies."
)


class Sessions:
    """ASGI middleware: puts the visitor, or None, into a request, and passes on what this visitor may send.

    has_login: nobody comes in without an account, but raters with an invitation. days: how long a browser keeps the
    cookie after its last visit of a page. per_hour: new sessions of one address. admin_token: who sends it is an
    administrator. framed: pages of other sites may show this server in a frame.
    """

    def __init__(
        self,
        app: ASGIApp,
        identity: Identity,
        *,
        has_login: bool,
        days: int,
        per_hour: int,
        admin_token: str = "",
        framed: bool = False,
    ) -> None:
        self._app = app
        self._identity = identity
        self._has_login = has_login
        self._token = admin_token
        self._age = days * 86400
        self._framed = framed
        self._new = Rates(per_hour, HOUR)
        self._visits = Rates(1, VISIT_SECONDS)
        # threads of its own: those of everybody may all be taken by uploads
        self._looks = CapacityLimiter(LOOKS_AT_ONCE)
        self._guesses = Rates(GUESSES, GUESS_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401 sign_in, 403 no_session or not_allowed, 429 or 503."""
        if scope[ACCESS] == "shared":
            # who it is does not count, not even for a proxy's header: the link does
            put(scope, None)
            await self._app(scope, receive, send)
            return
        try:
            visitor = ADMINISTRATOR if self._is_administrator(scope) else self._identity.recall(scope)
            if visitor is None:
                visitor = await to_thread.run_sync(self._identity.of, scope, limiter=self._looks)
            put(scope, visitor)
            await self._let(scope, visitor, receive, send)
        except OperationalError:
            await refuse(scope, receive, send, 503, BUSY)
        except UserError as error:
            await self._unknown(scope, receive, send, error)

    async def _unknown(self, scope: Scope, receive: Receive, send: Send, error: UserError) -> None:
        """Refuse whom a proxy names and this server does not know, and a program without a token that opens."""
        if error.code not in OF_PROGRAMS:
            await refuse(scope, receive, send, 403, error)
        elif error is BAD_TOKEN and (wait := self._guesses.take(address_of(scope))):
            await refuse(scope, receive, send, 429, TOO_FAST, wait)
        else:
            await refuse_program(scope, receive, send, error)

    async def _let(self, scope: Scope, visitor: Visitor | None, receive: Receive, send: Send) -> None:
        access: Access = scope[ACCESS]
        if access == "open" or visitor is ADMINISTRATOR:
            await self._app(scope, receive, send)
        elif visitor is not None and not covers(visitor.role, NEEDED[access]):
            await self._turn_away(scope, visitor, receive, send)
        elif access in ("page", "invited"):
            await self._visit(scope, visitor, receive, send)
        elif visitor is None:
            await self._anonymous(scope, receive, send)
        elif await self._may_go_on(scope, visitor):
            await self._app(scope, receive, send)
        else:
            await refuse(scope, receive, send, 503, BUSY)

    async def _may_go_on(self, scope: Scope, visitor: Visitor) -> bool:
        """Note what changes something, and each use of a token; False for a change that a busy database keeps out."""
        safe = scope["method"] in SAFE
        if safe and not visitor.token:
            return True
        return await self._noted(visitor) or safe

    async def _anonymous(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of nobody known: without log-in addresses that change nothing decide for themselves."""
        if self._has_login:
            await self._ask(scope, receive, send)
        elif scope["method"] not in SAFE:
            await refuse(scope, receive, send, 403, NO_SESSION)
        elif scope[ACCESS] == "admin":
            await self._refuse_role(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _refuse_role(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what needs another role; an administrator's token may be given in its place."""
        error = not_allowed(NEEDED[scope[ACCESS]])
        if scope[ACCESS] == "admin" and self._token:
            await ask_for_token(scope, receive, send, error)
        else:
            await refuse(scope, receive, send, 403, error)

    def _is_administrator(self, scope: Scope) -> bool:
        return scope[ACCESS] in BY_TOKEN and has_token(scope, self._token)

    async def _turn_away(self, scope: Scope, visitor: Visitor, receive: Receive, send: Send) -> None:
        """Refuse what another role may do; a rater without an account may have one to sign in with."""
        if self._has_login and not visitor.name:
            await self._ask(scope, receive, send)
        else:
            await self._refuse_role(scope, receive, send)

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a person sign in, and tell a script that it must."""
        if is_opened(scope) and _lacks_cookie(scope):
            await HTMLResponse(RELOADED, headers=UNKEPT)(scope, receive, send)
        elif is_opened(scope):
            query = scope["query_string"].decode("latin-1")
            wanted = scope["path"] + (f"?{query}" if query else "")
            await send_to_sign_in(scope, receive, send, f"{SIGN_IN}?next={quote(wanted, safe='')}")
        else:
            await refuse(scope, receive, send, 401, SIGN_IN_FIRST)

    async def _visit(self, scope: Scope, visitor: Visitor | None, receive: Receive, send: Send) -> None:
        """Answer a visit of a page and give or renew the cookie.

        A strict cookie is not sent when a link on another site leads here, so a visit without one may not be the first:
        the page then loads itself again.
        """
        cookie = cookie_of(scope)
        if visitor is None and _lacks_cookie(scope):
            await HTMLResponse(RELOADED, headers=UNKEPT)(scope, receive, send)
            return
        if visitor is None:
            if self._has_login and not await self._is_invited(scope):
                await self._ask(scope, receive, send)
                return
            if scope["method"] == "HEAD":
                # who asks for the head of a page does not visit it
                await self._app(scope, receive, send)
                return
            if wait := self._new.take(address_of(scope)):
                await refuse(scope, receive, send, 429, TOO_MANY_SESSIONS, wait)
                return
            admitted = await to_thread.run_sync(self._identity.admit)
            visitor, cookie = admitted.visitor, admitted.cookie
            put(scope, visitor)
        else:
            await self._noted(visitor)
        await self._app(scope, receive, self._giving(scope, cookie, visitor, send))

    async def _is_invited(self, scope: Scope) -> bool:
        if scope[ACCESS] != "invited":
            return False
        return await to_thread.run_sync(self._identity.invited, scope["path"].rstrip("/").rpartition("/")[2])

    def _giving(self, scope: Scope, cookie: str | None, visitor: Visitor, send: Send) -> Send:
        """Return a ``send`` that adds the cookie; whom a proxy names needs none."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if cookie is not None and visitor.browser is not None:
                    framed = self._framed and Headers(scope=scope).get("sec-fetch-dest") in FRAMES
                    headers.append("set-cookie", set_cookie(scope, cookie, self._age, framed=framed))
                # no proxy may hand one visitor's cookie to the next
                headers.setdefault("cache-control", "private, no-cache")
            await send(message)

        return sending

    async def _noted(self, visitor: Visitor) -> bool:
        """Write down a visit now and then; False if the database is busy."""
        if self._visits.take(visitor.token or visitor.session) == 0.0:
            try:
                await to_thread.run_sync(self._identity.touch, visitor)
            except OperationalError:
                return False
        return True


def _lacks_cookie(scope: Scope) -> bool:
    """Return whether a browser may have kept a strict cookie back, because a link on another site led here."""
    return cookie_of(scope) is None and Headers(scope=scope).get("sec-fetch-site") == "cross-site"
