"""Reader studies in the database: managers, raters, showings and answers."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, Select, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.errors import UserError
from webapp.store.clock import new_id, new_token, now
from webapp.store.database import READING
from webapp.store.ratings import keep
from webapp.store.repository import ensure_session, not_found
from webapp.store.schema import rater, rating, showing, study, study_image, study_item, study_manager
from webapp.store.study_records import (
    AnswerRecord,
    ImageRecord,
    ItemRecord,
    NewStudy,
    RaterRecord,
    ShowingRecord,
    StudyRecord,
)
from webapp.store.study_rows import to_image, to_item, to_rater, to_showing, to_study

# studies whose items, up to 5000 each, are held in memory
STUDIES_HELD = 16


class Studies:
    """Short transactions on one database; a write has reached the disk when its method returns.

    Access is checked by ``study`` and ``by_key`` alone; the other methods take the records that these return.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{READING: True})
        # the items of a study never change, and every answer of every rater needs all of them
        self._items = lru_cache(STUDIES_HELD)(self._read_items)
        self._images = lru_cache(STUDIES_HELD)(self._read_images)

    def add(self, new: NewStudy, session: str | None) -> tuple[StudyRecord, str]:
        """Record a study whose blobs are on the disk; returns it and the key with which another browser manages it."""
        key, study_id = new_token(), new_id()
        row = {"title": new.title, "design": dict(new.design), "notes": list(new.notes)}
        with self._engine.begin() as connection:
            values = {**row, "id": study_id, "key": digest(key), "secret": new_id() + new_id(), "created": now()}
            made = to_study(connection.execute(insert(study).values(values).returning(study)).one())
            ids = [
                connection.execute(
                    insert(study_image).values(**asdict(one), study=study_id).returning(study_image.c.id)
                ).scalar_one()
                for one in new.images
            ]
            items = [
                {"study": study_id, "number": number, "use": one.use, "images": [ids[place] for place in one.images]}
                for number, one in enumerate(new.items, 1)
            ]
            connection.execute(insert(study_item), items)
            if session is not None:
                _let_manage(connection, study_id, session)
        return made, key

    def studies(self, session: str | None) -> tuple[StudyRecord, ...]:
        """Return the studies a session manages, newest first; all of them for the command line (None)."""
        query = select(study).order_by(study.c.created.desc())
        if session is not None:
            mine = select(study_manager.c.study).where(study_manager.c.session == session)
            query = query.where(study.c.id.in_(mine))
        with self._reader.begin() as connection:
            return tuple(to_study(row) for row in connection.execute(query))

    def study(self, study_id: str, session: str | None) -> StudyRecord:
        """Return a study this session manages; any study for the command line (None). UserError not_found."""
        query = select(study).where(study.c.id == study_id)
        if session is not None:
            query = query.join(study_manager).where(study_manager.c.session == session)
        return to_study(self._one(query))

    def manage(self, key: str, session: str) -> StudyRecord:
        """Let a session manage the study of ``key``; UserError not_found."""
        with self._engine.begin() as connection:
            row = connection.execute(select(study).where(study.c.key == digest(key))).one_or_none()
            if row is None:
                raise not_found()
            known = select(study_manager).where(study_manager.c.study == row.id, study_manager.c.session == session)
            if connection.execute(known).one_or_none() is None:
                _let_manage(connection, row.id, session)
        return to_study(row)

    def renew_key(self, found: StudyRecord) -> str:
        """Return a new key to manage the study; the one before it is no longer valid."""
        key = new_token()
        with self._engine.begin() as connection:
            connection.execute(update(study).where(study.c.id == found.id).values(key=digest(key)))
        return key

    def close(self, found: StudyRecord, closed: bool = True) -> StudyRecord:
        """End or reopen the rating."""
        changed = update(study).where(study.c.id == found.id).values(closed=now() if closed else None)
        with self._engine.begin() as connection:
            return to_study(connection.execute(changed.returning(study)).one())

    def images(self, found: StudyRecord) -> dict[int, ImageRecord]:
        """Return the images of a study by their ids."""
        return self._images(found.id)

    def items(self, found: StudyRecord) -> tuple[ItemRecord, ...]:
        """Return the items of a study in the order of their numbers."""
        return self._items(found.id)

    def invite(
        self,
        found: StudyRecord,
        label: str,
        expertise: str = "",
        years: float | None = None,
        expires: datetime | None = None,
    ) -> tuple[RaterRecord, str]:
        """Add a rater; returns the record and the key of the invitation, of which only a digest is stored."""
        key = new_token()
        values = {"label": label, "expertise": expertise, "years": years, "expires": expires, "study": found.id}
        with self._engine.begin() as connection:
            last = connection.scalar(select(func.max(rater.c.number)).where(rater.c.study == found.id))
            row = {**values, "id": new_id(), "key": digest(key), "number": (last or 0) + 1, "created": now()}
            return to_rater(connection.execute(insert(rater).values(row).returning(rater)).one()), key

    def raters(self, found: StudyRecord) -> tuple[RaterRecord, ...]:
        """Return the raters of a study in the order they were invited."""
        query = select(rater).where(rater.c.study == found.id).order_by(rater.c.number)
        with self._reader.begin() as connection:
            return tuple(to_rater(row) for row in connection.execute(query))

    def revoke(self, found: StudyRecord, number: int) -> RaterRecord:
        """End a rater's invitation; the answers stay. UserError not_found."""
        return self._change_rater(found, number, {"revoked": now()})

    def renew(self, found: StudyRecord, number: int, expires: datetime | None = None) -> tuple[RaterRecord, str]:
        """Return a rater with the key of a new invitation; the old one ends, the answers stay. UserError not_found."""
        key = new_token()
        changed = self._change_rater(found, number, {"key": digest(key), "revoked": None, "expires": expires})
        return changed, key

    def by_key(self, key: str) -> tuple[RaterRecord, StudyRecord]:
        """Return the rater and the study of an invitation; UserError not_found, invitation_over."""
        with self._reader.begin() as connection:
            row = connection.execute(select(rater).where(rater.c.key == digest(key))).one_or_none()
            if row is None:
                raise UserError("not_found", "This link opens no study.", "Ask for a new link; copy the whole of it.")
            of = to_study(connection.execute(select(study).where(study.c.id == row.study)).one())
        found = to_rater(row)
        if found.revoked or of.closed or (found.expires and found.expires < now()):
            raise UserError(
                "invitation_over",
                "The study is closed." if of.closed else "This link is no longer valid.",
                "All saved answers are kept. Ask those who invited you if you want to go on.",
            )
        return found, of

    def start(self, who: RaterRecord, expertise: str, years: float | None) -> RaterRecord:
        """Record a rater's consent; only the first time counts, and expertise and years of the invitation stay."""
        values: dict[str, Any] = {"consented": now()}
        values |= {"expertise": expertise} if expertise and not who.expertise else {}
        values |= {"years": years} if years is not None and who.years is None else {}
        changed = update(rater).where(rater.c.id == who.id, rater.c.consented.is_(None)).values(values)
        with self._engine.begin() as connection:
            connection.execute(changed)
            return to_rater(connection.execute(select(rater).where(rater.c.id == who.id)).one())

    def showings(self, who: RaterRecord) -> tuple[ShowingRecord, ...]:
        """Return the showings of a rater so far, in order."""
        query = select(showing).where(showing.c.rater == who.id).order_by(showing.c.position)
        with self._reader.begin() as connection:
            return tuple(to_showing(row) for row in connection.execute(query))

    def showing(self, who: RaterRecord, showing_id: str) -> ShowingRecord | None:
        """Return one showing of a rater; None for one that is not theirs."""
        query = select(showing).where(showing.c.rater == who.id, showing.c.id == showing_id)
        with self._reader.begin() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else to_showing(row)

    def show(self, who: RaterRecord, position: int, item: ItemRecord, *, repeat: bool, flipped: bool) -> ShowingRecord:
        """Record the showing of an item to a rater; an earlier one at ``position`` stays and is returned."""
        right = new_token() if len(item.images) > 1 else None
        values = {"rater": who.id, "position": position, "item": item.id, "repeat": repeat, "flipped": flipped}
        row = {**values, "id": new_id(), "left": new_token(), "right": right, "created": now()}
        try:
            with self._engine.begin() as connection:
                return to_showing(connection.execute(insert(showing).values(row).returning(showing)).one())
        except IntegrityError:
            query = select(showing).where(showing.c.rater == who.id, showing.c.position == position)
            return to_showing(self._one(query))

    def image_at(self, who: RaterRecord, token: str) -> str:
        """Return the blob of the image with the address ``token`` of this rater; UserError not_found."""
        query = select(showing, study_item.c.images).join(study_item, study_item.c.id == showing.c.item)
        mine = query.where(showing.c.rater == who.id, (showing.c.left == token) | (showing.c.right == token))
        row = self._one(mine)
        second = (row.right == token) != row.flipped
        chosen = select(study_image.c.blob).where(study_image.c.id == row.images[int(second)])
        return str(self._one(chosen).blob)

    def rate(
        self,
        shown: ShowingRecord,
        client_id: str,
        answers: Mapping[str, Any],
        seconds: float,
        changes: int,
        circumstances: Mapping[str, Any],
        *,
        final: bool = False,
    ) -> int:
        """Store the answer to a showing and return its number after the commit; see ``ratings.keep``."""
        values = {"answers": dict(answers), "seconds": seconds, "changes": changes, "circumstances": circumstances}
        return int(keep(self._engine, {"showing": shown.id}, client_id, values, final=final).id)

    def answer(self, shown: ShowingRecord) -> AnswerRecord | None:
        """Return the newest answer to a showing; None where there is none yet."""
        return self._answers(select(rating).where(rating.c.showing == shown.id)).get(shown.id)

    def answered(self, who: RaterRecord) -> frozenset[str]:
        """Return the ids of the showings that a rater has answered."""
        query = select(rating.c.showing).join(showing, showing.c.id == rating.c.showing)
        with self._reader.begin() as connection:
            return frozenset(connection.execute(query.where(showing.c.rater == who.id)).scalars())

    def all_answers(self, found: StudyRecord) -> dict[str, AnswerRecord]:
        """Return the newest answer to each showing of a study by the id of the showing."""
        every = select(rating).join(showing, showing.c.id == rating.c.showing)
        return self._answers(every.join(rater, rater.c.id == showing.c.rater).where(rater.c.study == found.id))

    def times_rated(self, found: StudyRecord) -> Counter[int]:
        """Return how often each item of a study was shown to a rater, by the id of the item."""
        query = (
            select(showing.c.item, func.count())
            .join(rater, rater.c.id == showing.c.rater)
            .where(rater.c.study == found.id)
        )
        with self._reader.begin() as connection:
            return Counter({item: number for item, number in connection.execute(query.group_by(showing.c.item))})

    def _read_items(self, study_id: str) -> tuple[ItemRecord, ...]:
        query = select(study_item).where(study_item.c.study == study_id).order_by(study_item.c.number)
        with self._reader.begin() as connection:
            return tuple(to_item(row) for row in connection.execute(query))

    def _read_images(self, study_id: str) -> dict[int, ImageRecord]:
        query = select(study_image).where(study_image.c.study == study_id).order_by(study_image.c.id)
        with self._reader.begin() as connection:
            return {row.id: to_image(row) for row in connection.execute(query)}

    def _answers(self, query: Select[Any]) -> dict[str, AnswerRecord]:
        held: dict[str, AnswerRecord] = {}
        with self._reader.begin() as connection:
            for row in connection.execute(query.order_by(rating.c.id)):
                before = held.get(row.showing)
                held[row.showing] = AnswerRecord(
                    id=row.id,
                    client_id=row.client_id,
                    showing=row.showing,
                    answers=row.answers,
                    seconds=row.seconds + (before.seconds if before else 0),
                    changes=row.changes + (before.changes if before else 0),
                    circumstances=_together(row.circumstances, before.circumstances if before else {}),
                    created=row.created,
                    revisions=0 if before is None else before.revisions + 1,
                )
        return held

    def _change_rater(self, found: StudyRecord, number: int, values: Mapping[str, Any]) -> RaterRecord:
        changed = update(rater).where(rater.c.study == found.id, rater.c.number == number).values(**values)
        with self._engine.begin() as connection:
            row = connection.execute(changed.returning(rater)).one_or_none()
            if row is None:
                raise not_found()
            return to_rater(row)

    def _one(self, query: Select[Any]) -> Any:
        with self._reader.begin() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise not_found()
        return row


def digest(key: str) -> str:
    """Return the digest of a key that is stored in its place, so that a copy of the database gives no access."""
    return hashlib.sha256(key.encode()).hexdigest()


def _together(last: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the circumstances of an answer with the slices that were seen before an earlier one too."""
    slices = {**before.get("slices", {})}
    for axis, count in last.get("slices", {}).items():
        slices[axis] = max(count, slices.get(axis, 0))
    return {**last, "slices": slices}


def _let_manage(connection: Connection, study_id: str, session: str) -> None:
    ensure_session(connection, session)
    connection.execute(insert(study_manager).values(study=study_id, session=session))
