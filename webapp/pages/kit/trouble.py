"""From an exception to a calm box on the page."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import TypeVar

from core.errors import UserError
from webapp.pages.kit.boxes import problem

log = logging.getLogger(__name__)

Result = TypeVar("Result")


def attempt(work: Callable[[], Result]) -> tuple[Result | None, str]:
    """Return (what ``work`` gives, "") or (None, a box that explains); what is unexpected is logged under an id."""
    try:
        return work(), ""
    except UserError as error:
        return None, problem(error)
    except Exception:
        mark = secrets.token_hex(4)
        log.exception("unexpected error %s", mark)
        sorry = UserError(
            "internal", "Something went wrong on our side.", f"Try again; if it stays, report the id {mark}."
        )
        return None, problem(sorry)
