"""A PostgreSQL server for the tests of a run: databases in it are copied from one that is at the newest schema."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from webapp.store.database import connect, migrate
from webapp.store.schema import metadata

TEMPLATE = "newest"
# number of a lock that PostgreSQL keeps
LOCK = 20
# environment variable that holds the folder of the server
FOLDER = "COUNTERSCAN_TEST_POSTGRES"


class Postgres:
    """A server in ``folder``, started by whichever process of the run comes first."""

    def __init__(self, folder: Path) -> None:
        # the library would also stop it at the end of a forked child
        self._server = _server(folder)
        self._admin = create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        with self._admin.connect() as connection:
            # a test loses nothing when the machine does
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
            connection.execute(text("SELECT pg_reload_conf()"))
            with _in_turn(connection):
                self._make_template(connection)

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Yield the URL of a database of the newest schema, dropped at the end."""
        name = f"test_{secrets.token_hex(8)}"
        # it fails while another process copies the same template
        with self._admin.connect() as connection, _in_turn(connection):
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
        try:
            yield self._url(name)
        finally:
            with self._admin.connect() as connection:
                connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))

    def close(self) -> None:
        """Let go of the server, which goes on for the others of the run."""
        self._admin.dispose()

    def _url(self, name: str) -> str:
        return str(self._server.get_uri(name)).replace("postgresql://", "postgresql+psycopg://", 1)

    def _make_template(self, connection: Connection) -> None:
        if connection.scalar(text("SELECT count(*) FROM pg_database WHERE datname = :name"), {"name": TEMPLATE}):
            return
        making = f"making_{secrets.token_hex(8)}"
        connection.execute(text(f"CREATE DATABASE {making}"))
        with opened(self._url(making)) as engine:
            migrate(engine)
        connection.execute(text(f"ALTER DATABASE {making} RENAME TO {TEMPLATE}"))


def _server(folder: Path) -> Any:
    """Return the server of a folder, started if none runs."""
    with warnings.catch_warnings():
        # it wants a folder of sockets that not every user has
        warnings.simplefilter("ignore")
        import pgserver

        return pgserver.get_server(folder / "server", cleanup_mode=None)  # type: ignore[attr-defined]


@contextmanager
def _in_turn(connection: Connection) -> Iterator[None]:
    """Keep the other processes of the run from copying or making the template."""
    connection.execute(text(f"SELECT pg_advisory_lock({LOCK})"))
    try:
        yield
    finally:
        connection.execute(text(f"SELECT pg_advisory_unlock({LOCK})"))


def pytest_configure(config: pytest.Config) -> None:
    """Name the folder of the server for all processes of the run."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        # a short path: it holds a socket
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="counterscan-")
        Path(os.environ[FOLDER]).chmod(0o755)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server, if a test has started it."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    folder = Path(os.environ.pop(FOLDER))
    held = folder / "server" / "postmaster.pid"
    if held.exists():
        # the documented order to end all sessions and stop
        postmaster = psutil.Process(int(held.read_text().split()[0]))
        postmaster.send_signal(signal.SIGINT)
        postmaster.wait(60)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The PostgreSQL server of this run."""
    server = Postgres(Path(os.environ[FOLDER]))
    yield server
    server.close()


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """Yield the database at ``url``, closed at the end."""
    engine = connect(url)
    try:
        yield engine
    finally:
        engine.dispose()


def everything(engine: Engine) -> str:
    """Return all values of all rows of a database, as one text."""
    with engine.connect() as connection:
        return repr([connection.execute(table.select()).all() for table in metadata.sorted_tables])
