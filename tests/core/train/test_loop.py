import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from core.commands.train import seconds_of
from core.diffusion.schedule import GRID
from core.errors import UserError
from core.nets import build
from core.train import loop
from core.train.batch import Batch
from core.train.checkpoint import Clock, State, restore, save
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
    plan, preset = Plan(packed, tmp_path, 60), replace(TINY, drift=True)
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
    thick = replace(TINY, source="superres", config={**TINY.config, "context": 11, "facts": 9, "skip": True})
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
    thick = replace(TINY, source="superres", config={**TINY.config, "context": 11, "facts": 9, "skip": True})
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
    facts = json.loads(path.with_suffix(".json").read_text())
    assert facts["entry"]["bytes"] == path.stat().st_size
    assert facts["entry"]["parameters"] == sum(value.numel() for value in state.network.parameters())
    assert facts["subjects"] == ["phantom", "map"]


def test_tissues_are_learnt_from_label_maps_alone(packed: Path, tmp_path: Path) -> None:
    preset = replace(find("tissues"), config={"widths": [8, 8], "blocks": [1, 1]})
    said: list[str] = []
    state = train(preset, Plan(packed, tmp_path, 1e9, steps=20, smallest=True), said.append)
    assert "1 - Dice" in said[-1]
    (path,) = export(preset, state, packed, tmp_path)
    facts = json.loads(path.with_suffix(".json").read_text())
    assert facts["subjects"] == ["map"]
    assert facts["entry"]["licence"] == "Apache-2.0"


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("1.5h", 5400)])
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
