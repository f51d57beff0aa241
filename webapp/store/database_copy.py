"""A copy of an SQLite database, made while others write, and which files belong to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from core.errors import UserError

# the files that the rows of a table name, with their sha256; of studies that ended the images are gone, not the rows
FILES: Mapping[str, str] = {
    "scan": "SELECT blob, sha256 FROM scan",
    "artifact": "SELECT blob, sha256 FROM artifact",
    "study_image": "SELECT blob, sha256 FROM study_image WHERE study IN (SELECT study FROM study_manager)",
}


def copy_database(source: Path, target: Path) -> None:
    """Copy a database as it stands at one moment, in one file, with SQLite's online backup; nobody is kept waiting."""
    target.unlink(missing_ok=True)
    with closing(_opened(source)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.backup(writing)
        # a copy is one file, without a log beside it
        writing.execute("PRAGMA journal_mode=DELETE")


def check_database(path: Path) -> None:
    """Raise UserError backup_damaged for a copy whose pages or references are not in order."""
    with closing(_opened(path)) as connection:
        try:
            sound = connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            sound = sound and connection.execute("PRAGMA foreign_key_check").fetchone() is None
        except sqlite3.DatabaseError:
            sound = False
    if not sound:
        raise UserError("backup_damaged", "The copy of the database is damaged.", "Use another backup.")


def files_of(path: Path) -> Mapping[str, str]:
    """Return the files that the rows of a copy name, each with the sha256 of its bytes."""
    with closing(_opened(path)) as connection:
        return {
            name: sha256
            for table, query in FILES.items()
            if table in _tables(connection)
            for name, sha256 in connection.execute(query)
        }


def schema_of(path: Path) -> str:
    """Return the revision of the schema of a copy, "" without one."""
    with closing(_opened(path)) as connection:
        if "alembic_version" not in _tables(connection):
            return ""
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else ""


def _tables(connection: sqlite3.Connection) -> frozenset[str]:
    return frozenset(name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))


def _opened(path: Path) -> sqlite3.Connection:
    """Open a database that is there."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)
