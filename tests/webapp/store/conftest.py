"""What the tests of the store may ask for: a database."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from webapp.store.database import connect, migrate


@pytest.fixture
def database(tmp_path: Path) -> Engine:
    """A fresh database of the newest schema, ``test.db`` in the folder of the test."""
    engine = connect(f"sqlite:///{tmp_path}/test.db")
    migrate(engine)
    return engine
