"""The queue in the database: one statement claims a job, and a write counts only while the claim holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, Engine, and_, func, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from core.errors import UserError
from core.events import Failed
from core.result import Result
from core.result_json import to_json
from webapp.store import states
from webapp.store.batches import is_tried_again, join, keep_first_error
from webapp.store.claim_order import next_job, of_batches, places
from webapp.store.clock import new_id, new_token, now
from webapp.store.database import READING
from webapp.store.records import Claim, NewArtifact, Standing
from webapp.store.repository import ensure_session, not_found
from webapp.store.schema import artifact, job, scan, session
from webapp.store.states import State, Step

TEXT_LIMIT = 200
SERVER_LOSSES = 5


class Queue:
    """Jobs from submission to their end; ``clock`` values are seconds since 1970.

    max_deaths: the number of deaths of its process that end a job. The end of a server is none of them; a job that
    SERVER_LOSSES servers did not survive ends too.
    """

    def __init__(self, engine: Engine, *, running_per_session: int, max_deaths: int = 2) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{READING: True})
        self._running_per_session = running_per_session
        self._max_deaths = max_deaths

    def add(
        self,
        session_id: str,
        task: str,
        inputs: Mapping[str, str],
        params: Mapping[str, Any],
        *,
        own: int,
        total: int,
        batch: tuple[str, int] | None = None,
    ) -> str:
        """Add a job and return its id; UserError queue_full with ``own`` waiting jobs of this session or ``total``.

        inputs: name -> scan of this session; UserError not_found where one was deleted meanwhile.
        batch: the batch and the number of its scan that the job is; such jobs have a bound of their own, and count for
        neither. UserError cancelled where the batch is.
        """
        states.SUBMIT.require("visitor", "queued")
        job_id = new_id()
        with self._engine.begin() as connection:
            ensure_session(connection, session_id)
            if batch is None:
                _require_room(connection, session_id, own, total)
            _require_scans(connection, session_id, set(inputs.values()))
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
                    deaths=0,
                    created=now(),
                )
            )
            if batch is not None:
                join(connection, *batch, job_id)
        return job_id

    def standings(self) -> tuple[Standing, ...]:
        """Return how far each job of all sessions is that waits or runs."""
        wanted = (job.c.id, job.c.session, job.c.state, job.c.fraction, job.c.text, job.c.started)
        alive = select(*wanted).where(job.c.state.in_(("queued", "running")))
        with self._reader.begin() as connection:
            rows = connection.execute(alive).all()
            place = places(connection, None, self._running_per_session) if rows else {}
        return tuple(Standing(*row, place.get(row.id)) for row in rows)

    def claim(self, folder: str, clock: float, lease: float) -> Claim | None:
        """Take the next job in the order of ``claim_order``; None when there is none.

        folder: the name of the data folder where it will run. Each claim has an owner of its own, which begins so.
        """
        owner = f"{folder}.{new_id()[:16]}"
        chosen = next_job(self._running_per_session).scalar_subquery()
        taken = _step(
            states.CLAIM, "slot", "running", job.c.id == chosen,
            owner=owner, lease=clock + lease, attempts=job.c.attempts + 1, started=now(), fraction=0.0, text="",
        ).returning(job)  # fmt: skip
        with self._engine.begin() as connection:
            row = connection.execute(taken).one_or_none()
            if row is None:
                return None
            connection.execute(update(session).where(session.c.id == row.session).values(last_start=row.started))
        return Claim(row.id, row.session, row.task, row.params, row.inputs, owner, row.attempts)

    def progress(self, claim: Claim, fraction: float, text: str, clock: float, lease: float) -> bool:
        """Write progress and renew the lease; False when the job is no longer this claim's."""
        values = {"fraction": fraction, "text": text[:TEXT_LIMIT], "lease": clock + lease}
        with self._engine.begin() as connection:
            return _held(connection, states.RENEW, claim, "running", **values)

    def renew(self, claims: Collection[Claim], clock: float, lease: float) -> tuple[Claim, ...]:
        """Renew the leases of these claims and return those that no longer hold."""
        if not claims:
            return ()
        mine = job.c.owner.in_([claim.owner for claim in claims])
        renewed = _step(states.RENEW, "holder", "running", mine, lease=clock + lease).returning(job.c.owner)
        with self._engine.begin() as connection:
            held = set(connection.scalars(renewed))
        return tuple(claim for claim in claims if claim.owner not in held)

    def finish(self, claim: Claim, artifacts: Sequence[NewArtifact], result: Result, seconds: float) -> bool:
        """Record the results and the end of the job together; False when the job is no longer this claim's.

        True also for a repetition, after a commit whose answer was lost.
        """
        # the files are rows of their own; their paths in the work folder are gone
        summary = to_json(replace(result, artifacts=()))
        done = {"fraction": 1.0, "text": "", "summary": summary, "seconds": seconds}
        with self._engine.begin() as connection:
            if not _held(connection, states.FINISH, claim, "done", **done):
                return _recorded(connection, claim, artifacts)
            for new in artifacts:
                values = {**asdict(new), "id": new_id(), "job": claim.id, "token": new_token(), "created": now()}
                connection.execute(insert(artifact).values(values))
            return True

    def fail(self, claim: Claim, failed: Failed, seconds: float) -> bool:
        """Record that the job failed; False when the job is no longer this claim's.

        The first time, a scan of a batch waits again instead, behind those of its visitor that have not failed.
        """
        with self._engine.begin() as connection:
            if not is_tried_again(connection, claim.id):
                return _held(connection, states.FAIL, claim, "failed", error=asdict(failed), seconds=seconds)
            # it is no start that a server did not survive
            again = {"attempts": job.c.attempts - 1, "text": "Trying again"}
            held = _held(connection, states.FAIL, claim, "queued", **again)
            if held:
                keep_first_error(connection, claim.id, UserError(failed.code, failed.message, failed.hint))
            return held

    def lose(self, claim: Claim) -> bool:
        """Count a death of the job's process and put the job back, or end it; False when it is not this claim's."""
        died = job.c.deaths + 1
        with self._engine.begin() as connection:
            last = and_(_holds(claim), died >= self._max_deaths)
            spent = _step(states.LOSE, "holder", "failed", last, deaths=died, error=asdict(worker_lost()))
            if connection.execute(spent).rowcount == 1:
                return True
            return _held(connection, states.LOSE, claim, "queued", deaths=died, text="Starting again")

    def release(self, claim: Claim) -> bool:
        """Put the job back without counting this start; False when it is not this claim's."""
        with self._engine.begin() as connection:
            return _held(connection, states.RELEASE, claim, "queued", attempts=job.c.attempts - 1, text="")

    def reclaim(self, clock: float, folder: str | None = None) -> None:
        """Put back jobs whose lease has run out, and those claimed in ``folder``, whose servers are known to be gone.

        A job that SERVER_LOSSES servers did not survive ends instead.
        """
        gone = or_(job.c.lease < clock, job.c.lease.is_(None))
        if folder is not None:
            gone = or_(gone, job.c.owner.startswith(f"{folder}.", autoescape=True))
        worn = and_(gone, job.c.attempts - job.c.deaths >= SERVER_LOSSES)
        with self._engine.begin() as connection:
            connection.execute(_step(states.RECLAIM, "server", "failed", worn, error=asdict(server_lost())))
            connection.execute(_step(states.RECLAIM, "server", "queued", gone, text="Starting again"))

    def cancel(self, job_id: str, session_id: str) -> State:
        """End a job of this session and return the state it was in; a job that is over stays as it is."""
        own = and_(job.c.id == job_id, job.c.session == session_id)
        with self._engine.begin() as connection:
            before = connection.scalar(select(job.c.state).where(own).with_for_update())
            if before is None:
                raise not_found()
            connection.execute(_step(states.CANCEL, "visitor", "cancelled", own, text=""))
        state: State = before
        return state


