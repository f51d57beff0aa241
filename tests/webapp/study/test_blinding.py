from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import UserError
from core.volume import Volume
from tests.phantom import make_phantom
from webapp.study import blinding as blind

GRID = np.diag([6.0, 6.0, 6.0, 1.0])


def pair() -> tuple[Volume, Volume]:
    """Return a head, and the same without noise around it, in other units and with a little less skin."""
    first = make_phantom().volume
    rng = np.random.default_rng(1)
    noisy = first.data + np.abs(rng.normal(0, 3, first.data.shape)).astype(np.float32)
    return Volume(noisy, first.affine), Volume(first.data * 7 + 100, first.affine)


def test_files_of_two_images_differ_only_in_their_voxels(tmp_path: Path) -> None:
    images = pair()
    head = blind.head_of("c", images)
    frame = blind.frame_of((6.0, 6.0, 6.0), [head])
    files = []
    for number, image in enumerate(images):
        window = blind.window_of([image.data[head.box][head.mask]])
        blind.write(tmp_path / f"{number}.nii", blind.encoded(image.data, head, window, frame), frame)
        files.append((tmp_path / f"{number}.nii").read_bytes())
    assert len(files[0]) == len(files[1])
    assert files[0][:352] == files[1][:352]
    assert files[0] != files[1]


def test_around_the_head_there_is_nothing_and_in_it_the_whole_range() -> None:
    images = pair()
    head = blind.head_of("c", images)
    frame = blind.frame_of((6.0, 6.0, 6.0), [head])
    made = [blind.encoded(one.data, head, blind.window_of([one.data[head.box][head.mask]]), frame) for one in images]
    inside = np.zeros(frame.shape, np.bool_)
    inside[blind.place(head, frame)] = head.mask
    for image in made:
        assert image.dtype == np.uint8
        assert np.array_equal(image > 0, inside)
        assert image[inside].min() == 1
        assert image.max() == 255
    # other units, the same picture
    assert np.abs(made[0].astype(int) - made[1]).mean() < 3


def test_every_head_stands_in_the_middle_of_one_frame() -> None:
    small, large = make_phantom(GRID, (20, 22, 24)).volume, make_phantom(GRID, (26, 30, 28)).volume
    heads = [blind.head_of(name, [one]) for name, one in (("a", small), ("b", large))]
    frame = blind.frame_of((6.0, 6.0, 6.0), heads)
    for head in heads:
        for span, whole in zip(blind.place(head, frame), frame.shape, strict=True):
            assert span.start >= blind.MARGIN
            assert abs(span.start - (whole - span.stop)) <= 1
    assert np.allclose(frame.affine @ [*((np.array(frame.shape) - 1) / 2), 1], [0, 0, 0, 1])


def test_grids_that_differ_are_refused() -> None:
    first = make_phantom().volume
    moved = Volume(first.data, first.affine + np.array([[0, 0, 0, 1.0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]))
    with pytest.raises(UserError, match="study_grid"):
        blind.head_of("c", [first, moved])
    with pytest.raises(UserError, match="study_head"):
        blind.head_of("c", [Volume(np.zeros((20, 20, 20), np.float32), GRID)])


def test_one_voxel_size_for_all() -> None:
    assert blind.common_spacing([(1, 1, 1), (1.001, 1, 1), (2, 2, 2)]) == (1, 1, 1)
    first = make_phantom().volume
    assert blind.on_spacing(first, (6.0, 6.01, 6.0)) is first
    assert blind.on_spacing(first, (3.0, 3.0, 3.0)).data.shape == (52, 60, 56)
