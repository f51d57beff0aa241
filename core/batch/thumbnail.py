"""One small picture of a finished scan: what was given over what came out, the same planes of both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from core.declaration import Task
from core.files.nifti import Stored, read_own
from core.imaging import picture
from core.imaging.picture import Frame
from core.report.framing import framing_of, window_of
from core.result import RESULT, VOLUME_SUFFIX, Result

NAME = "thumbnail.webp"
# of the three planes side by side
PIXELS, GAP, QUALITY = 420, 4, 80


def write_thumbnail(folder: Path, task: Task, inputs: Mapping[str, Path], result: Result) -> Path | None:
    """Write ``thumbnail.webp`` into ``folder`` and return it; None for a result without a volume.

    inputs: input name -> file, as of ``drawn``.
    """
    main = next((artifact for artifact in result.artifacts if artifact.kind == RESULT and artifact.is_volume), None)
    if main is None:
        return None
    path = folder / NAME
    path.write_bytes(drawn(task, inputs, Path(main.path)))
    return path


def drawn(task: Task, inputs: Mapping[str, Path], result: Path) -> bytes:
    """Return the picture of a result as WebP.

    inputs: input name -> file. The upper row is the first scan that was given, with the outline of the mask; the lower
    row the result. Each has its own window. UserError, OSError for files that are gone.
    """
    # other formats are read by the job alone, in a process of their own
    inputs = {name: path for name, path in inputs.items() if path.name.endswith((".nii", VOLUME_SUFFIX))}
    made = read_own(result)
    framing = framing_of(task, inputs, made)
    whole = framing.whole
    frame = picture.frame(whole.affine, whole.box, whole.centre, PIXELS)
    rows = [_row(made, frame, None)]
    given = next((inputs[entry.name] for entry in task.inputs if entry.kind == "volume" and entry.name in inputs), None)
    if given is not None:
        rows.insert(0, _row(read_own(given), frame, framing.mask))
    width, height = max(row.width for row in rows), sum(row.height + GAP for row in rows) - GAP
    sheet = Image.new("RGB", (width, height))
    top = 0
    for row in rows:
        sheet.paste(row.convert("RGB"), (0, top))
        top += row.height + GAP
    return picture.webp(sheet, QUALITY)


def _row(stored: Stored, frame: Frame, mask: Stored | None) -> Image.Image:
    """Return three planes of a scan side by side, with the outline of a mask where there is one."""
    low, high = window_of(stored)
    planes = []
    for plane in range(3):
        cut = frame.cut(stored.values, stored.affine, plane) * np.float32(stored.slope) + np.float32(stored.intercept)
        grey = picture.grey(cut, low, high)
        if mask is not None:
            grey = picture.outlined(grey, frame.cut(mask.values, mask.affine, plane) > 0.5)
        planes.append(grey)
    return picture.strip(planes)
