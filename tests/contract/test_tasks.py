"""What every task must do with every method, run here and in an engine's child."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np
import pytest

from core.catalogue import describe
from core.declaration import Context, Task
from core.engine.execute import execute
from core.engine.local import LocalEngine
from core.engine.protocol import JobSpec
from core.errors import UserError
from core.events import Failed, Finished, Progress, Started
from core.files.nifti import read_stored
from core.tasks import TASKS
from core.volume import corners
from tests.contract.conftest import Runner, finish, keeps_its_contract
from tests.contract.phantom import write_inputs, write_tiny_networks

# tasks that make a scan; the failure lab makes none, and keeps its promises in test_lab.py
IMAGING = tuple(task for task in TASKS if task.methods)
CASES = [
    pytest.param(task, method.name, id=f"{task.name}-{method.name}") for task in IMAGING for method in task.methods
]
# what a child changes it changes for every method alike
RUNS = [pytest.param("inline", *case.values, id=f"inline-{case.id}") for case in CASES]
RUNS += [pytest.param("local", task, task.methods[0].name, id=f"local-{task.name}") for task in IMAGING]
EACH = [pytest.param(task, id=task.name) for task in IMAGING]


@pytest.fixture(scope="module", autouse=True)
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("weights")
    write_tiny_networks(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERSCAN_WEIGHTS", str(folder))
        yield


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Task -> input -> path."""
    return {
        task.name: {name: str(path) for name, path in write_inputs(task.name, tmp_path_factory.mktemp("scan")).items()}
        for task in IMAGING
    }


@pytest.fixture
def phantom(task: Task, scans: dict[str, dict[str, str]]) -> dict[str, str]:
    return scans[task.name]


def spec(task: Task, inputs: dict[str, str], out: Path, **params: object) -> JobSpec:
    out.mkdir(exist_ok=True)
    return JobSpec(task.name, inputs, params, str(out), "cpu")


@pytest.mark.parametrize(("runner", "task", "method"), RUNS, indirect=["runner"])
def test_a_run_keeps_every_promise(
    runner: Runner, task: Task, method: str, phantom: dict[str, str], tmp_path: Path
) -> None:
    events, last = finish(runner, spec(task, phantom, tmp_path / "a", method=method, samples=2, steps=2))
    assert events[0] == Started("cpu")
    fractions = [event.fraction for event in events[1:-1] if isinstance(event, Progress)]
    assert len(fractions) == len(events) - 2
    assert fractions == sorted(fractions)
    assert fractions[0] >= 0
    assert fractions[-1] == 1
    assert set(last.files) >= {output.name for output in task.outputs if output.always}
    assert {Path(path).name for path in last.files.values()} == {path.name for path in (tmp_path / "a").iterdir()}
    keeps_its_contract(task, last)

    grids = []
    for artifact in last.result.artifacts:
        if artifact.is_volume:
            made = nibabel.nifti1.load(artifact.path)
            assert bytes(made.header["descrip"]).startswith(b"synthetic, Counterscan")
            assert np.isfinite(made.get_fdata()).all()
            grids.append((made.shape, made.affine.tolist()))
    assert all(grid == grids[0] for grid in grids)
    first = read_stored(Path(next(iter(phantom.values()))))
    made = read_stored(Path(last.files["result"]))
    assert made.orientation == first.orientation
    middle, middle_made = (corners(each.affine, each.values.shape).mean(axis=0) for each in (first, made))
    np.testing.assert_allclose(middle_made, middle, atol=0.6)
    assert last.result.table[0].method == method
    measures = {measure.name for measure in task.measures}
    for row in last.result.table:
        assert set(row.values) <= measures
    assert set(last.result.weights) <= set(task.weights)


@pytest.mark.parametrize(("task", "method"), CASES)
def test_the_same_seed_gives_the_same_bytes(
    engine: LocalEngine, task: Task, method: str, phantom: dict[str, str], tmp_path: Path
) -> None:
    params = {"method": method, "samples": 2, "steps": 2, "seed": 7, "mode": "realistic"}
    first, second = (
        finish(lambda job: engine.run("job", job), spec(task, phantom, tmp_path / name, **params))[1] for name in "ab"
    )
    assert first.files.keys() == second.files.keys()
    for name in first.files:
        data, again = (Path(each.files[name]).read_bytes() for each in (first, second))
        if name == "run":
            record, record_again = json.loads(data), json.loads(again)
            assert record.pop("timing").keys() == record_again.pop("timing").keys()
            assert record == record_again
        else:
            # pytest would look for what differs between megabytes, for minutes
            same = data == again
            assert same, name


@pytest.mark.parametrize("task", EACH)
def test_another_seed_gives_another_result(task: Task, phantom: dict[str, str], tmp_path: Path) -> None:
    results = {
        Path(
            finish(execute, spec(task, phantom, tmp_path / str(seed), seed=seed, compare=False))[1].files["result"]
        ).read_bytes()
        for seed in (1, 2)
    }
    assert len(results) == 2


