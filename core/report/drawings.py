"""The pictures of a report that a task drew itself."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from core.declaration import Task
from core.report.labels import artifact_title
from core.report.slices import Figure
from core.result import Artifact

PICTURE_SUFFIX = ".png"


def drawings(task: Task, artifacts: Sequence[Artifact]) -> list[Figure]:
    """Return every PNG among ``artifacts``, titled as ``task`` declares it."""
    return [_drawing(task, one) for one in artifacts if one.path.endswith(PICTURE_SUFFIX)]


def _drawing(task: Task, artifact: Artifact) -> Figure:
    path = Path(artifact.path)
    with Image.open(path) as image:
        width, height = image.size
    return Figure(artifact_title(task, artifact), "", base64.b64encode(path.read_bytes()).decode(), width, height)
