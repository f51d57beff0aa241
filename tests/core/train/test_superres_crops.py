from pathlib import Path

import numpy as np
import pytest
import torch

from core.diffusion.constraints import null_space
from core.train.pack import PackedSet
from core.train.smoke import pack_phantoms
from core.train.superres_crops import COUNT, SIDE, ThickSource


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ThickSource:
    folder: Path = tmp_path_factory.mktemp("thick")
    return ThickSource(PackedSet(pack_phantoms(folder / "packed.npz")), 0)


def test_crops_have_their_shape(source: ThickSource) -> None:
    assert source.batch(3).context.shape == (COUNT, 11, SIDE, SIDE, SIDE)
    assert source.batch(3, smallest=True).context.shape[0] == 1


def test_the_residual_to_learn_is_what_the_slices_did_not_measure(source: ThickSource) -> None:
    for index in range(8):
        batch = source.batch(index)
        assert batch.measured is not None
        target = torch.from_numpy(batch.target).float()
        free = null_space(target, torch.from_numpy(batch.measured).float().unbind(dim=1))
        assert (free - target).abs().max() < 1e-3 * max(1.0, float(target.abs().max()))


def test_thick_axes_and_factors_vary(source: ThickSource) -> None:
    conditioning = np.concatenate(
        [batch.conditioning for batch in map(source.batch, range(30)) if batch.conditioning is not None]
    )
    coarse = conditioning[:, [0, 3, 6]] > 0
    assert coarse.any(axis=1).all()
    assert {1, 3} <= set(coarse.sum(axis=1).tolist())
    assert (conditioning[:, [0, 3, 6]] == 2).any() and len(np.unique(conditioning[:, [0, 3, 6]])) > 5
    assert set(np.unique(conditioning[:, [2, 5, 8]])) == {0.0, 1.0}
