"""The newest errors of one server for its administrator: moments, codes and ids."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

from structlog.contextvars import get_contextvars

from core.traces import name_of
from webapp.telemetry.log import REQUEST, ids_alone

KEPT = 100
# fields of a record that name what it is about better than the request does
IDS = ("mark", "job", "work")


@dataclass(frozen=True)
class ErrorRecord:
    """An error in the log: moment, module, sentence, the exception by name, and an id of what it happened to.

    id: of a job, the mark that a visitor was shown, or the name of the request; "" for none.
    """

    moment: datetime
    module: str
    text: str
    exception: str
    id: str


class RecentErrors(logging.Handler):
    """Keeps the newest ``KEPT`` errors that pass through the log, from ``begin`` to ``end``."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._kept: deque[ErrorRecord] = deque(maxlen=KEPT)

    def begin(self) -> None:
        """Listen to the log."""
        logging.getLogger().addHandler(self)

    def end(self) -> None:
        """Listen no more."""
        logging.getLogger().removeHandler(self)

    def newest(self) -> tuple[ErrorRecord, ...]:
        """Return the errors, the last one first."""
        return tuple(reversed(self._kept))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        error = record.exc_info[1] if record.exc_info else None
        self._kept.append(
            ErrorRecord(
                datetime.fromtimestamp(record.created, UTC),
                record.name,
                ids_alone(record.getMessage()),
                "" if error is None else name_of(error),
                str(
                    next(
                        (vars(record)[name] for name in IDS if name in vars(record)), get_contextvars().get(REQUEST, "")
                    )
                ),
            )
        )
