"""How often the scans of two people are noticed, and how often those of one person are taken for two people's."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import combinations, pairwise
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.anatomy.head import Head, find_head
from core.anatomy.registration import register_heads
from core.anatomy.same_head import Fit, fit, judge
from core.bench.people import GIVE, Person, people
from core.bench.table import write_between
from core.contrasts import TITLES
from core.errors import UserError
from core.files.nifti import read_volume
from core.measure.intervals import wilson
from core.volume import Volume, resample, same_grid

Matrix = NDArray[np.float64]

MARK = "pairs"
# onto whose T1 everyone's is aligned, so that n registrations serve for all pairs of n people
ATLAS = "demo/sri24"
GUIDE = "T1 as guide of FLAIR or T2 in thick slices"
# contrasts of two people that are paired; of one person all there are
LOOKED_AT = (("t1", "t1"), ("t1", "t2"), ("t1", "flair"), ("t1", "t1ce"), ("t2", "flair"))
THICK_MM, SLAB_MM = 4.0, 60.0
# how far a scan is moved, degrees and mm along each axis; noise in parts of bright tissue, and the log of the bias
TURN, SHIFT, NOISE, BIAS = 8.0, 7.0, 0.05, 0.3
# scans that are held at a time
HELD = 64


@dataclass(frozen=True)
class Scan:
    """A contrast of a person, and what was done to it: "", "moved", "noisy", "thick" or "slab"."""

    person: Person
    contrast: str
    changed: str = ""

    @property
    def name(self) -> str:
        """Person, contrast and change in one word."""
        return "/".join((self.person.name, self.contrast, self.changed)).rstrip("/")


@dataclass(frozen=True)
class Row:
    """A pair of scans: its kind, whether both are of one person, whether thresholds were chosen on them, its fit."""

    kind: str
    same: bool
    chosen_on: bool
    first: str
    second: str
    found: Fit


class Alignments:
    """How scans lie on one another, kept in a file, a line of JSON each: registered once."""

    def __init__(self, cache: Path, report: Callable[[str], None]) -> None:
        self._cache, self._report = cache, report
        lines = cache.read_text(encoding="utf-8").splitlines() if cache.is_file() else []
        self._known = {(each["first"], each["second"]): each["matrix"] for each in map(json.loads, lines)}

    def between(self, first: Scan, second: Scan) -> Matrix:
        """Return the (4, 4) that takes mm of ``second`` to mm of ``first``: the identity for contrasts of one person on
        one grid. Heads of two people are first brought together by their centres."""
        key = first.name, second.name
        if first.person is second.person and not second.changed and _on_one_grid(first, second):
            return np.eye(4)
        if key not in self._known:
            self._known[key] = self._registered(first, second).tolist()
            self._cache.parent.mkdir(parents=True, exist_ok=True)
            with self._cache.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"first": key[0], "second": key[1], "matrix": self._known[key]}) + "\n")
            self._report(f"aligned {key[0]} {key[1]}")
        return np.array(self._known[key], np.float64)

    @staticmethod
    def _registered(first: Scan, second: Scan) -> Matrix:
        (fixed, fixed_head), (moving, moving_head) = read(first), read(second)
        together = np.eye(4)
        if first.person is not second.person:
            together[:3, 3] = _centre(fixed, fixed_head) - _centre(moving, moving_head)
        moving = Volume(moving.data, together @ moving.affine)
        found = register_heads(fixed, fixed_head, moving, moving_head)
        return together if found is None else found.matrix @ together


def measure(data: Path, cache: Path, report: Callable[[str], None]) -> list[Row]:
    """Return a row for every pair of scans below ``data``; alignments in ``cache`` are not looked for again."""
    alignments, rows = Alignments(cache, report), []
    everyone = people(data)
    atlas = next((Scan(person, "t1") for person in everyone if person.name == ATLAS), None)
    if atlas is None:
        raise UserError("file_unreadable", f"There is no {ATLAS} in {data}.", GIVE)
    for chosen_on in (True, False):
        some = [person for person in everyone if person.chosen_on == chosen_on]
        for kind, same, first, second, matrix in (*_of_one(some, alignments), *_of_two(some, atlas, alignments)):
            (one, head), (other, other_head) = read(first), read(second)
            moved = Volume(other.data, matrix @ other.affine)
            found = fit(one, head, moved, other_head)
            rows.append(Row(kind, same, chosen_on, first.name, second.name, found))
            report(f"{kind}: {first.name} {second.name} {found.share:.3f} of {found.blocks}")
    return rows


Pair = tuple[str, bool, Scan, Scan, Matrix]


def _of_one(everyone: Sequence[Person], alignments: Alignments) -> Iterator[Pair]:
    """Yield pairs of scans of one person; those that do not lie on one grid are aligned as the product does it."""
    for person in everyone:
        t1 = Scan(person, "t1")
        yield "T1 and its reference", True, Scan(person, "t1", "thick"), t1, np.eye(4)
        for one, other in combinations(person.scans, 2):
            first, second = Scan(person, one), Scan(person, other)
            lies = alignments.between(first, second)
            yield _titled(one, other), True, first, second, lies
            yield "one noisy and shaded", True, first, Scan(person, other, "noisy"), lies
            yield f"a slab of {SLAB_MM:.0f} mm of one", True, first, Scan(person, other, "slab"), lies
            if one == "t1" and other != "t1ce":
                yield GUIDE, True, first, Scan(person, other, "thick"), lies
        moved = Scan(person, tuple(person.scans)[-1], "moved")
        yield "one moved, and aligned again", True, t1, moved, alignments.between(t1, moved)


def _of_two(everyone: Sequence[Person], atlas: Scan, alignments: Alignments) -> Iterator[Pair]:
    """Yield pairs of scans of two people, whose T1s lie on that of ``atlas``; some that are aligned with each other."""

    def onto_atlas(person: Person, contrast: str) -> Matrix:
        scan = Scan(person, "t1")
        return alignments.between(atlas, scan) @ alignments.between(scan, Scan(person, contrast))

    for one, other in pairwise(everyone):
        first, second = Scan(one, "t1"), Scan(other, tuple(other.scans)[-1])
        yield "T1 and T2 or FLAIR, aligned directly", False, first, second, alignments.between(first, second)
    for one, other in combinations(everyone, 2):
        for name, other_name in LOOKED_AT:
            if name in one.scans and other_name in other.scans:
                first, second = Scan(one, name), Scan(other, other_name)
                matrix = np.linalg.inv(onto_atlas(one, name)) @ onto_atlas(other, other_name)
                yield _titled(name, other_name), False, first, second, matrix
                if (name, other_name) == ("t1", "flair"):
                    yield GUIDE, False, first, Scan(other, other_name, "thick"), matrix


def _titled(first: str, second: str) -> str:
    return f"{TITLES[first]} and {TITLES[second]}"


@lru_cache(HELD)
def read(scan: Scan) -> tuple[Volume, Head]:
    """Return a scan, changed as it says, and its head."""
    volume = read_volume(scan.person.scans[scan.contrast])
    if scan.changed:
        volume = CHANGES[scan.changed](volume, np.random.default_rng(zlib.crc32(scan.name.encode())))
    return volume, find_head(volume)


def _on_one_grid(first: Scan, second: Scan) -> bool:
    one, other = read(first)[0], read(second)[0]
    return same_grid(one.affine, one.data.shape, other)


def _moved(volume: Volume, random: np.random.Generator) -> Volume:
    """Return the head turned and shifted, sampled anew on the same grid."""
    middle = np.eye(4)
    middle[:3, 3] = volume.affine[:3, :3] @ (np.array(volume.data.shape) / 2) + volume.affine[:3, 3]
    turned = np.eye(4)
    for axis, angle in enumerate(np.radians(random.uniform(-TURN, TURN, 3))):
        first, second = (other for other in range(3) if other != axis)
        turn = np.eye(4)
        turn[[first, second], [first, second]] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        turned = turned @ turn
    turned[:3, 3] = random.uniform(-SHIFT, SHIFT, 3)
    away = middle @ turned @ np.linalg.inv(middle) @ volume.affine
    x, y, z = volume.data.shape
    return Volume(resample(volume.data, away, volume.affine, (x, y, z), order=1), volume.affine)


def _noisy(volume: Volume, random: np.random.Generator) -> Volume:
    """Return the scan with a smooth bias and Rician noise."""
    bright = float(np.percentile(volume.data[volume.data > 0], 99.5))
    coarse = random.standard_normal((4, 4, 4))
    bias = ndimage.zoom(coarse, np.array(volume.data.shape) / 4, order=1, grid_mode=True, mode="nearest")
    shaded = volume.data * np.exp(BIAS * np.tanh(bias)).astype(np.float32)
    first, second = (NOISE * bright * random.standard_normal((2, *volume.data.shape))).astype(np.float32)
    noisy = np.hypot(shaded + first, second)
    return Volume(np.where(volume.data == 0, 0, noisy).astype(np.float32), volume.affine)


def _thick(volume: Volume, random: np.random.Generator) -> Volume:
    """Return the scan in slices of ``THICK_MM`` along its last axis; as it is where they are not thinner already."""
    count = round(THICK_MM / volume.spacing[2])
    if count < 2:
        return volume
    x, y, z = volume.data.shape
    data = volume.data[:, :, : z // count * count].reshape(x, y, -1, count).mean(axis=3, dtype=np.float32)
    affine = volume.affine.copy()
    affine[:3, 3] += (count - 1) / 2 * affine[:3, 2]
    affine[:3, 2] *= count
    return Volume(data, affine)


def _slab(volume: Volume, random: np.random.Generator) -> Volume:
    """Return ``SLAB_MM`` of the scan along its last axis, from somewhere."""
    z = volume.data.shape[2]
    count = min(z, round(SLAB_MM / volume.spacing[2]))
    begin = int(random.integers(0, z - count + 1))
    affine = volume.affine.copy()
    affine[:3, 3] += begin * affine[:3, 2]
    return Volume(volume.data[:, :, begin : begin + count], affine)


CHANGES: dict[str, Callable[[Volume, np.random.Generator], Volume]] = {
    "moved": _moved,
    "noisy": _noisy,
    "thick": _thick,
    "slab": _slab,
}


def _centre(volume: Volume, head: Head) -> NDArray[np.float64]:
    index = np.argwhere(head.mask).mean(axis=0)
    return np.asarray(volume.affine[:3, :3] @ index + volume.affine[:3, 3])


def markdown(rows: Sequence[Row]) -> str:
    """Return two tables of the people that no threshold was chosen on: pairs of two people and how many are noticed,
    pairs of one person and how many are taken for two people's; then a line on the people that were chosen on."""
    parts = [_table([row for row in rows if not row.chosen_on and row.same == same], same) for same in (False, True)]
    chosen = [row for row in rows if row.chosen_on and judge(row.found) != "unknown"]
    one, two = (sorted(row.found.share for row in chosen if row.same == same) for same in (True, False))
    if one and two:
        parts.append(
            f"The thresholds were chosen on others: {len(two)} pairs of two people with shares of {two[0]:.3f} to "
            f"{two[-1]:.3f}, and {len(one)} pairs of one person with {one[0]:.3f} to {one[-1]:.3f}."
        )
    return "\n\n".join(parts)


