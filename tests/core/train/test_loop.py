import json
import math
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from core.commands.train import seconds_of
from core.diffusion.schedule import GRID
from core.errors import UserError
from core.nets import build
from core.train import loop, precision
from core.train.batch import Batch
from core.train.checkpoint import Clock, State, restore, save
from core.train.curve import Curve, Stop
from core.train.inpaint_crops import CropSource
from core.train.loop import Plan, take_step, train
from core.train.pack import PackedSet
from core.train.presets import Preset, find
from core.train.publish import export, publish
from core.train.smoke import pack_phantoms

TINY = Preset(
    "tiny",
    "tiny",
    "inpaint",
    "volume_net",
    {"widths": [8, 8], "blocks": [1, 1], "context": 7},
    learning_rate=3e-3,
    warm_up=1,
)


def state_of(preset: Preset) -> State:
    torch.manual_seed(0)
    network = build(preset.architecture, preset.config)
    average = {name: value.clone() for name, value in network.state_dict().items()}
    return State(network, average, torch.optim.AdamW(network.parameters(), lr=preset.learning_rate), Clock())


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack_phantoms(tmp_path_factory.mktemp("packed") / "packed.npz")


def test_steps_bring_the_error_below_the_biharmonic_fill(packed: Path, tmp_path: Path) -> None:
    plan = Plan(packed, tmp_path, 60)
    whole = CropSource(PackedSet(packed), 0, tmp_path).batch(0, smallest=True)
    batch = Batch(whole.context[:1], whole.target[:1], whole.region[:1])
    state = state_of(TINY)
    errors = [take_step(state.network, state.optimiser, batch, TINY, plan, 0)[1] for _ in range(15)]
    assert errors[0] == pytest.approx(1, abs=0.01)
    assert errors[-1] < 0.95


def test_a_crop_that_drifts_is_learnt_from_at_every_time_of_a_sample(packed: Path, tmp_path: Path) -> None:
    plan, preset = Plan(packed, tmp_path, 60), replace(TINY, drift=True, learning_rate=1e-3)
    batch = CropSource(PackedSet(packed), 0, tmp_path).batch(0, smallest=True)
    state = state_of(preset)
    first, over_all = take_step(state.network, state.optimiser, batch, preset, plan, 0)
    (taken,) = {int(entry["step"]) for entry in state.optimiser.state_dict()["state"].values()}
    assert taken == GRID
    # untrained, it says 0 from noise
    assert first == pytest.approx(1, abs=0.01) and over_all < 1.1


def test_a_checkpoint_gives_everything_back(packed: Path, tmp_path: Path) -> None:
    plan = Plan(packed, tmp_path, 60)
    batch = CropSource(PackedSet(packed), 0, tmp_path).batch(0, smallest=True)
    one = state_of(TINY)
    take_step(one.network, one.optimiser, batch, TINY, plan, 0)
    one.clock.step, one.clock.seconds = 1, 2.5
    save(tmp_path, one, {"seed": 0})
    other = state_of(TINY)
    restore(tmp_path, other)
    assert (other.clock.step, other.clock.seconds) == (1, 2.5)
    for state in (one, other):
        take_step(state.network, state.optimiser, batch, TINY, plan, 1)
    for name, value in one.network.state_dict().items():
        assert torch.equal(value, other.network.state_dict()[name]), name


def test_a_run_that_was_interrupted_is_the_run_that_was_not(packed: Path, tmp_path: Path) -> None:
    thick = replace(TINY, source="superres", config={**TINY.config, "context": 11, "conditioning": 9, "skip": True})
    whole = Plan(packed, tmp_path / "whole", 1e9, steps=4, smallest=True)
    halves = replace(whole, folder=tmp_path / "halves")
    uninterrupted = train(thick, whole, lambda line: None)
    stopped = batches_up_to(2, thick, halves)
    assert stopped.clock.step == 2
    resumed = train(thick, replace(halves, resume=True), lambda line: None)
    assert resumed.clock.step == 4
    for name, value in uninterrupted.average.items():
        assert torch.equal(value, resumed.average[name]), name