def worker_lost() -> Failed:
    """Return the error of a job whose process died each time it was started."""
    return Failed(
        "worker_lost",
        "The process that ran this job died twice.",
        "Run it again with fewer samples or a smaller mask; if it dies again, tell whoever runs this server.",
    )


def server_lost() -> Failed:
    """Return the error of a job that was running each time a server stopped without a word."""
    return Failed(
        "server_lost",
        f"The server stopped {SERVER_LOSSES} times while this job ran.",
        "Run it again; if it happens again, tell whoever runs this server.",
    )


def _step(step: Step, writer: states.Writer, after: State, which: ColumnElement[bool], **values: Any) -> Any:
    """Return the statement of a step of the table; what a state implies for the other columns is written along."""
    step.require(writer, after)
    implied: dict[str, Any] = {} if after == "running" else {"owner": None, "lease": None}
    if after == "queued":
        implied["fraction"] = 0.0
    if after in states.OVER:
        implied["finished"] = now()
    return update(job).where(which, job.c.state.in_(step.before)).values(state=after, **implied, **values)


def _held(connection: Connection, step: Step, claim: Claim, after: State, **values: Any) -> bool:
    """Write a step of the claim's holder; False when the claim no longer holds."""
    written = connection.execute(_step(step, "holder", after, _holds(claim), **values))
    return bool(written.rowcount == 1)


def _holds(claim: Claim) -> ColumnElement[bool]:
    return and_(job.c.id == claim.id, job.c.owner == claim.owner)


def _recorded(connection: Connection, claim: Claim, artifacts: Sequence[NewArtifact]) -> bool:
    """Return whether just these files are the results of the job; no two files have one name."""
    kept = set(connection.scalars(select(artifact.c.blob).where(artifact.c.job == claim.id)))
    return bool(kept) and kept == {new.blob for new in artifacts}


def _require_scans(connection: Connection, session_id: str, wanted: Collection[str]) -> None:
    """Hold the scans of a session until the end of the transaction; UserError not_found where one is gone."""
    held = select(scan.c.id).where(scan.c.id.in_(wanted), scan.c.session == session_id).with_for_update(read=True)
    if len(connection.scalars(held).all()) != len(wanted):
        raise not_found()


def _require_room(connection: Connection, session_id: str, own: int, total: int) -> None:
    waiting = select(func.count()).select_from(job).where(job.c.state == "queued", job.c.id.not_in(of_batches()))
    if int(connection.scalar(waiting.where(job.c.session == session_id)) or 0) >= own:
        raise UserError("queue_full", f"{own} of your jobs are waiting.", "Wait for one to finish, or cancel one.")
    if int(connection.scalar(waiting) or 0) >= total:
        raise UserError("queue_full", "The queue of this server is full.", "Try again in a few minutes.")
