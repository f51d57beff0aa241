"""Pictures in one folder a class, as image classifiers are usually trained on: the labelled set of a study.

They become arrays as an NPZ holds them: ``rgb``, ``class``, ``file``, and the columns of a table that names the files.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.augment.image_set import LARGEST_SIDE
from core.errors import UserError
from core.events import Progress, changed
from core.failure.data.class_labels import NAME_CHARACTERS
from core.failure.data.columns import labels_of
from core.files.archive import file_names, unpack_all
from core.files.pictures import ENDINGS, WHITE, Pictures, read_pictures, sizes_of
from core.files.spectra_collection import DescribingTable, describing_table, files_of
from core.plurals import count

Arrays = dict[str, NDArray[Any]]

MOST_FILES, ZIP_BYTES = 100_000, 8 << 30
# folders of a set that was split already: the study splits by itself
SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})
# columns of a table that are not kept: these names have a meaning of their own
TAKEN = ("rgb", "file", "folder", "notices")
BY_TABLE = "The classes are those of the table and not the folders; a column of classes (label_column) can be chosen."
# so many TIFF files are looked at
LOOKED_AT = 16
DIFFERENT = 1.5


@dataclass(frozen=True)
class PictureFiles:
    """names: of the pictures within the set, in order. paths: of each. labels: the class of each by its folder, "" for
    none. rows: what the table has of each, None for none; titles: of its columns, () without a table. joined: folders
    of an earlier split."""

    names: tuple[str, ...]
    paths: tuple[Path, ...]
    labels: tuple[str, ...]
    rows: tuple[tuple[str, ...] | None, ...]
    titles: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()

    @property
    def places(self) -> list[int]:
        """The numbers of the pictures that have a row of the table, or without one a folder of their own."""
        known = self.rows if self.titles else self.labels
        return [place for place, each in enumerate(known) if each]


def is_picture_set(names: Sequence[str]) -> bool:
    """Return whether files of these names are pictures, with nothing but texts beside them.

    >>> is_picture_set(["a/1.png", "b/2.jpg", "table.csv"]), is_picture_set(["1.hdr", "1.dat", "1_he.png"])
    (True, False)
    """
    endings = Counter(PurePosixPath(name).suffix.lower() for name in names)
    others = set(endings) - {*ENDINGS, ".csv", ".tsv", ".txt", ".tab", ".md", ".json", ".pdf"}
    return not others and any(endings[each] for each in ENDINGS)


@contextmanager
def picture_files(path: Path, *, room: int | None = None) -> Iterator[PictureFiles | None]:
    """Give the set of pictures at ``path``, a folder or a zip, which is unpacked for as long; None where it is none.

    TIFF stacks of bands are none. room: bytes that the disk has for what a zip holds, None where nobody counts.
    UserError too_many_files and those of ``unpack_all``.
    """
    with tempfile.TemporaryDirectory(prefix=".pictures-") as folder:
        files: Mapping[str, Path] = {}
        if path.is_dir():
            files = files_of(path, MOST_FILES)
        elif zipfile.is_zipfile(path) and is_picture_set(_names(path)):
            files = unpack_all(path, Path(folder) / "files", max_bytes=ZIP_BYTES, max_files=MOST_FILES, room=room)
        yield _files(files) if is_picture_set(list(files)) and not _is_stack(files) else None


def read_picture_files(files: PictureFiles, most: int) -> Generator[Progress, None, Arrays]:
    """Return the arrays of ``files``, of more than ``most`` as many of each class as there are, evenly.

    UserError manifest_wrong, no_labels, and those of ``read_pictures``.
    """
    if not files.places:
        raise UserError(
            "no_labels", "The pictures lie in no folder of a class.", "Put those of each class in a folder of its own."
        )
    places = _thinned(files.places, files.labels, most)
    chosen = [(files.names[place], files.paths[place]) for place in places]
    pictures = yield from changed(
        read_pictures(chosen, LARGEST_SIDE),
        lambda done: Progress(0.0, done, len(chosen), f"Reading pictures: {done} of {len(chosen)}"),
    )
    kept = [places[each] for each in pictures.kept]
    values = pictures.values.astype(np.float32) / np.float32(WHITE)
    arrays: Arrays = {"rgb": values, "file": np.array([files.names[place][-200:] for place in kept])}
    for at, title in enumerate(files.titles):
        if title not in TAKEN:
            arrays[title] = np.array([(files.rows[place] or ())[at] for place in kept])
    notices = _notices(files, places, pictures)
    folders = np.array([files.labels[place] for place in kept])
    if labels_of(arrays) is None:
        arrays["class"] = folders
    elif len(np.unique(folders)) > 1:
        arrays["folder"] = folders
        notices.append(BY_TABLE)
    return {**arrays, "notices": np.array([*notices, *pictures.notices], str)}


def _files(files: Mapping[str, Path]) -> PictureFiles:
    names = sorted(name for name in files if PurePosixPath(name).suffix.lower() in ENDINGS)
    inside = _without_root([PurePosixPath(name).parts for name in names])
    heads = {parts[0].lower() for parts in inside if len(parts) > 1}
    split = heads and heads <= SPLITS and all(len(parts) != 2 for parts in inside)
    at = 1 if split else 0
    table = describing_table(files)
    stripped = tuple("/".join(parts) for parts in inside)
    return PictureFiles(
        stripped,
        tuple(files[name] for name in names),
        tuple(parts[at][:NAME_CHARACTERS] if len(parts) > at + 1 else "" for parts in inside),
        _rows(table, names, stripped) if table is not None else (),
        table.titles if table is not None else (),
        tuple(sorted({parts[0] for parts in inside})) if split else (),
    )


def _rows(table: DescribingTable, names: Sequence[str], stripped: Sequence[str]) -> tuple[tuple[str, ...] | None, ...]:
    """Return the row of each picture by its name in the set or in its root. UserError manifest_wrong where two pictures
    have the same one."""
    places = [table.place(*both) for both in zip(names, stripped, strict=True)]
    twice = [place for place, times in Counter(place for place in places if place is not None).items() if times > 1]
    if twice:
        name = PurePosixPath(names[places.index(twice[0])]).name
        raise UserError(
            "manifest_wrong",
            f"Several pictures are called {name[:80]!r}.",
            "Name the pictures with their folders in the table.",
        )
    return tuple(None if place is None else table.rows[place] for place in places)


def _without_root(names: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return ``names`` without the folders in which all of them lie, but for one that may be the class of all."""
    while min(map(len, names)) > 2 and len({parts[0] for parts in names}) == 1:
        names = [parts[1:] for parts in names]
    return names


