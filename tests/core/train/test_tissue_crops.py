from pathlib import Path

import numpy as np
import pytest

from core.nets.segment_net import SHARES
from core.synth.labelmaps import CORTEX, CSF, DURA, TISSUES, WHITE
from core.train.pack import PackedSet
from core.train.smoke import pack_phantoms
from core.train.tissue_crops import COUNT, GROUPS, SIDE, SMALLEST, TissueSource, grouped, scanned


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> TissueSource:
    folder: Path = tmp_path_factory.mktemp("tissues")
    return TissueSource(PackedSet(pack_phantoms(folder / "packed.npz")), 0, folder / "volumes")


def test_crops_have_their_shape_and_all_tissues_come(source: TissueSource) -> None:
    batch = source.batch(0)
    assert batch.context.shape == batch.target.shape == (COUNT, 1, SIDE, SIDE, SIDE)
    assert batch.conditioning is not None and batch.conditioning.shape == (COUNT, len(SHARES))
    assert source.batch(0, smallest=True).context.shape == (1, 1, SMALLEST, SMALLEST, SMALLEST)
    seen = {number for index in range(4) for number in np.unique(source.batch(index).target).tolist()}
    assert seen == {0, 1, 2, 3}


def test_a_batch_depends_on_its_index_alone(source: TissueSource) -> None:
    first, _, again = source.batch(5), source.batch(6), source.batch(5)
    assert np.array_equal(first.context, again.context)
    assert np.array_equal(first.target, again.target)


def test_image_and_map_lie_on_each_other(source: TissueSource) -> None:
    with np.load(source.volumes("map", whole_head=False)) as stored:
        tissues, t2 = stored["tissues"], stored["t2"].astype(np.float32)
    assert np.median(t2[tissues == 1]) > 1.5 * np.median(t2[tissues == 3])
    assert t2[tissues == 0].mean() < 0.1 * t2[tissues == 3].mean()


def test_every_tissue_of_a_head_is_in_one_group_at_most() -> None:
    members = [tissue for group in GROUPS.values() for tissue in group]
    assert len(members) == len(set(members))
    assert grouped(np.array([[[0, CSF, CORTEX, WHITE, DURA, len(TISSUES) - 1]]], np.uint8)).tolist() == [
        [[0, 1, 2, 3, 0, 0]]
    ]


def test_another_scanner_keeps_the_outside_empty_and_the_order_of_tissues() -> None:
    image = np.zeros((24, 24, 24), np.float32)
    image[6:], image[15:] = 0.4, 0.9
    for seed in range(8):
        crop, conditioning = scanned(
            image, np.linspace(0.1, 0.9, len(SHARES), dtype=np.float32), np.random.default_rng(seed)
        )
        assert crop.dtype == conditioning.dtype == np.float32
        assert (crop[:6] == 0).all() and (crop >= 0).all()
        assert np.median(crop[18:]) > np.median(crop[8:12])
        assert (np.diff(conditioning) > -0.1).all()
