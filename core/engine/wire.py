"""Jobs and events as lines of JSON, as they pass between the engine and its children."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from core.engine.protocol import JobSpec
from core.events import Event, Failed, Finished, Progress, Started
from core.result import NamedFile, Note
from core.result_json import from_json, to_json

EVENTS: Mapping[str, type[Event]] = {kind.__name__: kind for kind in (Started, Progress, Finished, Failed)}


def encode_event(event: Event) -> bytes:
    """Return one line for ``event``."""
    fields: dict[str, object] = asdict(event)
    if isinstance(event, Progress):
        fields["preview"] = b64encode(event.preview).decode()
    if isinstance(event, Finished):
        fields["result"] = to_json(event.result)
    return _line({"event": type(event).__name__, **fields})


def decode_event(line: bytes) -> Event:
    """Return the event of a line made by ``encode_event``; ``ValueError`` for anything else."""
    fields = _fields(line)
    kind = EVENTS.get(fields.pop("event", ""))
    if kind is None:
        raise ValueError("not an event")
    if "preview" in fields:
        fields["preview"] = b64decode(fields["preview"], validate=True)
    if "result" in fields:
        fields["result"] = from_json(fields["result"])
    return kind(**fields)


def encode_spec(spec: JobSpec) -> bytes:
    """Return one line for ``spec``."""
    return _line(asdict(spec))


def decode_spec(line: bytes) -> JobSpec:
    """Return the job of a line made by ``encode_spec``; ``ValueError`` for anything else."""
    fields = _fields(line)
    if "notices" in fields:
        fields["notices"] = {name: tuple(Note(**note) for note in found) for name, found in fields["notices"].items()}
    if "sources" in fields:
        fields["sources"] = {
            name: tuple(NamedFile(**file) for file in found) for name, found in fields["sources"].items()
        }
    return JobSpec(**fields)


def _line(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def _fields(line: bytes) -> dict[str, Any]:
    fields = json.loads(line)
    if not isinstance(fields, dict):
        raise ValueError("not an object")
    return fields
