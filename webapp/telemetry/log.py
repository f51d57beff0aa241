"""The log of a server: one JSON object a line, or plain lines on a terminal; ids alone, no word of a visitor's."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from traceback import walk_tb
from typing import Any, TextIO

import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import EventDict, WrappedLogger

from core.errors import UserError

# the field of a line that names the request during which it was written
REQUEST = "request"
# of the path of an upload the id, and what follows up to the end of the line or a closing quote
UPLOADED = re.compile(r"(uploads/[0-9a-f]{32})/[^'\"\n]*")
# of the path of a source file: the folder, and the file
PLACE_PARTS = 3


def set_up(stream: TextIO | None = None) -> None:
    """Write the log to ``stream``, the standard error if not given: JSON unless a person reads it on a terminal."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter(json=not (stream or sys.stderr).isatty()))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # one line for each statement of a migration helps nobody
    for name in ("alembic", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)


def formatter(*, json: bool) -> logging.Formatter:
    """Return what turns records into lines; fields given as ``extra`` and the request stand beside the event."""
    last: Any = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    return ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[_trace, ProcessorFormatter.remove_processors_meta, _scrubbed, last],
    )


def ids_alone(text: str) -> str:
    """Return a text without the names that visitors gave their files: an upload is known by its id."""
    return UPLOADED.sub(r"\1/*", text)


def name_of(error: BaseException) -> str:
    """Return an exception by name and code; its sentence may have a visitor's words, and is left out."""
    kind = type(error).__qualname__
    if isinstance(error, UserError):
        return f"{kind}: {error.code}"
    return f"{kind}: {error.strerror}" if isinstance(error, OSError) and error.strerror else kind


def _trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put the trace of an exception into an event: places, names and codes, with COUNTERSCAN_DEBUG its sentence too."""
    given = event.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = "\n".join(_lines(error))
    return event


def _lines(error: BaseException) -> Iterator[str]:
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None:
        yield from _lines(earlier)
    for frame, line in walk_tb(error.__traceback__):
        place = "/".join(Path(frame.f_code.co_filename).parts[-PLACE_PARTS:])
        yield f"  {place}:{line} {frame.f_code.co_name}"
    debug = os.environ.get("COUNTERSCAN_DEBUG", "") not in ("", "0")
    yield f"{type(error).__qualname__}: {error}" if debug else name_of(error)


def _scrubbed(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: ids_alone(value) if isinstance(value, str) else value for key, value in event.items()}
