"""The same servers as in tests/webapp."""

from __future__ import annotations

from tests.webapp.conftest import engine, head, services, settings

__all__ = ["engine", "head", "services", "settings"]
