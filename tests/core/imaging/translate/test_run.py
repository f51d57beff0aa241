from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contrasts import CANNOT_KNOW, CONTRASTS
from core.declaration import Context
from core.errors import UserError
from core.events import Finished, Progress
from core.files.nifti import read_volume
from core.imaging.reference import scores
from core.imaging.translate.run import Drawing, in_units_of
from core.imaging.translate.task import TASK
from core.result import Row
from core.volume import Volume
from tests.contract.phantom import write_tiny_networks
from tests.core.brains import brain, grid, write


@pytest.fixture(scope="module", autouse=True)
def networks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("weights")
    write_tiny_networks(folder, TASK.method("volume").networks())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERSCAN_WEIGHTS", str(folder))
        yield


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("scans")
    affine, shape = grid(1.0, (64, 76, 62))
    return {name: write(folder, name, brain(name, affine, shape, scale=0.45)) for name in CONTRASTS}


def translated(out: Path, inputs: dict[str, Path], **params: object) -> Finished:
    *steps, last = TASK.run(Context("cpu", out), inputs, TASK.parse({"samples": 1, **params}))
    fractions = [step.fraction for step in steps if isinstance(step, Progress)]
    assert fractions == sorted(fractions)
    assert isinstance(last, Finished)
    return last


def row(finished: Finished, method: str) -> Row:
    found = finished.result.row(method)
    assert found is not None
    return found


@pytest.mark.parametrize("target", CONTRASTS)
def test_every_target_is_made_from_all_others(scans: dict[str, Path], tmp_path: Path, target: str) -> None:
    sources = {name: path for name, path in scans.items() if name != target}
    done = translated(tmp_path, sources, target=target)
    assert set(done.files) == {"result", "uncertainty", "baseline-regression", "baseline-trees"}
    result, doubt = (read_volume(Path(done.files[name])).data for name in ("result", "uncertainty"))
    truth = brain(target, *grid(1.0, (64, 76, 62)), scale=0.45).data
    assert not result[truth == 0].any()
    assert not doubt[truth == 0].any()
    assert (doubt[truth > 0] > 0).all()
    assert done.result.texts("warning")[0] == CANNOT_KNOW[target]
    assert any("1000 stands for" in text for text in done.result.texts("info"))
    assert done.result.finding("target") == target
    assert done.result.finding("sources") == tuple(sources)
    assert row(done, "volume").values["uncertainty"] == pytest.approx(float(doubt[truth > 0].mean()), rel=1e-3)
    assert row(done, "regression").values["uncertainty"] is None


def test_with_a_reference_each_method_is_measured(scans: dict[str, Path], tmp_path: Path) -> None:
    done = translated(tmp_path, {"t1": scans["t1"], "reference": scans["flair"]})
    assert set(done.files) == {"result", "uncertainty", "baseline-regression", "baseline-trees", "error"}
    result, error, truth = (
        read_volume(path).data for path in (Path(done.files["result"]), Path(done.files["error"]), scans["flair"])
    )
    inside = truth > 0
    back = result - error
    # the truth itself, in the result's units
    np.testing.assert_allclose(back[inside] / truth[inside], (back / np.maximum(truth, 1))[inside][0], rtol=1e-3)
    assert np.median(back[inside]) == pytest.approx(float(np.median(result[inside])), rel=1e-3)
    for entry in done.result.table:
        assert entry.values.keys() >= {"psnr", "ssim", "mae"}


def test_a_reference_that_is_a_source_is_refused(scans: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        translated(tmp_path, {"t1": scans["t1"], "t2": scans["t2"], "reference": scans["t2"]})
    assert caught.value.code == "same_file_twice"
    assert "T2 and the reference" in caught.value.message
    assert not list(tmp_path.iterdir())


@given(st.floats(1e-3, 1e4), st.integers(0, 2**31))
def test_scores_do_not_depend_on_either_unit(unit: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (12, 12, 12)
    inside = np.ones(shape, bool)
    values, truth = (rng.uniform(1, 5, shape).astype(np.float32) for _ in range(2))
    plain = scores(values, in_units_of(values, truth, inside), inside)
    for first, second in ((values * np.float32(unit), truth), (values, truth * np.float32(unit))):
        other = scores(first, in_units_of(first, second, inside), inside)
        assert other["psnr"] == pytest.approx(plain["psnr"], abs=0.02)
        assert other["mae"] == pytest.approx(plain["mae"], rel=0.01)


def test_the_truth_itself_is_perfect_in_any_unit() -> None:
    truth = np.random.default_rng(0).uniform(1, 5, (12, 12, 12)).astype(np.float32)
    inside = np.ones(truth.shape, bool)
    measured = scores(truth * 8, in_units_of(truth * 8, truth, inside), inside)
    assert measured["mae"] == 0
    assert measured["ssim"] == 1


def test_with_a_scan_of_the_scanner_the_result_has_its_intensities(scans: dict[str, Path], tmp_path: Path) -> None:
    head = read_volume(scans["t2"])
    inside = head.data > 0
    other = Volume(np.where(inside, 2 * head.data + 300, 0).astype(np.float32), head.affine)
    given_scan = write(tmp_path, "someone", other)
    inputs = {"t1": scans["t1"]}
    for name in "ab":
        (tmp_path / name).mkdir()
    without = translated(tmp_path / "a", inputs, target="t2")
    done = translated(tmp_path / "b", {**inputs, "scanner": given_scan, "reference": given_scan}, target="t2")
    brain_of = read_volume(Path(without.files["result"])).data > 0
    first, second = (read_volume(Path(each.files["result"])).data[brain_of] for each in (without, done))
    assert np.corrcoef(first, second)[0, 1] > 0.999
    assert float(second.mean()) == pytest.approx(float(other.data[inside].mean()), rel=0.02)
    assert any("those of the scanner" in note.text for note in done.result.notes)
    assert not any("arbitrary units" in note.text for note in done.result.notes)
    # a reference is compared in the scanner's own units, the plain methods are drawn by it as well
    assert row(done, "volume").number("psnr") is not None
    assert {"baseline-regression", "baseline-trees", "error"} <= set(done.files)


def test_the_networks_that_found_a_brain_are_among_those_of_the_run() -> None:
    nothing: Any = SimpleNamespace(weights=())
    found: Any = SimpleNamespace(weights=("brain-box", "brain"))
    assert Drawing(nothing, None).weights == ()
    for sources, scanner in ((found, None), (found, found), (nothing, found)):
        assert Drawing(sources, scanner).weights == ("brain-box", "brain")


@pytest.mark.parametrize("role", ["scanner", "reference"])
@pytest.mark.parametrize("mm", [1.0, 1.3])
def test_a_source_is_neither_of_the_scanner_nor_the_reference(role: str, mm: float, tmp_path: Path) -> None:
    # on a grid of 1.3 mm the methods work on other voxels than were given
    source = write(tmp_path, "t1", brain("t1", *grid(mm, (round(64 / mm), round(76 / mm), round(62 / mm))), scale=0.45))
    with pytest.raises(UserError, match="same_file_twice"):
        translated(tmp_path, {"t1": source, role: source}, target="t2")
