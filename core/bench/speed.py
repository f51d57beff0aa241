"""How long the preset Fast of each task takes: whole commands, jobs in a child, their parts, and how near the networks
come to what the processor can do."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from core import device, weights
from core.acquisition import Acquisition, thick, whole
from core.assets import ASSETS
from core.engine.child_process import ROOT
from core.engine.execute import execute
from core.engine.local import LocalEngine
from core.engine.protocol import JobSpec
from core.events import Event, Progress
from core.files.nifti import read_volume, write_volume
from core.imaging.cost import work
from core.tasks import TASKS
from core.volume import Volume

Say = Callable[[str], None]

MARK = "speed"
PRESET = "fast"
HEALTHY, STROKE = "train/malf_nc/1015_t1.nii.gz", "demo/stroke"
BALL_ML, SLICES_MM = 33.0, 4
# sides of the matrices, and layers like those of our networks, that show what a processor can do
PRODUCT = 2048
LAYERS = ((96, (32, 48, 32)), (48, (64, 80, 64)))
TRIES = 5
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Job:
    """What is run: the task, input name -> file, and the parameters beside the preset."""

    task: str
    inputs: Mapping[str, Path]
    params: Mapping[str, str]

    def words(self, out: Path) -> list[str]:
        """Return the command line behind ``counterscan``."""
        given = {**{name: str(path) for name, path in self.inputs.items()}, **self.params, "preset": PRESET}
        options = [word for name, value in given.items() for word in (f"--{name}", value)]
        return ["run", self.task, *options, "--out", str(out), "--quiet"]

    def spec(self, out: Path) -> JobSpec:
        """Return the same as the job of an engine."""
        task = next(each for each in TASKS if each.name == self.task)
        preset = next(each for each in task.presets if each.name == PRESET)
        inputs = {name: str(path) for name, path in self.inputs.items()}
        return JobSpec(self.task, inputs, {**preset.params, **self.params}, str(out))


@dataclass(frozen=True)
class Took:
    """Seconds on the clock and of all processors together."""

    wall: float
    processor: float


@dataclass(frozen=True)
class Part:
    """One part of a job: its name is what the progress bar shows."""

    name: str
    took: Took


@dataclass(frozen=True)
class Roofline:
    """Multiply-adds counted twice, 1e9 for each second of a processor: of the networks' calls, of a large matrix
    product, and of the fastest of ``LAYERS``, all of the same type in the same run."""

    calls: float
    product: float
    layer: float

    @property
    def share(self) -> float:
        """What the calls reach of the faster of the two."""
        return self.calls / max(self.product, self.layer)


@dataclass(frozen=True)
class Measured:
    """command, before: the best of some whole commands of this program and of an earlier one, if given; first, later:
    jobs in one child; parts: of the later one."""

    task: str
    command: Took
    before: Took | None
    first: Took
    later: Took
    parts: Sequence[Part]
    roofline: Roofline


def measure(data: Path | None, earlier: Path | None, rounds: int, say: Say) -> list[Measured]:
    """Run the preset Fast of inpainting, super-resolution and translation.

    data: the folder that holds train and demo; without it the shipped examples. earlier: another checkout, whose
    commands are run in turn with those of this one. rounds: of which the shortest count.
    """
    with TemporaryDirectory() as made:
        folder = Path(made)
        given = jobs(data, folder)
        trees = [ROOT, *([earlier] if earlier else [])]
        # first of all: a job in this process sets how its children use threads and memory
        commands = []
        for job in given:
            say(f"{job.task}: whole commands")
            runs = [[_command(job, tree, folder / "out") for tree in trees] for _ in range(rounds)]
            commands.append([_best([turn[index] for turn in runs]) for index in range(len(trees))])
        children = []
        for job in given:
            say(f"{job.task}: a child")
            children.append(_child(job, folder))
        rows = []
        for job, best, (first, (later, parts)) in zip(given, commands, children, strict=True):
            say(f"{job.task}: the network")
            before = best[1] if earlier else None
            rows.append(Measured(job.task, best[0], before, first, later, parts, _roofline(job, folder)))
    return rows


def jobs(data: Path | None, folder: Path) -> list[Job]:
    """Return the three jobs; what they need besides the files of ``data`` or of the examples is written to ``folder``:
    a mask of ``BALL_ML`` ml, and a scan of ``SLICES_MM`` times thicker slices."""
    if data is None:
        examples = ASSETS / "examples"
        brain, contrasts = examples / "cavity-brain", examples / "contrasts"
        return [
            Job("inpaint", {"t1": brain / "t1.nii.gz", "mask": brain / "mask.nii.gz"}, {}),
            Job("superres", {"image": examples / "thick-t2" / "image.nii.gz"}, {}),
            Job("translate", {name: contrasts / f"{name}.nii.gz" for name in ("t1", "t2")}, {"target": "flair"}),
        ]
    scan = read_volume(data / HEALTHY)
    mask, slices = folder / "mask.nii.gz", folder / "slices.nii.gz"
    write_volume(mask, Volume(_ball(scan).astype(np.float32), scan.affine))
    write_volume(slices, _slices(scan))
    stroke = {"t1": data / STROKE / "T1.nii.gz", "t2": data / STROKE / "T2.nii.gz"}
    return [
        Job("inpaint", {"t1": data / HEALTHY, "mask": mask}, {}),
        Job("superres", {"image": slices}, {}),
        Job("translate", stroke, {"target": "flair"}),
    ]


def _ball(scan: Volume) -> NDArray[np.bool_]:
    centre = np.array(scan.data.shape) * (0.33, 0.55, 0.53)
    index = np.moveaxis(np.indices(scan.data.shape), 0, -1)
    radius = (BALL_ML * 1000 * 3 / (4 * np.pi)) ** (1 / 3)
    near = np.linalg.norm((index - centre) * scan.spacing, axis=-1) <= radius
    return np.asarray(near & (scan.data > 0))


def _slices(scan: Volume) -> Volume:
    x, y, z = scan.data.shape
    count = z // SLICES_MM * SLICES_MM
    sampled = Acquisition((whole(x), whole(y), thick(count, SLICES_MM)))
    return Volume(sampled.measure(scan.data[:, :, :count]), scan.affine @ np.diag([1.0, 1.0, SLICES_MM, 1.0]))


def _command(job: Job, tree: Path, out: Path) -> Took:
    """Run the command of ``tree`` in a process of its own."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "core", *job.words(out)], cwd=tree, check=True, capture_output=True)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _best(runs: Sequence[Took]) -> Took:
    return Took(min(run.wall for run in runs), min(run.processor for run in runs))


