"""Data sets of many images, decoded one after the other: one image and the chosen patches are in memory at a time."""

from __future__ import annotations

import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import UserError
from core.failure.data.class_labels import numbered
from core.failure.data.columns import Arrays, array_of, labels_of
from core.failure.data.image_patches import Places, cut, find_places, finer, no_patches
from core.failure.data.labelled_patches import (
    Loaded,
    cube_of,
    flat_labels,
    group_numbers,
    relative,
    white_of,
)
from core.failure.data.manifest import ImageEntry, beside, entries_of, read_manifest
from core.failure.data.reading_options import Options
from core.files.archive import file_names, unpack_all
from core.files.spectra import decoded, decoded_each
from core.files.spectra_collection import files_of
from core.spectra.cube import Cube
from core.spectra.patches import PatchSet

Float = NDArray[np.float32]
Floats = NDArray[np.float64]

ZIP_BYTES = 8 << 30
FINEST = 4
"""The most pixels of a stained picture along one of the infrared image."""
SAME_FORM = 0.03
SAME_BANDS = 1e-3  # cm^-1
BY_SLIDE = "No patients are known; slides are kept apart, but two of one patient may lie on both sides."
BY_IMAGE = "No patients or slides are known; images are kept apart, but two of one patient may lie on both sides."
SOME_PICTURES = "Some images have no stained picture, so none is used."


@dataclass(frozen=True)
class ImageSet:
    """The images, in the order of their table or of their names."""

    entries: tuple[ImageEntry, ...]


@contextmanager
def opened(path: Path, *, room: int | None = None) -> Iterator[ImageSet | None]:
    """Give the data set of images at ``path``, a folder, a zip or a table that names them; None where it is none.

    A zip is unpacked for as long. room: bytes that the disk has for what it holds, None where nobody counts. UserError
    of ``unpack_all``, too_many_files, manifest_wrong, and those of the first image.
    """
    with tempfile.TemporaryDirectory(prefix=".images-") as folder:
        entries: tuple[ImageEntry, ...] = ()
        if path.is_dir():
            entries = entries_of(files_of(path))
        elif _is_zip_of_files(path):
            entries = entries_of(unpack_all(path, Path(folder) / "files", max_bytes=ZIP_BYTES, room=room))
        elif path.is_file():
            entries = read_manifest(path, beside(path))
        yield ImageSet(entries) if _are_images(entries) else None


def load_images(images: ImageSet, options: Options) -> Loaded:
    """Return patches of all ``images``, as many of each as there is room for, grouped by patient, else by slide.

    Bands are those of the first image, to which the others are interpolated. UserError of the readers with the name of
    the file, no_labels, mask_mismatch, no_patches, patches_mismatch.
    """
    gathered = _Gathered(options, len(images.entries))
    for entry in images.entries:
        try:
            gathered.add(entry)
        except UserError as error:
            raise UserError(error.code, f"{entry.image.name[:80]}: {error.message}", error.hint) from error
    return gathered.finished()


@dataclass(frozen=True, eq=False)
class _Part:
    """Patches of one image. names: of its classes; labels: (N,) which of them. group: patient, slide or image."""

    ir: Float
    rgb: Float | None
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    group: str


