"""A database that refuses, for one server: before a commit, or after it, when only its answer is lost."""

from __future__ import annotations

import sqlite3
from typing import Literal

from sqlalchemy import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection

Fault = Literal["refused", "answer lost"]


class Refusals:
    """Makes commits of ``engine`` fail: the next ``count`` of them, with ``fault``."""

    def __init__(self, engine: Engine) -> None:
        self.fault: Fault = "refused"
        self.count = 0
        self.met = 0
        self._commit = engine.dialect.do_commit
        engine.dialect.do_commit = self._or_fail  # type: ignore[method-assign,assignment]

    def set(self, fault: Fault, count: int) -> None:
        """Fail the next ``count`` commits."""
        self.fault, self.count = fault, count

    def _or_fail(self, connection: DBAPIConnection) -> None:
        if self.count > 0:
            self.count -= 1
            self.met += 1
            if self.fault == "answer lost":
                self._commit(connection)  # type: ignore[arg-type]
            raise sqlite3.OperationalError("database or disk is full")
        self._commit(connection)  # type: ignore[arg-type]
