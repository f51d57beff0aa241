"""What stays of a reader study whose managers are gone: what its raters agreed to."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, select, update

from webapp.store.clock import now
from webapp.store.schema import rater, rating, showing, study, study_image, study_item, study_manager


def drop_studies(connection: Connection, session_id: str) -> list[str]:
    """End what a session manages and return the blobs that are to be deleted.

    A study that others manage stays as it is. Of another the images go, and all the rest too unless its consent keeps
    the answers (``after_deletion`` of the design): then it is closed, and raters have no name.
    """
    mine = connection.scalars(select(study_manager.c.study).where(study_manager.c.session == session_id)).all()
    connection.execute(delete(study_manager).where(study_manager.c.session == session_id))
    blobs: list[str] = []
    for one in mine:
        if connection.scalar(select(func.count()).where(study_manager.c.study == one)):
            continue
        blobs += connection.scalars(select(study_image.c.blob).where(study_image.c.study == one))
        design = connection.scalar(select(study.c.design).where(study.c.id == one)) or {}
        # studies of before the field was there were made for their answers
        if design.get("after_deletion", "answers") == "answers":
            _keep_answers(connection, one)
        else:
            _drop(connection, one)
    return blobs


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
