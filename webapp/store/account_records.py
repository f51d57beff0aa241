"""Records of accounts, of the browsers that visit, and of the tokens of programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from webapp.roles import Role


@dataclass(frozen=True)
class AccountRecord:
    """Somebody who is known by name; ``session`` is what everything of theirs is stored under.

    local: has a password here; else a proxy or a provider checks who is there. linked: is somebody's of a provider.
    """

    id: str
    name: str
    role: Role
    session: str
    local: bool
    linked: bool
    disabled: datetime | None
    created: datetime


@dataclass(frozen=True)
class BrowserRecord:
    """A browser that has a cookie of this server; ``account`` is whose it is, None without log-in.

    ended: an administrator closed the server to the visitor.
    """

    id: str
    session: str
    account: AccountRecord | None
    created: datetime
    last_seen: datetime
    ended: bool = False


@dataclass(frozen=True)
class TokenRecord:
    """What lets a program in as a visitor until ``ends``; ``account`` is whose it is, None without log-in.

    The token itself is not known any more. ended: an administrator closed the server to the visitor.
    """

    id: str
    session: str
    account: AccountRecord | None
    title: str
    created: datetime
    ends: datetime
    last_seen: datetime | None
    ended: bool = False
