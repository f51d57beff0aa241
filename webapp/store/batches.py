"""Batches: many scans of a visitor through one task, each of which becomes a job of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, update

from core.errors import UserError
from webapp.store.clock import new_id, now
from webapp.store.database import READING
from webapp.store.repository import ensure_session, not_found
from webapp.store.schema import batch, batch_scan, job
from webapp.store.states import OVER

# seconds without a sign after which nobody reads the scans of a batch any more
SILENCE = 300.0
CANCELLED = UserError("cancelled", "It was cancelled before it was read.", "Load it again if you need it.")
STOPPED = UserError("not_read", "The server stopped before it was read.", "Load it again.")
SORRY = UserError("internal", "Something went wrong on our side.", "Load this scan alone.")


@dataclass(frozen=True)
class BatchScan:
    """One scan of a batch; job: "" for one that is none yet, or never; error: why it never became one; first_error: why
    its job failed the first time."""

    number: int
    name: str
    job: str
    error: UserError | None
    first_error: UserError | None = None


@dataclass(frozen=True)
class BatchRecord:
    """A batch with its scans in their order; title: of what was uploaded."""

    id: str
    task: str
    title: str
    created: datetime
    scans: tuple[BatchScan, ...]


class Batches:
    """The batches of one database; ``clock``: seconds since 1970. Another session's is not found."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{READING: True})
        self._clock = clock

    def add(self, session_id: str, task: str, title: str, names: Sequence[str], most: int) -> str:
        """Record a batch of scans that are yet to be read, and return its id.

        UserError queue_full where the session would have more than ``most`` scans of batches that are not over.
        """
        batch_id = new_id()
        with self._engine.begin() as connection:
            ensure_session(connection, session_id)
            if _unfinished(connection, session_id) + len(names) > most:
                raise UserError(
                    "queue_full", f"More than {most} scans of yours would wait.", "Load fewer, or cancel a batch."
                )
            values = {"id": batch_id, "session": session_id, "task": task, "title": title[:120]}
            connection.execute(insert(batch).values(**values, touched=self._clock(), created=now()))
            rows = [{"batch": batch_id, "number": number, "name": name[:120]} for number, name in enumerate(names)]
            connection.execute(insert(batch_scan), rows)
        return batch_id

    def touch(self, batch_id: str) -> None:
        """Note that somebody reads the scans of a batch."""
        with self._engine.begin() as connection:
            connection.execute(update(batch).where(batch.c.id == batch_id).values(touched=self._clock()))

    def waits(self, batch_id: str, number: int) -> bool:
        """Return whether a scan is yet to be read, which it is not once the batch is cancelled."""
        mine = batch_scan.c.batch == batch_id, batch_scan.c.number == number
        with self._reader.begin() as connection:
            return connection.scalar(select(func.count()).where(*mine, *_unread())) == 1

    def fail(self, batch_id: str, number: int, error: UserError) -> None:
        """Record why a scan became no job."""
        mine = batch_scan.c.batch == batch_id, batch_scan.c.number == number
        with self._engine.begin() as connection:
            connection.execute(update(batch_scan).where(*mine, *_unread()).values(error=list(error.args)))

    def cancel(self, batch_id: str, session_id: str) -> tuple[str, ...]:
        """End the scans that are yet to be read, and return the jobs of the others that are not over."""
        self.one(batch_id, session_id)
        mine = batch_scan.c.batch == batch_id
        with self._engine.begin() as connection:
            connection.execute(update(batch_scan).where(mine, *_unread()).values(error=list(CANCELLED.args)))
            alive = select(job.c.id).join(batch_scan, batch_scan.c.job == job.c.id)
            return tuple(connection.scalars(alive.where(mine, job.c.state.not_in(OVER))))

    def of(self, session_id: str, limit: int = 20) -> tuple[BatchRecord, ...]:
        """Return the newest batches of a session, newest first."""
        query = select(batch).where(batch.c.session == session_id).order_by(batch.c.created.desc()).limit(limit)
        with self._reader.begin() as connection:
            return tuple(self._record(connection, row) for row in connection.execute(query).all())

    def one(self, batch_id: str, session_id: str) -> BatchRecord:
        """Return a batch of a session; UserError not_found."""
        with self._reader.begin() as connection:
            mine = batch.c.id == batch_id, batch.c.session == session_id
            row = connection.execute(select(batch).where(*mine)).one_or_none()
            if row is None:
                raise not_found()
            return self._record(connection, row)

    def _record(self, connection: Connection, row: Any) -> BatchRecord:
        query = select(batch_scan).where(batch_scan.c.batch == row.id).order_by(batch_scan.c.number)
        lost = self._clock() - row.touched > SILENCE
        scans = tuple(_scan(one, lost) for one in connection.execute(query))
        return BatchRecord(row.id, row.task, row.title, row.created, scans)


def join(connection: Connection, batch_id: str, number: int, job_id: str) -> None:
    """Make a job that of a scan of a batch; UserError cancelled where the scan waits no more."""
    mine = batch_scan.c.batch == batch_id, batch_scan.c.number == number
    if connection.execute(update(batch_scan).where(*mine, *_unread()).values(job=job_id)).rowcount != 1:
        raise CANCELLED


def is_tried_again(connection: Connection, job_id: str) -> bool:
    """Return whether a job is a scan of a batch that has not failed yet."""
    mine = batch_scan.c.job == job_id, batch_scan.c.first_error.is_(None)
    return connection.scalar(select(func.count()).where(*mine)) == 1


def keep_first_error(connection: Connection, job_id: str, error: UserError) -> None:
    """Record why the job of a scan failed the first time."""
    connection.execute(update(batch_scan).where(batch_scan.c.job == job_id).values(first_error=list(error.args)))


def scans_of(connection: Connection, batch_id: str, session_id: str) -> Collection[Any]:
    """Return the jobs (id, inputs, state) of a batch of a session; UserError not_found."""
    mine = batch.c.id == batch_id, batch.c.session == session_id
    if connection.scalar(select(func.count()).where(*mine)) != 1:
        raise not_found()
    query = select(job.c.id, job.c.inputs, job.c.state).join(batch_scan, batch_scan.c.job == job.c.id)
    return connection.execute(query.where(batch_scan.c.batch == batch_id)).all()


def _unread() -> tuple[Any, Any]:
    return batch_scan.c.job.is_(None), batch_scan.c.error.is_(None)


def _unfinished(connection: Connection, session_id: str) -> int:
    query = select(func.count()).select_from(batch_scan).join(batch, batch.c.id == batch_scan.c.batch)
    alive = query.outerjoin(job, job.c.id == batch_scan.c.job).where(
        batch.c.session == session_id, batch_scan.c.error.is_(None), job.c.state.is_(None) | job.c.state.not_in(OVER)
    )
    return int(connection.scalar(alive) or 0)


def _scan(row: Any, lost: bool) -> BatchScan:
    error = UserError(*row.error) if row.error else STOPPED if lost and row.job is None else None
    first = UserError(*row.first_error) if row.first_error else None
    return BatchScan(row.number, row.name, row.job or "", error, first)