def _child(job: Job, folder: Path) -> tuple[Took, tuple[Took, list[Part]]]:
    """Return the first job of a child that has just been started, and a later one with its parts."""
    with LocalEngine("cpu") as engine:
        taken = []
        for number in (1, 2):
            out = folder / f"{job.task}-{number}"
            out.mkdir()

            def now() -> Took:
                return Took(time.perf_counter(), _processor(engine.pids[0]))

            taken.append(parts_of(engine.run(str(number), job.spec(out)), now))
    (first, _), later = taken
    return first, later


def parts_of(events: Iterator[Event], now: Callable[[], Took]) -> tuple[Took, list[Part]]:
    """Return what all of the ``events`` of a job took, and each part of it: what is shown until the text changes."""
    begun = last = now()
    name, parts = "", dict[str, Took]()
    for event in events:
        here = now()
        so_far = parts.get(name, Took(0, 0))
        parts[name] = Took(so_far.wall + here.wall - last.wall, so_far.processor + here.processor - last.processor)
        last = here
        if isinstance(event, Progress):
            name = event.text.partition(",")[0] or name
    total = Took(last.wall - begun.wall, last.processor - begun.processor)
    return total, [Part(name, took) for name, took in parts.items() if name]


def _processor(pid: int) -> float:
    """Return the processor seconds of a process so far; nan where the system does not show them."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / TICKS


def _roofline(job: Job, folder: Path) -> Roofline:
    """Run ``job`` here and compare its network's calls with what this processor can do."""
    task = next(each for each in TASKS if each.name == job.task)
    method = next(each for each in task.methods if each.ours)
    network = weights.load(method.weights)
    # the first time, what the calls need is made; the second is counted
    for time_of in ("first", "second"):
        out = folder / f"{job.task}-{time_of}"
        out.mkdir()
        with counted(network, 2 * work(method.weights)) as calls:
            for _ in execute(job.spec(out)):
                pass
    kind = torch.bfloat16 if calls.half and device.fast_bfloat16() else torch.float32
    return Roofline(calls.done / calls.seconds / 1e9, _product(kind), max(_layer(kind, *layer) for layer in LAYERS))


