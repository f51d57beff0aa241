"""From an exception to a calm box on the page."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import TypeVar

from markupsafe import Markup

from core.errors import UserError
from webapp.pages.kit.boxes import problem
from webapp.pages.kit.templates import EMPTY

log = logging.getLogger(__name__)

Result = TypeVar("Result")


def attempt(work: Callable[[], Result]) -> tuple[Result | None, Markup]:
    """Return (what ``work`` returns, "") or (None, a box that explains); what is unexpected is logged under an id."""
    try:
        return work(), EMPTY
    except UserError as error:
        return None, problem(error)
    except Exception:
        mark = secrets.token_hex(4)
        log.exception("unexpected error", extra={"mark": mark})
        sorry = UserError(
            "internal", "Something went wrong on our side.", f"Try again; if it stays, report the id {mark}."
        )
        return None, problem(sorry)
