"""What SQLite's own files keep of deleted rows: free pages and the write-ahead log."""

from __future__ import annotations

from sqlite3 import OperationalError

from sqlalchemy import Engine

# written into the database once every page of it was made anew: from then on ``secure_delete`` has overwritten what
# was deleted, but what earlier versions freed may still be there
SCRUBBED = 1
PATIENCE_MS = 2000


def scrub(engine: Engine) -> bool:
    """Remove deleted rows from the files of an SQLite database; False when somebody reads or writes meanwhile.

    Other databases do that themselves, in their own time.
    """
    if engine.dialect.name != "sqlite":
        return True
    held = engine.raw_connection()
    cursor = held.cursor()
    patience = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
    try:
        cursor.execute(f"PRAGMA busy_timeout={PATIENCE_MS}")
        if cursor.execute("PRAGMA user_version").fetchone()[0] < SCRUBBED:
            cursor.execute("VACUUM")
            cursor.execute(f"PRAGMA user_version={SCRUBBED}")
        return not cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except OperationalError:
        return False
    finally:
        cursor.execute(f"PRAGMA busy_timeout={patience}")
        cursor.close()
        held.close()
