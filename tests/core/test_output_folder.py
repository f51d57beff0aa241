from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import core
from core.errors import UserError
from core.events import Event, Finished
from core.output_folder import files_of_run_before, held
from tests.contract.phantom import write_phantom
from tests.source import ROOT
from tests.waiting import LONGEST

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Inputs = dict[str, Path]


def run(inputs: Inputs, out: Path, method: str = "shell", *, compare: bool = False) -> Finished:
    return core.run("inpaint", inputs, out, method=method, compare=compare, device="cpu")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    (tmp_path / "scans").mkdir()
    return write_phantom(tmp_path / "scans")


def moved(path: Path, to: Path) -> Path:
    to.parent.mkdir(exist_ok=True)
    return Path(shutil.move(path, to))


@pytest.mark.parametrize("name", ["result.nii.gz", "difference.nii.gz", "baseline-mirror.nii.gz"])
def test_a_run_that_would_replace_its_own_input_is_refused(tmp_path: Path, inputs: Inputs, name: str) -> None:
    inputs["t1"] = moved(inputs["t1"], tmp_path / "case" / name)
    before = inputs["t1"].read_bytes()
    with pytest.raises(UserError, match="input_in_out"):
        run(inputs, tmp_path / "case")
    assert inputs["t1"].read_bytes() == before and names(tmp_path / "case") == {name}


def test_links_and_other_spellings_hide_no_input(
    tmp_path: Path, inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = moved(inputs["t1"], tmp_path / "case" / "result.nii.gz")
    link = tmp_path / "link.nii.gz"
    link.symlink_to(there)
    (tmp_path / "same").symlink_to(tmp_path / "case")
    monkeypatch.chdir(tmp_path)
    for t1, out in ((link, "case"), (there, "same"), (Path("case/../case/result.nii.gz"), "case")):
        with pytest.raises(UserError, match="input_in_out"):
            run({**inputs, "t1": t1}, Path(out))


def test_an_input_in_a_folder_that_holds_the_output_is_kept(tmp_path: Path, inputs: Inputs) -> None:
    moved(inputs["t1"], tmp_path / "series" / "result.nii.gz")
    with pytest.raises(UserError, match="input_in_out"):
        run({**inputs, "t1": tmp_path / "series"}, tmp_path / "series")


def test_an_input_beside_the_results_is_left(tmp_path: Path, inputs: Inputs) -> None:
    inputs = {name: moved(path, tmp_path / "case" / path.name) for name, path in inputs.items()}
    run(inputs, tmp_path / "case")
    run(inputs, tmp_path / "case")
    assert all(path.is_file() for path in inputs.values())


def test_a_file_of_the_run_before_is_no_input_of_the_next(tmp_path: Path, inputs: Inputs) -> None:
    out = tmp_path / "out"
    run(inputs, out, compare=True)
    with pytest.raises(UserError, match="input_in_out"):
        run({**inputs, "t1": out / "baseline-mirror.nii.gz"}, out)
    assert (out / "baseline-mirror.nii.gz").is_file()


def test_what_the_run_before_left_is_removed_and_named(tmp_path: Path, inputs: Inputs) -> None:
    out = tmp_path / "out"
    run(inputs, out, compare=True)
    (out / "mine.txt").write_text("mine")
    (out / "baseline-harmonic.nii.gz").write_bytes(b"changed since")
    done = run(inputs, out)
    assert names(out) == {Path(path).name for path in done.files.values()} | {"mine.txt", "baseline-harmonic.nii.gz"}
    (note,) = (text for text in done.result.texts("info") if text.startswith("Removed"))
    assert note == "Removed what the run before had left: baseline-biharmonic.nii.gz, baseline-mirror.nii.gz."
    again = run(inputs, out)
    assert not any(text.startswith("Removed") for text in again.result.texts("info"))


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"program": "Counterscan"}', '{"program": "Counterscan", "outputs": {"a": 1}}']
)
def test_a_record_of_something_else_removes_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    (tmp_path / "a.txt").write_text("a")
    assert files_of_run_before(tmp_path) == []


def test_files_of_another_program_are_none_of_ours(tmp_path: Path, inputs: Inputs) -> None:
    done = run(inputs, tmp_path / "out")
    record = json.loads(Path(done.files["run"]).read_text())
    assert len(files_of_run_before(tmp_path / "out")) == len(record["outputs"])
    Path(done.files["run"]).write_text(json.dumps(record | {"program": "Another"}))
    assert files_of_run_before(tmp_path / "out") == []


def test_a_failed_run_leaves_the_files_of_the_one_before(tmp_path: Path, inputs: Inputs) -> None:
    out = tmp_path / "out"
    run(inputs, out, compare=True)
    before = names(out)
    with pytest.raises(UserError):
        run(inputs, out, method="nothing")
    assert names(out) == before


def test_a_second_run_into_the_same_folder_is_refused(tmp_path: Path, inputs: Inputs) -> None:
    refused = []

    def second(event: Event) -> None:
        with pytest.raises(UserError) as caught:
            run(inputs, tmp_path / "out")
        refused.append(caught.value.code)

    core.run("inpaint", inputs, tmp_path / "out", method="shell", compare=False, device="cpu", on_event=second)
    assert set(refused) == {"out_in_use"}
    run(inputs, tmp_path / "out")


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    left = tmp_path / ".counterscan-killed" / "results"
    left.mkdir(parents=True)
    with held(tmp_path) as work:
        assert names(tmp_path) == {work.name}
    assert names(tmp_path) == set()


def test_a_folder_in_the_way_is_refused_before_anything_is_computed(tmp_path: Path, inputs: Inputs) -> None:
    (tmp_path / "out" / "result.nii.gz").mkdir(parents=True)
    heard: list[Event] = []
    with pytest.raises(UserError, match="write_failed"):
        core.run("inpaint", inputs, tmp_path / "out", method="shell", on_event=heard.append)
    assert heard == []


def started(inputs: Inputs, out: Path, *before: str) -> subprocess.Popen[str]:
    """Start a long run and return it once it computes."""
    options = ["--t1", str(inputs["t1"]), "--mask", str(inputs["mask"]), "--out", str(out)]
    command = [sys.executable, "-m", "core", "run", "inpaint", *options, "--samples", "16", "--steps", "8"]
    child = subprocess.Popen(
        [*before, *command],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        # tests that run under nohup would pass on that signals are ignored
        preexec_fn=lambda: [signal.signal(number, signal.SIG_DFL) for number in SIGNALS] if not before else None,
    )
    assert child.stderr is not None and child.stderr.readline().startswith("Running on")
    return child


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_leaves_nothing_in_the_output_folder(tmp_path: Path, inputs: Inputs, number: signal.Signals) -> None:
    child = started(inputs, tmp_path / "out")
    os.kill(child.pid, number)
    _, written = child.communicate(timeout=LONGEST)
    assert child.returncode == 128 + number
    assert "Traceback" not in written
    assert names(tmp_path / "out") == set()


def test_what_a_killed_run_still_writes_while_the_next_one_works_is_removed(tmp_path: Path) -> None:
    with held(tmp_path) as work:
        late = tmp_path / ".counterscan-late" / "results"
        late.mkdir(parents=True)
        (late / "report.html").write_text("late")
        assert work.is_dir()
    assert names(tmp_path) == set()


@pytest.mark.parametrize("below", ["", "scan", "a/b"])
def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "results").write_text("notes")
    with pytest.raises(UserError, match=r"There is a file at the place .*results'"), held(tmp_path / "results" / below):
        pass
