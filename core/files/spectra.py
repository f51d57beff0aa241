"""Files of spectra and pictures from strangers: decoded in a process of its own that can be killed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.convert import SECONDS, accepted, ask_child


def read_safely(paths: Sequence[Path], *, seconds: int = SECONDS, room: int | None = None) -> dict[str, NDArray[Any]]:
    """Return the named arrays of one file, of the files of one image, or of a folder, zip or list of spectra: see
    ``core.files.arrays.read_arrays``.

    The process that decodes them is held to 4 GiB and killed after ``seconds``. room: bytes that the disk has for what
    zips hold, None where nobody counts. UserError file_unreadable, cube_unreadable, cube_too_large, envi_header,
    no_wavenumbers, import_failed, import_timeout, disk_full.
    """
    with decoded(paths, seconds=seconds, room=room) as arrays:
        return {name: np.array(array) for name, array in arrays.items()}


@contextmanager
def decoded(
    paths: Sequence[Path], *, seconds: int = SECONDS, room: int | None = None
) -> Iterator[dict[str, NDArray[Any]]]:
    """Give the arrays of ``read_safely`` as files that are mapped into memory, as long as they are needed."""
    with _answered([[str(path) for path in paths]], seconds, room) as found:
        yield found[0]


@contextmanager
def decoded_each(paths: Sequence[Path], *, seconds: int = SECONDS) -> Iterator[list[dict[str, NDArray[Any]]]]:
    """Give the arrays of each of ``paths``, all decoded by one process, as ``decoded`` gives those of one."""
    with _answered([[str(path)] for path in paths], seconds) as found:
        yield found


@contextmanager
def _answered(
    groups: Sequence[Sequence[str]], seconds: int, room: int | None = None
) -> Iterator[list[dict[str, NDArray[Any]]]]:
    for path in (Path(each) for group in groups for each in group):
        if not path.exists():
            raise UserError(
                "file_unreadable", f"There is no file {path.name[:80]!r}.", "Check the path and its rights."
            )
    with tempfile.TemporaryDirectory(prefix=".spectra-") as folder:
        work = Path(folder)
        request = {
            "reader": "arrays",
            "paths": [each for group in groups for each in group],
            "groups": [len(group) for group in groups],
            "seconds": seconds,
            "room": room,
        }
        answer = accepted(ask_child(request, work))
        yield [
            {
                str(name): np.load(work / f"{group}-{number}.npy", mmap_mode="r", allow_pickle=False)
                for number, name in enumerate(names)
            }
            for group, names in enumerate(answer["names"])
        ]
