"""The token of an administrator, sent as a password (basic, by a browser) or as a bearer token (by a program)."""

from __future__ import annotations

import base64
import binascii
import secrets

from starlette.datastructures import Headers
from starlette.types import Scope


def has_token(scope: Scope, token: str) -> bool:
    """Return whether a request brings ``token``; never without one, which no setting gives."""
    kind, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
    if not token or not given:
        return False
    sent = _password(given) if kind.lower() == "basic" else given.encode("latin-1", "replace")
    return secrets.compare_digest(sent, token.encode())


def _password(given: str) -> bytes:
    """Return the password of a basic log-in, whose name does not matter."""
    try:
        return base64.b64decode(given, validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""
