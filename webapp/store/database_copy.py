"""A copy of an SQLite database, made while others write, and which files belong to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine, select

from core.errors import UserError
from webapp.store.blobs import NAME
from webapp.store.schema import metadata

# the files that the rows of a table name, with their sha256; of studies that ended the images are gone, not the rows
FILES: Mapping[str, str] = {
    "scan": "SELECT blob, sha256 FROM scan",
    "artifact": "SELECT blob, sha256 FROM artifact",
    "study_image": "SELECT blob, sha256 FROM study_image WHERE study IN (SELECT study FROM study_manager)",
}

# of a copy, what this program never makes: things that act, and values that are computed while others are read
FOREIGN = (
    "SELECT 1 FROM sqlite_master WHERE type NOT IN ('table', 'index') OR sql LIKE 'CREATE VIRTUAL%'",
    "SELECT 1 FROM sqlite_master AS m, pragma_table_xinfo(m.name) AS c WHERE m.type = 'table' AND c.hidden <> 0",
    "SELECT 1 FROM sqlite_master AS m, pragma_index_xinfo(m.name) AS c WHERE m.type = 'index' AND c.cid = -2",
)
# bytes of one value; the largest are the parameters and results of a job
VALUE_BYTES = 256 << 20


def copy_database(source: Path, target: Path) -> None:
    """Copy a database as it stands at one moment, in one file, with SQLite's online backup; nobody is kept waiting."""
    target.unlink(missing_ok=True)
    with closing(_opened(source)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.backup(writing)
        # a copy is one file, without a log beside it
        writing.execute("PRAGMA journal_mode=DELETE")


def check_database(path: Path) -> None:
    """Raise UserError backup_damaged for a copy whose pages or references are not in order, or that can act."""
    with closing(_opened(path)) as connection:
        try:
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, VALUE_BYTES)
            sound = all(connection.execute(query).fetchone() is None for query in FOREIGN)
            sound = sound and connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
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


def require_readable(engine: Engine) -> None:
    """Read every row of a copy of the newest schema; what cannot be read raises what it would raise in a server.

    ValueError for a file that has no name of a stored one.
    """
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execution_options(yield_per=1000).execute(select(table)):
                if "blob" in table.c and not NAME.fullmatch(row.blob):
                    raise ValueError("not the name of a stored file")


def _tables(connection: sqlite3.Connection) -> frozenset[str]:
    return frozenset(name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))


def _opened(path: Path) -> sqlite3.Connection:
    """Open a database that is there."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)
