from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import UserError
from core.failure.data.columns import groups_of, labels_of
from core.failure.data.labelled_patches import EACH_ITS_OWN, RAMAN, patches_of
from core.failure.data.reading_options import Options, names_of, positions_of, range_of

COUNT, AT = 12, np.linspace(1000.0, 1700.0, 20)


def arrays(**columns: object) -> dict[str, NDArray[Any]]:
    spectra = 0.2 + np.random.default_rng(0).random((COUNT, 20))
    return {"spectra": spectra, "wavenumbers": AT, **{name: np.asarray(value) for name, value in columns.items()}}


KIND = np.array(["a", "b"] * 6)
PLACE = np.arange(12) % 3


@pytest.mark.parametrize(
    "name", ["Class", "LABEL", "label", "Diagnosis", "tissue", "Tissue type", "cell_type", "y", "Y", "target"]
)
def test_labels_by_name(name: str) -> None:
    assert labels_of(arrays(**{name: KIND, "batch": PLACE})) is not None


def test_a_class_goes_before_a_place() -> None:
    found = labels_of(arrays(x=PLACE, y=PLACE, **{"class": KIND}))
    assert found is not None and found.tolist() == KIND.tolist()
    assert labels_of(arrays(x=PLACE, y=PLACE)) is None
    assert labels_of(arrays(y=PLACE)) is not None


def test_a_group_may_be_a_class_where_patients_are_known() -> None:
    found = labels_of(arrays(group=KIND, patient_id=PLACE))
    assert found is not None and found.tolist() == KIND.tolist()
    assert labels_of(arrays(group=KIND)) is None


@pytest.mark.parametrize(
    "name", ["Patient", "patient_id", "PatientID", "donor", "Subject", "Slide", "sample", "Case ID"]
)
def test_patients_by_name(name: str) -> None:
    found = groups_of(arrays(**{name: PLACE, "class": KIND}))
    assert found is not None and found.tolist() == PLACE.tolist()


def test_a_group_that_never_repeats_comes_last_and_is_warned_of() -> None:
    unique = np.arange(12)
    found = groups_of(arrays(patient=unique, slide=PLACE))
    assert found is not None and found.tolist() == PLACE.tolist()
    loaded = patches_of(arrays(sample=unique, **{"class": KIND}))
    assert EACH_ITS_OWN in loaded.notices


def test_columns_that_the_user_names() -> None:
    given = arrays(first=KIND, second=PLACE, **{"class": PLACE})
    loaded = patches_of(given, Options(labels="First", groups="second"))
    assert loaded.patches.classes == ("a", "b")
    assert loaded.patches.groups is not None and loaded.patches.groups.tolist() == PLACE.tolist()
    with pytest.raises(UserError, match="first") as caught:
        patches_of(given, Options(labels="other"))
    assert caught.value.code == "no_labels"
    with pytest.raises(UserError, match="no_groups"):
        patches_of(given, Options(groups="other"))


def test_no_label_is_no_class_and_missing_numbers_are_never_zero() -> None:
    labels = np.array([0.0, 1] * 5 + [np.nan, -1])
    given = arrays(label=labels)
    given["spectra"][0, 3] = np.nan
    given["spectra"][1] = np.nan
    loaded = patches_of(given)
    assert loaded.patches.classes == ("0", "1") and len(loaded.patches) == 9
    expected = (given["spectra"][0, 2] + given["spectra"][0, 4]) / 2
    assert loaded.patches.ir[0, 3, 0, 0] == pytest.approx(expected, rel=1e-5)


def test_names_of_classes() -> None:
    numbers = np.array([1, 2, 3] * 4)
    assert patches_of(arrays(y=numbers), Options(classes=("a", "b", "c"))).patches.classes == ("a", "b", "c")
    merged = patches_of(arrays(y=numbers), Options(classes=("1=fat", "3=fat"))).patches
    assert merged.classes == ("fat", "2") and merged.labels.tolist() == [0, 1, 0] * 4
    for wrong in (("a", "b"), ("9=a",), ("a", "2=b", "c")):
        with pytest.raises(UserError, match="bad_parameter"):
            patches_of(arrays(y=numbers), Options(classes=wrong))
    with pytest.raises(UserError, match="measurements"):
        patches_of(arrays(age=np.linspace(20, 70, 12)), Options(labels="age"))


def test_positions_and_ranges_that_the_user_gives() -> None:
    given = arrays(**{"class": KIND})
    moved = patches_of(given, Options(positions=(1100.0, 1800.0))).patches.wavenumbers
    assert (moved[0], moved[-1]) == (1100, 1800)
    listed = patches_of(given, Options(positions=tuple(1e4 / AT), axis="micrometre")).patches.wavenumbers
    np.testing.assert_allclose(listed, AT)
    kept = patches_of(given, Options(keep=(1200, 1500), bands=4)).patches
    assert kept.ir.shape[1] == 4 and kept.wavenumbers.min() >= 1200
    loaded = patches_of(given, Options(technique="raman"))
    assert loaded.patches.raman and loaded.patches.take(np.arange(3)).raman and RAMAN in loaded.notices
    assert np.median(loaded.patches.spectra().max(axis=1)) == pytest.approx(1)


@pytest.mark.parametrize("text", ["1000", "a-b", "1000-", "1000 x 3"])
def test_positions_that_are_none(text: str) -> None:
    with pytest.raises(UserError, match="bad_parameter"):
        positions_of(text)


def test_texts_of_options() -> None:
    assert positions_of("-100 to 3000") == (-100, 3000)
    assert range_of("1800-900") == (900, 1800) and range_of("") is None
    assert names_of(" a , b,") == ("a", "b")
    with pytest.raises(UserError, match="bad_parameter"):
        range_of("900")
