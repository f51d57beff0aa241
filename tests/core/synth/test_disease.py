import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from core.synth.detail import Detail, draw_detail
from core.synth.disease import DISEASES, GROWTH, SHRINKAGE, Push, draw_disease
from core.synth.fields import stream
from core.synth.labelmaps import WHITE
from core.synth.maps import Maps, draw_maps
from core.synth.phantom import phantom


@pytest.fixture(scope="module")
def anatomy() -> tuple[Detail, Maps]:
    detail = draw_detail(phantom(0, (64, 76, 64)), False, stream(0, "detail"))
    return detail, draw_maps(detail, stream(0, "maps"))


def grid(side: int) -> Tensor:
    return torch.stack(torch.meshgrid(*[torch.arange(side, dtype=torch.float32)] * 3, indexing="ij"), dim=-1)


@given(st.one_of(st.floats(*GROWTH), st.floats(-SHRINKAGE[1], -SHRINKAGE[0])), st.floats(6, 14))
def test_a_push_moves_nothing_beyond_its_reach_and_never_folds(strength: float, reach: float) -> None:
    positions = grid(32)
    push = Push(torch.tensor([15.0, 16.0, 14.0]), reach, strength, torch.ones(32, 32, 32))
    source = push.source(positions)
    away = (positions - push.centre).norm(dim=-1)
    assert torch.equal(source[away > reach], positions[away > reach])
    nearer = (source - push.centre).norm(dim=-1)
    inside = (away > 0.5) & (away < 0.8 * reach)
    # a mass shows, at a place, tissue that was nearer to its centre
    assert bool(((nearer < away) == (strength > 0))[inside].all())
    steps = torch.stack([source.diff(dim=axis)[:31, :31, :31] for axis in range(3)], dim=-1)
    assert torch.linalg.det(steps).min() > 0.2


def test_the_surface_holds_still() -> None:
    push = Push(torch.tensor([8.0, 8.0, 8.0]), 8.0, 0.3, torch.zeros(16, 16, 16))
    assert torch.equal(push.source(grid(16)), grid(16))


@pytest.mark.parametrize("kind", DISEASES)
@pytest.mark.parametrize("seed", range(3))
def test_a_disease_stays_in_its_box_and_touches_white_matter(
    kind: str, seed: int, anatomy: tuple[Detail, Maps]
) -> None:
    detail, maps = anatomy
    disease = draw_disease(kind, detail, maps, stream(seed, kind))
    healthy = maps.crop(disease.box)
    changed = disease.maps.differ(healthy)
    assert disease.mask.any()
    assert bool(changed[disease.mask].all())
    for inner, outer in zip(disease.box, disease.reached, strict=True):
        assert outer.start <= inner.start < inner.stop <= outer.stop
    white = torch.from_numpy(detail.tissues[disease.box] == WHITE) & disease.mask
    assert bool(white.any())
    assert disease.maps.t2[white].median() > 1.3 * healthy.t2[white].median()
    assert disease.maps.t1[white].median() > 1.1 * healthy.t1[white].median()
    assert disease.maps.density.max() <= max(1.0, float(healthy.density.max())) + 0.2
    for values in (disease.maps.t1, disease.maps.t2):
        assert bool(torch.isfinite(values).all())
        assert values.min() > 0


def test_only_some_diseases_push(anatomy: tuple[Detail, Maps]) -> None:
    pushes = {kind: draw_disease(kind, *anatomy, stream(1, kind)).push for kind in DISEASES}
    assert pushes["plaques"] is None
    assert pushes["tumour"] is not None and pushes["tumour"].strength > 0
    assert pushes["cavity"] is not None and pushes["cavity"].strength < 0


def test_an_unknown_disease_is_refused(anatomy: tuple[Detail, Maps]) -> None:
    with pytest.raises(ValueError, match="tumour, plaques, cavity"):
        draw_disease("stroke", *anatomy, stream(0, "stroke"))


def test_plaques_keep_to_the_ventricles_and_the_cortex(anatomy: tuple[Detail, Maps]) -> None:
    detail, maps = anatomy
    disease = draw_disease("plaques", detail, maps, stream(3, "plaques"))
    here: NDArray[np.uint8] = detail.tissues[disease.box][disease.mask.numpy()]
    assert (here == WHITE).mean() > 0.5
