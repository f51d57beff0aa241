"""What an administrator sees of everybody: numbers, ids, states and codes, none of a visitor's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, Select, func, select

from core.errors import UserError
from webapp.store.database import READING
from webapp.store.schema import account, artifact, job, rating, scan, session, study, study_manager, upload

LISTED = 50


@dataclass(frozen=True)
class Counts:
    """Totals over all visitors: jobs by (task, state), scans by role, bytes by kind, answers and opinions."""

    jobs: Mapping[tuple[str, str], int]
    scans: Mapping[str, int]
    bytes: Mapping[str, int]
    ratings: int

    @property
    def waiting(self) -> int:
        """Jobs that wait."""
        return sum(number for (_, state), number in self.jobs.items() if state == "queued")


@dataclass(frozen=True)
class OpenJob:
    """A job that waits or runs."""

    id: str
    session: str
    task: str
    state: str
    fraction: float
    created: datetime
    started: datetime | None


@dataclass(frozen=True)
class FailedJob:
    """A job that failed, by its code."""

    id: str
    session: str
    task: str
    code: str
    finished: datetime | None


@dataclass(frozen=True)
class VisitorRecord:
    """A visitor: the session, the account's name ("" without one), the last visit, and what there is of theirs.

    closed: an administrator closed the server to them.
    """

    session: str
    name: str
    created: datetime
    last_seen: datetime
    closed: bool
    scans: int
    bytes: int
    jobs: int


@dataclass(frozen=True)
class StudyOverview:
    """A reader study by its id: managers, and whether it is closed."""

    id: str
    managers: int
    closed: datetime | None
    created: datetime


class Overview:
    """Short readings of one database."""

    def __init__(self, engine: Engine) -> None:
        self._reader = engine.execution_options(**{READING: True})

    def counts(self) -> Counts:
        """Return the totals."""
        with self._reader.begin() as connection:
            jobs = connection.execute(select(job.c.task, job.c.state, func.count()).group_by(job.c.task, job.c.state))
            scans = connection.execute(select(scan.c.role, func.count()).group_by(scan.c.role))
            sums = {
                name: int(connection.scalar(select(func.coalesce(func.sum(table.c.bytes), 0))) or 0)
                for name, table in (("scans", scan), ("results", artifact), ("uploads", upload))
            }
            return Counts(
                {(task, state): int(number) for task, state, number in jobs},
                {role: int(number) for role, number in scans},
                sums,
                int(connection.scalar(select(func.count()).select_from(rating)) or 0),
            )

    def open_jobs(self) -> tuple[OpenJob, ...]:
        """Return jobs that run and wait, in the order in which they came."""
        alive = select(job).where(job.c.state.in_(("running", "queued"))).order_by(job.c.number)
        return tuple(
            OpenJob(row.id, row.session, row.task, row.state, row.fraction, row.created, row.started)
            for row in self._rows(alive.limit(LISTED))
        )

    def failed_jobs(self) -> tuple[FailedJob, ...]:
        """Return the newest jobs that failed, the last one first."""
        failed = select(job).where(job.c.state == "failed").order_by(job.c.finished.desc())
        return tuple(
            FailedJob(row.id, row.session, row.task, str((row.error or {}).get("code", "")), row.finished)
            for row in self._rows(failed.limit(LISTED))
        )

    def visitors(self) -> tuple[VisitorRecord, ...]:
        """Return the visitors who came last, the last one first."""
        return self._visitors(_visitors().order_by(session.c.last_seen.desc()).limit(LISTED))

    def visitor(self, session_id: str) -> VisitorRecord:
        """Return one visitor; UserError not_found."""
        found = self._visitors(_visitors().where(session.c.id == session_id))
        if not found:
            raise UserError("not_found", "There is no such session.", "Copy its id whole.")
        return found[0]

    def studies(self) -> tuple[StudyOverview, ...]:
        """Return the newest reader studies, the last one first."""
        managers = select(func.count()).where(study_manager.c.study == study.c.id).scalar_subquery()
        query = select(study.c.id, study.c.closed, study.c.created, managers.label("managers"))
        return tuple(
            StudyOverview(row.id, row.managers, row.closed, row.created)
            for row in self._rows(query.order_by(study.c.created.desc()).limit(LISTED))
        )

    def _visitors(self, query: Select[Any]) -> tuple[VisitorRecord, ...]:
        return tuple(
            VisitorRecord(
                row.id,
                row.name or "",
                row.created,
                row.last_seen,
                closed=row.ended is not None or row.disabled is not None,
                scans=row.scans,
                bytes=int(row.size),
                jobs=row.jobs,
            )
            for row in self._rows(query)
        )

    def _rows(self, query: Select[Any]) -> list[Row[Any]]:
        with self._reader.begin() as connection:
            return list(connection.execute(query))


def _visitors() -> Select[Any]:
    """Return the query of visitors with what there is of theirs."""
    mine = scan.c.session == session.c.id
    return select(
        session,
        account.c.name,
        account.c.disabled,
        select(func.count()).where(mine).scalar_subquery().label("scans"),
        select(func.coalesce(func.sum(scan.c.bytes), 0)).where(mine).scalar_subquery().label("size"),
        select(func.count()).where(job.c.session == session.c.id).scalar_subquery().label("jobs"),
    ).outerjoin(account, account.c.session == session.c.id)
