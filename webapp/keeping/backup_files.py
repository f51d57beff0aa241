"""A backup as a folder or as one tar file: a description, the database, the stored files."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import re
import shutil
import stat
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Annotated

from pydantic import Field, TypeAdapter

from core.errors import UserError, is_disk_full
from core.files.nifti_writer import sync_folder
from webapp.store.blobs import NAME
from webapp.store.database import UNREADABLE

ABOUT = "backup.json"
DATABASE = "counterscan.db"
BLOBS = "blobs"
# by the end of its name a backup is one file
TAR = ".tar"
FORMAT = 1
PART = ".part"
CHUNK = 1 << 20
PLACE = re.compile(rf"{ABOUT}|{DATABASE}|{BLOBS}/[0-9a-f]{{2}}/({NAME.pattern})")

# a description has a name for each damaged file
ABOUT_BYTES = 64 << 20
# what the libraries raise at files that are no backup or were made to harm
UNSOUND = (
    *UNREADABLE, tarfile.TarError, EOFError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError,
    MemoryError, RecursionError,
)  # fmt: skip

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Size = Annotated[int, Field(ge=0, le=1 << 60, strict=True)]

NEWER = UserError("backup_newer", "A newer version wrote this backup.", "Install that version, then restore.")


@dataclass(frozen=True)
class About:
    """What a backup is: the version that wrote it, the schema, the moment, the sha256 of its database, what it holds.

    damaged: files that the store itself no longer had, or not with the content that was stored.
    """

    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z.+-]{1,40}$")]
    schema: Annotated[str, Field(pattern=r"^[0-9a-z_]{0,40}$")]
    created: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T([0-9]{2}:){2}[0-9]{2}Z$")]
    database: Sha256
    files: Size
    bytes: Size
    damaged: tuple[Annotated[str, Field(pattern=rf"^{NAME.pattern}$")], ...] = ()
    format: Size = FORMAT


DESCRIPTION = TypeAdapter(About)


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


def damaged(words: str = "The backup is not whole.") -> UserError:
    """Return the error for what is no sound backup."""
    return UserError("backup_damaged", words, "Use another one.")


@contextmanager
def reading(words: str = "The backup is damaged, or is none.") -> Iterator[None]:
    """Turn what goes wrong while a backup is read into UserError backup_damaged, no_backup or disk_full."""
    try:
        yield
    except UNSOUND as error:
        raise damaged(words) from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise damaged("The backup has links in it.") from error
        if is_disk_full(error):
            raise UserError("disk_full", "The disk is full.", "Free some space, then restore again.") from error
        raise UserError("no_backup", f"The backup cannot be read: {error.strerror}.", "Check its path.") from error


def entries(backup: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield every file of a backup with its place in it, the description first; to be read within ``reading``.

    UserError backup_damaged for what is no plain file, lies elsewhere than a backup's files do, or comes twice.
    """
    seen = set[str]()
    for place, stream in _in_tar(backup) if backup.is_file() else _in_folder(backup):
        if PLACE.fullmatch(place) is None or place in seen:
            raise damaged("The backup has files that do not belong there.")
        seen.add(place)
        yield place, stream


def read_about(stream: IO[bytes]) -> About:
    """Return the description of a backup; UserError backup_damaged, backup_newer."""
    with reading("The description of the backup is damaged."):
        about = DESCRIPTION.validate_json(stream.read(ABOUT_BYTES))
    if about.format != FORMAT:
        raise NEWER
    return about


def name_of(place: str) -> str | None:
    """Return the name of the stored file at a place of a backup, None for another file."""
    found = PLACE.fullmatch(place)
    return None if found is None else found[1]


def copied(stream: IO[bytes], target: Path | None = None, most: float = math.inf) -> str:
    """Return the sha256 of a stream, which is written to ``target`` on the way if that is given.

    UserError backup_damaged when it has more than ``most`` bytes.
    """
    digest, size = hashlib.sha256(), 0
    with open(os.devnull if target is None else target, "wb") as file:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > most:
                raise damaged("The backup is larger than its description allows.")
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
    with reading():
        for place, stream in entries(backup):
            if place == ABOUT:
                about = read_about(stream)
                continue
            name, digest = name_of(place), copied(stream)
            require_sound(about, place, digest, stored.get(name, "") if name else None)
            seen.add(name)
    if about is None or stored.keys() - seen - set(about.damaged):
        raise damaged()


def require_sound(about: About | None, place: str, digest: str, stored: str | None) -> None:
    """Raise UserError backup_damaged where the sha256 of a file is not what it was.

    stored: what it was, None for the database.
    """
    wanted = stored if about is None or stored is not None else about.database
    known = about is not None and place.rpartition("/")[2] in about.damaged
    if about is None or (digest != wanted and not known):
        raise damaged("A file of the backup is damaged.")


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
        parents = (folder / parent for parent in Path(place).parents[:-1])
        if any(parent.is_symlink() for parent in parents):
            raise damaged("The backup has links in it.")
        # a link could lead to any file of this machine; a pipe would be waited for
        with open(os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise damaged("The backup has something in it that is no plain file.")
            yield place, stream


def _in_tar(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    end = 0
    with tarfile.open(path, "r:") as archive:
        for member in archive:
            # a negative size leads back, without end (CVE-2025-8194); one with gaps can grow to any size
            plain = member.type in tarfile.REGULAR_TYPES and not member.issparse() and member.offset_data >= end
            stream = archive.extractfile(member) if plain and member.size >= 0 else None
            if stream is None:
                raise damaged("The backup has something in it that is no plain file.")
            end = member.offset_data + member.size
            with stream:
                yield member.name, stream
