"""The order in which waiting jobs are claimed: turns go round the sessions, each session's jobs by age."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, Subquery, case, func, select

from webapp.store.schema import batch_scan, job, session


def next_job(running_per_session: int) -> Select[Any]:
    """Select the id of the next job to claim, and lock its row where the database can.

    The session whose last start is longest ago is next, with its oldest job, those of batches last, and of these those
    that have failed once; one that runs ``running_per_session`` jobs is left out.
    """
    line = _line(running_per_session)
    return (
        select(job.c.id)
        .join(line, line.c.id == job.c.id)
        .where(line.c.blocked == 0)
        .order_by(*_order(line))
        .limit(1)
        .with_for_update(skip_locked=True, of=job)
    )


def places(connection: Connection, job_ids: Collection[str] | None, running_per_session: int) -> dict[str, int]:
    """Return the places of these jobs in the order of claims (1 is next), None for all; what does not wait has none.

    Assumed is that of the jobs that run those of sessions at their limit end first.
    """
    if job_ids is not None and not job_ids:
        return {}
    line = _line(running_per_session)
    numbered = select(line.c.id, func.row_number().over(order_by=_order(line)).label("place")).subquery()
    wanted = select(numbered) if job_ids is None else select(numbered).where(numbered.c.id.in_(job_ids))
    return {row.id: row.place for row in connection.execute(wanted)}


def of_batches() -> Select[Any]:
    """Select the ids of the jobs that are scans of batches."""
    return select(batch_scan.c.job).where(batch_scan.c.job.is_not(None))


def _line(limit: int) -> Subquery:
    """Select the waiting jobs: ``round`` counts those of one session, ``turn`` is the session's last start.

    blocked: how many jobs of the session must end first.
    """
    # what somebody waits for at the page is before the scans of the same visitor's batches
    failed = select(batch_scan.c.job).where(batch_scan.c.first_error.is_not(None))
    aside = case((job.c.id.in_(failed), 2), (job.c.id.in_(of_batches()), 1), else_=0)
    own = func.row_number().over(partition_by=job.c.session, order_by=(aside, job.c.number))
    waiting = select(job.c.id, job.c.session, job.c.number, own.label("round")).where(job.c.state == "queued")
    line = waiting.subquery()
    other = job.alias("other")
    of_session = other.c.session == line.c.session
    turn = select(session.c.last_start).where(session.c.id == line.c.session).scalar_subquery()
    running = select(func.count()).where(of_session, other.c.state == "running").scalar_subquery()
    excess = running + line.c.round - limit
    blocked = case((excess > 0, excess), else_=0)
    return select(line, turn.label("turn"), blocked.label("blocked")).subquery()


def _order(line: Subquery) -> tuple[Any, ...]:
    return line.c.blocked, line.c.round, line.c.turn.asc().nulls_first(), line.c.number
