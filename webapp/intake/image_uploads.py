"""Data sets of many images on their way in: kept as one archive of arrays with a table of our own."""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.errors import UserError
from core.failure.data.columns import array_of, is_known
from core.failure.data.image_sets import ImageSet, opened
from core.files.array_archive import write_arrays
from core.files.spectra import decoded_each

TABLE = "images.csv"
COLUMNS = ("image", "labels", "class", "patient", "slide", "stained")
MOST_BYTES = 8 << 30


@contextmanager
def uploaded_images(uploads: Sequence[Path], room: int) -> Iterator[ImageSet | None]:
    """Give the data set of images that the uploads are: one zip, or several files; None where they are none.

    UserError as for ``core.failure.data.image_sets.opened``.
    """
    # a table alone names files that are not here
    if len(uploads) == 1 and uploads[0].suffix.lower() != ".zip":
        yield None
        return
    with gathered(uploads) as path, opened(path, room=room) as images:
        yield images


@contextmanager
def gathered(uploads: Sequence[Path]) -> Iterator[Path]:
    """Give one upload, or a folder with all of them for as long. UserError cube_unreadable for two of one name."""
    if len(uploads) == 1:
        yield uploads[0]
        return
    with tempfile.TemporaryDirectory(prefix=".uploads-", dir=uploads[0].parent) as folder:
        for upload in uploads:
            place = Path(folder) / upload.name
            if place.exists():
                raise UserError("cube_unreadable", "Two files have the same name.", "Give them as a zip, in folders.")
            place.hardlink_to(upload)
        yield Path(folder)


def write_images(path: Path, images: ImageSet) -> dict[str, str]:
    """Write the arrays of ``images`` and their table to ``path``, patients and slides as numbers; return facts."""
    numbers: dict[str, dict[str, str]] = {"P": {}, "S": {}}
    rows: list[tuple[str, ...]] = []
    size = ""
    left = MOST_BYTES
    with zipfile.ZipFile(path, "w") as archive:
        for number, entry in enumerate(images.entries, 1):
            files = {"image": entry.image, "labels": entry.labels, "stained": entry.picture}
            given = {name: file for name, file in files.items() if file is not None}
            with decoded_each(list(given.values())) as found:
                for name, arrays in zip(given, found, strict=True):
                    kept = {key: each for key, each in arrays.items() if is_known(key)}
                    left -= sum(each.nbytes for each in kept.values())
                    if left < 0:
                        raise UserError("cube_too_large", "The images hold too many numbers.", "Give fewer images.")
                    with archive.open(f"{number:05}-{name}.npz", "w", force_zip64=True) as member:
                        write_arrays(member, kept)
                spectra = array_of(found[0], "spectra")
                size = size or (" × ".join(map(str, spectra.shape)) if spectra is not None else "")
            members = [f"{number:05}-{name}.npz" if name in given else "" for name in files]
            patient, slide = (
                numbers[kind].setdefault(text, f"{kind}{len(numbers[kind]) + 1}") if text else ""
                for kind, text in (("P", entry.patient), ("S", entry.slide))
            )
            rows.append((members[0], members[1], entry.label, patient, slide, members[2]))
        text = io.StringIO()
        csv.writer(text).writerows([COLUMNS, *rows])
        archive.writestr(TABLE, text.getvalue())
    return _facts(images, numbers, size)


def _facts(images: ImageSet, numbers: dict[str, dict[str, str]], size: str) -> dict[str, str]:
    count = len(images.entries)
    stained = all(entry.picture is not None for entry in images.entries)
    classes = sorted({entry.label for entry in images.entries if entry.label})
    groups = [
        f"{len(found)} {name}" for name, found in zip(("patients", "slides"), numbers.values(), strict=True) if found
    ]
    return {
        "Holds": f"{count} images{' with stained pictures' if stained else ''}",
        "Size": size,
        "Classes": ", ".join(classes) if classes else "by label pictures",
        "Groups": ", ".join(groups) if groups else "not known",
    }