def test_a_warm_start_goes_on_from_the_shipped_weights(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    thick = replace(TINY, source="superres", config={**TINY.config, "context": 11, "conditioning": 9, "skip": True})
    monkeypatch.setenv("COUNTERSCAN_WEIGHTS", str(tmp_path))
    first = train(thick, Plan(packed, tmp_path / "first", 1e9, steps=2, smallest=True), lambda line: None)
    for path in export(thick, first, packed, tmp_path / "first"):
        publish(path, tmp_path)
    plan = Plan(packed, tmp_path / "second", 1e9, steps=1, smallest=True, warm=True, rate=1e-9)
    warm = train(thick, plan, lambda line: None)
    for name, value in warm.network.state_dict().items():
        assert torch.allclose(value, first.average[name], atol=1e-3), name


def batches_up_to(step: int, preset: Preset, plan: Plan) -> State:
    """Run ``plan`` and break it off after ``step`` steps, as a full disk or a power cut would."""
    taken = 0

    def stop(*arguments: Any, **options: Any) -> tuple[float, float]:
        nonlocal taken
        if taken == step:
            raise KeyboardInterrupt
        taken += 1
        return take_step(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(loop, "take_step", stop)
        patch.setattr(loop, "SAVE_SECONDS", 0)
        train(preset, plan, lambda line: None)
    state = state_of(preset)
    restore(plan.folder, state)
    return state


def test_a_run_becomes_a_weight_file_with_its_facts(packed: Path, tmp_path: Path) -> None:
    state = state_of(TINY)
    (path,) = export(TINY, state, packed, tmp_path)
    record = json.loads(path.with_suffix(".json").read_text())
    assert record["entry"]["bytes"] == path.stat().st_size
    assert record["entry"]["parameters"] == sum(value.numel() for value in state.network.parameters())
    assert record["subjects"] == ["phantom", "map"]


def test_tissues_are_learnt_from_label_maps_alone(packed: Path, tmp_path: Path) -> None:
    preset = replace(find("tissues"), config={"widths": [8, 8], "blocks": [1, 1]})
    said: list[str] = []
    state = train(preset, Plan(packed, tmp_path, 1e9, steps=20, smallest=True), said.append)
    assert "1 - Dice" in said[-1]
    (path,) = export(preset, state, packed, tmp_path)
    record = json.loads(path.with_suffix(".json").read_text())
    assert record["subjects"] == ["map"]
    assert record["entry"]["licence"] == "Apache-2.0"


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("1.5h", 5400), ("endless", math.inf)])
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "-1h", "1d"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="duration"):
        seconds_of(text)


def test_the_shipped_network_is_the_preset() -> None:
    assert find("volume_net").weights == "inpaint-volume"
    with pytest.raises(KeyError):
        find("nothing")


class StopAfter:
    """Wants to stop once it was asked ``count`` times, as a signal would make ``Stop``."""

    def __init__(self, count: int) -> None:
        self.left = count

    @property
    def wanted(self) -> bool:
        self.left -= 1
        return self.left < 0


THICK = replace(TINY, source="superres", config={**TINY.config, "context": 11, "conditioning": 9, "skip": True})


def endless(packed: Path, folder: Path, steps: int, **changes: Any) -> State:
    plan = Plan(packed, folder, math.inf, smallest=True, **changes)
    return train(THICK, plan, lambda line: None, cast(Stop, StopAfter(steps)))


