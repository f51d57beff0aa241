"""Who sends a request: the session that everything of theirs is stored under, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Scope

from core.errors import UserError
from webapp.roles import Role, covers
from webapp.store.account_records import BrowserRecord

# the keys in a request's scope of the session's id and of the visitor, None without one
KEY = "counterscan.session"
VISITOR = "counterscan.visitor"


@dataclass(frozen=True)
class Visitor:
    """Who sends a request; ``name`` is that of the account, "" without one.

    browser: what the cookie opened; None for whom a proxy names with each request. token: id of the token by which a
    program came in, "" without one.
    """

    session: str
    role: Role
    name: str = ""
    browser: BrowserRecord | None = None
    token: str = ""


def put(scope: Scope, visitor: Visitor | None) -> None:
    """Write into a request who sends it."""
    scope[VISITOR] = visitor
    scope[KEY] = None if visitor is None else visitor.session


def session_of(request: Any) -> str:
    """Return the id of the session of a ``gr.Request`` or a Starlette request; UserError no_session without one."""
    found = _scope(request).get(KEY)
    if not found:
        raise UserError("no_session", "This browser has no session yet.", "Reload the page; cookies must be allowed.")
    return str(found)


def visitor_of(request: Any) -> Visitor:
    """Return who sends a ``gr.Request`` or a Starlette request; UserError no_session without one."""
    session_of(request)
    found: Visitor = _scope(request)[VISITOR]
    return found


def site_of(request: Any) -> str:
    """Return the address of this server, as the browser that sends a request knows it."""
    scope = _scope(request)
    return f"{scope['scheme']}://{Headers(scope=scope).get('host', '')}"


def require(request: Any, role: Role) -> str:
    """Return the id of the session of a request whose visitor has a role; UserError no_session, not_allowed."""
    visitor = visitor_of(request)
    if not covers(visitor.role, role):
        raise not_allowed(role)
    return visitor.session


def not_allowed(role: Role) -> UserError:
    """Return the error for what needs another role."""
    words = {"visitor": "use this server", "manager": "make reader studies", "admin": "look after this server"}
    return UserError(
        "not_allowed",
        f"Your role does not allow you to {words.get(role, 'do this')}.",
        "Ask an administrator of this server for it.",
    )


def _scope(request: Any) -> Scope:
    inner = getattr(request, "request", None) or request
    scope: Scope = inner.scope
    return scope
