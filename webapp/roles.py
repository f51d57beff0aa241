"""What a visitor may do: four roles, each with all that the ones before it may."""

from __future__ import annotations

from typing import Literal, get_args

# rater: rate by a link; visitor: run tasks; manager: make reader studies too; admin: look after the server too
Role = Literal["rater", "visitor", "manager", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)


def covers(role: Role, needed: Role) -> bool:
    """Return whether ``role`` may do what ``needed`` may."""
    return ROLES.index(role) >= ROLES.index(needed)
