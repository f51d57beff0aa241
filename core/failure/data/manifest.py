"""Which files of a folder are images, and the labels, stained picture, patient and slide of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.errors import UserError
from core.failure.data.columns import ARRAY_NAMES, plain
from core.files.spectra_collection import TEXTS, main_files
from core.files.table_text import MISSING, read_cells

MOST_BYTES = 4 << 20
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
# the ends of names without a table: core1.hdr, core1_labels.png, core1_he.png
LABEL_END = re.compile(r"(?:^|/|[-_. ])(labels?|mask|annotations?|classes|gt|ground[-_ ]?truth)$", re.IGNORECASE)
PICTURE_END = re.compile(r"(?:^|/|[-_. ])(he|h&e|rgb|stain(ed)?|picture|wsi)$", re.IGNORECASE)
IMAGE_COLUMNS = ("image", "infrared", "ir", "cube", "file", "filename", "path", "raman", "spectra", "data", "name")
PICTURE_COLUMNS = ("picture", "stained", "stain", "rgb", "he", "stainedpicture", "visible", "wsi", "histology")
LABEL_COLUMNS = ("labels", "labelpicture", "label", "mask", "annotation", "annotations", "labelimage", "groundtruth")
SLIDES = ("slide", "slides", "slideid", "tma", "core", "coreid", "spot")


@dataclass(frozen=True)
class ImageEntry:
    """One image. labels: its label picture; label: its one class, "" for none. picture: the stained picture registered
    to it. patient, slide: "" where unknown."""

    image: Path
    labels: Path | None = None
    label: str = ""
    patient: str = ""
    slide: str = ""
    picture: Path | None = None


Find = Callable[[str], Path | None]


def beside(table: Path) -> Find:
    """Return what finds a file by its name relative to ``table``, in the folder of the table and below it."""

    def find(name: str) -> Path | None:
        inside = PurePosixPath(name.strip().replace("\\", "/"))
        if not inside.name or inside.is_absolute() or ".." in inside.parts or ":" in inside.parts[0]:
            return None
        path = table.parent / inside
        return path if path.is_file() and path.resolve().is_relative_to(table.parent.resolve()) else None

    return find


def read_manifest(table: Path, find: Find) -> tuple[ImageEntry, ...]:
    """Return the images that a table names, one a row; () where it is no such table.

    find: file of a name as the table has it, None for none. Columns go by their names and by whether they name files.
    UserError manifest_wrong for a row whose file is missing.
    """
    if table.suffix.lower() not in TEXTS or table.stat().st_size > MOST_BYTES:
        return ()
    try:
        cells = read_cells(table)
    except UserError:
        return ()
    names = [plain(name) for name in cells.rows[0]]
    rows = [["" if cell.lower() in MISSING else cell.strip() for cell in row] for row in cells.rows[1:]]
    of_files = [index for index in range(len(names)) if _names_files([row[index] for row in rows], find)]
    image = _column(names, IMAGE_COLUMNS, of_files)
    if image is None:
        taken = {_column(names, group, of_files) for group in (PICTURE_COLUMNS, LABEL_COLUMNS)}
        image = next((index for index in of_files if index not in taken), None)
    if image is None or not rows:
        return ()
    others = [index for index in range(len(names)) if index not in of_files]
    picture, labels = (_column(names, group, of_files) for group in (PICTURE_COLUMNS, LABEL_COLUMNS))
    label = _column(names, ARRAY_NAMES["labels"], others)
    slide = _column(names, SLIDES, others)
    patient = _column(names, [name for name in ARRAY_NAMES["groups"] if name not in SLIDES], others)
    return tuple(
        ImageEntry(
            _file(row[image], find),
            _file(row[labels], find) if labels is not None and row[labels] else None,
            row[label][:60] if label is not None else "",
            row[patient][:100] if patient is not None else "",
            row[slide][:100] if slide is not None else "",
            _file(row[picture], find) if picture is not None and row[picture] else None,
        )
        for row in rows
        if row[image]
    )


def entries_of(files: Mapping[str, Path]) -> tuple[ImageEntry, ...]:
    """Return the images among the ``files`` of a folder: those that a table names, else those that stand for a
    measurement, with labels and stained picture by the ends of their names and the folder for a class."""
    for path in files.values():
        if entries := read_manifest(path, beside(path)):
            return entries
    mains = [name for name in main_files(files) if files[name].suffix.lower() not in TEXTS]
    both = {*mains, *(name for name in files if files[name].suffix.lower() in PICTURES)}
    labels = {base: files[name] for name in sorted(both) if (base := _stem(LABEL_END, name)) is not None}
    pictures = {base: files[name] for name in sorted(both) if (base := _stem(PICTURE_END, name)) is not None}
    taken = {*labels.values(), *pictures.values()}
    images = [name for name in mains if files[name] not in taken]
    folders = {PurePosixPath(name).parent.name for name in images}
    alone = len(images) == 1
    return tuple(
        ImageEntry(
            files[name],
            own := _of(labels, name, alone),
            PurePosixPath(name).parent.name if len(folders) > 1 and own is None else "",
            picture=_of(pictures, name, alone),
        )
        for name in images
    )


def _of(pictures: Mapping[str, Path], image: str, alone: bool) -> Path | None:
    """Return the picture that belongs to ``image`` by its name; of the only image the only picture."""
    return next(iter(pictures.values())) if alone and len(pictures) == 1 else pictures.get(_base(image))


def _column(names: Sequence[str], wanted: Sequence[str], among: Sequence[int]) -> int | None:
    return next((index for name in wanted for index in among if names[index] == name), None)


def _names_files(cells: Sequence[str], find: Find) -> bool:
    filled = [cell for cell in cells if cell]
    return bool(filled) and 2 * sum(find(cell) is not None for cell in filled) > len(filled)


def _file(cell: str, find: Find) -> Path:
    path = find(cell)
    if path is None:
        raise UserError(
            "manifest_wrong",
            f"The table names {cell[:80]!r}, which is not among the files.",
            "Give names relative to the table.",
        )
    return path


def _base(name: str) -> str:
    path = PurePosixPath(name)
    return (path.parent / path.stem).as_posix().lower()


def _stem(end: re.Pattern[str], name: str) -> str | None:
    """Return the name of the image that a label picture or a stained picture belongs to, None for another file."""
    path, base = PurePosixPath(name), _base(name)
    belongs = path.suffix.lower() in (*PICTURES, ".npy", ".hdr") and end.search(base)
    return end.sub("", base) if belongs else None
