"""The promises of the failure lab as a task: here and in an engine's child, on simulated tissue and on files."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from typer.testing import CliRunner

from core.catalogue import describe
from core.commands.command_line import command_line
from core.commands.tissue import write
from core.declaration import Context
from core.engine.execute import execute
from core.engine.local import LocalEngine
from core.engine.protocol import JobSpec, WorkerLost
from core.errors import UserError
from core.events import Failed, Progress, Started
from core.failure.models import plain_classifiers
from core.failure.results_json import from_json
from core.failure.task import TASK
from core.spectra.simulated_tissue import simulate
from tests.contract.conftest import finish, keeps_its_contract
from tests.contract.runs import Ran
from tests.core.failure.data.core_set import write_cores
from tests.core.failure.models.model_files import write_onnx
from tests.source import ROOT

SMALL = {"patches": 80, "epochs": 2, "remedies": ("erm",), "seeds": 1}


@pytest.fixture(scope="module")
def tissue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tissue") / "patches.npz"
    write(path, simulate("density", 90, 0))
    return path


def spec(out: Path, data: Path | None = None, **params: object) -> JobSpec:
    out.mkdir(exist_ok=True)
    return JobSpec("failure", {"data": str(data)} if data else {}, {**SMALL, **params}, str(out), "cpu")


@pytest.fixture(scope="module")
def ran(engine: LocalEngine, tissue: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """One job on patches of a file, done here and in an engine's child."""
    made = {}
    for place, runner in (("inline", execute), ("local", lambda job: engine.run("job", job))):
        job = spec(tmp_path_factory.mktemp("lab") / "a", tissue, modalities=("ir",), seed=3)
        made[place] = Ran(job.params, *finish(runner, job), Path(job.out))
    return made


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A job on simulated tissue, seen from both sides, in a child of its own."""
    job = spec(tmp_path_factory.mktemp("lab") / "a", epochs=1, tissue="none")
    with LocalEngine("cpu") as fresh:
        return Ran(job.params, *finish(lambda given: fresh.run("a", given), job), Path(job.out))


@pytest.mark.parametrize("place", ["inline", "local"])
def test_a_run_keeps_every_promise(ran: dict[str, Ran], place: str) -> None:
    events, last = ran[place].events, ran[place].last
    assert events[0] == Started("cpu")
    fractions = [event.fraction for event in events if isinstance(event, Progress)]
    assert fractions == sorted(fractions) and fractions[-1] == 1
    assert {name: Path(path).name for name, path in last.files.items()} == {
        "results": "results.json", "table": "table.csv", "report": "report.html", "run": "run.json",
    }  # fmt: skip
    found = from_json(Path(last.files["results"]).read_text())
    assert found.data.mode == "patches" and found.data.source == "file"
    keeps_its_contract(TASK, last)
    # the data have slides, so their leakage is at the head
    data, verdict = last.result.verdicts
    assert (data.title, data.subject, data.level) == ("Data", "data", found.verdicts["data"].level)
    assert (verdict.title, verdict.level) == ("IR", found.verdicts["ir"].level)
    rows = list(csv.DictReader(Path(last.files["table"]).read_text().splitlines()))
    assert [row["method"] for row in rows] == ["ir-erm"] == [row.method for row in last.result.table]
    assert {"id", "low", "chance", "verdict", "within"} <= rows[0].keys()
    assert ran[place].record["params"]["remedies"] == ["erm"]


def test_the_same_seed_gives_the_same_bytes(ran: dict[str, Ran], tissue: Path, tmp_path: Path) -> None:
    _, other = finish(execute, spec(tmp_path / "c", tissue, modalities=("ir",), seed=4))
    files = [ran["inline"].last.files, ran["local"].last.files, other.files]
    contents = [Path(each["results"]).read_bytes() for each in files]
    assert contents[0] == contents[1] != contents[2]
    tables = [Path(each["table"]).read_bytes() for each in files]
    assert tables[0] == tables[1]


def test_simulated_tissue_is_seen_from_both_sides(simulated: Ran) -> None:
    table = simulated.last.result.table
    assert [row.method for row in table] == ["rgb-erm", "ir-erm"]
    assert all(table[0].measured(name) for name in ("id", "external", "conflict"))


def test_spectra_alone_are_examined_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # most of the time are trees: one forest in every fold, and in those of the leakage
    monkeypatch.setattr(plain_classifiers, "TREES", 20)
    made = simulate("density", 150, 1)
    rng = np.random.default_rng(0)
    path = tmp_path / "spectra.npz"
    np.savez(path, X=made.spectra(), y=made.labels, wavenumbers=made.wavenumbers, patient=rng.integers(12, size=150))
    _, last = finish(execute, spec(tmp_path / "a", path))
    found = from_json(Path(last.files["results"]).read_text())
    assert found.data.mode == "spectra"
    assert [model.name for model in found.models] == [
        f"ir-{name}" for _ in range(5) for name in ("discriminant", "emsc", "derivative", "pls", "forest", "nearest")
    ]
    assert found.settings["folds"] == "5" and found.verdicts["ir"].reasons[0].startswith(
        "Judged is the best classifier"
    )
    assert {"D3", "D7", "D10"} <= {each.code for each in found.models[0].diagnostics}
    assert {"ir-prior", "ir-fisher"} <= {each.name for each in found.prior}
    assert list(found.verdicts) == ["data", "ir"]
    assert found.leakage and found.leakage[0].figures.keys() == {"by_spectrum", "by_group", "majority"}


def test_answers_alone_are_examined(tmp_path: Path) -> None:
    made = simulate("density", 120, 1)
    path = tmp_path / "answers.npz"
    assert made.groups is not None
    logits = 3 * np.eye(4)[made.labels] + np.random.default_rng(0).standard_normal((120, 4))
    np.savez(path, logits=logits, y=made.labels, spectra=made.spectra(), wn=made.wavenumbers, group=made.groups)
    _, last = finish(execute, spec(tmp_path / "a", path))
    found = from_json(Path(last.files["results"]).read_text())
    assert found.data.mode == "predictions"
    assert {each.code for each in found.models[0].diagnostics} == {"D0", "D1", "D2", "D3", "D10"}


def test_every_bound_is_enforced(tmp_path: Path) -> None:
    wrong: list[tuple[str, object]] = [("no-such-parameter", 1), ("remedies", ()), ("remedies", "erm,none")]
    # texts that are no positions, though they are lines
    wrong += [(name, text) for name in ("wavenumbers", "keep") for text in ("?", "1000")]
    for param in TASK.params:
        if param.kind == "text":
            wrong += [(param.name, text) for text in (None, "two\nlines", "x" * (int(param.high or 200) + 1))]
            continue
        wrong += [(param.name, "?"), (param.name, None)]
        wrong += [(param.name, bound) for bound in ((param.low or 0) - 1, (param.high or 1) + 1)]
    for name, value in wrong:
        last = list(execute(spec(tmp_path / "a", None, **{name: value})))[-1]
        assert isinstance(last, Failed), (name, value)
        assert last.code == "bad_parameter"


def test_a_file_that_is_none_is_refused_by_a_user_error(tmp_path: Path) -> None:
    bad = tmp_path / "bad.npz"
    bad.write_bytes(b"PK\x03\x04 not an archive")
    with pytest.raises(UserError):
        list(TASK.run(Context("cpu", tmp_path), {"data": bad}, TASK.parse({})))


def test_a_job_stops_at_once(engine: LocalEngine, tissue: Path, tmp_path: Path) -> None:
    events = engine.run("stopped", spec(tmp_path / "a", tissue, epochs=200))
    for event in events:
        if isinstance(event, Progress) and "loss" in event.text:
            break
    [child] = engine.pids
    engine.cancel("stopped")
    # what still comes was on its way: the child is gone, 200 epochs were asked for
    assert not psutil.pid_exists(child)
    with pytest.raises(WorkerLost):
        list(events)


def test_the_estimate_covers_the_measured_peak(simulated: Ran) -> None:
    expected = TASK.estimate({}, TASK.parse(simulated.params), "cpu")
    assert simulated.record["timing"]["peak_memory_bytes"] <= expected.memory
    assert expected.seconds > 0
    assert expected.calls == len(simulated.last.result.table)


def test_the_declaration_is_sound_and_becomes_json() -> None:
    described = json.loads(json.dumps(describe(TASK), allow_nan=False))
    assert described["name"] == "failure"
    for param in TASK.params:
        assert param.parse(param.default) == param.default
        assert param.title and param.help
    for preset in TASK.presets:
        TASK.parse(preset.params)


def test_a_folder_of_images_is_run_from_the_command_line(tmp_path: Path) -> None:
    """A set of cores of patients, stained too: both sides trained, patients kept apart, the folder in the record."""
    table = write_cores(tmp_path / "set", patients=4, cores=1, across=3)
    done = subprocess.run(
        [
            sys.executable, "-m", "core", "run", "failure", "--data", str(table.parent), "--out", str(tmp_path / "out"),
            "--epochs", "1", "--remedies", "erm", "--patch", "12", "--keep", "1000-1700", "--most", "80", "--quiet",
        ],
        capture_output=True, text=True, cwd=ROOT, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = from_json((tmp_path / "out" / "results.json").read_text())
    assert found.data.groups == 4 and found.data.size == (12, 12)
    assert {model.modality for model in found.models} == {"ir", "rgb"} and found.data.counts["train"] < 80
    assert 1000 <= min(found.data.wavenumbers) <= max(found.data.wavenumbers) <= 1700
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["inputs"]["data"]["bytes"] == sum(path.stat().st_size for path in table.parent.iterdir())
    assert any("80 of 144 patches were taken" in note["text"] for note in record["summary"]["notes"])


def test_a_model_file_is_judged_on_a_folder_of_images(tmp_path: Path) -> None:
    """A model trained elsewhere that answers by how much tissue there is, and the results opened again."""
    table = write_cores(tmp_path / "set", patients=6, cores=1, across=2)
    amount = np.array([[1], [-1]], np.float32) * np.full((1, 32), -1, np.float32)
    model = write_onnx(tmp_path / "amount.onnx", amount)
    command = ["run", "failure", "--data", str(table.parent), "--patch", "12", "--most", "120", "--quiet"]
    given = ["--model", str(model), "--model-normalisation", "standard", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(command_line(), [*command, *given])
    assert done.exit_code == 0, done.output
    found = from_json((tmp_path / "out" / "results.json").read_text())
    (judged,) = found.models
    assert (judged.name, judged.network, found.data.groups) == ("ir-given", "given", 6)
    figures = {each.name: each.figure.value for each in judged.diagnostics}
    assert figures["swap"] > 0.5 and "D11" in {each.code for each in judged.diagnostics}
    assert {"amount.onnx", "core00.hdr", "core00.dat"} <= {file.name for file in found.data.files}
    report = (tmp_path / "out" / "report.html").read_text()
    assert "--model MODEL" in report and "amount.onnx" in report and "core00.dat" in report
    again = ["run", "failure", "--data", str(tmp_path / "out"), "--out", str(tmp_path / "again"), "--quiet"]
    assert CliRunner().invoke(command_line(), again).exit_code == 0
    for name in ("results.json", "table.csv"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()