def _thinned(places: list[int], labels: Sequence[str], most: int) -> list[int]:
    """Return at most ``most`` of ``places``, the same each time, evenly over the folders of classes."""
    if len(places) <= most:
        return places
    order = np.random.default_rng(0).permutation(len(places))
    rank: Counter[str] = Counter()
    turns = []
    for each in order:
        label = labels[places[each]]
        turns.append((rank[label], int(each)))
        rank[label] += 1
    return sorted(places[each] for _, each in sorted(turns)[:most])


def _notices(files: PictureFiles, places: Sequence[int], pictures: Pictures) -> list[str]:
    found = []
    unlabelled = len(files.names) - len(files.places)
    if files.joined:
        found.append(f"The folders {', '.join(files.joined)} were joined: the study splits by itself.")
    if unlabelled:
        where = "that the table does not name" if files.titles else "in no folder of a class"
        found.append(f"{count(unlabelled, 'picture')} {where} {'was' if unlabelled == 1 else 'were'} left out.")
    if len(places) < len(files.names) - unlabelled:
        found.append(f"{len(places)} of {len(files.names) - unlabelled} pictures were taken, evenly over the classes.")
    labels = np.array([files.labels[places[each]] for each in pictures.kept])
    sides = [float(np.median(pictures.sizes[labels == label].min(axis=1))) for label in np.unique(labels)]
    if max(sides) > DIFFERENT * min(sides):
        found.append(
            "The pictures of one class are larger than those of another, so that a classifier may go by how sharp they "
            "are."
        )
    return found


def _names(path: Path) -> list[str]:
    try:
        return file_names(path)
    except (OSError, zipfile.BadZipFile):
        return []


def _is_stack(files: Mapping[str, Path]) -> bool:
    """Return whether there are TIFF files, and the first of them hold more than one picture, as infrared images do."""
    first = [path for name, path in sorted(files.items()) if name.lower().endswith((".tif", ".tiff"))][:LOOKED_AT]
    return bool(first) and not any(sizes_of(first))
