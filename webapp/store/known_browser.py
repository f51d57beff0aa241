"""By what a browser is known that has signed in to an account before, so that the wrong passwords of others do not lock
its owner out: a mark that cannot be made without the stored password, and is void with it."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

MARK = re.compile(r"(?P<nonce>[A-Za-z0-9_-]{22})\.(?P<proof>[0-9a-f]{64})")


def new_mark(name: str, kept: str) -> str:
    """Return the mark of one browser for the account ``name``; kept: the password as it is stored."""
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_proof(nonce, name, kept)}"


def nonce_of(mark: str, name: str, kept: str) -> str:
    """Return what tells this browser from others, "" for a mark of another account, of an older password, or none."""
    found = MARK.fullmatch(mark)
    # the same work for every mark
    proof = _proof(found["nonce"] if found else "", name, kept)
    return found["nonce"] if found and hmac.compare_digest(proof, found["proof"]) else ""


def _proof(nonce: str, name: str, kept: str) -> str:
    return hmac.new(kept.encode(), f"{nonce} {name}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()
