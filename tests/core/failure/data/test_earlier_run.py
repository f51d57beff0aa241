"""Results of an earlier run: read from what a run wrote, refused where they contradict themselves."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import UserError
from core.failure.data.earlier_run import read_earlier_run
from core.failure.data.loader import load
from core.failure.results import Results
from core.failure.results_json import to_json
from tests.webapp.pages.lab_results import model, results


def write(folder: Path, found: Results | None = None) -> Path:
    """Write what a run leaves in its folder."""
    folder.mkdir()
    text = to_json(found or results())
    (folder / "results.json").write_text(text, encoding="utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()
    record = {"outputs": {"results": {"sha256": digest}}, "timing": {"finished": "2026-05-04T10:00:00+00:00"}}
    (folder / "run.json").write_text(json.dumps(record))
    (folder / "table.csv").write_text("method\n")
    return folder


def zipped(folder: Path) -> Path:
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"out/{path.name}")
    return folder.with_suffix(".zip")


def test_a_folder_a_zip_and_the_file_give_the_same_run(tmp_path: Path) -> None:
    folder = write(tmp_path / "out")
    for path in (folder, zipped(folder), folder / "results.json"):
        found = read_earlier_run(path)
        assert found is not None and to_json(found.results) == to_json(results())
        assert found.finished == "2026-05-04T10:00:00+00:00"
        assert type(load(path)) is type(found)


def test_a_record_of_other_results_does_not_count(tmp_path: Path) -> None:
    folder = write(tmp_path / "out")
    changed = replace(results(), settings={"epochs": "9"})
    (folder / "results.json").write_text(to_json(changed), encoding="utf-8")
    found = read_earlier_run(folder)
    assert found is not None and found.record is None and found.finished == ""


def test_data_beside_results_are_data(tmp_path: Path) -> None:
    folder = write(tmp_path / "out")
    (folder / "core01.hdr").write_text("ENVI\n")
    assert read_earlier_run(folder) is None and read_earlier_run(zipped(folder)) is None
    (tmp_path / "spectra.csv").write_text("{,1000,1001\n")
    assert read_earlier_run(tmp_path / "spectra.csv") is None


def broken() -> dict[str, Any]:
    good, one = results(), model("ir-erm", "A", "ir")
    curve, bands = one.calibration[0], good.bands[0]
    models = {
        "probabilities": replace(one, probabilities=one.probabilities[1:]),
        "classes": replace(one, probabilities=((0.5, 0.5),) * len(one.score)),
        "calibration": replace(one, calibration=(replace(curve, share=(1.0,)),)),
        "corruption": replace(one, corruptions=(replace(one.corruptions[0], ece=()),)),
        "attribution": replace(one, attributions=(replace(one.attributions[0], label=7),)),
        "bands of a patch": replace(one, attributions=(replace(one.attributions[0], bands=(1.0,)),)),
        "confusion": replace(one, confusion={"id": ((1, 2), (3, 4))}),
        "modality": replace(one, modality="uv"),
    }
    return {
        **{name: replace(good, models=(each,)) for name, each in models.items()},
        "no model": replace(good, models=()),
        "level": replace(good, verdicts={"ir": replace(good.verdicts["ir"], level="green")}),
        "verdict": replace(good, models=good.models[:1]),
        "bands": replace(good, bands=(replace(bands, positions=(1.0,)),)),
        "picture": replace(good, gallery=(replace(good.gallery[0], ir=(((1, 2, 900),),)),)),
    }


@pytest.mark.parametrize("name", broken())
def test_what_contradicts_itself_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError) as caught:
        read_earlier_run(write(tmp_path / "out", broken()[name]))
    assert caught.value.code == "bad_results"


@pytest.mark.parametrize("moment", ["\ud800 yesterday", "<b>now</b>", 7, None])
def test_a_moment_that_is_no_date_is_not_known(tmp_path: Path, moment: object) -> None:
    folder = write(tmp_path / "out")
    record = json.loads((folder / "run.json").read_text())
    record["timing"]["finished"] = moment
    (folder / "run.json").write_text(json.dumps(record))
    found = read_earlier_run(folder)
    assert found is not None and found.record is not None and found.finished == ""


def test_results_of_more_models_than_a_run_trains_are_refused(tmp_path: Path) -> None:
    found = results()
    with pytest.raises(UserError, match="more than 500 models"):
        read_earlier_run(write(tmp_path / "out", replace(found, models=found.models[:1] * 501)))
