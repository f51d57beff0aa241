import numpy as np
import pytest
import torch

from core.diffusion.error_spectrum import WIDTHS, correlation, smooth_noise
from core.diffusion.schedule import GRID
from core.nets import build
from core.train.batch import Batch
from core.train.presets import Preset
from core.train.residual_spectrum import LAGS, measure, shares

TINY = Preset("tiny", "tiny", "inpaint", "volume_net", {"widths": [8, 8], "blocks": [1, 1], "context": 2})


def test_the_shares_of_a_mixture_are_found() -> None:
    mixture = (0.1, 0.4, 0.0, 0.5, 0.0)
    lags = torch.arange(LAGS)
    field = sum(share * correlation(width, lags).double().numpy() for share, width in zip(mixture, WIDTHS, strict=True))
    assert shares(np.asarray(field)) == pytest.approx(mixture, abs=1e-3)


@pytest.mark.parametrize("width", [WIDTHS[0], WIDTHS[2]])
def test_the_errors_of_a_network_that_says_nothing_are_its_targets(width: float) -> None:
    # untrained, it predicts 0 with variance 1
    network = build(TINY.architecture, TINY.config).eval()
    generator = torch.Generator().manual_seed(0)
    target = smooth_noise(torch.Size((1, 1, 48, 48, 48)), width, generator).numpy()
    region = np.zeros_like(target)
    region[..., 4:44, 4:44, 6:40] = 1
    batch = Batch(np.zeros((1, 2, 48, 48, 48), np.float32), target * region, region)
    found = measure(network, TINY, [batch], "cpu")
    assert len(found) == GRID
    for row in found:
        assert row[WIDTHS.index(width)] == pytest.approx(1, abs=0.1)
        assert sum(row) == pytest.approx(1, abs=0.1)
