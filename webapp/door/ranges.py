"""Requests for a part of a file: one that asks for no part in the words of HTTP gets the whole (RFC 9110, 14.2)."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Receive, Scope, Send

PART = r"(\d+-\d*|-\d+)"
PARTS = re.compile(rf"bytes=\s*{PART}(\s*,\s*{PART})*\s*", re.ASCII | re.IGNORECASE)
BOUNDS = re.compile(r"(\d+)-(\d+)")
# of numbers that are read, more than any file has
DIGITS = 30


class Ranges:
    """ASGI middleware: removes a Range header that names no parts, which Starlette would answer by an error."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http" and any(name == b"range" for name, _ in scope["headers"]):
            scope["headers"] = [one for one in scope["headers"] if one[0] != b"range" or names_parts(one[1])]
        await self._app(scope, receive, send)


def names_parts(value: bytes) -> bool:
    """Return whether a Range header names parts of a file, each from a byte to one that is not before it."""
    text = value.decode("latin-1")
    if PARTS.fullmatch(text) is None or re.search(rf"\d{{{DIGITS}}}", text):
        return False
    return all(int(first) <= int(last) for first, last in BOUNDS.findall(text))
