from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.bench import plain_translation as regress
from core.bench.plain_translation import Pool
from core.bench.subjects import in_units
from core.contrasts import CONTRASTS
from core.imaging.translate.trees import PER_CONTRAST
from tests.core.bench.scans import picture, tissue_map

IMAGES = {name: picture(tissue_map(), name) for name in CONTRASTS}
BRAIN = IMAGES["t1"] > 0
SCALED = {name: in_units(image, BRAIN) for name, image in IMAGES.items()}


def small_pool(seeds: int = 2, voxels: int = 4000) -> Pool:
    def read(seed: int) -> regress.Subject:
        images = {name: picture(tissue_map(seed), name, seed=seed) for name in CONTRASTS}
        return images, images["t1"] > 0

    return regress.pool([partial(read, seed) for seed in range(1, 1 + seeds)], voxels)


POOL = small_pool()


def test_the_pool_holds_so_many_voxels_of_each_and_always_the_same() -> None:
    assert POOL.place.shape == (8000, 3)
    assert POOL.gather(["t1", "t2"]).shape == (8000, 2 * PER_CONTRAST + 3)
    again = small_pool()
    assert np.array_equal(POOL.gather(CONTRASTS), again.gather(CONTRASTS))


def test_a_pool_comes_back_from_its_file(tmp_path: Path) -> None:
    regress.save(tmp_path / "new" / "pool.npz", POOL)
    back = regress.restore(tmp_path / "new" / "pool.npz")
    assert np.array_equal(back.gather(CONTRASTS), POOL.gather(CONTRASTS))


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-0.5, 0.5))
def test_the_line_finds_a_line(first: float, second: float, constant: float) -> None:
    target = first * POOL.features["t1"][:, 0] + second * POOL.features["t2"][:, 0] + constant
    pool = Pool({**POOL.features, "flair": np.repeat(target[:, None], 8, axis=1)}, POOL.place)
    found = regress.linear(pool, ["t1", "t2"], "flair")(SCALED, BRAIN)
    expected = first * SCALED["t1"] + second * SCALED["t2"] + constant
    assert np.allclose(found[BRAIN], expected[BRAIN], atol=1e-4)
    assert not found[~BRAIN].any()


def test_the_histogram_finds_a_curve_that_no_line_can() -> None:
    curved = np.sin(5 * POOL.features["t1"][:, 0])
    pool = Pool({**POOL.features, "t2": np.repeat(curved[:, None], 8, axis=1)}, POOL.place)
    found = regress.histogram(pool, ["t1"], "t2")(SCALED, BRAIN)
    assert np.abs(found - np.sin(5 * SCALED["t1"]))[BRAIN].mean() < 0.03


@pytest.mark.parametrize("sources", [["t1"], ["t1", "t2"], ["t1", "t2", "flair"]])
def test_a_cell_that_was_never_seen_takes_the_line(sources: list[str]) -> None:
    strange = {name: np.full(BRAIN.shape, 1.19, np.float32) for name in sources}
    cells = regress.histogram(POOL, sources, "t1ce")(strange, BRAIN)
    line = regress.linear(POOL, sources, "t1ce")(strange, BRAIN)
    assert np.allclose(cells, line)


def test_trees_beat_the_line_on_a_new_subject() -> None:
    errors = {
        fit: np.abs(fit(POOL, ["t1"], "t2")(SCALED, BRAIN) - SCALED["t2"])[BRAIN].mean()
        for fit in (regress.boosting, regress.linear)
    }
    assert errors[regress.boosting] < 0.7 * errors[regress.linear]
