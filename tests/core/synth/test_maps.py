import numpy as np
import pytest
import torch

from core.synth.detail import Detail, draw_detail
from core.synth.fields import stream
from core.synth.labelmaps import CSF, TISSUES, WHITE
from core.synth.maps import BLOOD, Maps, draw_maps
from core.synth.phantom import phantom


@pytest.fixture(scope="module")
def detail() -> Detail:
    return draw_detail(phantom(0, (64, 76, 64)), True, stream(0, "detail"))


@pytest.fixture(scope="module")
def maps(detail: Detail) -> Maps:
    return draw_maps(detail, stream(0, "maps"))


def test_tissues_have_about_the_values_of_the_table(detail: Detail, maps: Maps) -> None:
    for index in range(1, 12):
        where = torch.from_numpy((detail.tissues == index) & ~detail.vessels)
        if index != CSF and int(where.sum()) > 50:
            assert maps.t1[where].median() == pytest.approx(TISSUES[index].t1, rel=0.15)
            assert maps.t2[where].median() == pytest.approx(TISSUES[index].t2, rel=0.15)
            assert maps.density[where].median() == pytest.approx(TISSUES[index].density, rel=0.08)


def test_texture_is_in_t1_and_t2_and_partly_the_same(detail: Detail, maps: Maps) -> None:
    white = torch.from_numpy((detail.tissues == WHITE) & ~detail.perivascular)
    pair = np.corrcoef(maps.t1[white].numpy(), maps.t2[white].numpy())
    assert 0.3 < pair[0, 1] < 0.95


def test_fluid_around_the_brain_is_uneven_and_clear_in_the_ventricles(detail: Detail, maps: Maps) -> None:
    fluid = torch.from_numpy((detail.tissues == CSF) & ~detail.vessels)
    outer = torch.from_numpy(detail.outer)
    assert maps.t2[fluid & outer].std() > 4 * maps.t2[fluid & ~outer].std()
    assert maps.t2[fluid & outer].mean() < maps.t2[fluid & ~outer].mean()


def test_vessels_hold_blood(detail: Detail, maps: Maps) -> None:
    vessels = torch.from_numpy(detail.vessels)
    assert maps.t2[vessels].max() == BLOOD[1]
    assert maps.uptake[vessels].min() >= BLOOD[3]


def test_what_differs_is_seen(maps: Maps) -> None:
    changed = maps.t2.clone()
    changed[3, 4, 5] += 1
    differ = Maps(maps.t1, changed, maps.density, maps.uptake).differ(maps)
    assert torch.argwhere(differ).tolist() == [[3, 4, 5]]