def write_page(page: Path, rows: Sequence[Row]) -> None:
    """Put the tables between their marks in ``page``; UserError for a page without them."""
    write_between(page, MARK, markdown(rows))


def write_json(path: Path, rows: Sequence[Row]) -> None:
    """Write every pair with its fit and what is concluded from it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = [{**asdict(row), "judgement": judge(row.found)} for row in rows]
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _table(rows: Sequence[Row], same: bool) -> str:
    """Return the pairs of one person or of two, a line for each kind and one for all."""
    whose, figure = ("One person", "false alarms") if same else ("Two people", "caught")
    lines = [
        f"| {whose} | pairs | share: least, median, most | {figure} (95 %) | unsure | not judged |",
        "|---|---|---|---|---|---|",
    ]
    kinds = list(dict.fromkeys(row.kind for row in rows))
    lines += [_line(kind, [row for row in rows if row.kind == kind]) for kind in kinds]
    return "\n".join([*lines, _line("all", rows)])


def _line(title: str, rows: Sequence[Row]) -> str:
    judged = [judge(row.found) for row in rows]
    seen = len(rows) - judged.count("unknown")
    shares = sorted(row.found.share for row, each in zip(rows, judged, strict=True) if each != "unknown")
    spread = f"{shares[0]:.2f}, {median(shares):.2f}, {shares[-1]:.2f}" if shares else "-"
    found = wilson(judged.count("two"), seen)
    rate = f"{found.value:.1%} ({found.low:.1%} to {found.high:.1%})" if seen else "-"
    return f"| {title} | {len(rows)} | {spread} | {rate} | {judged.count('unsure')} | {judged.count('unknown')} |"
