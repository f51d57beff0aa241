"""The time, and random names."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the module ``time`` gives: seconds since 1970, and seconds that never go back."""

    def time(self) -> float:
        """Return the seconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Return seconds for differences."""
        ...


def now() -> datetime:
    """Return this moment in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return a name nobody can guess: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def new_token() -> str:
    """Return a key nobody can guess, safe in an address."""
    return secrets.token_urlsafe(32)
