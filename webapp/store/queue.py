"""The queue in the database: one statement claims a job, and a write counts only while the claim holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, Engine, and_, func, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from core.errors import UserError
from core.events import Failed
from core.result import Result
from core.result_json import to_json
from webapp.store.clock import new_id, new_token, now
from webapp.store.records import Claim, NewArtifact, State
from webapp.store.repository import ensure_session, not_found
from webapp.store.schema import artifact, job

TEXT_LIMIT = 200


class Queue:
    """Jobs from submission to their end; ``clock`` values are seconds since 1970.

    max_attempts: how often a job is started before the loss of its worker ends it.
    """

    def __init__(self, engine: Engine, *, running_per_session: int, max_attempts: int = 2) -> None:
        self._engine = engine
        self._running_per_session = running_per_session
        self._max_attempts = max_attempts

    def add(
        self, session_id: str, task: str, inputs: Mapping[str, str], params: Mapping[str, Any], *, own: int, total: int
    ) -> str:
        """Add a job and return its id; UserError queue_full with ``own`` waiting jobs of this session or ``total``."""
        job_id = new_id()
        with self._engine.begin() as connection:
            ensure_session(connection, session_id)
            _require_room(connection, session_id, own, total)
            connection.execute(
                insert(job).values(
                    id=job_id,
                    session=session_id,
                    task=task,
                    params=dict(params),
                    inputs=dict(inputs),
                    state="queued",
                    fraction=0.0,
                    text="",
                    summary={},
                    attempts=0,
                    created=now(),
                )
            )
        return job_id

    def claim(self, owner: str, clock: float, lease: float) -> Claim | None:
        """Take the next job: of the session whose turn is longest ago, its oldest; None when there is none."""
        served = job.alias("served")
        running = job.alias("running")
        turn = select(func.max(served.c.started)).where(served.c.session == job.c.session).scalar_subquery()
        busy = (
            select(func.count())
            .select_from(running)
            .where(running.c.session == job.c.session, running.c.state == "running")
            .scalar_subquery()
        )
        chosen = (
            select(job.c.id)
            .where(job.c.state == "queued", busy < self._running_per_session)
            .order_by(turn.asc().nulls_first(), job.c.number)
            .limit(1)
            .with_for_update(skip_locked=True, of=job)
            .scalar_subquery()
        )
        taken = (
            update(job)
            .where(job.c.id == chosen, job.c.state == "queued")
            .values(
                state="running",
                owner=owner,
                lease=clock + lease,
                attempts=job.c.attempts + 1,
                started=now(),
                fraction=0.0,
                text="",
            )
            .returning(job)
        )
        with self._engine.begin() as connection:
            row = connection.execute(taken).one_or_none()
        if row is None:
            return None
        return Claim(row.id, row.session, row.task, row.params, row.inputs, owner, row.attempts)

    def progress(self, claim: Claim, fraction: float, text: str, clock: float, lease: float) -> bool:
        """Write progress and renew the lease; False when the job is no longer this claim's."""
        return self._write(claim, fraction=fraction, text=text[:TEXT_LIMIT], lease=clock + lease)

    def renew(self, owner: str, clock: float, lease: float) -> None:
        """Renew the lease of everything ``owner`` runs."""
        with self._engine.begin() as connection:
            mine = update(job).where(job.c.state == "running", job.c.owner == owner)
            connection.execute(mine.values(lease=clock + lease))

    def finish(self, claim: Claim, artifacts: Sequence[NewArtifact], result: Result, seconds: float) -> bool:
        """Record the results and the end of the job together; False when the job is no longer this claim's."""
        # where its files lay is over; they are rows of their own
        summary = to_json(replace(result, artifacts=()))
        with self._engine.begin() as connection:
            done = {"state": "done", "fraction": 1.0, "text": "", "summary": summary, "seconds": seconds}
            if not _ended(connection, claim, done):
                return False
            for new in artifacts:
                values = {**asdict(new), "id": new_id(), "job": claim.id, "token": new_token(), "created": now()}
                connection.execute(insert(artifact).values(values))
            return True

    def fail(self, claim: Claim, failed: Failed, seconds: float) -> bool:
        """Record that the job failed; False when the job is no longer this claim's."""
        with self._engine.begin() as connection:
            return _ended(connection, claim, {"state": "failed", "error": asdict(failed), "seconds": seconds})

    def lose(self, claim: Claim) -> None:
        """Put a job whose worker died back into the queue, or end it when its attempts are used up."""
        with self._engine.begin() as connection:
            self._requeue(connection, _holds(claim))

    def reclaim(self, clock: float, *, everything: bool = False) -> None:
        """Do the same for jobs whose lease has run out, or for every running job."""
        stale = or_(job.c.lease < clock, job.c.lease.is_(None))
        running = job.c.state == "running"
        with self._engine.begin() as connection:
            self._requeue(connection, running if everything else and_(running, stale))

    def release(self, owner: str) -> None:
        """Put what ``owner`` runs back into the queue without counting the attempt."""
        with self._engine.begin() as connection:
            mine = update(job).where(job.c.state == "running", job.c.owner == owner)
            connection.execute(
                mine.values(state="queued", attempts=job.c.attempts - 1, owner=None, lease=None, fraction=0.0, text="")
            )

    def cancel(self, job_id: str, session_id: str) -> State:
        """End a job of this session and return the state it was in; a job that is over stays as it is."""
        own = (job.c.id == job_id, job.c.session == session_id)
        with self._engine.begin() as connection:
            before = connection.scalar(select(job.c.state).where(*own).with_for_update())
            if before is None:
                raise not_found()
            alive = update(job).where(*own, job.c.state.in_(("queued", "running")))
            connection.execute(alive.values(state="cancelled", finished=now(), owner=None, lease=None, text=""))
        state: State = before
        return state

    def _write(self, claim: Claim, **values: Any) -> bool:
        with self._engine.begin() as connection:
            return connection.execute(update(job).where(_holds(claim)).values(**values)).rowcount == 1

    def _requeue(self, connection: Connection, which: ColumnElement[bool]) -> None:
        lost = asdict(worker_lost())
        spent = and_(which, job.c.attempts >= self._max_attempts)
        connection.execute(
            update(job).where(spent).values(state="failed", error=lost, finished=now(), owner=None, lease=None)
        )
        connection.execute(
            update(job).where(which).values(state="queued", owner=None, lease=None, fraction=0.0, text="Starting again")
        )


def worker_lost() -> Failed:
    """Return the error of a job whose worker died each time it was started."""
    return Failed(
        "worker_lost",
        "The process that ran this job died twice.",
        "Run it again with fewer samples or a smaller mask; if it dies again, tell whoever runs this server.",
    )


def _holds(claim: Claim) -> ColumnElement[bool]:
    return and_(
        job.c.id == claim.id,
        job.c.state == "running",
        job.c.owner == claim.owner,
        job.c.attempts == claim.attempt,
    )


def _ended(connection: Connection, claim: Claim, values: Mapping[str, Any]) -> bool:
    ending = {**values, "finished": now(), "owner": None, "lease": None}
    return connection.execute(update(job).where(_holds(claim)).values(**ending)).rowcount == 1


def _require_room(connection: Connection, session_id: str, own: int, total: int) -> None:
    waiting = select(func.count()).select_from(job).where(job.c.state == "queued")
    if int(connection.scalar(waiting.where(job.c.session == session_id)) or 0) >= own:
        raise UserError("queue_full", f"{own} of your jobs are waiting.", "Wait for one to finish, or cancel one.")
    if int(connection.scalar(waiting) or 0) >= total:
        raise UserError("queue_full", "The queue of this server is full.", "Try again in a few minutes.")
