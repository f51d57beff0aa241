"""Which kind of model a file holds, by its content; nothing of it is run or unpickled."""

from __future__ import annotations

import zipfile
from pathlib import Path

from core.errors import UserError
from core.files.archive import open_zip

TORCHSCRIPT, EXPORTED, ONNX = "TorchScript", "torch.export", "ONNX"
MOST_BYTES = 2 << 30
HEAD_BYTES = 16
HOW = (
    "In PyTorch: torch.export.save(torch.export.export(model, (example,)), FILE), or torch.jit.save; or save as ONNX. "
    "In Python, core.failure.examine takes the model itself."
)
PICKLED = UserError(
    "model_pickled",
    "This file holds weights or a pickled object, not a program: opening it could run anything.",
    HOW,
)


def model_format(path: Path) -> str:
    """Return "TorchScript", "torch.export" or "ONNX". UserError file_unreadable, file_empty, model_unknown,
    model_pickled, model_too_large."""
    if not path.is_file():
        raise UserError("file_unreadable", f"There is no file {path.name[:80]!r}.", "Check the path and its rights.")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise UserError("model_too_large", f"The model is larger than {MOST_BYTES >> 30} GB.", "Give a smaller one.")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise UserError("file_empty", f"{path.name[:80]!r} is empty.", "Copy, download or export it again.")
    if head.startswith(b"PK"):
        return _of_archive(path)
    if head[0] == 0x80:
        raise PICKLED
    # a protobuf message that begins with its ir_version: field 1, a small number
    if head[0] == 0x08 and 0 < head[1] < 0x40:
        return ONNX
    raise UserError("model_unknown", f"This is no model that can be read{_named(head)}.", HOW)


def _of_archive(path: Path) -> str:
    try:
        with open_zip(path) as archive:
            names = [name.partition("/")[2] for name in archive.namelist()]
            flat = archive.namelist()
    except (zipfile.BadZipFile, OSError) as error:
        raise UserError("model_unknown", "The model's file is cut off or damaged.", "Copy or save it again.") from error
    if "models/model.json" in names or "serialized_exported_program.json" in flat:
        return EXPORTED
    if "constants.pkl" in names and any(name.startswith("code/") for name in names):
        return TORCHSCRIPT
    if "data.pkl" in names:
        raise PICKLED
    raise UserError("model_unknown", "This is no model that can be read: a zip of other files.", HOW)


def _named(head: bytes) -> str:
    kinds = {
        b"\x89HDF": ": an HDF5 file, as Keras writes it",
        b"\x93NUMP": ": an array of NumPy",
        b"\x18\x00\x00\x00TFL3": ": a model of TensorFlow Lite",
        b"\x1c\x00\x00\x00TFL3": ": a model of TensorFlow Lite",
    }
    return next((words for mark, words in kinds.items() if head.startswith(mark)), "")
