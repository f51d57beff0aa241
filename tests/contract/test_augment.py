"""The promises of the augmentation study as a task, on patches of a file: files, seeds, stop and go on, bounds."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from core.augment.arms import Protocol
from core.augment.task import TASK
from core.augment.worth_results import from_json, to_json
from core.catalogue import describe
from core.engine.execute import execute
from core.engine.protocol import JobSpec
from core.errors import UserError
from core.events import Failed, Progress, Started
from tests.contract.conftest import finish, keeps_its_contract
from tests.contract.runs import Ran
from tests.core.failure.made_up_patches import BANDS, patches

SMALL = {
    "bases": ("30",),
    "multiples": ("1", "2"),
    "seeds": 2,
    "classifier_steps": 10,
    "generator_steps": 10,
}
ARMS = {
    "synthetic-30-30", "synthetic-30-60", "classic-30-0", "duplicates-30-60", "shuffled-30-60", "alone-30-60",
}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("patches") / "patches.npz"
    given = patches(300, level=0.2, form=1.0)
    np.savez(path, ir=given.ir, y=given.labels, wn=BANDS, rgb=np.exp(-given.ir[:, :3]), group=np.arange(300) // 5)
    return path


def spec(out: Path, data: Path | None, kept: str = "", **params: object) -> JobSpec:
    out.mkdir(exist_ok=True)
    return JobSpec("augment", {"data": str(data)} if data else {}, {**SMALL, **params}, str(out), "cpu", kept=kept)


@pytest.fixture(scope="module")
def ran(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    job = spec(tmp_path_factory.mktemp("study") / "a", data)
    return Ran(job.params, *finish(execute, job), Path(job.out))


def test_a_run_keeps_every_promise(ran: Ran) -> None:
    assert ran.events[0] == Started("cpu")
    fractions = [event.fraction for event in ran.events if isinstance(event, Progress)]
    assert fractions == sorted(fractions) and fractions[-1] == 1
    assert set(ran.last.files) == {output.name for output in TASK.outputs}
    assert {Path(path).name for path in ran.last.files.values()} == {path.name for path in ran.out.iterdir()}
    keeps_its_contract(TASK, ran.last)
    rows = list(csv.DictReader(Path(ran.last.files["table"]).read_text().splitlines()))
    assert {row["arm"] for row in rows} == ARMS == {row.method for row in ran.last.result.table}
    found = from_json(Path(ran.last.files["results"]).read_text())
    assert from_json(to_json(found)) == found or "nan" in repr(found)
    assert found.guideline[0].startswith("At 30 real images") and "95 % interval" in found.guideline[0]
    assert found.guideline[0] in ran.last.result.texts("info")
    assert found.data.groups == 60
    report = Path(ran.last.files["report"]).read_text()
    assert report.count("data:image/png;base64,") == 3 and "Copies" in report and found.guideline[0] in report


def test_a_stopped_run_goes_on_and_gives_the_same_bytes(ran: Ran, data: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    events = execute(spec(tmp_path / "a", data, str(kept)))
    for event in events:
        if isinstance(event, Progress) and event.step >= 12:
            break
    events.close()  # type: ignore[attr-defined]
    files = {path.name: path.stat().st_mtime_ns for path in kept.iterdir()}
    assert sum(name.endswith(".json") for name in files) == 12
    _, last = finish(execute, spec(tmp_path / "b", data, str(kept)))
    assert {path.name: path.stat().st_mtime_ns for path in kept.iterdir()}.items() >= files.items()
    for name in ("results", "table", "curves", "samples", "neighbours"):
        assert Path(last.files[name]).read_bytes() == Path(ran.last.files[name]).read_bytes(), name


def test_another_seed_gives_another_result(ran: Ran, data: Path, tmp_path: Path) -> None:
    _, last = finish(execute, spec(tmp_path / "a", data, seed=4, multiples=("1",)))
    assert Path(last.files["results"]).read_bytes() != Path(ran.last.files["results"]).read_bytes()


def test_every_bound_is_enforced(tmp_path: Path) -> None:
    for name, value in (
        ("seeds", 1),
        ("bases", ()),
        ("bases", "7"),
        ("multiples", "3"),
        ("images", "ct"),
        ("pool", 10),
    ):
        last = list(execute(spec(tmp_path / "a", None, "", **{name: value})))[-1]
        assert isinstance(last, Failed) and last.code == "bad_parameter", name


def test_too_few_images_are_refused_before_anything_is_trained(data: Path, tmp_path: Path) -> None:
    *_, last = execute(spec(tmp_path / "a", data, bases=("240",)))
    assert isinstance(last, Failed) and last.code == "too_few_images"


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 not an archive")
    *_, last = execute(spec(tmp_path / "a", tmp_path / "bad.npz"))
    assert isinstance(last, Failed) and last.code != "internal"


def test_the_estimate_covers_the_peak_and_the_declaration_is_sound(ran: Ran, data: Path) -> None:
    expected = TASK.estimate({"data": data}, TASK.parse(ran.params), "cpu")
    assert ran.record["timing"]["peak_memory_bytes"] > 0
    # how many images a file has is not known before it is read
    assert expected.seconds > 0 and expected.calls >= 2 * (len(ARMS) + 4 + 1)
    whole = TASK.estimate({}, TASK.parse({}), "cpu")
    assert whole.calls == 3 * (len(Protocol((60, 120), (1.0, 4.0), (0, 1, 2), 480).arms()) + 2)
    assert json.loads(json.dumps(describe(TASK), allow_nan=False))["name"] == "augment"
    demo, standard = (TASK.estimate({}, TASK.parse(dict(preset.params)), "cpu") for preset in TASK.presets)
    assert demo.seconds < 240 < standard.seconds < 3600
    with pytest.raises(UserError):
        TASK.parse({"no-such-parameter": 1})
