from __future__ import annotations

import errno
import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import core
from core import job
from core.errors import UserError
from core.events import Event, Failed, Finished, Progress, Started
from core.files.nifti import Stored, read_own, read_stored, read_volume, write_stored
from tests.contract.phantom import write_phantom
from tests.core.files.test_nrrd_mha import RAW, mgh, mha, nrrd
from tests.dicom_files import as_series
from tests.phantom import deep_part, make_phantom


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


def test_a_volume_of_a_single_file_cannot_be_chosen(tmp_path: Path) -> None:
    inputs = write_phantom(tmp_path)
    with pytest.raises(UserError, match="is a single volume: #2 chooses one of a DICOM folder") as caught:
        core.run("inpaint", {**inputs, "t1": f"{inputs['t1']}#2"}, tmp_path / "out", method="shell")
    assert caught.value.code == "dicom_series"


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
        records.append(json.loads(Path(done.files["run"]).read_text(encoding="utf-8")))
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


class Place:
    """A path of a kind of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __fspath__(self) -> str:
        return str(self._path)


def shell(inputs: dict[str, Any], out: Any, **options: Any) -> Finished:
    return core.run("inpaint", inputs, out, method="shell", compare=False, device="cpu", **options)


def test_every_kind_of_path_is_taken(tmp_path: Path) -> None:
    inputs = write_phantom(tmp_path)
    done = shell({"t1": str(inputs["t1"]), "mask": Place(inputs["mask"])}, Place(tmp_path / "out"))
    expected = read_stored(Path(done.files["result"])).to_volume()
    for path in (done.files["result"], Path(done.files["result"]), Place(Path(done.files["result"]))):
        np.testing.assert_array_equal(core.read_volume(path).data, expected.data)
    copy = str(tmp_path / "copy.nii.gz")
    core.write_volume(copy, expected)
    np.testing.assert_array_equal(core.read_volume(copy).data, expected.data)


def test_a_volume_is_read_from_every_format_that_runs_take(tmp_path: Path) -> None:
    (tmp_path / "a.mgz").write_bytes(gzip.compress(mgh()))
    (tmp_path / "a.nrrd").write_bytes(nrrd())
    (tmp_path / "a.mha").write_bytes(mha())
    expected = np.frombuffer(RAW, "<i2")
    for name in ("a.nrrd", "a.mha"):
        assert sorted(core.read_volume(tmp_path / name).data.ravel()) == sorted(expected)
    assert core.read_volume(str(tmp_path / "a.mgz")).data.size == expected.size
    scan = write_phantom(tmp_path)["t1"]
    series = as_series(scan, tmp_path / "series")
    stored = read_stored(scan)
    as_written = Stored(stored.values, stored.affine).to_volume()
    np.testing.assert_array_equal(core.read_volume(str(series)).data, as_written.data)


def test_a_map_of_one_value_is_read_as_it_is(tmp_path: Path) -> None:
    done = shell(write_phantom(tmp_path), tmp_path / "out")
    assert not core.read_volume(done.files["uncertainty"]).data.any()


def test_a_relative_output_folder_takes_every_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = write_phantom(tmp_path)
    as_series(inputs["t1"], tmp_path / "series")
    monkeypatch.chdir(tmp_path)
    done = shell({"t1": "series", "mask": "mask.nii.gz"}, "OUT")
    assert done.files["result"] == "OUT/result.nii.gz" and Path("OUT/result.nii.gz").is_file()


def packed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every compressed scan of a stranger count as one that unpacks to far too much."""
    monkeypatch.setattr("core.files.voxel_stream.MAX_RATIO", 0)
    monkeypatch.setattr("core.files.nifti.SCAN_FREE_BYTES", 0)


def test_limits_for_files_of_strangers_spare_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = {}
    for name, path in write_phantom(tmp_path).items():
        inputs[name] = tmp_path / f"{name}.nii"
        write_stored(inputs[name], read_stored(path) if name == "t1" else read_own(path))
    packed_is_refused(monkeypatch)
    done = shell(inputs, tmp_path / "out")
    assert {"report", "run", "difference"} <= done.files.keys() and not done.result.texts("warning")
    assert core.read_volume(done.files["difference"]).data.any()
    with pytest.raises(UserError, match="compressed_too_much"):
        read_stored(Path(done.files["difference"]))


@pytest.mark.parametrize(
    ("error", "why", "logged"),
    [
        (RuntimeError("no pictures"), "; the log has the details.", ["no report"]),
        (OSError(errno.ENOSPC, "no space"), ": the disk is full.", []),
    ],
)
def test_a_report_that_fails_leaves_the_result_and_a_warning(
    error: Exception,
    why: str,
    logged: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*arguments: Any) -> None:
        raise error

    monkeypatch.setattr("core.report.page.figures", fail)
    done = shell(write_phantom(tmp_path), tmp_path / "out")
    assert "result" in done.files and "report" not in done.files
    (warning,) = done.result.texts("warning")
    assert warning == f"The report could not be written{why}"
    assert [record.message for record in caplog.records] == logged
    record = json.loads(Path(done.files["run"]).read_text(encoding="utf-8"))
    assert warning in [note["text"] for note in record["summary"]["notes"]]


def test_notices_of_a_conversion_are_in_the_record_and_the_report(tmp_path: Path) -> None:
    inputs = write_phantom(tmp_path)
    inputs["t1"] = as_series(inputs["t1"], tmp_path / "series")
    done = shell(inputs, tmp_path / "out")
    (warning,) = (text for text in done.result.texts("warning") if "not measured" in text)
    record = json.loads(Path(done.files["run"]).read_text(encoding="utf-8"))
    assert record["summary"]["notes"][0] == {"level": "warning", "text": warning}
    assert warning in Path(done.files["report"]).read_text(encoding="utf-8")


def test_a_run_takes_a_copy_without_the_face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.anatomy.face.find_brain", deep_part)
    t1, mask = make_phantom().write(tmp_path)
    given, before = {"t1": t1, "mask": mask}, t1.read_bytes()
    done = core.run("inpaint", given, tmp_path / "out", method="shell", compare=False, device="cpu", deface=True)
    scan, result = (read_stored(path).values for path in (t1, done.files["result"]))
    assert t1.read_bytes() == before
    front = [np.flatnonzero((values != 0).any(axis=(0, 2)))[-1] for values in (result, scan)]
    assert front[0] < front[1]
    assert any(note.text.endswith("ml.") and "The face was removed" in note.text for note in done.result.notes)
