"""What a JSON body for Gradio names: a page, files, and texts that could be read as paths."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from core.errors import UserError

# commas and brackets; a series of 5000 files has 45,000 of them
MAX_MARKS = 60_000
# texts that begin with a slash, counted before anything is read
MAX_PATHS = 15_000
# a study's instructions, the longest text of a form, have 5000 characters at most
MAX_TEXT = 50_000
# of one text, and the number of texts with any: each file has a path, an address and a type, and few other texts do
MAX_SLASHES = 200
MAX_SLASHED = 1000
SLASHED_OF_A_FILE = 10
# what Gradio reads of a file, today and in its older form
FILE_FIELDS = ("path", "url", "name")
UNREADABLE = UserError("bad_request", "The request cannot be read.", "Use the page.")


@dataclass
class Body:
    """A body's page (Gradio's session_hash), the values in ``FILE_FIELDS`` of its files, and all its texts."""

    page: object = None
    files: list[dict[str, object]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


def inspect(body: bytes) -> Body:
    """Return what ``body`` names; UserError bad_request for what is no JSON, or has more and longer texts than a page.

    The body is read as Gradio reads it, whatever its content type. No name is resolved: nothing here touches a disk.
    """
    if sum(body.count(mark) for mark in b",[{") > MAX_MARKS or body.count(b'"/') > MAX_PATHS:
        raise UNREADABLE
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UNREADABLE from error
    found = Body(content.get("session_hash") if isinstance(content, dict) else None)
    for value in _values(content):
        if isinstance(value, str):
            found.texts.append(value)
        elif isinstance(value, dict) and _is_file(value):
            found.files.append({name: value.get(name) for name in FILE_FIELDS})
    _require_plain(found)
    return found


def _require_plain(body: Body) -> None:
    slashed = 0
    for text in body.texts:
        if len(text) > MAX_TEXT or text.count("/") > MAX_SLASHES:
            raise UNREADABLE
        slashed += "/" in text
    if slashed > MAX_SLASHED + SLASHED_OF_A_FILE * len(body.files):
        raise UNREADABLE


def _values(content: Any) -> Iterator[Any]:
    """Yield every value and every key of a JSON value."""
    todo = [content]
    while todo:
        value = todo.pop()
        yield value
        if isinstance(value, dict):
            todo.extend(value)
            todo.extend(value.values())
        elif isinstance(value, list):
            todo.extend(value)


def _is_file(value: dict[str, Any]) -> bool:
    meta = value.get("meta")
    return "path" in value or "is_file" in value or (isinstance(meta, dict) and "_type" in meta)
