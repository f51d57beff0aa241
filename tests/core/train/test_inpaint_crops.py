from pathlib import Path

import numpy as np
import pytest

from core.imaging.brain_position import across, brain_box
from core.imaging.inpaint.network import CENTRE, SPREAD
from core.train.inpaint_crops import HEAD, SIZES, CropSource, _cut, _Scan
from core.train.pack import PackedSet
from core.train.smoke import pack_phantoms


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> CropSource:
    folder = tmp_path_factory.mktemp("crops")
    return CropSource(PackedSet(pack_phantoms(folder / "packed.npz")), 0, folder)


def test_the_target_lives_in_the_hole_and_the_context_hides_it(source: CropSource) -> None:
    batch = source.batch(0, smallest=True)
    assert batch.context.shape == (SIZES[0].count, 7, 48, 48, 48)
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


def test_the_other_side_is_told_and_never_the_hole(source: CropSource) -> None:
    rng = np.random.default_rng(5)
    scan = source._scan(source._scans[0])
    told = _Scan(*scan, brain_box(scan[0] > HEAD, 1e-3))
    assert told.box is not None
    for _ in range(6):
        cut = _cut(told, rng, 40)
        mask = np.zeros((40, 40, 40), bool)
        mask[12:28, 10:30, 15:25] = True
        hidden = cut.across(mask, told.box)
        # what is seen across the midline at a voxel is the scan at the mirrored voxel
        other = cut.points.copy()
        other[0] = across(other[0], told.box)
        back = np.tensordot(np.linalg.inv(cut.matrix), other - cut.centre[:, None, None, None], axes=1) + 20
        near = np.round(back).astype(int)
        within = ((near >= 0) & (near < 40)).all(axis=0)
        inside = np.zeros(mask.shape, bool)
        inside[within] = mask[tuple(near[:, within])]
        np.testing.assert_array_equal(hidden, inside)
        exact = within & (np.abs(back - near).max(axis=0) < 1e-6)
        np.testing.assert_allclose(cut.mirrored[exact], cut.truth[tuple(near[:, exact])], atol=1e-3)
