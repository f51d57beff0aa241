"""An uploaded zip of images: METHOD/CASE.nii.gz, and regions/CASE.nii.gz for masks of the made voxels."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from core.errors import UserError
from core.files.archive import unpack
from webapp.services import Services
from webapp.study.design import REAL_METHODS
from webapp.study.image_sources import REGIONS, SUFFIXES

# largest unpacked size, as a multiple of the largest upload
UNPACKED = 20


@contextmanager
def opened(services: Services, path: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield the images of a zip as contents of ``ImageFile``; the unpacked files are removed at the end.

    UserError: bad_study for a name that is not METHOD/CASE.nii.gz, and every code of ``unpack``.
    """
    folder = services.settings.data / "incoming" / services.blobs.fresh_name()
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        most = (services.settings.max_upload_mb << 20) * UNPACKED
        found = unpack(path, folder, max_bytes=most, room=services.blobs.room())
        yield _images(dict(zip(found.names, found.files, strict=True)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _images(files: dict[str, Path]) -> list[dict[str, Any]]:
    named = {_named(name): path for name, path in files.items()}
    if len(named) < len(files):
        raise UserError("bad_study", "Two files of the zip have one METHOD/CASE.", "Give every case its own name.")
    regions = {case: path for (method, case), path in named.items() if method == REGIONS}
    return [
        {
            "file": path,
            "method": method,
            "case": case,
            "truth": "real" if method in REAL_METHODS else "synthetic",
            "region": None if method in REAL_METHODS else regions.get(case),
        }
        for (method, case), path in sorted(named.items())
        if method != REGIONS
    ]


def _named(name: str) -> tuple[str, str]:
    """Return method and case of a member: its last folder and its name."""
    parts = PurePosixPath(name).parts
    suffix = next((one for one in reversed(SUFFIXES) if name.endswith(one)), None)
    if len(parts) < 2 or suffix is None:
        raise UserError(
            "bad_study", f"{parts[-1][:60]} is not METHOD/CASE.nii.gz.", "Put each method's images into its own folder."
        )
    return parts[-2], parts[-1].removesuffix(suffix)
