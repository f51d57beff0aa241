"""A made-up tissue microarray: cores of patients as ENVI images, with stained and label pictures and a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from core.spectra.simulated_tissue import simulate


def write_cores(folder: Path, patients: int = 4, cores: int = 2, across: int = 3, fine: int = 2) -> Path:
    """Write ``patients`` x ``cores`` images of ``across`` x ``across`` patches of 24 pixels, and return their table.

    Each core is of one class, two classes in all, by the patient. fine: pixels of the stained picture along one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    each = across**2
    made = simulate("density", 4 * patients * cores * each, 0)
    assert made.rgb is not None
    waves = ", ".join(f"{at:.2f}" for at in made.wavenumbers)
    pools = [list(np.flatnonzero(made.labels == kind)) for kind in (0, 1)]
    rows = ["image,class,patient,slide,stained"]
    for number in range(patients * cores):
        patient = number // cores
        kind = patient % 2
        chosen = [pools[kind].pop() for _ in range(each)]
        cube = _tiled(made.ir[chosen], across)
        picture = _tiled(made.rgb[chosen], across).repeat(fine, axis=0).repeat(fine, axis=1)
        side = 24 * across
        name = f"core{number:02}"
        np.ascontiguousarray(cube, "<f4").tofile(folder / f"{name}.dat")
        (folder / f"{name}.hdr").write_text(
            f"ENVI\nsamples = {side}\nlines = {side}\nbands = {cube.shape[2]}\ndata type = 4\ninterleave = bip\n"
            f"data units = Absorbance\nwavelength units = Wavenumber\nwavelength = {{{waves}}}\n"
        )
        Image.fromarray(np.round(255 * picture).astype(np.uint8)).save(folder / f"{name}_he.png")
        mask = np.full((side, side), kind + 1, np.uint8)
        mask[:24, :24] = 0
        Image.fromarray(mask).save(folder / f"{name}_labels.png")
        rows.append(f"{name}.hdr,{'normal' if kind else 'tumour'},P{patient:02},S{number % 3},{name}_he.png")
    table = folder / "cores.csv"
    table.write_text("\n".join(rows) + "\n")
    return table


def _tiled(
    patches: np.ndarray[tuple[int, ...], np.dtype[np.float32]], across: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return patches (N, C, H, W) side by side as (rows, columns, C)."""
    rows = patches.reshape(across, across, *patches.shape[1:]).transpose(0, 3, 1, 4, 2)
    return rows.reshape(across * patches.shape[2], across * patches.shape[3], patches.shape[1])
