from pathlib import Path

import numpy as np
import pytest

from core.contrasts import CONTRASTS
from core.train import cubes
from core.train.contrast_subjects import FACE, REACH, read, subjects
from core.train.heldout import TUMOUR
from core.train.pack import PackedSet, pack


def write_cubes(path: Path, people: list[int], boxes: list[list[int]] | None = None) -> np.ndarray:
    """Write cubes of ``people``, each a slope along the stored X, and return them."""
    slope = cubes.ZERO + 1 + np.arange(cubes.SIDE, dtype=np.uint8)[:, None, None]
    one = np.broadcast_to(slope, (cubes.SIDE,) * 3).copy()
    one[:, :4] = cubes.ZERO
    values = np.broadcast_to(one, (len(people), 4, *one.shape)).copy()
    values[:, 1] = np.where(one == cubes.ZERO, cubes.ZERO, one + 20)
    path.parent.mkdir(parents=True, exist_ok=True)
    given = boxes or [[44, 84, 44, 84, 44, 84]] * len(people)
    np.savez(
        path,
        cubes=values,
        contrasts=np.array(CONTRASTS),
        person=np.array(people, np.int16),
        box=np.array(given, np.int16),
    )
    return values


def test_who_is_there_as_a_whole_is_left_out_and_one_in_twelve_is_never_learnt_from(tmp_path: Path) -> None:
    write_cubes(tmp_path / "cubes.npz", [0, 0, 1, *cubes.ALSO_WHOLE, *range(400, 430)])
    people = cubes.people(tmp_path / "cubes.npz")
    assert set(people) == {"000", "001", *map(str, range(400, 430))}
    held_out = [person for person, split in people.items() if split == "validation"]
    assert len(held_out) == -(-len(people) // cubes.ONE_IN)


def test_cubes_turn_from_left_and_back_to_right_and_front_with_their_place(tmp_path: Path) -> None:
    boxes = [[54, 74, 44, 84, 0, 8], [-1] * 6]
    stored = write_cubes(tmp_path / "cubes.npz", [7, 7], boxes)
    own = cubes.read(tmp_path / "cubes.npz", "007")
    # the second has no place
    assert own.values.shape == (1, 4, 32, 32, 32)
    assert np.array_equal(own.values[0, 2], stored[0, 2, ::-1, ::-1])
    # voxels 48 to 79 and 48 to 79 of an axis to the left and one to the back, and the lowest 32 slices
    assert own.corners[0] == pytest.approx([-79 * 239 / 127, 239 - 79 * 239 / 127, 0], abs=1e-3)


def test_a_cube_in_millimetres_keeps_its_scores_and_its_border(tmp_path: Path) -> None:
    write_cubes(tmp_path / "cubes.npz", [7])
    scores, brain = cubes.millimetres(cubes.read(tmp_path / "cubes.npz", "007").values[0])
    assert brain.shape == (60, 60, 39)
    assert set(scores) == set(CONTRASTS)
    # a slope of 1 / 16 a voxel, that is, 1 / 16 / 1.88 a millimetre, from right to left
    middle = scores["t1"][10:50, 20, 20]
    assert np.diff(middle) == pytest.approx(-32 / 60 / 16, abs=0.003)
    np.testing.assert_allclose((scores["t1ce"] - scores["t1"])[5:-5, 5:40, 5:-5], 20 / 16, atol=0.02)
    assert not brain[:, -6:].any() and brain[:, :50].all()
    assert not scores["t1"][~brain].any()


def test_the_middle_of_a_usual_brain_is_the_middle_of_its_places() -> None:
    corner = np.array([(box.start + box.stop - 1) / 2 for box in cubes.BRAIN_MM], np.float32)
    first = (corner + cubes.STEP_MM / 2).astype(np.float32)
    place = cubes.positions(first, (60, 60, 39), 2)
    assert place.shape == (3, 64, 64, 43)
    # half a voxel before the centre of the first voxel of the cube itself
    assert np.abs(place[:, 1:3, 1:3, 1:3].mean(axis=(1, 2, 3))).max() < 0.01
    assert (np.diff(place[0], axis=0) > 0).all() and (np.diff(place[2], axis=2) > 0).all()


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> PackedSet:
    folder: Path = tmp_path_factory.mktemp("cubes")
    write_cubes(folder / "train/gliomas/cubes.npz", list(range(5)))
    pack(folder, folder / "set.npz", ("train",), lambda text: None)
    return PackedSet(folder / "set.npz")


def test_people_in_cubes_are_packed_for_translation_alone(packed: PackedSet) -> None:
    assert [item.name for item in subjects(packed)] == ["cube-001", "cube-002", "cube-003", "cube-004"]
    assert [item.name for item in subjects(packed, "validation")] == ["cube-000"]
    assert packed.learnt_from("inpaint") == packed.learnt_from("superres") == []
    assert TUMOUR not in {item.name for item in packed.items}


def test_only_the_inside_of_a_cube_teaches_and_its_surroundings_are_its_mirror_image(packed: PackedSet) -> None:
    subject = read(packed, subjects(packed)[0], np.random.default_rng(0))
    assert subject.brain.shape == (60 + 2 * REACH, 60 + 2 * REACH, 39 + 2 * REACH)
    outer = np.ones(subject.brain.shape, bool)
    edge = REACH + FACE
    outer[edge:-edge, edge:-edge, edge:-edge] = False
    assert not subject.useful[outer].any()
    assert np.array_equal(subject.useful[~outer], subject.brain[~outer])
    image = subject.images["t1"]
    assert np.array_equal(image[REACH + 1 : 2 * REACH + 1], image[:REACH][::-1])


def test_a_cube_has_the_median_of_some_whole_brain(packed: PackedSet) -> None:
    item = subjects(packed)[0]
    levels = []
    for seed in range(12):
        subject = read(packed, item, np.random.default_rng(seed))
        levels.append(float(subject.images["flair"][subject.useful].mean()))
    assert np.std(levels) == pytest.approx(cubes.MEDIANS["flair"][1], rel=0.5)
