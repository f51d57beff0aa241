"""Database rows of reader studies turned into records."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from webapp.store.study_records import ImageRecord, ItemRecord, RaterRecord, ShowingRecord, StudyRecord


def to_study(row: Row[Any]) -> StudyRecord:
    """Return the record of a row of ``study``."""
    return StudyRecord(row.id, row.title, row.secret, row.design, tuple(row.notes), row.closed, row.created)


def to_image(row: Row[Any]) -> ImageRecord:
    """Return the record of a row of ``study_image``."""
    region = None if row.region is None else tuple(row.region)
    return ImageRecord(row.id, row.method, row.case, row.truth, row.measures, region, row.blob)


def to_item(row: Row[Any]) -> ItemRecord:
    """Return the record of a row of ``study_item``."""
    return ItemRecord(row.id, row.number, row.use, tuple(row.images))


def to_rater(row: Row[Any]) -> RaterRecord:
    """Return the record of a row of ``rater``."""
    return RaterRecord(
        id=row.id,
        study=row.study,
        number=row.number,
        label=row.label,
        expertise=row.expertise,
        years=row.years,
        consented=row.consented,
        expires=row.expires,
        revoked=row.revoked,
        created=row.created,
    )


def to_showing(row: Row[Any]) -> ShowingRecord:
    """Return the record of a row of ``showing``."""
    return ShowingRecord(row.id, row.rater, row.position, row.item, row.repeat, row.flipped, row.left, row.right)
