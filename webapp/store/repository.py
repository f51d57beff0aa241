"""Scans, jobs and ratings as the pages read them: each of the session that reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, insert, select, text, union_all, update
from sqlalchemy.exc import SQLAlchemyError

from core.errors import UserError
from webapp.store.blobs import Blobs
from webapp.store.claim_order import of_batches, places
from webapp.store.clock import new_id, new_token, now
from webapp.store.database import READING
from webapp.store.ratings import keep
from webapp.store.records import ArtifactRecord, JobRecord, NewScan, RatingRecord, ScanRecord, TimedRun
from webapp.store.rows import to_artifact, to_job, to_rating, to_scan
from webapp.store.schema import artifact, job, rating, scan, session, study_image
from webapp.store.states import OVER

COMMENT_LIMIT = 4000

# names in one statement: databases bound the number
CHUNK = 500


class Repo:
    """Short transactions on one database; safe to use from several threads.

    A write has reached the disk when its method returns. An id that is unknown, or another session's, raises
    ``UserError("not_found")``: the two cannot be told apart.
    running_per_session: jobs of one session that run at the same time, for the places in the queue.
    """

    def __init__(self, engine: Engine, running_per_session: int = 1) -> None:
        self.engine = engine
        self._running_per_session = running_per_session
        self._reader = engine.execution_options(**{READING: True})

    def touch(self, session_id: str) -> None:
        """Note that a session is alive, and create it at its first visit."""
        with self.engine.begin() as connection:
            changed = update(session).where(session.c.id == session_id).values(last_seen=now())
            if connection.execute(changed).rowcount == 0:
                ensure_session(connection, session_id)

    def add_scan(self, new: NewScan) -> ScanRecord:
        """Record a scan whose blob is on the disk."""
        values = {**asdict(new), "id": new_id(), "token": new_token(), "created": now()}
        with self.engine.begin() as connection:
            ensure_session(connection, new.session)
            return to_scan(connection.execute(insert(scan).values(values).returning(scan)).one())

    def scan(self, scan_id: str, session_id: str) -> ScanRecord:
        """Return a scan of this session."""
        return to_scan(self._one(select(scan).where(scan.c.id == scan_id, scan.c.session == session_id)))

    def scans(self, session_id: str, limit: int = 50) -> tuple[ScanRecord, ...]:
        """Return the newest scans of this session, newest first."""
        query = select(scan).where(scan.c.session == session_id).order_by(scan.c.created.desc()).limit(limit)
        with self._reader.begin() as connection:
            return tuple(to_scan(row) for row in connection.execute(query))

    def job(self, job_id: str, session_id: str) -> JobRecord:
        """Return a job of this session as it stands."""
        query = select(job).where(job.c.id == job_id, job.c.session == session_id)
        with self._reader.begin() as connection:
            rows = connection.execute(query).all()
            return self._with_artifacts(connection, [_only(rows)])[0]

    def session_of_job(self, job_id: str) -> str:
        """Return whose job this is, for the command line, which may see everything."""
        return str(self._one(select(job.c.session).where(job.c.id == job_id)).session)

    def jobs(self, session_id: str, limit: int = 50) -> tuple[JobRecord, ...]:
        """Return the newest jobs of this session, newest first."""
        # those of batches are seen there
        apart = job.c.id.not_in(of_batches())
        query = select(job).where(job.c.session == session_id, apart).order_by(job.c.number.desc()).limit(limit)
        with self._reader.begin() as connection:
            return self._with_artifacts(connection, list(connection.execute(query)))

    def jobs_named(self, job_ids: Collection[str], session_id: str) -> Mapping[str, JobRecord]:
        """Return id -> job of those of this session."""
        names, found = sorted(job_ids), dict[str, JobRecord]()
        with self._reader.begin() as connection:
            for start in range(0, len(names), CHUNK):
                mine = job.c.id.in_(names[start : start + CHUNK]), job.c.session == session_id
                rows = list(connection.execute(select(job).where(*mine)))
                found |= {one.id: one for one in self._with_artifacts(connection, rows)}
        return found

    def timed(self, task: str, limit: int) -> tuple[TimedRun, ...]:
        """Return the newest finished jobs of all sessions with this task, newest first."""
        query = select(job.c.params, job.c.inputs, job.c.seconds).where(
            job.c.task == task, job.c.state == "done", job.c.seconds.is_not(None)
        )
        with self._reader.begin() as connection:
            runs = connection.execute(query.order_by(job.c.number.desc()).limit(limit)).all()
            wanted = {one for run in runs for one in run.inputs.values()}
            found = connection.execute(select(scan.c.id, scan.c.blob).where(scan.c.id.in_(wanted)))
            blobs = {row.id: str(row.blob) for row in found}
        return tuple(
            TimedRun(run.params, {name: blobs[one] for name, one in run.inputs.items() if one in blobs}, run.seconds)
            for run in runs
        )

    def require_session(self, session_id: str) -> None:
        """Raise UserError not_found for a session that there is not, for the command line."""
        with self._reader.begin() as connection:
            if connection.scalar(select(session.c.id).where(session.c.id == session_id)) is None:
                raise UserError("not_found", "There is no such session.", "Copy its id whole.")

    def unfinished(self, session_id: str) -> tuple[str, ...]:
        """Return the ids of the jobs of this session that wait or run."""
        query = select(job.c.id).where(job.c.session == session_id, job.c.state.not_in(OVER))
        with self._reader.begin() as connection:
            return tuple(connection.scalars(query))

    def artifact(self, artifact_id: str, session_id: str) -> tuple[ArtifactRecord, str]:
        """Return a result file of this session and the task that made it."""
        row = self._one(_owned_artifacts(session_id).where(artifact.c.id == artifact_id))
        return to_artifact(row), str(row.task)

    def blob_of(self, token: str, session_id: str) -> str:
        """Return the blob a token opens for this session, be it of a scan or of a result file."""
        of_scan = select(scan.c.blob).where(scan.c.token == token, scan.c.session == session_id)
        with self._reader.begin() as connection:
            blob = connection.scalar(of_scan)
            if blob is None:
                row = connection.execute(_owned_artifacts(session_id).where(artifact.c.token == token)).one_or_none()
                blob = None if row is None else row.blob
        if blob is None:
            raise not_found()
        return str(blob)

    def add_rating(
        self, job_id: str, session_id: str, client_id: str, realism: int, border: int, anatomy: int, comment: str = ""
    ) -> RatingRecord:
        """Keep an opinion for good and return it after the commit.

        The same ``client_id`` again gives the row already kept, whatever else is sent. A later opinion of this
        session on this job supersedes the earlier one, which stays. UserError bad_rating, not_found.
        """
        scores = {"realism": realism, "border": border, "anatomy": anatomy}
        _check_rating(scores, comment)
        self.job(job_id, session_id)
        about = {"job": job_id, "session": session_id}
        return to_rating(keep(self.engine, about, client_id, {"answers": {**scores, "comment": comment}}))

    def ratings(self, job_id: str, session_id: str) -> tuple[RatingRecord, ...]:
        """Return the ratings this session gave a job, oldest first; the last one holds."""
        mine = (rating.c.job == job_id, rating.c.session == session_id)
        with self._reader.begin() as connection:
            return tuple(
                to_rating(row) for row in connection.execute(select(rating).where(*mine).order_by(rating.c.id))
            )

    def ping(self) -> None:
        """Raise SQLAlchemyError when the database cannot be read."""
        with self._reader.begin() as connection:
            connection.execute(text("SELECT 1"))

    def blobs(self) -> frozenset[str]:
        """Return every blob that a row refers to."""
        with self._reader.begin() as connection:
            each = union_all(*(select(table.c.blob) for table in (scan, artifact, study_image)))
            return frozenset(str(blob) for blob in connection.scalars(each))

    def unnamed(self, blobs: Collection[str]) -> frozenset[str]:
        """Return which of these blobs no row refers to."""
        left, names = set(blobs), sorted(blobs)
        with self._reader.begin() as connection:
            for start in range(0, len(names), CHUNK):
                chunk = names[start : start + CHUNK]
                for table in (scan, artifact, study_image):
                    left -= set(connection.scalars(select(table.c.blob).where(table.c.blob.in_(chunk))))
        return frozenset(left)

    def _with_artifacts(self, connection: Connection, rows: list[Row[Any]]) -> tuple[JobRecord, ...]:
        found: dict[str, list[ArtifactRecord]] = {row.id: [] for row in rows}
        query = select(artifact).where(artifact.c.job.in_(found)).order_by(artifact.c.created, artifact.c.name)
        for row in connection.execute(query):
            found[row.job].append(to_artifact(row))
        waiting = [row.id for row in rows if row.state == "queued"]
        place = places(connection, waiting, self._running_per_session)
        return tuple(to_job(row, tuple(found[row.id]), place.get(row.id)) for row in rows)

    def _one(self, query: Select[Any]) -> Row[Any]:
        with self._reader.begin() as connection:
            return _only(connection.execute(query).all())


def discard(repo: Repo, blobs: Blobs, name: str) -> None:
    """Delete a file whose row could not be written, unless it may be there: of a commit the answer alone can be lost.

    What no row names after all is swept.
    """
    with suppress(SQLAlchemyError):
        if name not in repo.blobs():
            blobs.delete(name)


def not_found() -> UserError:
    """Return the error for what does not exist or is somebody else's."""
    return UserError(
        "not_found",
        "There is nothing here that belongs to you.",
        "Open it in the browser, or with the token, of whoever made it; or start again with a new upload.",
    )


def ensure_session(connection: Connection, session_id: str) -> None:
    """Create the session's row if it is not there."""
    known = connection.scalar(select(session.c.id).where(session.c.id == session_id))
    if known is None:
        moment = now()
        connection.execute(insert(session).values(id=session_id, created=moment, last_seen=moment))


def _only(rows: Any) -> Row[Any]:
    if not rows:
        raise not_found()
    row: Row[Any] = rows[0]
    return row


def _owned_artifacts(session_id: str) -> Select[Any]:
    return select(artifact, job.c.task).join(job, job.c.id == artifact.c.job).where(job.c.session == session_id)


def _check_rating(scores: Mapping[str, object], comment: str) -> None:
    for name, score in scores.items():
        if isinstance(score, bool) or not isinstance(score, int) or not 1 <= score <= 5:
            raise UserError("bad_rating", f"The score for {name} is missing.", "Choose a whole number from 1 to 5.")
    if len(comment) > COMMENT_LIMIT:
        raise UserError(
            "bad_rating", "The comment is too long.", f"Shorten it to {COMMENT_LIMIT} characters, then save again."
        )
