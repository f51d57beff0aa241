from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import core
from core import job
from core.errors import UserError
from core.events import Event, Failed, Finished, Progress, Started
from core.files.nifti import Stored, read_stored, read_volume, write_stored
from tests.contract.phantom import write_phantom
from tests.dicom_files import Series


def test_the_public_names_are_there_and_load_lazily() -> None:
    code = "import core, sys; print([n for n in ('torch', 'scipy', 'numpy', 'core.tasks') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert core.run is job.run
    assert [task.name for task in core.TASKS][:3] == ["inpaint", "superres", "translate"]
    assert callable(core.read_volume)
    assert callable(core.write_volume)
    with pytest.raises(AttributeError):
        core.nothing  # noqa: B018


def test_a_run_returns_its_files_and_tells_its_events(tmp_path: Path) -> None:
    heard: list[Event] = []
    done = core.run(
        "inpaint",
        write_phantom(tmp_path),
        tmp_path / "deep" / "out",
        method="shell",
        compare=False,
        device="cpu",
        on_event=heard.append,
    )
    assert Path(done.files["result"]) == tmp_path / "deep" / "out" / "result.nii.gz"
    assert isinstance(heard[0], Started)
    assert isinstance(heard[-1], Finished)


def test_a_failure_is_raised_and_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "result.nii.gz").write_text("old")
    with pytest.raises(UserError) as caught:
        core.run("inpaint", write_phantom(tmp_path), tmp_path / "out", method="magic")
    assert caught.value.code == "bad_parameter"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["result.nii.gz"]


def test_a_listener_that_raises_stops_the_job_and_leaves_nothing(tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        core.run("inpaint", write_phantom(tmp_path), tmp_path / "out", method="shell", on_event=stop)
    assert not list((tmp_path / "out").iterdir())


def test_an_internal_failure_is_raised_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "execute", lambda spec: iter([Failed("internal", "m", "h")]))
    with pytest.raises(UserError) as caught:
        core.run("inpaint", {}, tmp_path)
    assert (caught.value.code, caught.value.message, caught.value.hint) == ("internal", "m", "h")


def test_a_result_that_cannot_take_its_place_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "out" / "result.nii.gz").mkdir(parents=True)
    with pytest.raises(UserError) as caught:
        core.run("inpaint", write_phantom(tmp_path), tmp_path / "out", method="shell", compare=False)
    assert caught.value.code == "write_failed"


def as_series(path: Path, folder: Path) -> Path:
    """Write the NIfTI scan at ``path`` as a DICOM series with gaps into ``folder``."""
    stored = read_stored(path)
    sides = float(np.linalg.norm(stored.affine[:3, 2]))
    return Series(stored.values, stored.affine, thickness=0.5 * sides).write(folder)


def test_a_series_gives_the_result_of_its_nifti(tmp_path: Path) -> None:
    inputs = write_phantom(tmp_path)
    scan = read_stored(inputs["t1"])
    write_stored(inputs["t1"], Stored(scan.values, scan.affine))
    mixed = {**inputs, "t1": as_series(inputs["t1"], tmp_path / "series")}
    heard: list[Event] = []
    results = []
    for given, out in ((inputs, "plain"), (mixed, "dicom")):
        done = core.run("inpaint", given, tmp_path / out, method="shell", compare=False, on_event=heard.append)
        results.append(read_volume(Path(done.files["result"])))
    np.testing.assert_array_equal(results[0].data, results[1].data)
    np.testing.assert_allclose(results[0].affine, results[1].affine, atol=1e-3)
    assert any("not measured" in event.text for event in heard if isinstance(event, Progress))
    assert done.result.notes[0].level == "warning" and done.result.notes[0].text.startswith("t1: The slices are")
    assert not list((tmp_path / "dicom").glob(".*"))


def test_the_record_of_a_converted_input_is_the_same_each_time(tmp_path: Path) -> None:
    inputs = write_phantom(tmp_path)
    inputs["t1"] = as_series(inputs["t1"], tmp_path / "series")
    records = []
    for out in ("1", "2"):
        done = core.run("inpaint", inputs, tmp_path / out, method="shell", compare=False)
        records.append(json.loads(Path(done.files["run"]).read_text()))
    assert records[0]["inputs"] == records[1]["inputs"]
    assert records[0]["outputs"]["result"] == records[1]["outputs"]["result"]


def test_a_folder_without_a_scan_is_refused_before_the_run(tmp_path: Path) -> None:
    inputs = {**write_phantom(tmp_path), "t1": tmp_path / "nothing"}
    inputs["t1"].mkdir()
    heard: list[Event] = []
    with pytest.raises(UserError) as caught:
        core.run("inpaint", inputs, tmp_path / "out", on_event=heard.append)
    assert caught.value.code == "no_scan_found" and not heard
    assert not list((tmp_path / "out").iterdir())