@pytest.mark.parametrize("task", EACH)
def test_default_parameters_and_every_preset_run(task: Task, phantom: dict[str, str], tmp_path: Path) -> None:
    for name, params in [("default", {}), *((preset.name, preset.params) for preset in task.presets)]:
        _, last = finish(execute, spec(task, phantom, tmp_path / name, **params))
        record = json.loads(Path(last.files["run"]).read_text())
        assert record["params"] == json.loads(json.dumps(task.parse(params)))
        assert record["weights"].keys() <= set(task.weights)


@pytest.mark.parametrize(("task", "method"), CASES)
def test_no_comparison_means_no_other_files(task: Task, method: str, phantom: dict[str, str], tmp_path: Path) -> None:
    _, last = finish(execute, spec(task, phantom, tmp_path / "a", method=method, compare=False, steps=1, samples=1))
    assert set(last.files) == {output.name for output in task.outputs if output.always}
    assert [row.method for row in last.result.table] == [method]


@pytest.mark.parametrize("task", EACH)
def test_every_bound_is_enforced(runner: Runner, task: Task, phantom: dict[str, str], tmp_path: Path) -> None:
    wrong: list[tuple[str, object]] = [("no-such-parameter", 1)]
    for param in task.params:
        wrong += [(param.name, "?"), (param.name, None)]
        beyond = ((param.low or 0) - 1, (param.high or 1) + 1)
        wrong += [(param.name, [bound] * 3 if param.kind == "axes" else bound) for bound in beyond]
    for name, value in wrong:
        last = list(runner(spec(task, phantom, tmp_path, **{name: value})))[-1]
        assert isinstance(last, Failed), (name, value)
        assert last.code == "bad_parameter"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("task", EACH)
def test_missing_inputs_are_named(runner: Runner, task: Task, phantom: dict[str, str], tmp_path: Path) -> None:
    for entry in task.required:
        for value, code in (("", "input_missing"), (str(tmp_path / "none.nii"), "file_missing")):
            last = list(runner(spec(task, phantom | {entry.name: value}, tmp_path)))[-1]
            assert isinstance(last, Failed)
            assert last.code == code
            assert entry.title in last.message


@pytest.mark.parametrize("task", EACH)
def test_a_job_stops_when_its_events_are_no_longer_read(task: Task, phantom: dict[str, str], tmp_path: Path) -> None:
    events = execute(spec(task, phantom, tmp_path))
    assert isinstance(next(events), Started)
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("task", "method"), CASES)
def test_the_estimate_covers_the_measured_peak(
    engine: LocalEngine, task: Task, method: str, phantom: dict[str, str], tmp_path: Path
) -> None:
    params = task.parse({"method": method, "steps": 2})
    expected = task.estimate({name: Path(path) for name, path in phantom.items()}, params, "cpu")
    lazy = [item.name for item in task.methods if not item.weights]
    with LocalEngine("cpu", preload=method not in lazy) as fresh:
        _, last = finish(lambda job: fresh.run("a", job), spec(task, phantom, tmp_path, method=method, steps=2))
    timing = json.loads(Path(last.files["run"]).read_text())["timing"]
    assert timing["peak_memory_bytes"] <= expected.memory
    assert expected.seconds > 0
    calls = last.result.table[0].number("calls")
    assert calls is not None
    if task.method(method).paper:
        # slices beyond the hole are not asked for, and how often steps are taken again is not known before
        assert 0 < calls < 2 * expected.calls
    else:
        assert calls == expected.calls


@pytest.mark.parametrize("task", EACH)
def test_the_declaration_is_sound_and_becomes_json(task: Task) -> None:
    described = json.loads(json.dumps(describe(task), allow_nan=False))
    assert described["name"] == task.name
    for parts in (task.inputs, task.outputs, task.params, task.presets, task.measures):
        names = [part.name for part in parts]
        assert len(set(names)) == len(names)
    for param in task.params:
        assert param.parse(param.default) == param.default
        assert param.title and param.help
    for preset in task.presets:
        task.parse(preset.params)
    for method in task.methods:
        assert callable(method.load())


@pytest.mark.parametrize("task", EACH)
def test_a_run_raises_user_errors_itself(task: Task, phantom: dict[str, str], tmp_path: Path) -> None:
    bad = tmp_path / "bad.nii.gz"
    bad.write_bytes(b"\x1f\x8b not a scan")
    inputs = {name: bad for name in phantom}
    with pytest.raises(UserError):
        list(task.run(Context("cpu", tmp_path), inputs, task.parse({})))


@pytest.mark.parametrize("opposite", [True, False])
def test_a_realistic_fill_says_what_it_shows_of_the_other_hemisphere(
    scans: dict[str, dict[str, str]], tmp_path: Path, opposite: bool
) -> None:
    task = next(each for each in IMAGING if each.name == "inpaint")
    told = spec(task, scans["inpaint"], tmp_path / "out", mode="realistic", steps=2, opposite=opposite)
    last = list(execute(told))[-1]
    assert isinstance(last, Finished)
    said = [text for text in last.result.texts("warning") if "other hemisphere" in text]
    assert len(said) == opposite
    assert (last.result.table[0].values["calls"] == 2 + 2) or opposite
