"""How much may be uploaded: so many bytes a day, by a visitor, an address and all, and while the disk has room."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.errors import UserError
from webapp.rates import OF_ADDRESS, Allowance, Forgotten, Kept, in_words

KILOBYTE = 1024
# the disk is looked at after so many bytes
LOOK_BYTES = 4 << 20


class GivenUp(Exception):
    """A request that may not go on; wait: seconds after which another may."""

    def __init__(self, status: int, error: UserError, wait: float) -> None:
        super().__init__(error.code)
        self.status = status
        self.error = error
        self.wait = wait


class UploadLimits:
    """The limits of all uploads.

    each, total: megabytes that a visitor, and all visitors, may upload in a day; who come from one address together
    OF_ADDRESS times as much as one. require_room: raises UserError
    disk_full when the disk has no room for so many bytes. kept: where what was uploaded in a day is kept.
    """

    def __init__(self, each: int, total: int, require_room: Callable[[int], None], kept: Kept) -> None:
        self._visitors = Allowance(each * KILOBYTE, total * KILOBYTE, kept)
        self._addresses = Allowance(OF_ADDRESS * each * KILOBYTE, total * KILOBYTE, Forgotten())
        self._require_room = require_room

    def meter(self, visitor: str, address: str) -> Meter:
        """Return what counts one upload of a visitor."""
        return Meter(((self._addresses, address), (self._visitors, visitor)), self._require_room)


class Meter:
    """Counts the bytes of one upload as they arrive."""

    def __init__(self, counted: Sequence[tuple[Allowance, str]], require_room: Callable[[int], None]) -> None:
        self._counted = counted
        self._require_room = require_room
        self._uncounted = 0
        self._unlooked = 0

    def announce(self, size: int) -> None:
        """Raise GivenUp for an upload of ``size`` bytes that could not arrive whole; nothing is counted."""
        self._look(size)
        self._refuse(max(allowance.wait(key, size // KILOBYTE) for allowance, key in self._counted))

    def count(self, size: int) -> None:
        """Count bytes that have arrived; GivenUp when they are too many for the day or for the disk."""
        self._uncounted += size
        self._unlooked += size
        if self._unlooked >= LOOK_BYTES:
            self._unlooked = 0
            self._look(0)
        kilobytes, self._uncounted = divmod(self._uncounted, KILOBYTE)
        if kilobytes:
            for allowance, key in self._counted:
                self._refuse(allowance.take(key, kilobytes))

    def keep(self) -> None:
        """Write down what was counted, for after a restart; it blocks."""
        for allowance, _ in self._counted:
            allowance.forget()
            allowance.keep()

    def _look(self, size: int) -> None:
        try:
            self._require_room(size)
        except UserError as error:
            raise GivenUp(507, error, 0.0) from error

    def _refuse(self, wait: float) -> None:
        if wait:
            error = UserError(
                "upload_limit",
                "This is more than may be uploaded in a day.",
                f"Come back in {in_words(wait)}; what you have is kept, and the examples need no upload.",
            )
            raise GivenUp(429, error, wait)