class _Gathered:
    """Patches of the images so far; the room is shared evenly between the images that are still to come."""

    def __init__(self, options: Options, images: int) -> None:
        self._options, self._left = options, images
        self._first: Cube | None = None
        self._finest = 0
        self._parts: list[_Part] = []
        self._notices: Counter[str] = Counter()
        self._known: Counter[str] = Counter()
        self._taken = self._found = 0

    def add(self, entry: ImageEntry) -> None:
        """Decode one image and keep some of its patches."""
        files = {"image": entry.image, "labels": entry.labels, "picture": entry.picture}
        given = {name: path for name, path in files.items() if path is not None}
        with decoded_each(list(given.values())) as found:
            arrays = dict(zip(given, found, strict=True))
            cube = cube_of(arrays["image"], self._options)
            mask, names = self._labels(entry, arrays, cube)
            picture = self._picture(arrays["picture"], cube) if "picture" in arrays and names else None
        self._notices.update(cube.notices)
        self._left -= 1
        if not names:
            self._notices.update(["An image without labels was left out."])
            return
        first = self._first = self._first or cube
        if first.raman != cube.raman:
            raise UserError("patches_mismatch", "Infrared and Raman images are mixed.", "Choose the technique.")
        window = self._options.window
        places = find_places(cube, mask, len(names), window)
        finest = finer(picture, cube)
        room = window.room(len(first.wavenumbers), 3 * finest**2 if picture is not None else 0) - self._taken
        self._found += len(places)
        places = places.thinned(max(1, -(-room // (self._left + 1))))
        self._taken += len(places)
        if len(places):
            self._keep(entry, cube, places, names, picture, finest)

    def finished(self) -> Loaded:
        """Return all patches with the notices; no further image can be added."""
        first, parts = self._first, self._parts
        if first is None:
            raise UserError("no_labels", "No image has labels.", "Give label pictures, or a class in the table.")
        if not parts:
            raise no_patches(self._options.window.size)
        classes = tuple(sorted({part.names[label] for part in parts for label in np.unique(part.labels)}))
        if len(classes) < 2:
            raise UserError("no_labels", "The images are of fewer than two classes.", "Give examples of two or more.")
        with_pictures = all(part.rgb is not None for part in parts)
        if not with_pictures and any(part.rgb is not None for part in parts):
            self._notices.update([SOME_PICTURES])
        counts = [len(part.labels) for part in parts]
        labels = np.concatenate([_numbers(part, classes) for part in parts])
        groups = np.repeat(np.array([part.group for part in parts]), counts)
        rgb = np.concatenate([part.rgb for part in parts if part.rgb is not None]) if with_pictures else None
        ir = np.concatenate([part.ir for part in parts])
        parts.clear()
        patches = PatchSet(ir, first.wavenumbers, labels, classes, group_numbers(groups), rgb, raman=first.raman)
        return relative(Loaded(patches, self._all_notices(len(patches))))

    def _all_notices(self, patches: int) -> tuple[str, ...]:
        found = [text if times == 1 else f"{text} ({times} images)" for text, times in self._notices.items()]
        if patches < self._found:
            found.append(f"{patches} of {self._found} patches were taken, evenly over images and classes.")
        # the least that is known of any image counts
        found += [BY_IMAGE] if self._known["image"] else [BY_SLIDE] if self._known["slide"] else []
        return tuple(found)

    def _keep(
        self, entry: ImageEntry, cube: Cube, places: Places, names: tuple[str, ...], picture: Float | None, finest: int
    ) -> None:
        first = self._first or cube
        window = self._options.window
        group, kind = next(
            (text, kind)
            for text, kind in (
                (entry.patient, "patient"),
                (entry.slide, "slide"),
                (f"image {len(self._parts)}", "image"),
            )
            if text
        )
        self._known[kind] += 1
        ir = cut(cube.data, places, window)
        if len(cube.wavenumbers) != len(first.wavenumbers) or not np.allclose(
            cube.wavenumbers, first.wavenumbers, rtol=0, atol=SAME_BANDS
        ):
            ir = _at_bands(ir, cube.wavenumbers, first.wavenumbers)
            self._notices.update(["The bands differ and were interpolated to those of the first image."])
        rgb = None if picture is None else cut(picture, places, window, finest)
        self._parts.append(_Part(ir, rgb, places.labels, names, f"{kind} {group}"))

    def _labels(
        self, entry: ImageEntry, arrays: Mapping[str, Arrays], cube: Cube
    ) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Return the mask of an image, 0 for no label, and the names of its classes, () without labels."""
        given = self._options.classes
        if "labels" in arrays:
            return _mask(flat_labels(arrays["labels"]), array_of(arrays["labels"], "names"), given)
        if entry.label:
            pairs = dict(pair.split("=", 1) for pair in given if "=" in pair)
            return np.ones(cube.data.shape[:2], np.int64), (pairs.get(entry.label, entry.label).strip(),)
        own = labels_of(arrays["image"], self._options.labels)
        if own is None or own.ndim != 2:
            return np.zeros(cube.data.shape[:2], np.int64), ()
        return _mask(np.array(own), array_of(arrays["image"], "names"), given)

    def _picture(self, arrays: Arrays, cube: Cube) -> Float:
        """Return the stained picture with the same whole number of pixels along one of the image in all images."""
        stored = next(iter(arrays.values()))
        if stored.ndim != 3 or stored.shape[2] not in (3, 4):
            raise UserError("mask_mismatch", "The stained picture has no colours.", "Save it as RGB.")
        scaled = np.asarray(np.array(stored[:, :, :3], np.float32) / np.float32(white_of(stored)))
        rows, columns = cube.data.shape[:2]
        ratio = scaled.shape[0] / rows, scaled.shape[1] / columns
        if abs(ratio[0] / ratio[1] - 1) > SAME_FORM:
            raise UserError(
                "mask_mismatch",
                "The stained picture has another form than the image, so it is not registered to it.",
                "Cut it to the field of the image.",
            )
        self._finest = self._finest or min(max(1, round(ratio[0])), FINEST)
        size = self._finest * columns, self._finest * rows
        if scaled.shape[:2] == (size[1], size[0]):
            return scaled
        eight = Image.fromarray(np.clip(np.round(255 * scaled), 0, 255).astype(np.uint8))
        how = Image.Resampling.BOX if ratio[0] > self._finest else Image.Resampling.BILINEAR
        return np.asarray(eight.resize(size, how), np.float32) / np.float32(255)


def _numbers(part: _Part, classes: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the labels of a part as numbers of ``classes``."""
    number = {name: place for place, name in enumerate(classes)}
    return np.array([number[part.names[label]] for label in part.labels], np.int64)


def _mask(
    labels: NDArray[Any], stored: NDArray[Any] | None, given: tuple[str, ...]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return labels as 0 for none and from 1, and the names of the classes.

    Names in their order belong to the labels 1, 2, ..., as an image need not have every class.
    """
    if given and not any("=" in name for name in given):
        stored, given = np.array(given), ()
    shown = {str(kind) for kind in np.unique(labels)} | (set() if stored is None else set(map(str, stored.ravel())))
    own = tuple(pair for pair in given if pair.split("=", 1)[0].strip() in shown)
    numbers, names, known = numbered(labels, stored, own, negative=False, fewest=0)
    return np.where(known, numbers + 1, 0), names


def _at_bands(ir: Float, at: Floats, wanted: Floats) -> Float:
    """Return patches (N, B, H, W) interpolated from bands ``at`` to ``wanted``."""
    slack = float(np.median(np.diff(wanted))) if len(wanted) > 1 else 1.0
    if at.min() > wanted.min() + slack or at.max() < wanted.max() - slack:
        raise UserError("patches_mismatch", "The image lacks bands of the first one.", "Keep a range that all have.")
    matrix = np.array([np.interp(wanted, at, row) for row in np.eye(len(at))], np.float32)
    return np.asarray(np.einsum("nahw,ab->nbhw", ir, matrix, optimize=True), np.float32)


def _is_zip_of_files(path: Path) -> bool:
    """Return whether a zip holds files, rather than the arrays of NumPy."""
    try:
        names = file_names(path)
    except (OSError, zipfile.BadZipFile):
        return False
    return bool(names) and not any(name.endswith(".npy") for name in names)


def _are_images(entries: Sequence[ImageEntry]) -> bool:
    """Return whether these are images with something beside them, by the first one."""
    if not entries or (len(entries) == 1 and entries[0].labels is None and not entries[0].label):
        return False
    with decoded([entries[0].image]) as arrays:
        found = array_of(arrays, "spectra")
        # a picture in colours is none of bands
        return found is not None and found.ndim == 3 and not (found.dtype == np.uint8 and found.shape[2] in (3, 4))
