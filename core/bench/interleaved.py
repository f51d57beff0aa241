"""Interleaved and noisy slices whose truth is known: what evening out and relaxing gain; and how often slices seem to
alternate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.acquisition import Acquisition, thick, whole
from core.anatomy.intensity import tissue_level
from core.bench.subjects import healthy as held_out
from core.bench.subjects import in_units
from core.events import finish
from core.files.nifti import read_volume
from core.imaging.options import Options
from core.imaging.problem import Estimate, ThickScan
from core.imaging.superres.slice_correction import corrected
from core.imaging.superres.slice_gain import FOUND, gain_strength
from core.imaging.superres.task import TASK
from core.measure import quality
from core.measure.stripes import stripes
from core.synth.phantom import SIDES, phantom
from core.synth.subject import subject
from core.train.heldout import HEALTHY
from core.volume import Volume

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
Triple = tuple[float, float, float]

# mm between slices where the truth is known
STEP = 4
# slices -> RMS of the gain less 1, and noise in parts of bright tissue
KINDS = {
    "as they are": (0.0, 0.0),
    "alternating by 2 %": (0.01, 0.0),
    "alternating by 5 %": (0.025, 0.0),
    "noise of 5 %": (0.0, 0.05),
    "2 % and noise": (0.01, 0.05),
}
# mm over which a gain varies in the slices, and how far it falls from the first slice to the last
VARIES_MM, DRIFT = 50.0, 0.5
# what is searched for an alternating gain: mm between slices, and the RMS of the gain less 1
STEPS, GAINS = (3, 4, 5), (0.0, 0.005, 0.01)
MARK = "interleaved"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Gained:
    """One scan, super-resolved from the slices as measured and as corrected: PSNR (dB) and stripes; stripes of the
    truth."""

    scan: str
    kind: str
    method: str
    psnr: tuple[float, float]
    striped: tuple[float, float]
    truth: float


@dataclass(frozen=True)
class Found:
    """How many of ``scans`` in slices of ``step`` mm with a gain of ``gain`` are found to alternate, and the smallest,
    median and largest strength."""

    step: int
    gain: float
    scans: int
    found: int
    strength: Triple


def alternating(shape: Sequence[int], size: float, seed: int, spacing: Triple) -> Float:
    """Return a gain (x, y, slices) float32 about 1 that alternates along the last axis: in part the same everywhere, in
    part varying over ``VARIES_MM``, falling by ``DRIFT`` from the first slice to the last. size: RMS of it less 1."""
    x, y, count = shape
    random = np.random.default_rng(seed)
    varying = ndimage.gaussian_filter(random.normal(size=(x, y)), [VARIES_MM / side for side in spacing[:2]])
    varying = (varying - varying.mean()) / max(float(varying.std()), 1e-9)
    field = (1 + varying)[..., None] * np.linspace(1, 1 - DRIFT, count) * np.where(np.arange(count) % 2, -1, 1)
    return np.asarray(1 + field * (size / np.sqrt(np.square(field).mean())), np.float32)


def measured(truth: Volume, step: int, size: float, noise: float, seed: int) -> tuple[Acquisition, Float]:
    """Return how axial slices of ``step`` mm sample ``truth``, and these with a gain and Rician noise."""
    x, y, z = truth.data.shape
    sampled = Acquisition((whole(x), whole(y), thick(z, step / truth.spacing[2])))
    clean = np.maximum(sampled.measure(truth.data), 0)
    gained = clean * alternating(clean.shape, size, seed, truth.spacing) if size else clean
    if noise == 0:
        return sampled, gained
    random = np.random.default_rng(seed)
    level = noise * tissue_level(clean)
    real, imaginary = (level * random.normal(size=clean.shape) for _ in range(2))
    return sampled, np.hypot(gained + real, imaginary).astype(np.float32)


def synthetic(shape: tuple[int, int, int] = SIDES) -> Iterator[tuple[str, Volume]]:
    """Yield T1 and T2 of one made-up head, 1 the 99.5th percentile of its brain."""
    made = subject(phantom(0, shape), 0, ("t1", "t2"))
    for contrast, image in made.images.items():
        yield f"synthetic {contrast.upper()}", Volume(in_units(image, image > 0), np.eye(4))


def healthy(data: Path, subjects: Sequence[str] = HEALTHY) -> Iterator[tuple[str, Volume]]:
    """Yield the held-out healthy T1s below ``data``; UserError unless each is there."""
    for each in held_out(data, subjects):
        volume = read_volume(each.t1)
        name = each.name if each.source else f"OASIS {each.name}"
        yield name, Volume(in_units(volume.data, volume.data > 0), volume.affine)


def sharp_files(data: Path) -> list[Path]:
    """Return the skull-stripped T1s of two sites below ``data`` whose voxels are sharp on all axes."""
    train = data / "train"
    return [*sorted((train / "malf_nc").glob("*_t1.nii.gz")), *sorted((train / "ds002748").glob("*/*t1*.nii.gz"))]


def gained(scans: Iterable[tuple[str, Volume]], methods: Sequence[str], say: Say) -> list[Gained]:
    """Super-resolve every scan in every kind of slices with and without their correction."""
    rows = []
    for scan, truth in scans:
        brain = truth.data > 0
        plain = stripes(truth.data, brain, 2, 2 * STEP / truth.spacing[2])
        for kind, (size, noise) in KINDS.items():
            sampled, slices = measured(truth, STEP, size, noise, 0)
            for method in methods:
                both = [_made(truth, sampled, slices, method, switch) for switch in (False, True)]
                psnr = [quality.psnr(made, truth.data, brain, 1.0) for made in both]
                striped = [stripes(made, brain, 2, 2 * STEP / truth.spacing[2]) for made in both]
                rows.append(Gained(scan, kind, method, (psnr[0], psnr[1]), (striped[0], striped[1]), plain))
                say(f"{scan}, {kind}, {method}: {psnr[0]:.2f} -> {psnr[1]:.2f} dB, stripes {striped[0]:.2f} -> "
                    f"{striped[1]:.2f}")  # fmt: skip
    return rows


def _made(truth: Volume, sampled: Acquisition, slices: Float, method: str, switch: bool) -> Float:
    affine = truth.affine.copy()
    affine[:3, 2] *= STEP / truth.spacing[2]
    head = sampled.measure((truth.data > 0).astype(np.float32)) > 0.5
    params = TASK.parse({"even": switch, "denoise": switch})
    image = corrected(Volume(slices, affine), head, tissue_level(slices), 2, params).image
    estimate: Estimate = finish(TASK.method(method).load()(ThickScan(image, sampled, spacing=truth.spacing), Options()))
    return estimate.values


def searched(files: Sequence[Path], say: Say) -> list[Found]:
    """Return how often ``files`` (1 mm scans) are found to alternate, in slices of each of ``STEPS`` with each of
    ``GAINS``."""
    strengths: dict[tuple[int, float], list[float]] = {(step, size): [] for step in STEPS for size in GAINS}
    for seed, file in enumerate(files):
        truth = read_volume(file)
        for step, size in strengths:
            _, slices = measured(truth, step, size, 0.0, seed)
            x, y, _ = truth.spacing
            strengths[step, size].append(gain_strength(slices, (x, y, float(step)), 2))
        say(f"{file.name}: " + ", ".join(f"{values[-1]:.2f}" for values in strengths.values()))
    return [
        Found(step, size, len(values), sum(value >= FOUND for value in values), _spread(values))
        for (step, size), values in strengths.items()
    ]


def _spread(values: Sequence[float]) -> Triple:
    return min(values), float(np.median(values)), max(values)


def markdown(rows: Sequence[Gained], found: Sequence[Found]) -> str:
    """Return both tables, the second where anything was searched."""
    heads = ["Slices of 4 mm", "Scan", "Method", "PSNR measured", "corrected", "Stripes measured", "corrected", "truth"]
    lines = _heading(heads)
    lines += [
        f"| {row.kind} | {row.scan} | {row.method} | {row.psnr[0]:.2f} | {row.psnr[1]:.2f} | {row.striped[0]:.2f} | "
        f"{row.striped[1]:.2f} | {row.truth:.2f} |"
        for row in rows
    ]
    if found:
        lines += ["", *_heading(["Slices", "Alternating by", "Scans", "Found", "Strength: least", "median", "most"])]
    lines += [
        f"| {row.step} mm | {200 * row.gain:g} % | {row.scans} | {row.found} | "
        + " | ".join(f"{value:.2f}" for value in row.strength)
        + " |"
        for row in found
    ]
    return "\n".join(lines)


def _heading(titles: Sequence[str]) -> list[str]:
    return [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
