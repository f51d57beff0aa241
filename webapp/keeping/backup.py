"""A backup of the database and of every file it names, written while the server runs, and checked."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sqlalchemy import make_url

from core import __version__
from core.errors import UserError
from webapp.keeping.backup_files import BLOBS, DATABASE, TAR, About, check_backup, copied, write_backup
from webapp.settings import Settings
from webapp.store.blobs import Blobs
from webapp.store.clock import now
from webapp.store.data_lock import DataLock
from webapp.store.database_copy import check_database, copy_database, files_of, schema_of
from webapp.store.folder_blobs import FolderBlobs

WORK = "work"
# what the table of the files and a copy of the database take beside the files, at most
MARGIN = 64 << 20


def back_up(settings: Settings, target: Path | None) -> tuple[Path, About]:
    """Write a backup to ``target``, a new folder or a .tar file, and return where it is and what it holds.

    Without a target it is a file in ``backups`` of the data folder. The copy of the database and the files fit together
    whatever is uploaded or deleted meanwhile; files on their way in and jobs in progress are not in it.
    UserError backup_elsewhere, no_store, backup_there, write_failed, disk_full, data_in_use; backup_incomplete once it
    is written, when the store itself lacks files or has damaged ones.
    """
    source, files, moment = database_file(settings), blobs_folder(settings), now()
    if not source.is_file():
        raise UserError(
            "no_store", "There is no database in the data folder.", "Set COUNTERSCAN_DATA as the server has it."
        )
    chosen = target or settings.data / "backups" / f"counterscan-{moment:%Y%m%d-%H%M%S}{TAR}"
    if chosen.exists():
        raise UserError("backup_there", "There is something at the place of the backup.", "Choose a new name.")
    with DataLock(settings.data):
        work = settings.data / WORK
        work.mkdir(exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix="backup-", dir=work))
        try:
            stored = _collect(source, FolderBlobs(files), stage)
            about = _described(stage, stored, f"{moment:%Y-%m-%dT%H:%M:%SZ}")
            require_disk(chosen, about.bytes)
            write_backup(stage, about, chosen)
            check_backup(chosen, stored)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    if about.damaged:
        raise UserError(
            "backup_incomplete",
            f"The backup is written, but the store lacks {len(about.damaged)} of its files, or they are damaged.",
            f"Keep earlier backups; backup.json in {chosen.name} names the files.",
        )
    return chosen, about


def database_file(settings: Settings) -> Path:
    """Return the file of the database; UserError backup_elsewhere where it is not one of SQLite."""
    url = make_url(settings.url)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise UserError(
            "backup_elsewhere",
            "The database is not a file of SQLite, so this command cannot copy it.",
            "Run pg_dump first, then copy the folder blobs; docs/hosting.md has both commands.",
        )
    return Path(url.database)


def blobs_folder(settings: Settings) -> Path:
    """Return the folder of the stored files; UserError backup_elsewhere where they are in a bucket."""
    if settings.blobs_folder is None:
        raise UserError(
            "backup_elsewhere",
            "The files are in a bucket, so this command cannot copy them.",
            "Copy the database first, then the bucket by its own tools; docs/hosting.md has the commands.",
        )
    return settings.blobs_folder


def _collect(source: Path, blobs: Blobs, stage: Path) -> Mapping[str, str]:
    """Put a copy of the database and its files into ``stage``; return the files that its rows name, with their sha256.

    A file that is not there was deleted since the copy was made, with its row: then the database is copied again. One
    that the new copy still names is lost.
    """
    lost: set[str] | None = None
    while True:
        copy_database(source, stage / DATABASE)
        stored = files_of(stage / DATABASE)
        absent = {name for name in stored if not _held(blobs.path(name), stage / BLOBS / name[:2] / name)}
        if not absent or (lost is not None and absent <= lost):
            break
        lost = absent if lost is None else lost & absent
    check_database(stage / DATABASE)
    for path in (stage / BLOBS).glob("*/*"):
        if path.name not in stored:
            path.unlink()
    return stored


def _held(path: Path, link: Path) -> bool:
    """Keep a stored file under a second name, so that its deletion does not take it away; False if it is not there."""
    if link.exists():
        return True
    link.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        try:
            link.hardlink_to(path)
        except FileNotFoundError:
            raise
        except OSError:
            # a disk without links, or another one
            shutil.copyfile(path, link)
        return True
    return False


def _described(stage: Path, stored: Mapping[str, str], created: str) -> About:
    held = {path.name: path for path in (stage / BLOBS).glob("*/*")}
    about = About(
        version=__version__,
        schema=schema_of(stage / DATABASE),
        created=created,
        database=_digest(stage / DATABASE),
        files=len(held),
        bytes=sum(path.stat().st_size for path in (stage / DATABASE, *held.values())),
    )
    bad = sorted(name for name, digest in stored.items() if name not in held or _digest(held[name]) != digest)
    return replace(about, damaged=tuple(bad))


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return copied(stream)


def require_disk(target: Path, size: int) -> None:
    """Raise UserError disk_full where the disk of ``target`` has no room for so many bytes."""
    folder = next(parent for parent in target.absolute().parents if parent.exists())
    if shutil.disk_usage(folder).free < size + MARGIN:
        raise UserError("disk_full", f"The backup needs {size >> 20} MB.", "Free some space, or choose another disk.")
