"""Waits that end on the event: how long they may take at most says nothing about the program."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

# seconds after which nothing will come any more, however busy the machine is
LONGEST = 200


def wait_until(look: Callable[[], Value], wanted: Callable[[Value], bool]) -> Value:
    """Look until what is seen is wanted, and return it; TimeoutError names what was seen last."""
    end = time.monotonic() + LONGEST
    while not wanted(seen := look()):
        if time.monotonic() > end:
            raise TimeoutError(f"still {seen!r}")
        time.sleep(0.01)
    return seen
