"""What tests of the store look at: with which code something was refused, and how many rows a table has."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Table, func, select

from core.errors import UserError
from webapp.services import Services


def code(work: Callable[[], object]) -> str:
    """Return the code of the UserError that ``work`` raises."""
    with pytest.raises(UserError) as caught:
        work()
    return caught.value.code


def rows(services: Services, table: Table) -> int:
    """Return how many rows a table has."""
    with services.repo.engine.begin() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)
