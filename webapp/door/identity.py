"""From a request to its visitor: by the cookie that the server gave the browser, or by the header of a proxy."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Scope

from core.errors import UserError
from webapp.door.addresses import ACCESS
from webapp.door.bearer import BAD_TOKEN, TOKEN_NEEDED, bearer_of
from webapp.door.peer import is_near, is_within
from webapp.door.refusals import CLOSED
from webapp.door.visitor import Visitor
from webapp.services import Services
from webapp.store.access_tokens import digest
from webapp.store.account_records import AccountRecord, BrowserRecord

COOKIE = "counterscan_session"
# a browser takes such a cookie from this very host alone, by HTTPS (RFC 6265bis, 4.1.3.2)
SECURE_COOKIE = f"__Host-{COOKIE}"
COOKIE_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")
# for so many seconds another server's sign-out, or the command line's, may go unnoticed
CACHE_SECONDS = 5.0
REMEMBERED = 20_000
# as whom programs of one person's own machine come in, which need no token there
LOCAL = "local"
# where programs find tools, if a setting offers them
TOOLS = "/mcp"
# headers that a browser sends and a program does not
OF_BROWSERS = ("origin", "cookie", "sec-fetch-site")
ENDED = UserError(
    "visit_ended", "An administrator ended your visit here.", "Write to whoever runs this server if you need your data."
)


@dataclass(frozen=True)
class Admitted:
    """A visitor who has just come in, and the cookie to give to the browser."""

    visitor: Visitor
    cookie: str


class Identity:
    """Who a request is from. Every method may read the database, and block; OperationalError when that is busy."""

    def __init__(self, services: Services, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = services.settings
        self._proxies = services.settings.trusted_proxies
        self._accounts = services.accounts
        self._browsers = services.browsers
        self._tokens = services.tokens
        self._repo = services.repo
        self._studies = services.studies
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Visitor]] = OrderedDict()
        # sign-outs so far: what was looked up before one is not remembered after it
        self._ends = 0
        self._change = threading.Lock()

    def of(self, scope: Scope) -> Visitor | None:
        """Return who sends a request, None for nobody known.

        UserError no_account for whom a proxy names and this server does not let in, visit_ended for whom it no longer
        lets in; of programs bad_token, token_needed, token_in_address, closed.
        """
        access = scope.get(ACCESS)
        tools = scope.get("path", "").startswith(TOOLS)
        if access == "program" and not (self._settings.api and (self._settings.mcp or not tools)):
            raise CLOSED
        if access in ("program", "work") and self._settings.api:
            program = self._program(scope)
            if program is not None:
                return program
        if access == "program":
            raise TOKEN_NEEDED
        name = self._proxied(scope)
        if name:
            return self._remembered(f"proxy {name}", lambda: self._named(name))
        cookie = cookie_of(scope)
        return self._remembered(cookie, lambda: self._opened(cookie)) if cookie else None

    def recall(self, scope: Scope) -> Visitor | None:
        """Return whose cookie a request brings that was looked up a moment ago, without the database.

        None for every other request, which ``of`` answers: among them all that could be a program's or a proxy's.
        """
        plain = not (self._settings.proxy_header or scope["query_string"] or "authorization" in Headers(scope=scope))
        cookie = cookie_of(scope) if plain and scope.get(ACCESS) != "program" else None
        if cookie is None:
            return None
        with self._change:
            until, visitor = self._known.get(cookie, (0.0, None))
        return visitor if self._clock() < until else None

    def admit(self, who: AccountRecord | None = None) -> Admitted:
        """Let a browser in, without ``who`` as a new visitor without an account."""
        browser, cookie = self._browsers.admit(who)
        return Admitted(self._visitor(browser), cookie)

    def invited(self, key: str) -> bool:
        """Return whether a key is that of an invitation that needs no account; it may be over."""
        if self._settings.invitations == "account":
            return False
        try:
            self._studies.by_key(key)
        except UserError as error:
            return error.code == "invitation_over"
        return True

    def touch(self, visitor: Visitor) -> None:
        """Note a visit."""
        if visitor.token:
            self._tokens.touch(visitor.token)
        elif visitor.browser is None:
            self._repo.touch(visitor.session)
        else:
            self._browsers.touch(visitor.browser)

    def sign_out(self, visitor: Visitor) -> None:
        """End the visit of this browser."""
        if visitor.browser is not None:
            self._browsers.sign_out(visitor.browser.id)
        self.forget(visitor.session)

    def sign_out_everywhere(self, visitor: Visitor) -> None:
        """End the visits of all browsers of a visitor."""
        self._browsers.sign_out_everywhere(visitor.session)
        self.forget(visitor.session)

    @property
    def ends(self) -> int:
        """How many visits were ended here so far."""
        return self._ends

    def forget(self, session_id: str) -> None:
        """Have the next request of a visitor looked up in the database."""
        with self._change:
            self._ends += 1
            for key in [key for key, (_, visitor) in self._known.items() if visitor.session == session_id]:
                del self._known[key]

    def _program(self, scope: Scope) -> Visitor | None:
        """Return as whom a program comes in, None for what is none."""
        token = bearer_of(scope)
        if token is not None:
            found = self._remembered(f"token {digest(token)}", lambda: self._sent(token))
            if found is None:
                raise BAD_TOKEN
            return found
        settings = self._settings
        alone = not (settings.is_remote or settings.has_login or settings.public_demo)
        headers = Headers(scope=scope)
        if alone and is_near(scope) and not any(name in headers for name in OF_BROWSERS):
            return Visitor(LOCAL, settings.anonymous_role)
        return None

    def _sent(self, token: str) -> Visitor | None:
        """Return as whom a token lets a program in."""
        known = self._tokens.find(token)
        if known is None:
            return None
        if known.ended:
            raise ENDED
        if known.account is None:
            role = self._settings.anonymous_role
            return None if self._settings.has_login else Visitor(known.session, role, token=known.id)
        return Visitor(known.session, known.account.role, known.account.name, token=known.id)

    def _proxied(self, scope: Scope) -> str:
        """Return whom a trusted proxy names, "" for nobody."""
        header = self._settings.proxy_header
        if not header or not is_within(scope, self._proxies):
            return ""
        given = Headers(scope=scope).getlist(header)
        # two of them: one may be the client's own
        return _decoded(given[0].strip()) if len(given) == 1 else ""

    def _named(self, name: str) -> Visitor:
        account = self._accounts.named(name, self._settings.role_of_new)
        return Visitor(account.session, account.role, account.name)

    def _opened(self, cookie: str) -> Visitor | None:
        browser = self._browsers.find(cookie)
        if browser is None:
            return None
        if browser.ended:
            raise ENDED
        alone = browser.account is None and self._settings.has_login and self._settings.invitations == "account"
        return None if alone else self._visitor(browser)

    def _visitor(self, browser: BrowserRecord) -> Visitor:
        account = browser.account
        if account is None:
            return Visitor(browser.session, self._settings.anonymous_role, "", browser)
        return Visitor(browser.session, account.role, account.name, browser)

    def _remembered(self, key: str, find: Callable[[], Visitor | None]) -> Visitor | None:
        moment = self._clock()
        with self._change:
            until, visitor = self._known.get(key, (0.0, None))
            ends = self._ends
        if visitor is not None and moment < until:
            return visitor
        found = find()
        with self._change:
            self._known.pop(key, None)
            if found is not None and ends == self._ends:
                self._known[key] = (moment + CACHE_SECONDS, found)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return found


def _decoded(value: str) -> str:
    """Return the text of a header, which is read as Latin-1 and as a rule is UTF-8."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def cookie_of(scope: Scope) -> str | None:
    """Return the value of the session's cookie, if a request brings one."""
    value = HTTPConnection(scope).cookies.get(cookie_name(scope), "")
    return value if COOKIE_VALUE.fullmatch(value) else None


def cookie_name(scope: Scope) -> str:
    """Return the name of the cookie, which depends on whether the request came by HTTPS."""
    return SECURE_COOKIE if scope["scheme"] == "https" else COOKIE


def set_cookie(scope: Scope, cookie: str, seconds: int, *, framed: bool = False) -> str:
    """Return the header that gives a browser its cookie; 0 seconds take it away.

    framed: the page is shown in a frame of another site's. By HTTPS the cookie then is one that the browser keeps for
    frames of that site alone (CHIPS); a strict one would never be sent.
    """
    https = scope["scheme"] == "https"
    kind = "SameSite=None; Partitioned" if framed and https else "SameSite=Strict"
    secure = "; Secure" if https else ""
    return f"{cookie_name(scope)}={cookie}; Path=/; Max-Age={seconds}; HttpOnly; {kind}{secure}"