@dataclass
class Calls:
    """Operations and processor seconds of a network's calls; half: whether they were in bfloat16."""

    done: float = 0.0
    seconds: float = 0.0
    half: bool = False


@contextmanager
def counted(network: nn.Module, each: float) -> Iterator[Calls]:
    """Count the calls of ``network``, which takes ``each`` operations for a voxel of its first input."""
    calls, begun = Calls(), [0.0]

    def before(module: nn.Module, given: tuple[Any, ...]) -> None:
        calls.half |= torch.is_autocast_enabled("cpu")
        begun[0] = time.process_time()

    def after(module: nn.Module, given: tuple[Any, ...], made: object) -> None:
        calls.seconds += time.process_time() - begun[0]
        calls.done += each * given[0].numel()

    hooks = [network.register_forward_pre_hook(before), network.register_forward_hook(after)]
    try:
        yield calls
    finally:
        for hook in hooks:
            hook.remove()


def _product(kind: torch.dtype) -> float:
    one = torch.ones(PRODUCT, PRODUCT, dtype=kind)
    return 2.0 * PRODUCT**3 / _shortest(lambda: one @ one) / 1e9


def _layer(kind: torch.dtype, channels: int, shape: tuple[int, int, int]) -> float:
    side_by_side = torch.channels_last_3d
    layer = nn.Conv3d(channels, channels, 3, padding=1, dtype=kind)
    layer.weight.data = layer.weight.data.contiguous(memory_format=side_by_side)
    given = torch.ones(1, channels, *shape, dtype=kind).contiguous(memory_format=side_by_side)
    with torch.inference_mode():
        return 2.0 * 27 * channels**2 * int(np.prod(shape)) / _shortest(lambda: layer(given)) / 1e9


def _shortest(call: Callable[[], object]) -> float:
    """Return the processor seconds of the shortest of some calls."""
    best = float("inf")
    for _ in range(TRIES):
        begun = time.process_time()
        call()
        best = min(best, time.process_time() - begun)
    return best


def markdown(rows: Sequence[Measured]) -> str:
    """Return three tables: whole jobs, their parts, and the networks beside the processor."""
    count = device.threads()
    heads = ["Task", "Command", "earlier", "ratio", "First job of a child", "Later job"]
    whole_jobs = [
        [row.task, _seconds(row.command), *_against(row), *map(_seconds, (row.first, row.later))] for row in rows
    ]
    parts = [
        [row.task, part.name, f"{part.took.processor:.2f}", f"{part.took.wall:.2f}"]
        for row in rows
        for part in row.parts
    ]
    lines = [[row.task, *_reached(row.roofline)] for row in rows]
    limits = ["Task", "Network", "Matrix product", "Convolution", "Network beside the faster"]
    return "\n\n".join(
        (
            f"Seconds of the processor / on the clock; {count} threads.",
            _table(heads, whole_jobs),
            "Parts of the later job, seconds:",
            _table(["Task", "Part", "Processor", "Clock"], parts),
            "1e9 operations for each processor second, in the type that the network works in:",
            _table(limits, lines),
        )
    )


def _reached(found: Roofline) -> list[str]:
    return [*(f"{number:.0f}" for number in (found.calls, found.product, found.layer)), f"{found.share:.0%}"]


def _against(row: Measured) -> list[str]:
    if row.before is None:
        return ["-", "-"]
    ratios = row.command.processor / row.before.processor, row.command.wall / row.before.wall
    return [_seconds(row.before), " / ".join(f"{ratio:.2f}" for ratio in ratios)]


def _seconds(took: Took) -> str:
    return f"{took.processor:.1f} / {took.wall:.1f}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
