import numpy as np
import pytest
import torch

from core.synth.fields import stream
from core.synth.labelmaps import CORTEX, CSF, TISSUES, WHITE
from core.synth.maps import Maps
from core.synth.pathology import Region, paint_cavity, paint_plaques, paint_tumour

SIDES = (48, 48, 48)


@pytest.fixture
def region() -> Region:
    """A ball of radius 9 in white matter with cortex on one side and fluid on the other."""
    place = np.indices(SIDES) - 23.5
    tissues = np.full(SIDES, WHITE, np.uint8)
    tissues[:10], tissues[38:] = CORTEX, CSF
    return Region(torch.from_numpy(np.sqrt((place**2).sum(axis=0)) < 9), torch.from_numpy(tissues))


@pytest.fixture
def maps(region: Region) -> Maps:
    table = torch.tensor([(t.t1, t.t2, t.density, t.uptake) for t in TISSUES])
    return Maps(*(table[:, column].contiguous()[region.tissues.int()] for column in range(4)))


def test_depth_is_the_distance_to_the_surface(region: Region) -> None:
    depth = region.depth()
    assert (depth > 0).equal(region.blob)
    assert depth.max() == pytest.approx(9, abs=1)
    assert depth[23, 23, 0] == pytest.approx(-(23.5 - 9), abs=1)


@pytest.mark.parametrize("seed", range(6))
def test_oedema_follows_the_white_matter_and_spares_fluid(seed: int, region: Region, maps: Maps) -> None:
    sick, mask = paint_tumour(region, maps, stream(seed, "tumour"))
    assert bool(mask[region.blob].all())
    fluid = (region.tissues == CSF) & ~region.blob
    assert not sick.differ(maps)[fluid].any()
    gain = sick.t2 / maps.t2
    shell = (region.depth() < 0) & (region.depth() > -4)
    assert gain[shell & (region.tissues == WHITE)].median() > 1.3
    assert gain[shell & (region.tissues == WHITE)].max() < 2.0


def test_three_tumours_in_four_have_a_rim_that_enhances(region: Region, maps: Maps) -> None:
    inner, outer = region.depth() > 6, region.blob & (region.depth() < 2)
    enhancing = 0
    for seed in range(40):
        sick, _ = paint_tumour(region, maps, stream(seed, "tumour"))
        if sick.uptake[outer].mean() > 0.5:
            enhancing += 1
            assert sick.uptake[outer].mean() > 1.5 * sick.uptake[inner].mean()
    assert 22 <= enhancing <= 38


def test_a_cavity_is_full_of_fluid_in_a_gliotic_wall(region: Region, maps: Maps) -> None:
    sick, mask = paint_cavity(region, maps, stream(1, "cavity"))
    core, wall = region.depth() > 5, region.blob & (region.depth() < 1.1)
    assert sick.t1[core].median() == pytest.approx(3900)
    assert 100 < float(sick.t2[wall].median()) < 250
    assert bool(mask[region.blob].all())
    assert not sick.differ(maps)[region.tissues == CSF].any()


def test_plaques_change_what_lost_myelin_only(maps: Maps) -> None:
    loss, leak = torch.zeros(SIDES), torch.zeros(SIDES)
    loss[20:24, 20:24, 20:24] = 1
    leak[20:22, 20:24, 20:24] = 1
    sick = paint_plaques(maps, loss, leak)
    assert sick.differ(maps).equal(loss > 0)
    assert sick.t2[21, 21, 21] == pytest.approx(140)
    assert sick.uptake[21, 21, 21] > 1 > sick.uptake[23, 23, 23]
