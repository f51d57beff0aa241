"""Pictures of an unfinished result, seldom enough to cost nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
# the network's residual (X, Y, Z) so far -> a small PNG of the result so far
Picture = Callable[[Float], bytes]

SECONDS = 1.0
SHARE = 0.01


class Previews:
    """Makes a picture when one is due: ``SECONDS`` after the last, and for at most ``SHARE`` of the time.

    picture: None makes none.
    """

    def __init__(self, picture: Picture | None) -> None:
        self._picture = picture
        self._due = time.monotonic() + SECONDS

    def show(self, residual: Callable[[], Float]) -> bytes:
        """Return a picture of ``residual()``, empty when none is due."""
        begun = time.monotonic()
        if self._picture is None or begun < self._due:
            return b""
        made = self._picture(residual())
        ended = time.monotonic()
        self._due = ended + max(SECONDS, (ended - begun) / SHARE)
        return made
