from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from core.acquisition import Acquisition, Axis, Profile, whole
from core.anatomy.head import Head
from core.files.nifti import Stored, write_stored
from core.imaging.superres import slice_width as module
from core.imaging.superres.geometry import LATER, describe_geometry, explain, geometry
from core.imaging.superres.run import read_case
from core.imaging.superres.slice_width import SliceWidth, slice_width
from core.presentation import GivenScan
from core.tasks import find
from core.volume import Volume

Float = NDArray[np.float32]
SIDE = 112
TASK = find("superres")


@cache
def tissue() -> Float:
    """Lumps of two tissues that look alike along every axis, in a ball; voxels of 1 mm."""
    rng = np.random.default_rng(0)
    lumps = ndimage.gaussian_filter(rng.standard_normal((SIDE,) * 3, dtype=np.float32), 2.5) > 0
    ball = np.sqrt(np.square(np.indices(lumps.shape) - (SIDE - 1) / 2).sum(axis=0)) < 54
    image = np.where(ball, np.where(lumps, 1000, 600), 0).astype(np.float32)
    return np.asarray(ndimage.gaussian_filter(image, 0.6), np.float32)


def scan(distance: float, width: float, profile: Profile, across: int = 2) -> tuple[Volume, Head]:
    count = int(SIDE / distance) - 1
    axis = Axis(SIDE, count, distance, width, (SIDE - 1 - distance * (count - 1)) / 2, profile)
    x, y, z = (axis if other == across else whole(SIDE) for other in range(3))
    image = Acquisition((x, y, z)).measure(tissue())
    spacing = [distance if other == across else 1.0 for other in range(3)]
    volume = Volume(image, np.diag([*spacing, 1.0]))
    return volume, Head("brain", image > 100, 660.0)


@pytest.fixture
def alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is looked at is alike along every axis, as heads are not."""
    monkeypatch.setattr(module, "USUAL", (0.0, 0.0, 0.0))


@pytest.mark.usefixtures("alike")
@pytest.mark.parametrize(
    ("distance", "width", "profile"),
    [
        (3.0, 3.0, "box"),
        (4.0, 4.0, "box"),
        (4.0, 2.8, "box"),
        (4.0, 6.0, "box"),
        (6.0, 8.0, "box"),
        (2.5, 2.0, "box"),
        (4.8, 4.0, "box"),
        (4.0, 4.0, "gaussian"),
        (5.0, 4.0, "gaussian"),
        (6.0, 6.0, "gaussian"),
    ],
)
def test_the_width_of_slices_is_found(distance: float, width: float, profile: Profile) -> None:
    found = slice_width(*scan(distance, width, profile), 2, profile)
    assert found is not None
    assert found.width == pytest.approx(width, rel=0.12)
    assert abs(found.width - width) < 2 * found.deviation
    assert found.distance == pytest.approx(distance)


@pytest.mark.usefixtures("alike")
@pytest.mark.parametrize("across", [0, 1])
def test_slices_may_lie_across_any_axis(across: int) -> None:
    found = slice_width(*scan(4, 4, "box", across), across, "box")
    assert found is not None and found.width == pytest.approx(4, rel=0.12) and not found.certain


@pytest.mark.usefixtures("alike")
def test_noise_makes_an_estimate_less_certain_and_no_other() -> None:
    volume, head = scan(4, 6, "box")
    noise = np.random.default_rng(1).normal(scale=60, size=volume.data.shape).astype(np.float32)
    plain = slice_width(volume, head, 2, "box")
    noisy = slice_width(Volume(volume.data + noise, volume.affine), head, 2, "box")
    assert plain is not None and noisy is not None
    assert noisy.deviation > plain.deviation and abs(noisy.width - 6) < 2 * noisy.deviation


def test_few_slices_coarse_planes_and_empty_heads_have_no_estimate() -> None:
    volume, head = scan(4, 4, "box")
    few = Volume(volume.data[:, :, :15], volume.affine)
    assert slice_width(few, Head("brain", head.mask[:, :, :15], 300.0), 2, "box") is None
    coarse = Volume(volume.data, np.diag([2.0, 2.0, 4.0, 1.0]))
    assert slice_width(coarse, head, 2, "box") is None
    nothing = Head("head", np.zeros_like(head.mask), 0.0)
    assert slice_width(volume, nothing, 2, "box") is None


@pytest.mark.usefixtures("alike")
def test_a_whole_head_is_looked_at_where_its_brain_is() -> None:
    volume, head = scan(4, 4, "box")
    shell = ndimage.binary_erosion(head.mask, iterations=2)
    striped = np.where(shell, volume.data, 3000 * (np.arange(volume.data.shape[2]) % 2)).astype(np.float32)
    whole_head = Head("head", head.mask, 2900.0)
    inner = slice_width(Volume(striped, volume.affine), whole_head, 2, "box")
    as_brain = slice_width(Volume(striped, volume.affine), head, 2, "box")
    assert inner is not None and as_brain is not None
    assert abs(inner.width - 4) < 0.6 < abs(as_brain.width - 4)


def test_an_estimate_counts_where_nothing_else_is_known_and_it_is_certain() -> None:
    shape, affine, params = (60, 60, 24), np.diag([1.0, 1.0, 4.0, 1.0]), TASK.parse({})
    wide, unsure = SliceWidth(5.6, 0.4, 4.0), SliceWidth(4.6, 0.4, 4.0)
    found = geometry(shape, affine, params, estimated=wide)
    assert found.thickness[2] == pytest.approx(5.6) and found.acquisition.axes[2].thickness == pytest.approx(5.6)
    text = describe_geometry(found)[1]
    assert "overlapping by 1.6 mm (estimated from the scan: 5.6 mm" in text and "overrules" in text
    assert any("overlap" in notice for notice in found.notices)
    same = geometry(shape, affine, params, estimated=unsure)
    assert same.acquisition == geometry(shape, affine, params).acquisition
    assert "suggests 4.6 mm" in describe_geometry(same)[1]
    # a gap is named alone: to be wrong about it costs as much as it is worth
    gap = geometry(shape, affine, params, estimated=SliceWidth(1.5, 0.4, 4.0))
    assert gap.thickness[2] == pytest.approx(4) and "suggests 1.5 mm" in describe_geometry(gap)[1]
    stated = geometry(shape, affine, params, (2, 3.2), wide)
    given = geometry(shape, affine, TASK.parse({"thickness": 4}), None, wide)
    assert stated.thickness[2] == pytest.approx(3.2) and given.thickness[2] == pytest.approx(4)


def test_a_job_takes_the_width_of_its_slices_unless_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "image.nii.gz"
    volume, _ = scan(4, 7.5, "box")
    write_stored(path, Stored(np.round(volume.data).astype(np.int16), volume.affine))
    case = read_case({"image": path}, TASK.parse({}))
    assert case.found.thickness[2] > 6
    assert any("estimated from the scan" in note.text for note in case.notes)
    assert read_case({"image": path}, TASK.parse({"thickness": 4})).found.thickness[2] == pytest.approx(4)


def test_the_page_promises_an_estimate_only_where_nothing_is_known() -> None:
    scan = GivenScan((60, 60, 24), (1.0, 1.0, 4.0))
    texts = [note.text for note in explain({"image": scan}, TASK.parse({}))]
    assert LATER in texts
    known = [note.text for note in explain({"image": replace(scan, slices=(2, 3.0))}, TASK.parse({}))]
    given = [note.text for note in explain({"image": scan}, TASK.parse({"thickness": 4}))]
    assert LATER not in known and LATER not in given
