from __future__ import annotations

from pathlib import Path

from core.tasks import find
from tests.contract.phantom import write_phantom

TASK = find("inpaint")


def test_more_samples_and_a_larger_mask_cost_more(tmp_path: Path) -> None:
    small, large = (write_phantom(_folder(tmp_path, name), radius) for name, radius in (("a", 2.0), ("b", 6.0)))
    one = TASK.estimate(small, TASK.parse({"samples": 1, "steps": 1}), "cpu")
    many = TASK.estimate(small, TASK.parse({"samples": 8, "steps": 2}), "cpu")
    big = TASK.estimate(large, TASK.parse({"samples": 8, "steps": 2, "grow": 10}), "cpu")
    assert (one.calls, many.calls, big.calls) == (1, 16, 16)
    assert one.seconds < many.seconds < big.seconds
    assert many.memory < big.memory


def test_without_files_or_with_bad_ones_a_typical_lesion_is_estimated(tmp_path: Path) -> None:
    bad = tmp_path / "bad.nii"
    bad.write_bytes(b"no scan")
    params = TASK.parse({})
    typical = TASK.estimate({}, params, "cpu")
    assert typical == TASK.estimate({"t1": bad, "mask": bad}, params, "cpu")
    assert 1 < typical.seconds < 600
    assert typical.calls == params["samples"]


def test_methods_run_beside_cost_what_they_ask() -> None:
    def seconds(**params: object) -> float:
        return TASK.estimate({}, TASK.parse({"compare": False, **params}), "cpu").seconds

    alone, papers = seconds(), {name: seconds(beside=[name]) for name in ("slicewise", "average", "scorefusion")}
    assert alone < papers["slicewise"] < papers["average"] < papers["scorefusion"]
    assert seconds(beside=["slicewise", "average"]) > papers["average"]
    assert seconds(method="posterior", solver="mcg") > seconds(method="posterior")


def test_a_method_without_a_network_makes_no_calls() -> None:
    plain = TASK.estimate({}, TASK.parse({"method": "biharmonic", "compare": False}), "cpu")
    beside = TASK.estimate({}, TASK.parse({"method": "biharmonic"}), "cpu")
    assert plain.calls == 0
    assert plain.seconds < beside.seconds


def _folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name
