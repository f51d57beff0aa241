from pathlib import Path

import numpy as np
import pytest

from core.methods.inpaint import CENTRE, SPREAD
from core.train.crops import SIZES, CropSource
from core.train.pack import PackedSet
from core.train.smoke import pack_phantoms


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> CropSource:
    folder = tmp_path_factory.mktemp("crops")
    return CropSource(PackedSet(pack_phantoms(folder / "packed.npz")), 0, folder)


def test_the_target_lives_in_the_hole_and_the_context_hides_it(source: CropSource) -> None:
    batch = source.batch(0, smallest=True)
    assert batch.context.shape == (SIZES[0].count, 2, 48, 48, 48)
    fill, mask, target = batch.context[:, 0].astype(float), batch.context[:, 1] > 0, batch.target[:, 0]
    assert mask.any(axis=(1, 2, 3)).all()
    assert np.abs(target[~mask]).max() == 0
    assert 0.05 < np.abs(target[mask].astype(float)).mean() < 5
    # inside the hole the context is the smooth fill: its steps are smaller than those of the tissue
    truth = fill + np.where(mask, target * 0.15 / SPREAD, 0)
    inner = mask[:, 1:] & mask[:, :-1]
    assert np.abs(np.diff(fill, axis=1))[inner].mean() < np.abs(np.diff(truth, axis=1))[inner].mean()


def test_intensities_reach_the_network_in_its_range(source: CropSource) -> None:
    fill = source.batch(1, smallest=True).context[:, 0].astype(float)
    assert np.percentile(fill * SPREAD + CENTRE, 95) < 1.6
    assert fill.min() > -4


def test_validation_scans_are_never_drawn(tmp_path: Path) -> None:
    packed = PackedSet(pack_phantoms(tmp_path / "packed.npz"))
    packed.items = tuple(
        type(item)(item.name, item.kind, item.folder, "validation" if item.kind == "scan" else item.split, item.source)
        for item in packed.items
    )
    source = CropSource(packed, 0, tmp_path)
    rng = np.random.default_rng(0)
    for _ in range(6):
        source._volume(rng)
    assert all("#" in name for name in source._loaded)
