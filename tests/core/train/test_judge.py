import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from core import weights
from core.errors import UserError
from core.nets import build
from core.train import judge
from core.train.checkpoint import Clock, State
from core.train.judge import gain_of, publish_if_better
from core.train.presets import Preset, find
from core.train.publish import export, publish
from core.train.smoke import pack_phantoms

TINY = Preset("tiny", "tiny", "inpaint", "volume_net", {"widths": [8, 8], "blocks": [1, 1], "context": 7})
CASE = ("Holes", "1015", 0)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A shipped network, and another one that was just trained."""
    packed = pack_phantoms(tmp_path / "packed.npz")
    monkeypatch.setenv("COUNTERSCAN_WEIGHTS", str(tmp_path / "shipped"))
    (tmp_path / "shipped").mkdir()
    made: list[Path] = []
    for number, folder in enumerate((tmp_path / "first", tmp_path / "second")):
        folder.mkdir()
        torch.manual_seed(number)
        network = build(TINY.architecture, TINY.config)
        state = State(network, dict(network.state_dict()), torch.optim.AdamW(network.parameters()), Clock())
        made = export(TINY, state, packed, folder)
        if number == 0:
            for path in made:
                publish(path, weights.folder())
    return made


def benched(gain: float) -> Callable[[str, Path, Path], judge.Scores]:
    return lambda task, folder, data: {CASE: 20.0 if folder == weights.folder() else 20.0 + gain}


@pytest.mark.parametrize(("gain", "published"), [(0.2, True), (0.0, False), (-0.1, False)])
def test_only_what_is_better_is_shipped(
    written: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gain: float, published: bool
) -> None:
    monkeypatch.setattr(judge, "measure", benched(gain))
    said: list[str] = []
    assert publish_if_better(TINY, written, tmp_path, said.append) is published
    assert f"{gain:+.3f} dB" in said[0]
    made = json.loads(written[0].with_suffix(".json").read_text())["entry"]["sha256"]
    assert (weights.entries()["tiny"].sha256 == made) is published
    assert weights.verify("tiny").is_file()


def test_the_bench_measures_the_new_network_in_a_folder_of_its_own(
    written: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[Path, str] = {}

    def note(task: str, folder: Path, data: Path) -> judge.Scores:
        seen[folder] = json.loads((folder / "manifest.json").read_text())["weights"]["tiny"]["sha256"]
        return {CASE: 1.0}

    monkeypatch.setattr(judge, "measure", note)
    publish_if_better(TINY, written, tmp_path, lambda line: None)
    assert len(seen) == 2 and len(set(seen.values())) == 2


def test_gains_are_paired() -> None:
    other = ("Holes", "1017", 0)
    assert gain_of({CASE: 20.0, other: 10.0}, {CASE: 21.0, ("Holes", "1018", 0): 50.0}) == pytest.approx(1.0)
    with pytest.raises(UserError, match="no case"):
        gain_of({CASE: 20.0}, {other: 21.0})


def test_networks_that_the_bench_does_not_compare_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="compares"):
        publish_if_better(find("tissues"), [], tmp_path, lambda line: None)


def test_a_bench_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="The bench failed"):
        judge.measure("inpaint", weights.folder(), tmp_path)