def test_an_endless_run_goes_on_where_it_was_stopped(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CURVE_STEPS", 1)
    whole = endless(packed, tmp_path / "whole", 5)
    assert endless(packed, tmp_path / "halves", 2).clock.step == 2
    resumed = endless(packed, tmp_path / "halves", 3, resume=True)
    assert resumed.clock.step == whole.clock.step == 5
    for name, value in whole.average.items():
        assert torch.equal(value, resumed.average[name]), name
    rows = (tmp_path / "halves/curve.csv").read_text().splitlines()
    assert rows[0] == "step,seconds,cpu,rate,from noise,all levels"
    assert [int(row.split(",")[0]) for row in rows[1:]] == [1, 2, 3, 4, 5]
    # processor time is counted over both sessions
    assert resumed.clock.cpu > 0.5 * whole.clock.cpu > 0


def test_the_rate_of_an_endless_run_holds_and_then_falls_with_the_square_root(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CURVE_STEPS", 1)
    monkeypatch.setattr(loop, "HOLD", 2)
    endless(packed, tmp_path, 8)
    rates = [float(row.split(",")[3]) for row in (tmp_path / "curve.csv").read_text().splitlines()[1:]]
    assert rates[:2] == pytest.approx([3e-3, 3e-3])
    assert rates[7] == pytest.approx(3e-3 / 2, rel=1e-3)


def test_cooling_brings_the_rate_down_from_the_checkpoint(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CURVE_STEPS", 1)
    endless(packed, tmp_path, 3)
    plan, lines = Plan(packed, tmp_path, 1e9, steps=4, smallest=True, cool=True), list[str]()
    assert train(THICK, plan, lines.append).clock.step == 7
    shares = [line.split("  ")[1] for line in lines if line.startswith("step ")]
    assert shares == ["25 %", "50 %", "75 %", "100 %"]
    rates = [float(row.split(",")[3]) for row in (tmp_path / "curve.csv").read_text().splitlines()[1:]]
    assert rates[3] == pytest.approx(3e-3) and np.all(np.diff(rates[3:]) < 0) and rates[6] < 0.7e-3


def test_a_long_run_is_measured_on_people_it_never_sees(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "VALIDATE_SECONDS", 0)
    monkeypatch.setattr(PackedSet, "learnt_from", lambda self, task, split="train": list(self.items))
    endless(packed, tmp_path, 2)
    head, *rows = (tmp_path / "validation.csv").read_text().splitlines()
    assert head == "step,seconds,cpu,gain_db,better"
    assert [row.split(",")[0] for row in rows] == ["1", "2"]
    plan = Plan(packed, tmp_path / "holes", math.inf, workers=0, smallest=True)
    train(TINY, plan, lambda line: None, cast(Stop, StopAfter(1)))
    gain = float((tmp_path / "holes/validation.csv").read_text().splitlines()[1].split(",")[3])
    assert abs(gain) < 1


def test_rows_that_a_crash_left_beyond_the_checkpoint_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "curve.csv"
    path.write_text("step,loss\n20,0.5\n40,0.4\n60,0.3\n8")
    Curve(path, ("step", "loss"), Clock(step=40)).add(60, 0.25)
    assert path.read_text() == "step,loss\n20,0.5\n40,0.4\n60,0.25\n"


def test_a_signal_asks_for_a_stop_and_the_former_handler_comes_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Stop() as stop:
        wanted = [stop.wanted]
        os.kill(os.getpid(), signal.SIGTERM)
        wanted.append(stop.wanted)
    assert wanted == [False, True]
    assert signal.getsignal(signal.SIGTERM) is before


def test_half_precision_learns_the_same(packed: Path, tmp_path: Path) -> None:
    states = [
        train(THICK, Plan(packed, tmp_path / str(half), 1e9, steps=3, smallest=True, half=half), lambda line: None)
        for half in (False, True)
    ]
    full, half = (torch.cat([value.flatten() for value in state.network.state_dict().values()]) for state in states)
    assert not torch.equal(full, half)
    assert torch.allclose(full, half, atol=2e-2)


def test_which_precision_is_faster_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    # processors that emulate bf16 take ten seconds for a layer of the true size
    monkeypatch.setattr(precision, "SIDE", 6)
    assert isinstance(precision.half_is_faster(), bool)
    monkeypatch.setattr(precision, "_seconds", lambda half: 0.5 if half else 1.0)
    assert precision.half_is_faster()
    monkeypatch.setattr(precision, "_seconds", lambda half: 0.9 if half else 1.0)
    assert not precision.half_is_faster()
