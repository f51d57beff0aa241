"""The one error a user can meet: a code, a plain sentence, and what to do next."""

from __future__ import annotations

import errno
from collections.abc import Sequence


class UserError(Exception):
    """A problem the user can act on; every ``code`` is explained in docs/errors.md.

    ``message`` is what is wrong in one plain sentence, ``hint`` what to do next.
    """

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(code, message, hint)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint} [{self.code}]"


class SeveralVolumes(UserError):
    """More than one volume that could be meant; ``volumes``: each in words, in the order in which they are numbered."""

    def __init__(self, message: str, hint: str, volumes: Sequence[str]) -> None:
        super().__init__("dicom_series", message, hint)
        self.volumes = tuple(volumes)


def is_disk_full(error: BaseException) -> bool:
    """Return whether an error is that of a disk without room."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
