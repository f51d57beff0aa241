from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import OperationalError

from webapp.store.database import READING, configuration, connect, migrate
from webapp.store.queue import Queue
from webapp.store.schema import metadata


def test_migrations_make_the_declared_tables(database: Engine) -> None:
    with database.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        checks = {c["name"] for t in metadata.tables for c in inspect(connection).get_check_constraints(t)}
    assert checks == {"ck_account_role", "ck_job_state", "ck_rating_about", "ck_study_image_truth", "ck_study_item_use"}


def test_migrating_again_changes_nothing(database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("INSERT INTO session VALUES ('a', '2026-01-01', '2026-01-01', NULL, NULL)"))
    migrate(database)
    with database.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM session")) == 1


def test_a_database_of_before_deaths_were_counted_is_upgraded(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/old.db")
    rows = (
        "session VALUES ('a', '2026-01-01', '2026-01-01')",
        "job (id, session, task, params, inputs, state, fraction, text, summary, attempts, owner, lease, created)"
        " VALUES ('j', 'a', 'inpaint', '{}', '{}', 'running', 0.5, '', '{}', 1, 'server', 100, '2026-01-01 00:00:00')",
    )
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "0002")
        for row in rows:
            connection.execute(text(f"INSERT INTO {row}"))
    migrate(engine)
    with engine.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.execute(text("SELECT state, attempts, deaths FROM job")).one() == ("running", 1, 0)
    queue = Queue(engine, running_per_session=1)
    queue.reclaim(99.0, "folder")
    assert queue.claim("folder", 99.0, 60.0) is None
    queue.reclaim(101.0)
    claim = queue.claim("folder", 101.0, 60.0)
    assert claim and (claim.id, claim.attempt) == ("j", 2)
    engine.dispose()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("busy_timeout", 30000),
        ("foreign_keys", 1),
        ("trusted_schema", 0),
    ],
)
def test_the_database_is_opened_for_safety(sqlite: Engine, pragma: str, value: object) -> None:
    with sqlite.begin() as connection:
        assert connection.scalar(text(f"PRAGMA {pragma}")) == value


def test_a_writer_waits_for_another(sqlite: Engine) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with sqlite.begin():
            held.set()
            time.sleep(0.3)
            done.set()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    with sqlite.begin() as connection:
        assert done.is_set()
        connection.execute(text("INSERT INTO session VALUES ('b', '2026-01-01', '2026-01-01', NULL, NULL)"))
    thread.join()


def test_a_writer_gives_up_after_its_patience(tmp_path: Path, sqlite: Engine) -> None:
    hasty = connect(f"sqlite:///{tmp_path}/test.db", patience=0.05)
    with sqlite.begin(), pytest.raises(OperationalError, match="locked"), hasty.begin():
        pass


def test_readers_do_not_wait_for_a_writer(sqlite: Engine) -> None:
    reader = sqlite.execution_options(**{READING: True})
    with sqlite.begin() as writing:
        writing.execute(text("INSERT INTO session VALUES ('c', '2026-01-01', '2026-01-01', NULL, NULL)"))
        with reader.begin() as reading:
            assert reading.scalar(text("SELECT count(*) FROM session")) == 0
