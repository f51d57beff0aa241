"""The log of a server: one JSON object a line, or plain lines on a terminal; ids alone, no word of a visitor's."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, TextIO

import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import EventDict, WrappedLogger

from core.traces import trace_of

# the field of a line that names the request during which it was written
REQUEST = "request"
# of the path of an upload the id, and what follows up to the end of the line or a closing quote
UPLOADED = re.compile(r"(uploads/[0-9a-f]{32})/[^'\"\n]*")


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


def _trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put the trace of an exception into an event."""
    given = event.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = trace_of(error)
    return event


def _scrubbed(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: ids_alone(value) if isinstance(value, str) else value for key, value in event.items()}
