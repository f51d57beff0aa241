"""The scripts and styles of Gradio's page: compressed once, kept by browsers, and two of them made quicker.

Gradio itself compresses each of the eighty files of a page anew for every visit, and lets browsers ask for all of them
again. Their names have the digest of what is in them, so that neither is needed.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import brotli
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse

from webapp.door.headers import NAMED

# takes milliseconds for most files; the best takes ten times as long for a fiftieth of the size
QUALITY = 5
# twice as many as all tabs of the page load
MOST_FILES = 256
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*\.(js|css|svg|woff2?|ttf)")
TEXTS: Mapping[str, str] = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
PLAIN = "identity"
CODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda text: bytes(brotli.compress(text, mode=brotli.MODE_TEXT, quality=QUALITY)),
    "gzip": gzip.compress,
    PLAIN: bytes,
}
# of a file that is no longer what its name says: asked for each time, and told by its digest
ASKED = {"cache-control": "no-cache"}


@dataclass(frozen=True)
class Shortcut:
    """A piece of Gradio's page and what does the same with less work; after: stands at the end of the file."""

    slow: str
    quick: str
    after: str = ""


# The page is built twice, and each time every component looks through the targets of all events, by proxies. Besides,
# every event looks for its target among all components, to set arguments that hardly any event has. Together these were
# half of the time that the page took to open.
SHORTCUTS = (
    Shortcut(
        "find_attached_events(e,t){let n=t.filter(t=>t.targets.find(([t])=>t===e.id)).map(t=>{"
        "let n=t.targets.find(([t])=>t===e.id);return n?n[1]:null}).filter(Boolean);",
        "find_attached_events(e,t){let n=counterscanAttached(t,e.id);",
        """
var counterscanKnown = new WeakMap();
function counterscanAttached(events, id) {
  let found = counterscanKnown.get(events);
  if (!found) {
    counterscanKnown.set(events, found = new Map());
    for (const { targets } of events) {
      const names = new Map();
      for (const [component, name] of targets) if (!names.has(component)) names.set(component, name);
      for (const [component, name] of names) if (name) found.set(component, [...(found.get(component) ?? []), name]);
    }
  }
  return [...(found.get(id) ?? [])];
}
""",
    ),
    Shortcut(
        "async set_event_args(e,t){let n={}",
        "async set_event_args(e,t){if(!Object.keys(t).length)return()=>{};let n={}",
    ),
)


def router() -> APIRouter:
    """Return the address of the files of Gradio's page."""
    from gradio.route_utils import BUILD_PATH_LIB

    folder, found = Path(BUILD_PATH_LIB), APIRouter()

    @found.get("/assets/{name}")
    def part(name: str, request: Request) -> Response:
        """A script, style, picture or font of Gradio's page."""
        path = folder / name
        if NAME.fullmatch(name) is None or not path.is_file():
            return PlainTextResponse("not found", 404)
        if path.suffix not in TEXTS:
            return FileResponse(path, headers=NAMED)
        coding = _coding(request.headers.get("accept-encoding", ""))
        body, mark, is_shortened = _served(path, coding)
        headers = {**(ASKED if is_shortened else NAMED), "etag": mark, "vary": "accept-encoding"}
        if coding != PLAIN:
            headers["content-encoding"] = coding
        if request.headers.get("if-none-match") == mark:
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=TEXTS[path.suffix], headers=headers)

    return found


def shortened(text: str) -> str:
    """Return a script of Gradio's page with the shortcuts of what is in it; one that has no such piece stays."""
    for one in SHORTCUTS:
        if text.count(one.slow) == 1:
            text = text.replace(one.slow, one.quick) + one.after
    return text


def _coding(accepted: str) -> str:
    known = {part.partition(";")[0].strip() for part in accepted.lower().split(",")}
    return next(coding for coding in CODINGS if coding in known or coding == PLAIN)


@lru_cache(MOST_FILES)
def _served(path: Path, coding: str) -> tuple[bytes, str, bool]:
    """Return a file as it is sent, its mark, and whether it has a shortcut."""
    text = path.read_text(encoding="utf-8")
    sent = shortened(text)
    body = CODINGS[coding](sent.encode())
    return body, f'"{sha256(body).hexdigest()}"', sent != text
