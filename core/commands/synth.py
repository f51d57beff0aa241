"""``counterscan synth``: write one synthetic subject."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from core.commands.terminal import names_in
from core.errors import UserError
from core.files.nifti import Stored, read_volume, write_stored
from core.synth.disease import DISEASES
from core.synth.labelmaps import LAST_BRAIN, WHITE, brain_of, tissues_of
from core.synth.phantom import phantom
from core.synth.signals import CONTRASTS
from core.volume import bounding_box

DATA = Path("../shared/data/labels")
# room for the deformation, in voxels
MARGIN = 16
# stored values per unit: white matter is 1, and a pair is stored with the same steps
LEVELS = 4096
DESCRIPTION = "synthetic, Counterscan"


def synth_command(
    out: Annotated[Path, typer.Option(help="Folder for the subject.", metavar="FOLDER")],
    seed: Annotated[int, typer.Option(min=0, help="The subject: the same seed gives the same files.")] = 0,
    contrasts: Annotated[str, typer.Option(help=f"With commas between: {', '.join(CONTRASTS)}.")] = "t1,t2,flair",
    lesion: Annotated[str, typer.Option(help=f"none, {', '.join(DISEASES)}.")] = "none",
    whole_head: Annotated[
        bool, typer.Option("--whole-head", help="With skull and skin; the brain alone if not.")
    ] = False,
    labels: Annotated[Path | None, typer.Option(help="FreeSurfer label map, 1 mm; one of --data if not given.")] = None,
    data: Annotated[Path, typer.Option(help="Folder of label maps; without it, a head made of formulas.")] = DATA,
    thick: Annotated[float | None, typer.Option(min=1.5, max=10, help="Also thick slices, this many mm apart.")] = None,
) -> None:
    """Write a synthetic subject: scans, tissue map, and with a lesion its mask and the same scans without it."""
    from core.synth.subject import subject

    chosen = _names(contrasts)
    if lesion not in ("none", *DISEASES):
        raise UserError("bad_parameter", f"There is no lesion {lesion[:40]!r}.", f"Choose none, {', '.join(DISEASES)}.")
    tissues = _room(_tissues(labels, data, seed, whole_head), whole_head)
    made = subject(tissues, seed, chosen, whole_head, None if lesion == "none" else lesion)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError("write_failed", f"Cannot make {out}.", "Choose another folder.") from error
    affine = np.eye(4)
    affine[:3, 3] = -(np.array(made.tissues.shape) - 1) / 2
    rng = np.random.default_rng([seed, 1])
    for suffix, images in (("", made.images), ("_healthy", made.healthy)):
        for contrast, image in images.items():
            _write(out / f"{contrast}{suffix}.nii.gz", image, affine)
            if thick is not None and not suffix:
                _write_thick(out / f"{contrast}_thick.nii.gz", image, affine, thick, rng)
    write_stored(out / "tissues.nii.gz", Stored(made.tissues, affine), DESCRIPTION)
    if made.lesion is not None:
        write_stored(out / "lesion.nii.gz", Stored(made.lesion.astype(np.uint8), affine), DESCRIPTION)
    for path in sorted(out.glob("*.nii.gz")):
        typer.echo(path)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(names_in(text)))
    wrong = [name for name in names if name not in CONTRASTS]
    if wrong or not names:
        shown = wrong[0][:40] if wrong else ""
        raise UserError("bad_parameter", f"There is no contrast {shown!r}.", f"Choose among {', '.join(CONTRASTS)}.")
    return names


def _tissues(labels: Path | None, data: Path, seed: int, whole_head: bool) -> NDArray[np.uint8]:
    """Return the tissue map of a file, of one in the folder ``data``, or the phantom."""
    if labels is None:
        found = sorted(data.glob("synthseg/*.nii.gz")) + ([] if whole_head else sorted(data.glob("synthsr/*.nii.gz")))
        if not found:
            return phantom(seed)
        labels = found[seed % len(found)]
    volume = read_volume(labels)
    if max(abs(size - 1) for size in volume.spacing) > 0.05:
        raise UserError("bad_parameter", "The label map does not have 1 mm voxels.", "Resample it, nearest neighbour.")
    if volume.data.min() < 0 or volume.data.max() > 20000 or (volume.data != np.round(volume.data)).any():
        raise UserError("bad_parameter", "This is no label map.", "Give FreeSurfer labels such as aseg.nii.gz.")
    tissues = tissues_of(volume.data.astype(np.int32))
    if not (tissues == WHITE).any():
        raise UserError(
            "bad_parameter", "The label map has no white matter.", "Its labels must be FreeSurfer's (2, 41)."
        )
    return tissues


def _room(tissues: NDArray[np.uint8], whole_head: bool) -> NDArray[np.uint8]:
    """Return the map cut to the head or the brain, with room around it for the deformation."""
    if not whole_head:
        return np.pad(tissues[bounding_box(brain_of(tissues), 1)], MARGIN)
    head = tissues > 0
    brain = (tissues >= WHITE) & (tissues <= LAST_BRAIN)
    lowest = bounding_box(brain)[2].start
    # the neck adds voxels and nothing else
    head[:, :, : max(0, lowest - 2 * MARGIN)] = False
    box = bounding_box(head)
    return np.pad(tissues[box], MARGIN)


def _write(path: Path, image: NDArray[np.float32], affine: NDArray[np.float64]) -> None:
    stored = np.clip(np.round(image * LEVELS), 0, 32767).astype(np.int16)
    write_stored(path, Stored(stored, affine, 1 / LEVELS, 0.0), DESCRIPTION)


def _write_thick(
    path: Path, image: NDArray[np.float32], affine: NDArray[np.float64], step: float, rng: np.random.Generator
) -> None:
    from core.synth.scanner import random_acquisition, thick_slices

    shape = (image.shape[0], image.shape[1], image.shape[2])
    acquisition = random_acquisition(shape, rng, step=step)
    axis = acquisition.axes[2]
    there = affine.copy()
    there[:3, 3] += affine[:3, 2] * axis.first
    there[:3, 2] *= axis.step
    _write(path, thick_slices(image, acquisition, rng, noise=0.01), there)
