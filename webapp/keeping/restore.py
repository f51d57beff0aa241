"""A backup put back into an empty data folder, without what was deleted since, as far as that is known."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.files.nifti_writer import sync_folder
from webapp.keeping.backup import database_file, require_disk
from webapp.keeping.backup_files import (
    ABOUT,
    BLOBS,
    DATABASE,
    NEWER,
    About,
    copied,
    damaged,
    entries,
    name_of,
    read_about,
    reading,
    require_sound,
)
from webapp.settings import Settings
from webapp.store.access_tokens import AccessTokens
from webapp.store.blobs import Blobs
from webapp.store.browsers import Browsers
from webapp.store.clock import now
from webapp.store.data_lock import DataLock
from webapp.store.database import connect, knows_schema, migrate
from webapp.store.database_copy import check_database, files_of, require_readable, schema_of
from webapp.store.erased import FILE as ERASED
from webapp.store.erased import Erased
from webapp.store.erasure import Erasure
from webapp.store.owners import Owners
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
    UserError backup_elsewhere, no_backup, backup_damaged, backup_newer, store_there, data_in_use, disk_full.
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
        with reading():
            about, digests = _unpack(backup, stage)
            _check(stage / DATABASE, about, digests)
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


def _unpack(backup: Path, stage: Path) -> tuple[About, Mapping[str, str]]:
    """Write a backup into ``stage``, never more than its description names; return that, and the files' sha256."""
    about, digests, left = None, dict[str, str](), 0
    stage.mkdir()
    for place, stream in entries(backup):
        if place == ABOUT:
            about = read_about(stream)
            if not knows_schema(about.schema):
                raise NEWER
            left = about.bytes
            require_disk(stage, left)
            continue
        target = stage / place
        target.parent.mkdir(parents=True, exist_ok=True)
        digest, name = copied(stream, target, left), name_of(place)
        left -= target.stat().st_size
        if name:
            digests[name] = digest
        else:
            require_sound(about, place, digest, None)
    if about is None or left or not (stage / DATABASE).is_file():
        raise damaged()
    return about, digests


def _check(database: Path, about: About, digests: Mapping[str, str]) -> None:
    """Raise UserError backup_damaged unless the database is sound and every file is the one that it names."""
    check_database(database)
    stored = files_of(database)
    names = digests.keys() | set(about.damaged)
    if schema_of(database) != about.schema or len(digests) != about.files or names != stored.keys():
        raise damaged()
    for name, digest in digests.items():
        require_sound(about, name, digest, stored[name])


def _brought_up_to_date(settings: Settings, stage: Path) -> int:
    """Migrate a database, delete what is deleted or too old, end visits; return how many things were deleted."""
    engine = connect(f"sqlite:///{stage / DATABASE}")
    try:
        migrate(engine)
        require_readable(engine)
        # no upload is in a backup: a row of one would be the name of a folder that is somebody else's
        Owners(engine).forget_all()
        Browsers(engine, settings.session_days).sign_out_accounts()
        # some of them may have been ended since
        Shares(engine).end_all()
        AccessTokens(engine).end_all()
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
