"""Fresh SQLite databases of the newest schema: one is migrated in each process of tests, the others are its copies."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import Engine

from webapp.store.database import connect, migrate


def fresh(engine: Engine) -> None:
    """Bring a database to the newest schema as ``migrate`` does, which goes through every version of it: a file that
    is not there yet is copied."""
    place = engine.url.database if engine.dialect.name == "sqlite" else None
    if place is None or Path(place).exists():
        migrate(engine)
    else:
        Path(place).write_bytes(_template())


@cache
def _template() -> bytes:
    with TemporaryDirectory() as folder:
        engine = connect(f"sqlite:///{folder}/template.db")
        migrate(engine)
        engine.dispose()
        return (Path(folder) / "template.db").read_bytes()


@pytest.fixture(scope="module")
def copied_databases() -> Iterator[None]:
    """Servers of this process begin with a copy; tests/webapp/store goes through all versions, and whole servers do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("webapp.app.migrate", fresh)
        yield
