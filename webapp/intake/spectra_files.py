"""Files of the failure lab on their way in: spectra, infrared images, patches and label pictures, stored as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.failure.data.columns import array_of, is_known
from core.failure.data.earlier_run import (
    WRITTEN,
    EarlierRun,
    bounded,
    earlier_run_of,
    read_earlier_run,
    write_earlier_run,
)
from core.failure.data.image_sets import BY_IMAGE, ImageSet
from core.failure.data.labelled_patches import Loaded
from core.failure.data.loader import load
from core.failure.data.predictions import Predictions
from core.failure.data.source_files import MOST as MOST_FILES
from core.failure.data.source_files import identified
from core.failure.reading import READING
from core.files.array_archive import write_arrays
from core.files.spectra import read_safely
from core.plurals import count as plural
from webapp.intake.image_uploads import uploaded_images, write_images
from webapp.intake.picture_sets import described_pictures, uploaded_pictures
from webapp.intake.scans import kept, shown_name, uploaded
from webapp.services import Services
from webapp.store.blobs import Blob
from webapp.store.records import NewScan, ScanRecord

ROLE = "tissue"
SUFFIX = ".npz"
MOST_COLUMNS = 20
# of the facts of data: the files as they were uploaded
FILES = "files"
# what labels, or the options of a run, may still give
LATER = ("no_labels", "no_wavenumbers", "unit_unknown", "no_patches")

Arrays = Mapping[str, NDArray[Any]]


def accept_tissue(
    services: Services, uploads: Sequence[Path], session: str, data_id: str | None = None, *, pictures: bool = False
) -> ScanRecord:
    """Check files for the failure lab, keep their arrays, record them for ``session`` and delete ``uploads``.

    uploads: one file, the files of one image, or those of a data set, also as a zip. data_id: the infrared image that
    these labels belong to; without, the files are the data itself. pictures: whether pictures without spectra are data
    too. An image whose labels are to come, and data that need a setting of the run, are stored with a warning. Files
    are decoded in a process that can be killed; what is kept holds arrays alone. Raises UserError: every code of
    ``core.failure.data.loader.load``, upload_gone, not_found, disk_full; of pictures those of ``uploaded_pictures``.
    """
    with uploaded(services, uploads):
        if data_id is None:
            earlier = _earlier(uploads)
            if earlier is not None:
                return _accept_earlier(services, session, uploads, earlier)
            found = uploaded_pictures(uploads, services.blobs.room()) if pictures else None
            if found is not None:
                return _accept_pictures(services, session, uploads, found)
            with uploaded_images(uploads, services.blobs.room()) as images:
                if images is not None:
                    return _accept_images(services, session, uploads, images)
        arrays = _known(read_safely(uploads, room=services.blobs.room()))
        with kept(services, lambda path: write_arrays(path, arrays), SUFFIX) as blob:
            facts, warnings, shape = _described(services, session, services.blobs.path(blob.name), arrays, data_id)
            return _recorded(services, session, uploads, blob, shape, facts, warnings, data_id)


def _title(services: Services, uploads: Sequence[Path]) -> str:
    names = [upload.name for upload in uploads]
    return shown_name(
        services, " and ".join(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} more", ROLE
    )


def _earlier(uploads: Sequence[Path]) -> EarlierRun | None:
    """Return the earlier run of which all uploads are files, None where there is none."""
    if len(uploads) == 1:
        return read_earlier_run(uploads[0])
    if not {upload.name for upload in uploads} <= WRITTEN:
        return None
    return earlier_run_of({upload.name: bounded(upload) for upload in uploads})


def _accept_earlier(services: Services, session: str, uploads: Sequence[Path], earlier: EarlierRun) -> ScanRecord:
    """Keep the results of an earlier run with their record, and record them."""
    data = earlier.results.data
    facts = {
        "Holds": "Results of an earlier run" + (f", {earlier.finished[:10]}" if earlier.finished else ""),
        "Size": plural(len(earlier.results.models), "model"),
        "Classes": ", ".join(data.classes),
        "Groups": f"{data.groups} patients or slides" if data.groups else "not known",
    }
    with kept(services, lambda path: write_earlier_run(path, earlier), SUFFIX) as blob:
        return _recorded(services, session, uploads, blob, (len(earlier.results.models),), facts, ())


def _accept_images(services: Services, session: str, uploads: Sequence[Path], images: ImageSet) -> ScanRecord:
    """Keep a data set of images, and record it with facts of its table."""
    facts: dict[str, str] = {}
    with kept(services, lambda path: facts.update(write_images(path, images)), SUFFIX) as blob:
        warnings = () if facts["Groups"] != "not known" else (BY_IMAGE,)
        return _recorded(services, session, uploads, blob, (len(images.entries),), facts, warnings)


def _accept_pictures(services: Services, session: str, uploads: Sequence[Path], arrays: Arrays) -> ScanRecord:
    """Keep labelled pictures, and record them with facts of their classes and patients."""
    facts, warnings, shape = described_pictures(arrays)
    with kept(services, lambda path: write_arrays(path, arrays), SUFFIX) as blob:
        return _recorded(services, session, uploads, blob, shape, facts, warnings)


def _recorded(
    services: Services,
    session: str,
    uploads: Sequence[Path],
    blob: Blob,
    shape: tuple[int, ...],
    facts: dict[str, str],
    warnings: tuple[str, ...],
    parent: str | None = None,
) -> ScanRecord:
    """Record data that are stored, with name, size and sha256 of each upload."""
    files = [asdict(identified(shown_name(services, upload.name, ROLE), upload)) for upload in uploads[:MOST_FILES]]
    return services.repo.add_scan(
        NewScan(
            session=session,
            role=ROLE,
            filename=_title(services, uploads),
            blob=blob.name,
            sha256=blob.sha256,
            bytes=blob.bytes,
            shape=shape,
            spacing=(),
            orientation="",
            facts={**facts, FILES: files},
            warnings=warnings,
            parent=parent,
        )
    )


def _described(
    services: Services, session: str, path: Path, arrays: Arrays, data_id: str | None
) -> tuple[dict[str, str], tuple[str, ...], tuple[int, ...]]:
    """Return facts for the card, warnings, and the shape of the largest array."""
    shape = max((array.shape for array in arrays.values()), key=lambda one: int(np.prod(one)), default=())
    data = None if data_id is None else services.blobs.path(services.repo.scan(data_id, session).blob)
    try:
        found = load(path) if data is None else load(data, path)
    except UserError as error:
        waiting = array_of(arrays, "spectra") is not None if data is None else error.code != "no_labels"
        if error.code not in LATER or not waiting:
            raise
        return *_unread(arrays, error, shape), shape
    if isinstance(found, EarlierRun):
        raise UserError("cube_unreadable", "These are results, not data.", "Give results alone.")
    facts = _facts(found) | _columns(arrays)
    return facts, found.notices if isinstance(found, Loaded) else (), shape


def _unread(arrays: Arrays, error: UserError, shape: tuple[int, ...]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return facts and warnings of data that need labels, or options of the run, before they can be read."""
    if error.code == "no_labels" and _is_image(arrays):
        facts = {"Holds": "An infrared image without labels", "Size": _size(shape)}
        return facts, ("Nothing in it says which class is which: load a label picture too.",)
    facts = {"Holds": "Data that need one more setting", "Size": _size(shape)} | _columns(arrays)
    return facts, (f"{error.message} {error.hint} The settings are in step 2: {READING}.",)


