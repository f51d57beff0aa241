"""The pictures of a report: which planes of which volumes, in which window, with which legend."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import device as devices
from core.declaration import Task
from core.files.nifti import Stored, read_own
from core.imaging import picture
from core.imaging.picture import DIVERGING, INFERNO, Frame, Pixels
from core.report.framing import Framing, framing_of, kind_of, window_of
from core.report.labels import artifact_title, input_title
from core.result import DIFFERENCE, ERROR, GAIN, RESULT, UNCERTAINTY, Artifact

Float = NDArray[np.float32]

# maps of a result that have a colour scale on both sides of 0; others have one from 0
SIGNED = (DIFFERENCE, ERROR, GAIN)
MEANING = {
    UNCERTAINTY: "One standard deviation, in intensities of the result.",
    DIFFERENCE: "In intensities of the result: red where the result is brighter, blue where it is darker.",
    ERROR: "Result minus reference, in intensities of the result: red where the result is brighter, blue where darker.",
    GAIN: "As a share: red where the scan was brighter than its slices as evened out, blue where darker.",
}
# a map's scale ends at this percentile of what is not 0, taken from about as many voxels
SHARE, ENOUGH = 99.0, 4_000_000


@dataclass(frozen=True)
class Legend:
    """Colours from ``low`` to ``high``, all of them as the page prints them."""

    colours: tuple[str, ...]
    low: str
    middle: str
    high: str


@dataclass(frozen=True)
class Figure:
    """Three planes of one volume as a base64 picture of ``width`` x ``height`` pixels."""

    title: str
    caption: str
    picture: str
    width: int
    height: int
    legend: Legend | None = None


def figures(task: Task, inputs: Mapping[str, Path], artifacts: Sequence[Artifact]) -> tuple[list[Figure], list[Figure]]:
    """Return pictures across the page and pictures two to a line; none for a task without a result volume.

    inputs: input name -> file. As many volumes are in memory at a time as there are threads.
    """
    volumes = [artifact for artifact in artifacts if artifact.is_volume]
    main = next((artifact for artifact in volumes if artifact.kind == RESULT), None)
    if main is None:
        return [], []
    result = read_own(Path(main.path))
    framing = framing_of(task, inputs, result)
    window = window_of(result)
    frames = [frame for frame in (framing.whole, framing.close) if frame]
    shown = [[_scan(artifact_title(task, main), result, frame, window, "synthetic") for frame in frames]]
    del result
    inputs = {name: path for name, path in inputs.items() if kind_of(task, name) == "volume"}
    given = devices.side_by_side(lambda each: _input(task, *each, framing, frames), inputs.items())
    shown = [*given, *shown]
    made = devices.side_by_side(lambda each: _output(task, each, frames[-1], window), _ordered(volumes))
    rest = [figure for figure in made if figure]
    wide = [figures[0] for figures in shown]
    if framing.close is None:
        return wide + rest, []
    # grid and window of a scan are those of its large picture; a plain method has the result's
    close = [*(figures[1] for figures in shown), *rest]
    return wide, [figure if figure.legend else replace(figure, caption="") for figure in close]


def _input(task: Task, name: str, path: Path, framing: Framing, frames: list[Frame]) -> list[Figure]:
    stored = read_own(path)
    title, window = f"Input: {input_title(task, name)}", window_of(stored)
    return [_scan(title, stored, frame, window, mask=framing.mask) for frame in frames]


def _output(task: Task, artifact: Artifact, frame: Frame, window: tuple[float, float]) -> Figure | None:
    """Return the picture of a volume; None where it has one value, as the uncertainty of a method without one."""
    stored = read_own(Path(artifact.path))
    if stored.values.min() == stored.values.max():
        return None
    title, kind = artifact_title(task, artifact), artifact.kind
    if kind not in MEANING:
        return _scan(title, stored, frame, window, "synthetic")
    top = _top(stored)
    low, colours = (-top, DIVERGING) if kind in SIGNED else (0.0, INFERNO)
    legend = Legend(colours, _short(low), _short((low + top) / 2), _short(top))
    planes = [picture.coloured(plane, low, top, colours, 0.0) for plane in _planes(stored, frame)]
    return _figure(title, MEANING[kind], planes, "synthetic", light=kind in SIGNED, legend=legend)


def _scan(
    title: str,
    stored: Stored,
    frame: Frame,
    window: tuple[float, float],
    mark: str = "",
    mask: Stored | None = None,
) -> Figure:
    planes = [picture.grey(plane, *window) for plane in _planes(stored, frame)]
    caption = f"{_grid(stored)} Black {_short(window[0])}, white {_short(window[1])}."
    if mask is not None:
        inside = _planes(mask, frame)
        planes = [picture.outlined(plane, hole > 0.5) for plane, hole in zip(planes, inside, strict=True)]
        caption += " The outline is the mask."
    return _figure(title, caption, planes, mark)


def _figure(
    title: str, caption: str, planes: list[Pixels], mark: str, *, light: bool = False, legend: Legend | None = None
) -> Figure:
    image = picture.strip(planes, mark, light=light)
    data = base64.b64encode(picture.webp(image)).decode()
    return Figure(title, caption, data, image.width, image.height, legend)


def _planes(stored: Stored, frame: Frame) -> list[Float]:
    cuts = [frame.cut(stored.values, stored.affine, plane) for plane in range(3)]
    return [cut * np.float32(stored.slope) + np.float32(stored.intercept) for cut in cuts]


def _top(stored: Stored) -> float:
    """Return the end of a map's scale: nearly its largest size."""
    flat = stored.values.ravel(order="K")[:: max(1, stored.values.size // ENOUGH)]
    sizes = np.abs(flat[flat != 0] * stored.slope + stored.intercept)
    top = float(np.percentile(sizes, SHARE)) if sizes.size else 0.0
    return top if top > 0 else 1.0


def _ordered(volumes: Iterable[Artifact]) -> Iterator[Artifact]:
    """Yield the volumes beside the result: those of methods run beside it first, then the maps."""
    beside = [artifact for artifact in volumes if artifact.kind != RESULT]
    yield from (artifact for artifact in beside if artifact.kind not in MEANING)
    yield from (artifact for artifact in beside if artifact.kind in MEANING)


def _grid(stored: Stored) -> str:
    sides = np.sqrt((stored.ras_affine[:3, :3] ** 2).sum(axis=0))
    counts = " × ".join(str(count) for count in stored.ras_shape)
    return f"{counts} voxels of {' × '.join(f'{side:.3g}' for side in sides)} mm."


def _short(value: float) -> str:
    return "0" if value == 0 else f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
