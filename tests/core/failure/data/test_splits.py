import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.failure.data.splits import NO_GROUPS, folds, split
from core.spectra.patches import PatchSet


def patches(labels: list[int], groups: list[int] | None) -> PatchSet:
    count = len(labels)
    return PatchSet(
        np.zeros((count, 2, 1, 1), np.float32),
        np.array([1000.0, 1600.0]),
        np.array(labels, np.int64),
        tuple(f"class {each}" for each in range(max(labels, default=0) + 1)),
        None if groups is None else np.array(groups, np.int64),
    )


@given(st.integers(0, 1000), st.lists(st.integers(1, 9), min_size=9, max_size=25), st.booleans())
def test_no_group_lies_in_two_parts(seed: int, sizes: list[int], pure: bool) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes).tolist()
    labels = [group % 3 if pure else position % 3 for position, group in enumerate(groups)]
    if len(set(labels)) < 3:
        labels[:3], groups[:3] = [0, 1, 2], [100, 101, 102]
    given_patches = patches(labels, groups)
    try:
        found = split(given_patches, (0.6, 0.4), seed)
    except UserError as error:
        assert error.code == "too_few_groups"
        return
    assert found.by == "group"
    assert sorted(np.concatenate(found.parts)) == list(range(len(labels)))
    shared = set(np.array(groups)[found.parts[0]]) & set(np.array(groups)[found.parts[1]])
    assert not shared


@pytest.mark.parametrize("groups", [None, list(range(60)) * 4])
def test_shares_and_classes_are_kept(groups: list[int] | None) -> None:
    labels = [position % 4 for position in range(240)]
    given_patches = patches(labels, groups)
    found = split(given_patches, (0.5, 0.25, 0.25), 0)
    assert [len(part) for part in found.parts] == pytest.approx([120, 60, 60], abs=8)
    for part, wanted in zip(found.parts, (30, 15, 15), strict=True):
        assert np.bincount(given_patches.labels[part]) == pytest.approx([wanted] * 4, abs=4)
    again = split(given_patches, (0.5, 0.25, 0.25), 0)
    assert all((one == other).all() for one, other in zip(found.parts, again.parts, strict=True))
    assert found.notices == ((NO_GROUPS,) if groups is None else ())
    assert not np.array_equal(found.parts[0], split(given_patches, (0.5, 0.25, 0.25), 1).parts[0])


def test_a_random_split_is_refused_where_groups_are_known() -> None:
    with pytest.raises(UserError, match="random_split"):
        split(patches([0, 1] * 10, [0, 1, 2, 3] * 5), (0.5, 0.5), 0, by="patch")
    assert split(patches([0, 1] * 10, None), (0.5, 0.5), 0, by="patch").by == "patch"


def test_a_split_by_group_needs_groups() -> None:
    with pytest.raises(UserError, match="no_groups"):
        split(patches([0, 1] * 10, None), (0.5, 0.5), 0, by="group")


def test_one_patient_of_a_class_is_too_few() -> None:
    with pytest.raises(UserError, match="too_few_groups"):
        split(patches([0, 0, 0, 1, 1, 1], [0, 1, 2, 3, 3, 3]), (0.5, 0.5), 0)


@pytest.mark.parametrize("by", ["group", "patch"])
def test_folds_cover_everything_once(by: str) -> None:
    groups = np.repeat(np.arange(20), 6).tolist()
    given_patches = patches([group % 2 for group in groups], groups)
    found = folds(given_patches, 5, 0, "group" if by == "group" else "patch")
    assert sorted(np.concatenate(found)) == list(range(120))
    touched = [set(np.array(groups)[part]) for part in found]
    assert (sum(len(each) for each in touched) == 20) == (by == "group")
