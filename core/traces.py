"""Traces of exceptions without their sentences, which may quote a file or a name of somebody's."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from traceback import walk_tb

from core.errors import UserError

# of the path of a source file: folders, and the file
PLACE_PARTS = 3


def name_of(error: BaseException) -> str:
    """Return an exception by name and code; its sentence is left out."""
    kind = type(error).__qualname__
    if isinstance(error, UserError):
        return f"{kind}: {error.code}"
    return f"{kind}: {error.strerror}" if isinstance(error, OSError) and error.strerror else kind


def trace_of(error: BaseException) -> str:
    """Return places in the source and names, what came first first; with COUNTERSCAN_DEBUG the sentences too."""
    return "\n".join(_lines(error))


class JsonLines(logging.Formatter):
    """Records as JSON, one a line, with traces as above: the log of a process that computes for a server."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as a line."""
        line = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            "process": record.process,
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = trace_of(record.exc_info[1])
        return json.dumps(line)


def log_to_stderr() -> None:
    """Write what goes wrong to the standard error, without a word of whoever's job it is unless it is a terminal."""
    handler = logging.StreamHandler()
    if not sys.stderr.isatty():
        handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def _lines(error: BaseException) -> Iterator[str]:
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None:
        yield from _lines(earlier)
    for frame, line in walk_tb(error.__traceback__):
        place = "/".join(Path(frame.f_code.co_filename).parts[-PLACE_PARTS:])
        yield f"  {place}:{line} {frame.f_code.co_name}"
    debug = os.environ.get("COUNTERSCAN_DEBUG", "") not in ("", "0")
    yield f"{type(error).__qualname__}: {error}" if debug else name_of(error)
