"""A backup as a folder or as one tar file: a description, the database, the stored files."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from core.errors import UserError
from core.files.nifti_writer import sync_folder
from webapp.store.blobs import NAME

ABOUT = "backup.json"
DATABASE = "counterscan.db"
BLOBS = "blobs"
# by the end of its name a backup is one file
TAR = ".tar"
FORMAT = 1
PART = ".part"
CHUNK = 1 << 20
PLACE = re.compile(rf"{ABOUT}|{DATABASE}|{BLOBS}/[0-9a-f]{{2}}/({NAME.pattern})")

NEWER = UserError("backup_newer", "A newer version wrote this backup.", "Install that version, then restore.")


@dataclass(frozen=True)
class About:
    """What a backup is: the version that wrote it, the schema, the moment, the sha256 of its database, what it holds.

    damaged: files that the store itself no longer had, or not with the content that was stored.
    """

    version: str
    schema: str
    created: str
    database: str
    files: int
    bytes: int
    damaged: tuple[str, ...] = ()
    format: int = FORMAT


def write_backup(stage: Path, about: About, target: Path) -> None:
    """Write what lies in ``stage`` to ``target``, which is there whole or not at all; UserError disk_full."""
    part = target.with_name(target.name + PART)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        (stage / ABOUT).write_text(json.dumps(asdict(about), indent=1))
        if target.suffix == TAR:
            _write_tar(stage, part)
        else:
            _write_folder(stage, part)
        part.rename(target)
        sync_folder(target.parent)
    except OSError as error:
        raise UserError(
            "write_failed", f"The backup cannot be written: {error.strerror}.", "Choose another place for it."
        ) from error
    finally:
        if part.is_dir():
            shutil.rmtree(part)
        part.unlink(missing_ok=True)


def entries(backup: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield every file of a backup with its place in it, the description first; UserError no_backup, backup_damaged."""
    found = _in_tar(backup) if backup.is_file() else _in_folder(backup)
    try:
        for place, stream in found:
            if PLACE.fullmatch(place) is None:
                raise UserError("backup_damaged", "The backup has files that do not belong there.", "Use another one.")
            yield place, stream
    except (tarfile.TarError, EOFError) as error:
        raise UserError("backup_damaged", "The backup is damaged, or is none.", "Use another one.") from error
    except OSError as error:
        raise UserError("no_backup", f"The backup cannot be read: {error.strerror}.", "Check its path.") from error


def read_about(stream: IO[bytes]) -> About:
    """Return the description of a backup; UserError backup_damaged, backup_newer."""
    try:
        values = json.loads(stream.read())
        about = About(**{**values, "damaged": tuple(values["damaged"])})
    except (ValueError, TypeError, KeyError) as error:
        raise UserError("backup_damaged", "The description of the backup is damaged.", "Use another one.") from error
    if about.format != FORMAT:
        raise NEWER
    return about


def name_of(place: str) -> str | None:
    """Return the name of the stored file at a place of a backup, None for another file."""
    found = PLACE.fullmatch(place)
    return None if found is None else found[1]


def copied(stream: IO[bytes], target: Path | None = None) -> str:
    """Return the sha256 of a stream, which is written to ``target`` on the way if that is given."""
    digest = hashlib.sha256()
    with open(os.devnull if target is None else target, "wb") as file:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            file.write(chunk)
        if target is not None:
            file.flush()
            os.fsync(file.fileno())
    return digest.hexdigest()


def check_backup(backup: Path, stored: Mapping[str, str]) -> None:
    """Read a backup whole and compare every file with its sha256; UserError backup_damaged.

    stored: the sha256 of each stored file by its name.
    """
    about, seen = None, set()
    for place, stream in entries(backup):
        if place == ABOUT:
            about = read_about(stream)
            continue
        name, digest = name_of(place), copied(stream)
        require_sound(about, place, digest, stored.get(name, "") if name else None)
        seen.add(name)
    if about is None or stored.keys() - seen - set(about.damaged):
        raise UserError("backup_damaged", "The backup is not whole.", "Write another one.")


def require_sound(about: About | None, place: str, digest: str, stored: str | None) -> None:
    """Raise UserError backup_damaged where the sha256 of a file is not what it was.

    stored: what it was, None for the database.
    """
    wanted = stored if about is None or stored is not None else about.database
    known = about is not None and place.rpartition("/")[2] in about.damaged
    if about is None or (digest != wanted and not known):
        raise UserError("backup_damaged", "A file of the backup is damaged.", "Use another one.")


def _write_folder(stage: Path, part: Path) -> None:
    for source, place in _staged(stage):
        target = part / place
        target.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as stream:
            copied(stream, target)
    part.chmod(0o700)


def _write_tar(stage: Path, part: Path) -> None:
    # what is stored is compressed already
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            for source, place in _staged(stage):
                archive.add(source, place, recursive=False)
        file.flush()
        os.fsync(file.fileno())


def _staged(stage: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files of a stage with their places: description, database, the rest."""
    yield stage / ABOUT, ABOUT
    yield stage / DATABASE, DATABASE
    for path in sorted((stage / BLOBS).glob("*/*")):
        yield path, path.relative_to(stage).as_posix()


def _in_folder(folder: Path) -> Iterator[tuple[str, IO[bytes]]]:
    for source, place in _staged(folder):
        with source.open("rb") as stream:
            yield place, stream


def _in_tar(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(path, "r:") as archive:
        for member in archive:
            stream = archive.extractfile(member)
            if stream is not None:
                with stream:
                    yield member.name, stream
