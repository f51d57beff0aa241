import numpy as np
import torch

from core.acquisition import Acquisition, thick, whole
from core.diffusion.constraints import null_space
from core.imaging.superres.prepared import measured_part


def test_the_null_space_is_not_measured_and_left_alone_by_a_second_look() -> None:
    acquisition = Acquisition((thick(8, 2, profile="gaussian"), whole(10), thick(12, 3)))
    parts = [torch.from_numpy(measured_part(axis))[None] for axis in acquisition.axes]
    values = torch.randn(1, 1, 8, 10, 12, generator=torch.Generator().manual_seed(0))
    kept = null_space(values, parts)
    assert np.abs(acquisition.measure(kept[0, 0].numpy())).max() < 1e-5
    assert torch.allclose(null_space(kept, parts), kept, atol=1e-5)
    assert 0.5 < float(kept.square().mean()) < 1


def test_nothing_is_free_where_every_voxel_was_measured() -> None:
    parts = [torch.eye(6)[None]] * 3
    assert null_space(torch.randn(1, 1, 6, 6, 6), parts).abs().max() < 1e-6
