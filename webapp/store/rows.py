"""Database rows turned into records."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from core.events import Failed
from core.result_json import from_json
from webapp.store.records import ArtifactRecord, JobRecord, RatingRecord, ScanRecord


def to_scan(row: Row[Any]) -> ScanRecord:
    """Return the record of a row of ``scan``."""
    return ScanRecord(
        id=row.id,
        session=row.session,
        role=row.role,
        filename=row.filename,
        shape=tuple(row.shape),
        spacing=tuple(row.spacing),
        orientation=row.orientation,
        facts=row.facts,
        warnings=tuple(row.warnings),
        token=row.token,
        created=row.created,
        blob=row.blob,
        parent=row.parent,
        keep_until=row.keep_until,
    )


def to_artifact(row: Row[Any]) -> ArtifactRecord:
    """Return the record of a row of ``artifact``."""
    return ArtifactRecord(row.id, row.job, row.name, row.title, row.token, row.blob, row.bytes)


def to_job(row: Row[Any], artifacts: tuple[ArtifactRecord, ...], position: int | None) -> JobRecord:
    """Return the record of a row of ``job``."""
    return JobRecord(
        id=row.id,
        session=row.session,
        task=row.task,
        params=row.params,
        inputs=row.inputs,
        state=row.state,
        fraction=row.fraction,
        text=row.text,
        error=None if row.error is None else Failed(**row.error),
        result=from_json(row.summary),
        artifacts=artifacts,
        seconds=row.seconds,
        created=row.created,
        started=row.started,
        finished=row.finished,
        position=position,
        keep_until=row.keep_until,
    )


def to_rating(row: Row[Any]) -> RatingRecord:
    """Return the record of a row of ``rating`` that is about a job."""
    return RatingRecord(id=row.id, job=row.job, created=row.created, **row.answers)