def _columns(arrays: Arrays) -> dict[str, str]:
    """Return the names of what there is one of for each spectrum."""
    spectra = array_of(arrays, "spectra")
    names = [name[:40] for name, array in arrays.items() if spectra is not None and array.shape == (len(spectra),)]
    return {"Columns": ", ".join(names[:MOST_COLUMNS])} if len(names) > 1 else {}


def _facts(found: Loaded | Predictions) -> dict[str, str]:
    if isinstance(found, Predictions):
        holds, size = "Answers of a model", f"{len(found.labels)} answers"
        groups, classes, at = found.groups, found.classes, found.wavenumbers
    else:
        patches = found.patches
        side = patches.ir.shape[2:]
        spatial = side[0] * side[1] > 1
        pictures = " with stained pictures" if patches.rgb is not None else ""
        holds = f"Patches of {side[0]} × {side[1]} pixels{pictures}" if spatial else "Spectra"
        size = f"{len(patches)} {'patches' if spatial else 'spectra'}"
        groups, classes, at = patches.groups, patches.classes, patches.wavenumbers
    raman = isinstance(found, Loaded) and found.patches.raman
    return {
        "Holds": holds,
        "Size": size,
        "Values": "Raman, relative counts" if raman else "absorbance",
        "Bands": f"{len(at)}, {at.min():.0f} to {at.max():.0f} cm⁻¹",
        "Classes": ", ".join(classes),
        "Groups": "not known" if groups is None else f"{len(np.unique(groups))} patients or slides",
    }


def _known(arrays: Arrays) -> Arrays:
    """Return the arrays that the failure lab may read: those with a known name and one value for each spectrum, which a
    user may choose as labels or groups; of a file with none of their names the first, as an image."""
    spectra = array_of(arrays, "spectra")
    count = len(spectra) if spectra is not None and spectra.ndim in (2, 4) else 0
    found = {name: array for name, array in arrays.items() if is_known(name) or (count and array.shape == (count,))}
    return found or ({"image": next(iter(arrays.values()))} if arrays else {})


def _is_image(arrays: Arrays) -> bool:
    found = array_of(arrays, "spectra")
    return found is not None and found.ndim == 3


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(str(side) for side in shape)
