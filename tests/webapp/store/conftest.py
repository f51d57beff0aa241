"""What the tests of the store may ask for: a database, of either kind or an SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.databases import fresh
from tests.postgres import Postgres, opened
from webapp.store.database import connect


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    """A fresh SQLite file of the newest schema, ``test.db`` in the folder of the test."""
    engine = connect(f"sqlite:///{tmp_path}/test.db")
    fresh(engine)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A fresh database of the newest schema, of each kind in turn."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite")
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.empty() as url, opened(url) as engine:
        yield engine
