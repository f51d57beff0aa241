from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from core.bench import speed
from core.bench.speed import Job, Measured, Part, Roofline, Took
from core.bench.table import mark
from core.commands import bench as command
from core.declaration import Task
from core.events import Event, Finished, Progress, Started
from core.files.nifti import read_volume
from core.result import Result
from core.tasks import TASKS

ROW = Measured(
    "inpaint",
    Took(4.0, 5.0),
    Took(10.0, 10.0),
    Took(6.0, 3.0),
    Took(2.5, 3.0),
    [Part("Reading", Took(0.5, 0.25))],
    Roofline(90.0, 100.0, 150.0),
)


def test_a_part_lasts_until_another_text_is_shown() -> None:
    events: list[Event] = [
        Started("cpu"),
        *(Progress(0.1, 0, 1, text) for text in ("Reading", "Sample, 1 of 2", "Sample, 2 of 2")),
    ]
    seconds = iter([0.0, 1.0, 1.5, 3.5, 6.5, 7.0])

    def now() -> Took:
        at = next(seconds)
        return Took(at, 2 * at)

    total, parts = speed.parts_of(iter([*events, Finished(Result())]), now)
    assert total == Took(7.0, 14.0)
    assert parts == [Part("Reading", Took(2.0, 4.0)), Part("Sample", Took(3.5, 7.0))]


def test_calls_of_a_network_are_counted_by_voxels() -> None:
    network = nn.Conv3d(1, 1, 1)
    with speed.counted(network, 10.0) as calls, torch.inference_mode():
        network(torch.zeros(1, 1, 4, 5, 6))
        network(torch.zeros(1, 1, 2, 2, 2))
    assert calls.done == 10.0 * (120 + 8)
    assert calls.seconds > 0 and not calls.half
    with speed.counted(network, 1.0) as calls, torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        network(torch.zeros(1, 1, 2, 2, 2))
    assert calls.half
    network(torch.zeros(1, 1, 2, 2, 2))
    assert calls.done == 8.0


def test_a_network_is_compared_with_the_faster_of_product_and_layer() -> None:
    assert Roofline(90.0, 100.0, 150.0).share == pytest.approx(0.6)
    assert Roofline(90.0, 180.0, 150.0).share == pytest.approx(0.5)


def test_the_tables_hold_ratios_parts_and_the_share() -> None:
    text = speed.markdown([ROW])
    assert "| inpaint | 5.0 / 4.0 | 10.0 / 10.0 | 0.50 / 0.40 | 3.0 / 6.0 | 3.0 / 2.5 |" in text
    assert "| inpaint | Reading | 0.25 | 0.50 |" in text
    assert "| inpaint | 90 | 100 | 150 | 60% |" in text


def test_without_data_the_shipped_examples_are_run(tmp_path: Path) -> None:
    jobs = speed.jobs(None, tmp_path)
    declared: dict[str, Task] = {task.name: task for task in TASKS}
    assert [job.task for job in jobs] == ["inpaint", "superres", "translate"]
    for job in jobs:
        assert all(path.is_file() for path in job.inputs.values())
        spec = job.spec(tmp_path)
        assert declared[job.task].parse(spec.params)["samples"] == 1
        assert job.words(tmp_path)[:2] == ["run", job.task]


def test_with_data_a_ball_and_thick_slices_are_made(shared_data: Path, tmp_path: Path) -> None:
    inpaint, superres, _ = speed.jobs(shared_data, tmp_path)
    scan, mask, slices = (read_volume(path) for path in (*inpaint.inputs.values(), superres.inputs["image"]))
    assert mask.data.shape == scan.data.shape
    assert mask.data.sum() / 1000 == pytest.approx(speed.BALL_ML, rel=0.02)
    assert slices.data.shape[2] == scan.data.shape[2] // speed.SLICES_MM
    np.testing.assert_allclose(slices.data[..., 5], scan.data[..., 20:24].mean(axis=2), atol=1e-3)


def test_the_command_writes_the_tables_between_their_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "measure", lambda *given: [ROW])
    page = tmp_path / "page.md"
    page.write_text("{}\n{}\n".format(*mark(speed.MARK)))
    ran = CliRunner().invoke(command.app, ["speed", "--markdown", str(page)])
    assert ran.exit_code == 0
    assert "| inpaint | 90 |" in page.read_text() and "| inpaint | 90 |" in ran.output


def test_a_job_is_the_same_as_a_command_and_for_an_engine(tmp_path: Path) -> None:
    job = Job("translate", {"t1": tmp_path / "a.nii.gz"}, {"target": "t2"})
    words = job.words(tmp_path)
    assert words[words.index("--target") + 1] == "t2" and words[words.index("--preset") + 1] == "fast"
    spec = job.spec(tmp_path)
    assert spec.params["target"] == "t2" and spec.params["method"] == "volume"
