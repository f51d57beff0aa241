import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from core.synth.fields import stream
from core.synth.labelmaps import CORTEX, CSF, TISSUES, WHITE
from core.synth.maps import Maps
from core.synth.signals import (
    CONTRASTS,
    draw_sequence,
    inversion_gradient_echo,
    inversion_spin_echo,
    spin_echo,
    with_gadolinium,
)

times = st.floats(50, 4000)


def tensor(value: float) -> Tensor:
    return torch.tensor([value], dtype=torch.float64)


@given(times, st.floats(0.1, 1.0), st.floats(1.1, 2.0))
def test_an_inversion_recovers_to_the_density_and_is_null_once(t1: float, density: float, depth: float) -> None:
    pd = tensor(density)
    assert inversion_gradient_echo(tensor(t1), pd, 60 * t1, depth).item() == pytest.approx(density)
    assert inversion_gradient_echo(tensor(t1), pd, 0.0, depth).item() == pytest.approx(density * (depth - 1))
    null = t1 * float(torch.log(tensor(depth)))
    assert inversion_gradient_echo(tensor(t1), pd, null, depth).item() == pytest.approx(0, abs=1e-9)


@given(times, times)
def test_a_spin_echo_at_its_limits(t1: float, t2: float) -> None:
    one = tensor(0.8)
    assert spin_echo(tensor(t1), tensor(t2), one, 0.0, 60 * t1).item() == pytest.approx(0.8)
    assert spin_echo(tensor(t1), tensor(t2), one, 60 * t2, 60 * t1).item() == pytest.approx(0, abs=1e-9)
    assert spin_echo(tensor(t1), tensor(t2), one, 0.0, 0.0).item() == 0


@given(times, times)
def test_flair_without_an_inversion_time_to_speak_of_is_a_spin_echo(t1: float, t2: float) -> None:
    late = inversion_spin_echo(tensor(t1), tensor(t2), tensor(1.0), 100.0, 60 * t1, 90 * t1)
    assert late.item() == pytest.approx(spin_echo(tensor(t1), tensor(t2), tensor(1.0), 100.0, 90 * t1).item())


def test_flair_nulls_the_fluid_that_its_inversion_time_is_chosen_for() -> None:
    t1, repetition = tensor(4000.0), 9000.0
    null = float(t1 * torch.log(2 / (1 + torch.exp(-repetition / t1))))
    assert 2200 < null < 2600
    assert inversion_spin_echo(t1, tensor(1600.0), tensor(1.0), 100.0, null, repetition).item() == pytest.approx(
        0, abs=1e-9
    )


@given(times, st.floats(0, 10))
def test_gadolinium_adds_relaxation_rates(t1: float, uptake: float) -> None:
    shortened = with_gadolinium(tensor(t1), tensor(uptake)).item()
    assert 1000 / shortened == pytest.approx(1000 / t1 + uptake)


@pytest.mark.parametrize("seed", range(8))
def test_contrasts_are_those_of_the_field(seed: int) -> None:
    columns = torch.tensor([(t.t1, t.t2, t.density, t.uptake) for t in TISSUES]).T
    maps = Maps(*columns)
    signal = {name: draw_sequence(name, stream(seed, name)).signal(maps) for name in CONTRASTS}
    ratio = {name: (values / values[WHITE]).tolist() for name, values in signal.items()}
    brain = range(CSF, 13)
    assert ratio["t1"][CORTEX] == pytest.approx(0.63, abs=0.06)
    for name in ("t1", "flair"):
        assert min(brain, key=lambda index: ratio[name][index]) == CSF
    assert max(brain, key=lambda index: ratio["t2"][index]) == CSF
    # fluid is not recovered at the repetition times of a PD scan
    assert 1.05 < ratio["pd"][CORTEX] < 1.3
    assert ratio["t1"][CSF] < 0.45
    assert ratio["flair"][CSF] < 0.3
    assert ratio["t2"][CSF] > 2.5
    assert ratio["t2"][CORTEX] > 1.3
    assert 1.1 < ratio["flair"][CORTEX] < 1.7
    assert ratio["t1ce"][13] > 1.2


def test_a_contrast_must_be_known() -> None:
    with pytest.raises(ValueError, match="t1, t1ce, t2, flair, pd"):
        draw_sequence("dwi", stream(0, "dwi"))
