"""The clock and the dice of the store."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime


def now() -> datetime:
    """Return this moment in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return a name nobody can guess: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def new_token() -> str:
    """Return a key nobody can guess, safe in an address."""
    return secrets.token_urlsafe(32)
