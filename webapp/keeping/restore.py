"""A backup put back into an empty data folder, without what was deleted since, as far as that is known."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.files.nifti_writer import sync_folder
from webapp.keeping.backup import database_file
from webapp.keeping.backup_files import (
    ABOUT,
    BLOBS,
    DATABASE,
    NEWER,
    About,
    copied,
    entries,
    name_of,
    read_about,
    require_sound,
)
from webapp.settings import Settings
from webapp.store.blobs import Blobs
from webapp.store.browsers import Browsers
from webapp.store.clock import now
from webapp.store.data_lock import DataLock
from webapp.store.database import connect, knows_schema, migrate
from webapp.store.database_copy import check_database, files_of
from webapp.store.erased import FILE as ERASED
from webapp.store.erased import Erased
from webapp.store.erasure import Erasure
from webapp.store.shares import Shares
from webapp.store.unfinished_work import UNFINISHED, UnfinishedWork

STAGE = "restoring"


@dataclass(frozen=True)
class Restored:
    """What was put back, and how many scans, runs and studies of it were deleted again at once."""

    about: About
    deleted: int


def restore(settings: Settings, backup: Path) -> Restored:
    """Put a backup into the data folder, which has no store; nothing is there until all of it is sound.

    What the list of deletions in the folder (``erased.log``) names, and what is older than the retention, is deleted
    before anybody can read it. Accounts have to sign in again; links that show a run are over.
    UserError backup_elsewhere, no_backup, backup_damaged, backup_newer, store_there, data_in_use.
    """
    database, done = database_file(settings), list[Restored]()
    lock = DataLock(settings.data)
    alone = lock.enter(lambda: done.append(_restored(settings, backup, database)))
    lock.leave()
    if not alone:
        raise UserError("data_in_use", "A server uses this data folder.", "Stop it, then restore.")
    return done[0]


def _restored(settings: Settings, backup: Path, database: Path) -> Restored:
    blobs = settings.data / BLOBS
    if database.exists() or any(blobs.glob("[0-9a-f][0-9a-f]")):
        raise UserError(
            "store_there",
            "There is a store in the data folder already.",
            f"Move the database and the folder blobs away, leave {ERASED}, then restore.",
        )
    stage = settings.data / STAGE
    shutil.rmtree(stage, ignore_errors=True)
    try:
        about = _unpack(backup, stage)
        deleted = _brought_up_to_date(settings, stage)
        blobs.mkdir(exist_ok=True)
        for folder in sorted((stage / BLOBS).glob("*")):
            folder.rename(blobs / folder.name)
        sync_folder(blobs)
        # the last: until then there is no store
        database.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(stage / DATABASE, database)
        sync_folder(database.parent)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return Restored(about, deleted)


def _unpack(backup: Path, stage: Path) -> About:
    """Write a backup into ``stage`` and return what it is, once every file has been found to be sound."""
    about, digests = None, dict[str, str]()
    for place, stream in entries(backup):
        if place == ABOUT:
            about = read_about(stream)
            if not knows_schema(about.schema):
                raise NEWER
            continue
        target = stage / place
        target.parent.mkdir(parents=True, exist_ok=True)
        digest, name = copied(stream, target), name_of(place)
        if name:
            digests[name] = digest
        else:
            require_sound(about, place, digest, None)
    if about is None or not (stage / DATABASE).is_file():
        raise UserError("backup_damaged", "The backup is not whole.", "Use another one.")
    check_database(stage / DATABASE)
    stored = files_of(stage / DATABASE)
    if stored.keys() - digests.keys() - set(about.damaged):
        raise UserError("backup_damaged", "The backup is not whole.", "Use another one.")
    for name, digest in digests.items():
        require_sound(about, name, digest, stored.get(name, ""))
    return about


def _brought_up_to_date(settings: Settings, stage: Path) -> int:
    """Migrate a database, delete what is deleted or too old, end visits; return how many things were deleted."""
    engine = connect(f"sqlite:///{stage / DATABASE}")
    try:
        migrate(engine)
        Browsers(engine, settings.session_days).sign_out_accounts()
        # some of them may have been ended since
        Shares(engine).end_all()
        erased = Erased(settings.data / ERASED)
        erasure = Erasure(
            engine, Blobs(stage / BLOBS), settings.data / "uploads", erased, UnfinishedWork(settings.data / UNFINISHED)
        )
        deleted = erasure.repeat()
        if settings.retention:
            moment = now()
            deleted += erasure.delete_old(moment - settings.retention, moment)
        return deleted
    finally:
        engine.dispose()
