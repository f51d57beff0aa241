"""What stays of a reader study whose managers are gone: what its raters agreed to."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, func, select, update

from webapp.store.clock import now
from webapp.store.schema import rater, rating, showing, study, study_image, study_item, study_manager


def drop_studies(connection: Connection, session_id: str) -> list[str]:
    """End what a session manages and return the blobs that are to be deleted.

    A study that others manage stays as it is; another ends.
    """
    mine = connection.scalars(select(study_manager.c.study).where(study_manager.c.session == session_id)).all()
    connection.execute(delete(study_manager).where(study_manager.c.session == session_id))
    blobs: list[str] = []
    for one in mine:
        if connection.scalar(select(func.count()).where(study_manager.c.study == one)):
            continue
        blobs += end_study(connection, one)
    return blobs


def end_study(connection: Connection, study_id: str) -> list[str]:
    """End a study and return the blobs that are to be deleted.

    Its images go, and all the rest too unless its consent keeps the answers (``after_deletion`` of the design): then
    it is closed, and raters have no name.
    """
    connection.execute(delete(study_manager).where(study_manager.c.study == study_id))
    blobs = list(connection.scalars(select(study_image.c.blob).where(study_image.c.study == study_id)))
    design = connection.scalar(select(study.c.design).where(study.c.id == study_id)) or {}
    # studies of before the field was there were made for their answers
    if design.get("after_deletion", "answers") == "answers":
        _keep_answers(connection, study_id)
    else:
        _drop(connection, study_id)
    return blobs


def managed(connection: Connection, study_ids: Collection[str]) -> tuple[str, ...]:
    """Return those of these studies that somebody manages, which have not ended."""
    every = set(connection.scalars(select(study_manager.c.study)))
    return tuple(one for one in study_ids if one in every)


def _keep_answers(connection: Connection, study_id: str) -> None:
    closed = func.coalesce(study.c.closed, now())
    connection.execute(update(study).where(study.c.id == study_id).values(closed=closed))
    connection.execute(update(study_image).where(study_image.c.study == study_id).values(region=None))
    connection.execute(update(rater).where(rater.c.study == study_id).values(label=""))


def _drop(connection: Connection, study_id: str) -> None:
    raters = select(rater.c.id).where(rater.c.study == study_id)
    shown = select(showing.c.id).where(showing.c.rater.in_(raters))
    connection.execute(delete(rating).where(rating.c.showing.in_(shown)))
    connection.execute(delete(showing).where(showing.c.rater.in_(raters)))
    for table in (rater, study_item, study_image):
        connection.execute(delete(table).where(table.c.study == study_id))
    connection.execute(delete(study).where(study.c.id == study_id))
