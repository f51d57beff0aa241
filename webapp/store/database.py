"""The database: how it is opened, and how it is brought to the newest schema."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from webapp.store.write_turns import WriteTurns

READING = "counterscan_reading"
# of a pooled connection: whether it has its turn to write
TURN = "counterscan_turn"
MIGRATIONS = Path(__file__).resolve().parent / "migrations"
# what is raised at a file that is no database, or not one of this program
UNREADABLE = (SQLAlchemyError, CommandError, sqlite3.Error)
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    # what is deleted is overwritten with zeros
    "secure_delete=ON",
)


def connect(url: str, *, patience: float = 30.0) -> Engine:
    """Return an engine for ``url``; on SQLite a writer waits up to ``patience`` s for others.

    What was written, such as names of files, stands in no error and so in no log.
    Writes begin with a lock, so they never fail half-way, in the order in which the threads of this process came;
    engines with the execution option READING do not.
    """
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=40, hide_parameters=True)
    engine = create_engine(
        url, pool_size=10, max_overflow=40, connect_args={"check_same_thread": False}, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        # the driver would begin transactions by itself, too late for BEGIN IMMEDIATE
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={int(patience * 1000)}")
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    turns = WriteTurns(patience)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(READING, False):
            connection.exec_driver_sql("BEGIN")
            return
        _take_turn(connection, turns)
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    # not at the commit, which is announced before it happens
    @event.listens_for(engine, "checkin")
    def checkin(connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        if entry.record_info and entry.record_info.pop(TURN, False):
            turns.give()

    return engine


def _take_turn(connection: Connection, turns: WriteTurns) -> None:
    """Wait for the turn of a connection, which ends when the connection goes back to the pool."""
    held = connection.connection.record_info
    if held is None or held.get(TURN, False):
        return
    if not turns.take():
        raise OperationalError("BEGIN IMMEDIATE", {}, Exception("database is locked: others are writing"))
    held[TURN] = True


def migrate(engine: Engine) -> None:
    """Bring the database to the newest schema, in one transaction."""
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "head")


def knows_schema(revision: str) -> bool:
    """Return whether this version can bring a database of that revision to the newest schema; "" is one without any."""
    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    return revision == "" or revision in known


def configuration(connection: Connection) -> Config:
    """Return Alembic's configuration for an open connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
