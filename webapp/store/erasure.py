"""Deletion for good: rows in one transaction, then their files, then what the database's own files keep of them."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, Table, delete, insert, select, update

from core.errors import UserError
from webapp.store.batches import scans_of
from webapp.store.blobs import Blobs, StorageAway
from webapp.store.database import READING
from webapp.store.erased import Erased, digest
from webapp.store.repository import not_found
from webapp.store.schema import (
    access_token,
    account,
    artifact,
    batch,
    batch_scan,
    browser,
    day_use,
    dropped_blob,
    job,
    metadata,
    open_page,
    rating,
    scan,
    session,
    share,
    sign_in_failure,
    study_image,
    upload,
)
from webapp.store.scrubbing import scrub
from webapp.store.states import OVER
from webapp.store.study_erasure import drop_studies, end_study, managed
from webapp.store.unfinished_work import UnfinishedWork

# ids in one statement: databases bound the number
CHUNK = 500


class Erasure:
    """Deletes scans, runs and visitors; nothing that another visitor owns is touched.

    Rows and the names of their files change places in one transaction, so that a server that ends in between deletes
    the files at its next ``finish``. uploads: the folder of uploads, one folder each. erased: the list of what was
    deleted. unfinished: what stopped jobs left, which goes with any of its visitor's scans and runs.
    """

    def __init__(self, engine: Engine, blobs: Blobs, uploads: Path, erased: Erased, unfinished: UnfinishedWork) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{READING: True})
        self._blobs = blobs
        self._uploads = uploads
        self._erased = erased
        self._unfinished = unfinished
        # a server before this one may have ended before it scrubbed
        self._unscrubbed = True

    def delete_job(self, job_id: str, session_id: str) -> None:
        """Delete a run of this session with its files, ratings and links; UserError not_found, still_running."""
        with self._engine.begin() as connection:
            mine = job.c.id == job_id, job.c.session == session_id
            _require_over(connection.scalars(select(job.c.state).where(*mine)).all())
            _drop_jobs(connection, [job_id])
        self._unfinished.delete(session_id)
        self._deleted()

    def delete_scan(self, scan_id: str, session_id: str) -> tuple[int, int]:
        """Delete a scan of this session with its masks and the runs on them, which show it too.

        Returns how many masks and runs there were. UserError not_found, still_running.
        """
        with self._engine.begin() as connection:
            mine = scan.c.id == scan_id, scan.c.session == session_id
            # a run that is being queued on it comes before or after
            if connection.scalar(select(scan.c.id).where(*mine).with_for_update()) is None:
                raise not_found()
            family = _family(connection, {scan_id})
            runs = [run for run in _runs(connection, session_id) if family & set(run.inputs.values())]
            if runs:
                _require_over([run.state for run in runs])
            _drop_jobs(connection, [run.id for run in runs])
            _drop_scans(connection, family)
        self._unfinished.delete(session_id)
        self._deleted()
        return len(family) - 1, len(runs)

    def delete_batch(self, batch_id: str, session_id: str) -> tuple[int, int]:
        """Delete a batch of this session with its runs, and the scans that no other run is about.

        Returns how many runs and scans there were. UserError not_found, still_running.
        """
        with self._engine.begin() as connection:
            jobs = scans_of(connection, batch_id, session_id)
            if jobs:
                _require_over([one.state for one in jobs])
            own = {one.id for one in jobs}
            used = {i for run in _runs(connection, session_id) if run.id not in own for i in run.inputs.values()}
            wanted = {i for one in jobs for i in one.inputs.values()} - used
            parents = set(connection.scalars(select(scan.c.parent).where(scan.c.id.in_(used))))
            family = _family(connection, wanted - parents)
            _drop_jobs(connection, own)
            connection.execute(delete(batch_scan).where(batch_scan.c.batch == batch_id))
            connection.execute(delete(batch).where(batch.c.id == batch_id))
            _drop_scans(connection, family)
        self._unfinished.delete(session_id)
        self._deleted()
        return len(own), len(family)

    def delete_session(self, session_id: str) -> None:
        """Delete all that a visitor has, whose jobs should be cancelled before, and who the visitor was.

        An account stays, with its visits, without its tokens. Of studies that nobody else manages, what their consent
        keeps stays.
        """
        with self._engine.begin() as connection:
            mine = select(job.c.id).where(job.c.session == session_id)
            _drop_jobs(connection, connection.scalars(mine).all())
            _drop_scans(connection, connection.scalars(select(scan.c.id).where(scan.c.session == session_id)).all())
            _drop_blobs(connection, drop_studies(connection, session_id))
            mine = select(batch.c.id).where(batch.c.session == session_id)
            connection.execute(delete(batch_scan).where(batch_scan.c.batch.in_(mine)))
            connection.execute(delete(batch).where(batch.c.session == session_id))
            arrived = connection.scalars(select(upload.c.id).where(upload.c.session == session_id)).all()
            for table in (upload, open_page, access_token):
                connection.execute(delete(table).where(table.c.session == session_id))
            if connection.scalar(select(account.c.id).where(account.c.session == session_id)) is None:
                connection.execute(delete(browser).where(browser.c.session == session_id))
                connection.execute(delete(day_use).where(day_use.c.owner == session_id))
                connection.execute(delete(session).where(session.c.id == session_id))
        for one in arrived:
            shutil.rmtree(self._uploads / one, ignore_errors=True)
        self._unfinished.delete(session_id)
        self._deleted()

    def delete_all(self) -> None:
        """Delete what everybody has, studies and their answers included; accounts stay, with their visits."""
        stays = (account, sign_in_failure, dropped_blob)
        with self._engine.begin() as connection:
            for table in (scan, artifact, study_image):
                _drop_blobs(connection, connection.scalars(select(table.c.blob)).all())
            for table in reversed(metadata.sorted_tables):
                if table not in stays:
                    connection.execute(_of_nobody_known(table))
        shutil.rmtree(self._uploads, ignore_errors=True)
        self._uploads.mkdir(exist_ok=True)
        self._unfinished.delete_all()
        self._deleted()

    def delete_old(self, before: datetime, moment: datetime) -> int:
        """Delete scans and runs older than ``before`` that nobody keeps beyond ``moment``; return how many.

        A scan takes its masks and runs along, as ``delete_scan`` does, and stays while a job that uses it is not over.
        """
        with self._engine.begin() as connection:
            runs = _runs(connection)
            held = [run for run in runs if run.state not in OVER or _kept(run, moment)]
            old = [run.id for run in runs if run not in held and (run.finished or run.created) < before]
            scans = connection.execute(
                select(scan.c.id, scan.c.session, scan.c.parent, scan.c.created, scan.c.keep_until)
            ).all()
            parents = {one.id: one.parent for one in scans}
            wanted = {one.id for one in scans if _kept(one, moment)} | {i for run in held for i in run.inputs.values()}
            stays = {one for each in wanted for one in _line(each, parents)}
            gone = _family(connection, {one.id for one in scans if one.created < before and one.id not in stays})
            old += [run.id for run in runs if gone & set(run.inputs.values()) and run.id not in old]
            _drop_jobs(connection, old)
            _drop_scans(connection, gone)
            _drop_empty_batches(connection, before)
        for owner in {one.session for one in scans if one.id in gone}:
            self._unfinished.delete(owner)
        if old or gone:
            self._deleted()
        return len(old) + len(gone)

    def keep_scan(self, scan_id: str, session_id: str, until: datetime) -> None:
        """Keep a scan of this session from retention until then; UserError not_found."""
        mine = scan.c.id == scan_id, scan.c.session == session_id
        with self._engine.begin() as connection:
            if connection.execute(update(scan).where(*mine).values(keep_until=until)).rowcount == 0:
                raise not_found()

    def keep_job(self, job_id: str, session_id: str, until: datetime) -> None:
        """Keep a run of this session from retention until then, and so the scans it is about; UserError not_found."""
        mine = job.c.id == job_id, job.c.session == session_id
        with self._engine.begin() as connection:
            if connection.execute(update(job).where(*mine).values(keep_until=until)).rowcount == 0:
                raise not_found()

    def repeat(self) -> int:
        """Delete again what an older database has of what was deleted since; return how many scans, runs and studies.

        Known by their files: runs without any, which failed, come back if no scan of theirs was deleted.
        """
        gone = self._erased.digests()
        if not gone:
            return 0
        with self._engine.begin() as connection:
            scans = _family(connection, _named(connection, scan.c.id, scan.c.blob, gone))
            runs = _named(connection, artifact.c.job, artifact.c.blob, gone)
            runs |= {run.id for run in _runs(connection) if scans & set(run.inputs.values())}
            _drop_jobs(connection, runs)
            _drop_scans(connection, scans)
            studies = managed(connection, _named(connection, study_image.c.study, study_image.c.blob, gone))
            for one in studies:
                _drop_blobs(connection, end_study(connection, one))
        number = len(scans) + len(runs) + len(studies)
        if number:
            self._deleted()
        return number

    def finish(self) -> None:
        """Delete files whose rows are gone, and what the database's own files keep; what could not be, the next time.

        A reader may be in the way of the second.
        """
        with self._reader.begin() as connection:
            names = connection.scalars(select(dropped_blob.c.blob)).all()
        names = self._removed(names)
        # before the rows go that name them: a list without them would let a backup bring them back
        self._erased.add(names)
        for chunk in _chunks(names):
            with self._engine.begin() as connection:
                connection.execute(delete(dropped_blob).where(dropped_blob.c.blob.in_(chunk)))
        if self._unscrubbed or names:
            self._unscrubbed = not scrub(self._engine)

    def _removed(self, names: Iterable[str]) -> list[str]:
        """Delete files and return which are gone: all, unless their store stops to answer."""
        gone = []
        with suppress(StorageAway):
            for name in names:
                self._blobs.delete(name)
                gone.append(name)
        return gone

    def _deleted(self) -> None:
        self._unscrubbed = True
        self.finish()


def _require_over(states: Collection[str]) -> None:
    if not states:
        raise not_found()
    if any(state not in OVER for state in states):
        raise UserError("still_running", "A run is not over.", "Cancel it, then delete.")


def _runs(connection: Connection, session_id: str | None = None) -> list[Any]:
    query = select(job.c.id, job.c.state, job.c.inputs, job.c.created, job.c.finished, job.c.keep_until)
    return list(connection.execute(query if session_id is None else query.where(job.c.session == session_id)))


def _kept(row: Any, moment: datetime) -> bool:
    return row.keep_until is not None and row.keep_until > moment


def _line(scan_id: str, parents: dict[str, str | None]) -> Iterable[str]:
    """Return a scan, its parent, and so on."""
    line: dict[str, None] = {}
    one: str | None = scan_id
    while one is not None and one not in line:
        line[one] = None
        one = parents.get(one)
    return line


def _family(connection: Connection, scan_ids: Collection[str]) -> set[str]:
    """Return these scans with those that belong to them."""
    found, newest = set(scan_ids), set(scan_ids)
    while newest:
        children = (
            child
            for chunk in _chunks(tuple(newest))
            for child in connection.scalars(select(scan.c.id).where(scan.c.parent.in_(chunk)))
        )
        newest = set(children) - found
        found |= newest
    return found


def _drop_jobs(connection: Connection, job_ids: Collection[str]) -> None:
    for chunk in _chunks(tuple(job_ids)):
        _drop_blobs(connection, connection.scalars(select(artifact.c.blob).where(artifact.c.job.in_(chunk))).all())
        for table in (rating, artifact, share, batch_scan):
            connection.execute(delete(table).where(table.c.job.in_(chunk)))
        connection.execute(delete(job).where(job.c.id.in_(chunk)))
    connection.execute(delete(batch).where(batch.c.id.not_in(select(batch_scan.c.batch))))


def _drop_empty_batches(connection: Connection, before: datetime) -> None:
    """Delete old batches of which no scan became a job, or none is left."""
    full = select(batch_scan.c.batch).where(batch_scan.c.job.is_not(None))
    empty = select(batch.c.id).where(batch.c.created < before, batch.c.id.not_in(full))
    names = connection.scalars(empty).all()
    for table, column in ((batch_scan, batch_scan.c.batch), (batch, batch.c.id)):
        connection.execute(delete(table).where(column.in_(names)))


def _drop_scans(connection: Connection, scan_ids: Collection[str]) -> None:
    """Delete scans, of each all that belong to it among them."""
    chunks = list(_chunks(tuple(scan_ids)))
    for chunk in chunks:
        _drop_blobs(connection, connection.scalars(select(scan.c.blob).where(scan.c.id.in_(chunk))).all())
        connection.execute(update(scan).where(scan.c.id.in_(chunk)).values(parent=None))
    for chunk in chunks:
        connection.execute(delete(scan).where(scan.c.id.in_(chunk)))


def _drop_blobs(connection: Connection, names: Collection[str]) -> None:
    known = set(connection.scalars(select(dropped_blob.c.blob)))
    fresh = [{"blob": name} for name in set(names) - known]
    if fresh:
        connection.execute(insert(dropped_blob), fresh)


def _named(connection: Connection, which: Column[str], blob: Column[str], gone: Collection[str]) -> set[str]:
    """Return ``which`` of the rows whose file is on the list of what was deleted."""
    return {str(one) for one, name in connection.execute(select(which, blob)) if digest(name) in gone}


def _of_nobody_known(table: Table) -> Any:
    """Return the deletion of a table's rows, without the visitors and browsers of accounts."""
    if table is browser:
        return delete(browser).where(browser.c.account.is_(None))
    if table is session:
        known = select(account.c.session).union(select(browser.c.session))
        return delete(session).where(session.c.id.not_in(known))
    return delete(table)


def _chunks(names: Collection[str]) -> Iterable[list[str]]:
    listed = list(names)
    return (listed[start : start + CHUNK] for start in range(0, len(listed), CHUNK))
