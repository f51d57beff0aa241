"""Retention: what is older than a setting is deleted for good, without anybody's doing."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from webapp.door.uploads import LIFE_SECONDS
from webapp.housekeeping import TICK_SECONDS
from webapp.services import Services
from webapp.store.clock import now
from webapp.store.day_use import forget_days
from webapp.store.unfinished_work import DAY_SECONDS, UNFINISHED, UnfinishedWork

log = logging.getLogger(__name__)

# looks within one span of retention: nothing stays much longer than promised
LOOKS = 4
# sweeps that are remembered
KEPT_RUNS = 20


@dataclass(frozen=True)
class RetentionRun:
    """A sweep: its moment, and how many scans and runs it deleted."""

    moment: datetime
    deleted: int


class Retention:
    """The sweep of one server; ``clock`` gives the time."""

    def __init__(self, services: Services, clock: Callable[[], datetime] = now) -> None:
        self._services = services
        self._clock = clock
        self._age = services.settings.retention
        self._runs: deque[RetentionRun] = deque(maxlen=KEPT_RUNS)

    @property
    def life_of_uploads(self) -> float:
        """Seconds after which an upload that nothing has used is removed."""
        return LIFE_SECONDS if self._age is None else min(LIFE_SECONDS, self._age.total_seconds())

    @property
    def tick(self) -> float:
        """Seconds between two sweeps."""
        return TICK_SECONDS if self._age is None else min(TICK_SECONDS, max(1.0, self._age.total_seconds() / LOOKS))

    def sweep(self) -> None:
        """Delete what is too old, and what an earlier deletion left; it blocks."""
        moment, data = self._clock(), self._services.settings.data
        if self._age is not None:
            before = moment - self._age
            gone = self._services.erasure.delete_old(before, moment)
            self._services.blobs.empty_trash(before.timestamp())
            self._note(RetentionRun(moment, gone))
        _remove(_below(data / "incoming"), moment - timedelta(seconds=LIFE_SECONDS))
        oldest = moment.timestamp() - DAY_SECONDS
        UnfinishedWork(data / UNFINISHED).delete_old(
            oldest if self._age is None else max(oldest, (moment - self._age).timestamp())
        )
        if life := self._services.settings.backup_life:
            _remove(_below(data / "backups"), moment - life)
            _remove_empty(data / "backups")
        self._services.shares.forget_ended()
        self._services.tokens.forget_ended()
        forget_days(self._services.repo.engine, moment.timestamp())
        self._services.erasure.finish()

    def runs(self) -> tuple[RetentionRun, ...]:
        """Return the newest sweeps that deleted something and the last one of all, the last one first."""
        return tuple(reversed(self._runs))

    def _note(self, run: RetentionRun) -> None:
        if self._runs and not self._runs[-1].deleted:
            self._runs.pop()
        self._runs.append(run)
        if run.deleted:
            log.info("retention", extra={"deleted": run.deleted})


def _below(folder: Path) -> Iterable[Path]:
    """Return the files below a folder, which need not be there."""
    return [path for path in folder.rglob("*") if path.is_file()]


def _remove(files: Iterable[Path], before: datetime) -> None:
    """Delete the files that were last written before a time."""
    for path in files:
        # another server may have been faster
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before.timestamp():
                path.unlink()


def _remove_empty(folder: Path) -> None:
    """Delete the folders below a folder that have nothing in them."""
    for path in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        # not empty
        with suppress(OSError):
            path.rmdir()
