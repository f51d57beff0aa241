from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.anatomy.brain import Brain
from core.anatomy.brain_network import WEIGHTS
from core.anatomy.head import find_head
from core.contrasts import CANNOT_KNOW
from core.errors import UserError
from core.events import finish
from core.files.nifti import Stored, write_stored
from core.imaging.translate import sources
from core.imaging.translate.sources import Gathered, gather
from core.result import Note
from core.volume import Volume
from tests.core.brains import brain, grid, rigid, write
from tests.core.made_heads import heads


def gathered(inputs: Mapping[str, Path], target: str = "flair", moving: bool = True) -> Gathered:
    return finish(gather(inputs, target, moving))


def refused(inputs: Mapping[str, Path], target: str = "flair", moving: bool = True) -> UserError:
    with pytest.raises(UserError) as caught:
        gathered(inputs, target, moving)
    return caught.value


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two contrasts of one head, which lie right."""
    folder, there = tmp_path_factory.mktemp("pair"), grid(1.0, (104, 124, 100))
    return {name: write(folder, name, brain(name, *there)) for name in ("t1", "t2")}


def moved(folder: Path, name: str, matrix: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Path:
    still = brain(name, *grid(1.0, (104, 124, 100)))
    return write(folder, f"{name}-moved", Volume(still.data, matrix @ still.affine))


def thousandfold(scan: Volume) -> Volume:
    """Return ``scan`` in units that whole numbers hold."""
    return Volume(1000 * scan.data, scan.affine)


def test_sources_that_lie_right_keep_their_voxels(pair: dict[str, Path]) -> None:
    found = gathered(pair)
    for name in pair:
        np.testing.assert_array_equal(
            found.sources.images[name], np.rint(brain(name, *grid(1.0, (104, 124, 100))).data)
        )
    assert found.grid.name == "t1"
    head, _, alignment, fits, warning = found.notes
    assert alignment == Note("info", "T2 lies on T1, to within 0.0 mm.")
    assert warning == Note("warning", CANNOT_KNOW["flair"])
    assert fits.level == "info" and fits.text.startswith("T2 and T1 show one head: ")
    assert head.level == "info" and "skull-stripped" in head.text
    # the brain is what is not empty, to the voxel
    np.testing.assert_array_equal(found.sources.brain, found.sources.images["t1"] > 0)


def test_sources_that_look_like_others_are_warned_of(pair: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "mistaken", lambda contrast, volume, head: (Note("warning", f"Not {contrast}."),))
    warned = [note.text for note in gathered(pair).notes if note.level == "warning"]
    assert warned[-2:] == ["Not t1.", "Not t2."]


def test_the_order_of_a_file_s_axes_does_not_matter(pair: dict[str, Path], tmp_path: Path) -> None:
    still = brain("t2", *grid(1.0, (104, 124, 100)))
    values = np.rint(still.data).astype(np.int16)
    turned = still.affine.copy()
    turned[:3, 0], turned[:3, 1] = still.affine[:3, 1], -still.affine[:3, 0]
    turned[:3, 3] += still.affine[:3, 0] * (values.shape[0] - 1)
    path = tmp_path / "turned.nii.gz"
    write_stored(path, Stored(np.ascontiguousarray(values[::-1].transpose(1, 0, 2)), turned))
    one, other = gathered(pair), gathered(pair | {"t2": path})
    np.testing.assert_array_equal(one.sources.images["t2"], other.sources.images["t2"])
    assert one.notes == other.notes


def test_a_source_that_lies_off_is_moved_and_the_sentence_has_the_numbers(
    pair: dict[str, Path], tmp_path: Path
) -> None:
    path = moved(tmp_path, "t2", rigid((2, 0, 4), (3, -5, 2)))
    found = gathered(pair | {"t2": path})
    sentence = found.notes[2].text
    assert sentence.startswith("T2 was moved by ")
    assert sentence.endswith(" degrees onto T1.")
    words = sentence.split()
    assert float(words[4]) == pytest.approx(6.4, abs=0.5)
    assert float(words[7]) == pytest.approx(4.5, abs=0.3)
    truth = brain("t2", *grid(1.0, (104, 124, 100))).data
    inside = found.sources.brain
    # most voxels hold their own tissue again: 300, 420 or 900
    assert np.median(np.abs(found.sources.images["t2"][inside] - truth[inside])) < 40
    error = refused(pair | {"t2": path}, moving=False)
    assert error.code == "sources_misaligned"
    assert sentence.removeprefix("T2 was moved by ").removesuffix(" onto T1.") in error.message


@pytest.mark.parametrize(
    ("matrix", "code"),
    [(rigid((0, 0, 0), (500, 0, 0)), "sources_elsewhere"), (rigid((0, 0, 0), (0, 75, 0)), "registration_failed")],
)
def test_what_lies_too_far_is_refused(
    pair: dict[str, Path], tmp_path: Path, matrix: np.ndarray[tuple[int, int], np.dtype[np.float64]], code: str
) -> None:
    assert refused(pair | {"t2": moved(tmp_path, "t2", matrix)}).code == code


@pytest.mark.parametrize("off", [(0, 0, 0), (4, -3, 2)])
def test_the_scan_of_another_person_is_warned_of_wherever_it_lies(
    pair: dict[str, Path], tmp_path: Path, off: tuple[float, float, float]
) -> None:
    moving = Volume(heads(3)["t2"].data, rigid((0, 0, 2), off) @ heads(3)["t2"].affine)
    scans = {
        "t1": write(tmp_path, "first", thousandfold(heads(2)["t1"])),
        "t2": write(tmp_path, "other", thousandfold(moving)),
    }
    warned = [note.text for note in gathered(scans).notes if note.level == "warning"]
    assert any(text.startswith("T2 and T1 seem to be of two people: ") and "% of " in text for text in warned)


def test_noise_is_no_source(pair: dict[str, Path], tmp_path: Path) -> None:
    affine, shape = grid(1.0, (104, 124, 100))
    noise = np.random.default_rng(1).normal(300, 100, shape).astype(np.float32)
    affine[:3, 3] += 6
    path = write(tmp_path, "noise", Volume(noise, affine))
    assert refused(pair | {"t2": path}).code == "registration_failed"


def test_slots_are_checked_before_anything_is_read(tmp_path: Path) -> None:
    absent = tmp_path / "absent.nii.gz"
    assert refused({"flair": absent, "t1": absent}).code == "target_given"
    assert refused({"reference": absent}).code == "no_source"


def test_one_scan_in_two_slots_is_refused(pair: dict[str, Path]) -> None:
    error = refused(pair | {"t2": pair["t1"]})
    assert error.code == "same_file_twice"
    assert error.message == "T1 and T2 are the same scan."


def test_the_sharpest_source_gives_the_grid_and_coarse_ones_come_to_it(pair: dict[str, Path], tmp_path: Path) -> None:
    affine, shape = grid(2.0)
    coarse = write(tmp_path, "coarse", brain("t1", affine, shape))
    found = gathered(pair | {"t1": coarse})
    assert found.grid.name == "t2"
    assert found.sources.images["t1"].shape == found.grid.volume.data.shape
    truth = brain("t1", *grid(1.0, (104, 124, 100))).data
    inside = found.sources.brain
    assert np.corrcoef(found.sources.images["t1"][inside], truth[inside])[0, 1] > 0.8


def test_the_work_is_done_at_one_millimetre_and_brought_back(tmp_path: Path) -> None:
    affine, shape = grid(2.0)
    path = write(tmp_path, "t1", brain("t1", affine, shape))
    found = gathered({"t1": path})
    assert found.sources.brain.shape == tuple(2 * side for side in shape)
    back = found.back(found.sources.images["t1"])
    assert back.shape == shape
    assert not back[~found.brain].any()
    truth = brain("t1", affine, shape).data
    assert np.abs(back - truth)[found.brain].mean() < 0.1 * truth[found.brain].mean()


def test_what_a_source_does_not_cover_is_left_out_and_said(pair: dict[str, Path], tmp_path: Path) -> None:
    affine, shape = grid(1.0, (104, 124, 100))
    t2 = brain("t2", affine, shape)
    affine = affine.copy()
    affine[2, 3] += 20
    path = write(tmp_path, "part", Volume(t2.data[:, :, 20:], affine))
    found = gathered(pair | {"t2": path})
    assert any(note.level == "warning" and note.text.startswith("T2 covers 9") for note in found.notes)
    assert not found.sources.brain[:, :, :20].any()
    assert found.sources.brain[:, :, 21:].any()


def test_slightly_negative_voxels_are_no_trouble(pair: dict[str, Path], tmp_path: Path) -> None:
    t2 = brain("t2", *grid(1.0, (104, 124, 100)))
    values = t2.data.copy()
    values[40:44, 50:54, 50:54] = -7
    found = gathered(pair | {"t2": write(tmp_path, "negative", replace(t2, data=values))})
    assert found.sources.brain[41:43, 51:53, 51:53].all()
    assert found.weights == ()


def test_of_a_whole_head_the_brain_alone_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    affine, shape = grid(1.0, (128, 148, 124))
    head = brain("t1", affine, shape, whole=True)
    truth = brain("t1", affine, shape).data > 0
    # the bone alone parts a head this small from a stripped brain
    monkeypatch.setattr(sources, "find_brain", lambda volume: Brain(truth, WEIGHTS))
    monkeypatch.setattr(sources, "find_head", lambda volume: replace(find_head(volume), kind="head"))
    found = gathered({"t1": write(tmp_path, "t1", head)})
    np.testing.assert_array_equal(found.sources.brain, truth)
    assert "whole head" in found.notes[0].text and "by the networks of deepbet" in found.notes[0].text
    assert found.weights == WEIGHTS
    monkeypatch.setattr(sources, "find_brain", lambda volume: Brain(np.zeros(shape, bool), ()))
    assert refused({"t1": tmp_path / "t1.nii.gz"}).code == "no_brain"
