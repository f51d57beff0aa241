from __future__ import annotations

from collections.abc import Generator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from core import weights
from core.bench import thick_slices
from core.bench.case import entrant
from core.events import Progress, finish
from core.imaging.inpaint.network import WEIGHTS, Faithful, faithful
from core.imaging.options import Options
from core.imaging.problem import Problem
from core.tasks import find
from tests.contract.phantom import write_tiny_network
from tests.core.bench.scans import SPACING, write_healthy

SUBJECT = "1015"


def test_healthy_scans_are_measured_in_slices_and_stripped_again(tmp_path: Path) -> None:
    write_healthy(tmp_path)
    (case,) = thick_slices.resliced(tmp_path, [SUBJECT], 40.0, 3 * SPACING)
    (sharp,) = thick_slices.resliced(tmp_path, [SUBJECT], 40.0, SPACING)
    assert np.array_equal(case.where, sharp.where)
    assert case.label.block.endswith(f"slices of {3 * SPACING:g} mm")
    inner = ndimage.binary_erosion(case.problem.head, iterations=2)[..., 1:]
    steps = [float(np.abs(np.diff(each.truth, axis=2))[inner].mean()) for each in (case, sharp)]
    assert steps[0] < 0.8 * steps[1]
    assert not case.truth[~case.problem.head].any()
    assert not case.problem.image[case.problem.mask].any()
    assert np.array_equal(case.problem.image[~case.problem.mask], case.truth[~case.problem.mask])


def in_slices() -> Problem:
    rough = np.random.default_rng(0).standard_normal((40, 40, 40))
    image = (100 + 60 * ndimage.gaussian_filter(rough, (1.2, 1.2, 5))).astype(np.float32)
    mask = np.zeros(image.shape, bool)
    mask[17:23, 17:23, 17:23] = True
    return Problem(np.where(mask, np.float32(0), image), mask, np.ones_like(mask), (1.0, 1.0, 1.0))


def test_every_share_of_the_residual_is_measured_with_one_call_of_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tiny_network(tmp_path)
    monkeypatch.setenv("COUNTERSCAN_WEIGHTS", str(tmp_path))
    called: list[Problem] = []

    def counting(of: Problem, options: Options) -> Generator[Progress, None, Faithful]:
        called.append(of)
        return faithful(of, options)

    monkeypatch.setattr(thick_slices, "faithful", counting)
    made = {each.name: finish(each.solve(in_slices())) for each in thick_slices.entrants(Options())}
    assert list(made) == ["volume", "volume/whole", "volume/half", "biharmonic"]
    assert len(called) == 3
    problem = in_slices()
    made = {each.name: finish(each.solve(problem)) for each in thick_slices.entrants(Options())}
    assert len(called) == 4
    inside = [made[name].values[problem.mask] for name in ("volume/half", "volume", "volume/whole")]
    base = 2 * inside[0] - inside[2]
    share, _ = weights.thick_slices(WEIGHTS)
    assert np.allclose(inside[1], base + share * (inside[2] - base), rtol=1e-3)
    assert not np.allclose(inside[1], inside[2], rtol=1e-3)
    assert made["volume/whole"].notice == "" and "50%" in made["volume/half"].notice


def test_deep_masks_come_before_others_and_every_block_is_handed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_healthy(tmp_path)
    shell = entrant(find("inpaint").method("shell"), Options())
    monkeypatch.setattr(thick_slices, "entrants", lambda options: [shell])
    few = partial(thick_slices.resliced, subjects=[SUBJECT], step=3 * SPACING)
    monkeypatch.setattr(thick_slices, "resliced", few)
    rows = list(thick_slices.measure(tmp_path, Options(), None, lambda line: None))
    # there are no gliomas here
    assert len(rows) == 4
    blocks = [row.label.block for row in rows[-1] if not row.error]
    assert ["slices" in block for block in blocks] == [True, True]
    assert blocks == sorted(blocks, key=lambda block: "anywhere" in block)
