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
from core.engine.protocol import JobSpec
from core.errors import UserError
from core.events import Failed, Finished, Progress, Started
from core.files.nifti import read_stored
from core.tasks import TASKS
from core.volume import corners
from tests.contract.conftest import Runner, finish, keeps_its_contract
from tests.contract.phantom import write_inputs, write_tiny_networks
from tests.contract.runs import Ran, Runs

# tasks that make a scan; the failure lab makes none, and keeps its promises in test_lab.py
IMAGING = tuple(task for task in TASKS if task.methods)
CASES = [
    pytest.param(task, method.name, id=f"{task.name}-{method.name}") for task in IMAGING for method in task.methods
]
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


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, scans: dict[str, dict[str, str]]) -> Iterator[Runs]:
    made = Runs(tmp_path_factory.mktemp("runs"), scans)
    yield made
    made.close()


@pytest.fixture
def phantom(task: Task, scans: dict[str, dict[str, str]]) -> dict[str, str]:
    return scans[task.name]


@pytest.fixture(params=["inline", "local"])
def runner(request: pytest.FixtureRequest, task: Task, runs: Runs) -> Runner:
    """Runs a job here, then in the task's child."""
    return execute if request.param == "inline" else lambda spec: runs.engine(task).run("job", spec)


def spec(task: Task, inputs: dict[str, str], out: Path, **params: object) -> JobSpec:
    out.mkdir(exist_ok=True)
    return JobSpec(task.name, inputs, params, str(out), "cpu")


@pytest.mark.parametrize("place", ["here", "child", "usual", "alone"])
@pytest.mark.parametrize(("task", "method"), CASES)
def test_a_run_keeps_every_promise(runs: Runs, task: Task, method: str, place: str, phantom: dict[str, str]) -> None:
    ran: Ran = getattr(runs, place)(task, method)
    check_events(ran)
    check_files(ran, task)
    check_grids(ran, phantom)
    check_summary(ran, task, method)


def check_events(ran: Ran) -> None:
    assert ran.events[0] == Started("cpu")
    fractions = [event.fraction for event in ran.events[1:-1] if isinstance(event, Progress)]
    assert len(fractions) == len(ran.events) - 2
    assert fractions == sorted(fractions)
    assert fractions[0] >= 0
    assert fractions[-1] == 1


def check_files(ran: Ran, task: Task) -> None:
    assert set(ran.last.files) >= {output.name for output in task.outputs if output.always}
    assert {Path(path).name for path in ran.last.files.values()} == {path.name for path in ran.out.iterdir()}


def check_grids(ran: Ran, inputs: dict[str, str]) -> None:
    grids = []
    for artifact in ran.last.result.artifacts:
        if artifact.is_volume:
            made = nibabel.nifti1.load(artifact.path)
            assert bytes(made.header["descrip"]).startswith(b"synthetic, Counterscan")
            assert np.isfinite(made.get_fdata()).all()
            grids.append((made.shape, made.affine.tolist()))
    assert all(grid == grids[0] for grid in grids)
    first = read_stored(Path(next(iter(inputs.values()))))
    result = read_stored(Path(ran.last.files["result"]))
    assert result.orientation == first.orientation
    middle, middle_made = (corners(each.affine, each.values.shape).mean(axis=0) for each in (first, result))
    np.testing.assert_allclose(middle_made, middle, atol=0.6)


def check_summary(ran: Ran, task: Task, method: str) -> None:
    result = ran.last.result
    keeps_its_contract(task, ran.last)
    assert result.table[0].method == method
    measures = {measure.name for measure in task.measures}
    for row in result.table:
        assert set(row.values) <= measures
    assert set(result.weights) <= set(task.weights)


@pytest.mark.parametrize(("task", "method"), CASES)
def test_the_same_seed_gives_the_same_bytes(runs: Runs, task: Task, method: str) -> None:
    first, second = runs.child(task, method), runs.twin(task, method)
    assert first.last.files.keys() == second.last.files.keys()
    for name in first.last.files:
        if name == "run":
            record, record_again = first.record, second.record
            assert record.pop("timing").keys() == record_again.pop("timing").keys()
            assert record == record_again
        else:
            data, again = (Path(each.last.files[name]).read_bytes() for each in (first, second))
            # pytest would look for what differs between megabytes, for minutes
            same = data == again
            assert same, name


@pytest.mark.parametrize("task", EACH)
def test_another_seed_gives_another_result(runs: Runs, task: Task, phantom: dict[str, str], tmp_path: Path) -> None:
    _, last = finish(execute, spec(task, phantom, tmp_path / "other", seed=1, compare=False))
    first = runs.preset(task, "default")
    assert first.record["seed"] == 0
    assert Path(first.last.files["result"]).read_bytes() != Path(last.files["result"]).read_bytes()


@pytest.mark.parametrize("task", EACH)
def test_default_parameters_and_every_preset_run(runs: Runs, task: Task) -> None:
    for name in ("default", *(preset.name for preset in task.presets)):
        ran = runs.preset(task, name)
        assert ran.record["params"] == json.loads(json.dumps(task.parse(ran.params)))
        assert ran.record["weights"].keys() <= set(task.weights)


@pytest.mark.parametrize("task", EACH)
def test_a_comparison_shows_every_plain_method(runs: Runs, task: Task) -> None:
    # the nearest slice only shows the input again
    plain = {method.name for method in task.methods if method.cheap} - {"nearest"}
    for ran in (runs.usual(task, task.methods[0].name), runs.preset(task, "default")):
        assert {row.method for row in ran.last.result.table} == {task.methods[0].name, *plain}


@pytest.mark.parametrize(("task", "method"), CASES)
def test_no_comparison_means_no_other_files(runs: Runs, task: Task, method: str) -> None:
    last = runs.alone(task, method).last
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
def test_the_estimate_covers_the_measured_peak(runs: Runs, task: Task, method: str, phantom: dict[str, str]) -> None:
    ran = runs.usual(task, method)
    expected = task.estimate({name: Path(path) for name, path in phantom.items()}, task.parse(ran.params), "cpu")
    assert ran.record["timing"]["peak_memory_bytes"] <= expected.memory
    assert expected.seconds > 0
    calls = ran.last.result.table[0].number("calls")
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
def test_a_realistic_fill_has_a_note_on_where_its_tissue_comes_from(
    scans: dict[str, dict[str, str]], tmp_path: Path, opposite: bool
) -> None:
    task = next(each for each in IMAGING if each.name == "inpaint")
    told = spec(task, scans["inpaint"], tmp_path / "out", mode="realistic", steps=2, opposite=opposite)
    last = list(execute(told))[-1]
    assert isinstance(last, Finished)
    (note,) = [text for text in last.result.texts("warning") if "from elsewhere in this head" in text]
    assert opposite or "other hemisphere" not in note
    assert last.result.table[0].values["calls"] == 2
