"""``counterscan train``: train a network."""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import UserError
from core.train.presets import PRESETS, Preset, find

if TYPE_CHECKING:
    from core.train.loop import Plan

SMOKE_STEPS = 3
ENDLESS = "endless"


def train_command(
    name: Annotated[str, typer.Argument(help=f"What to train: {', '.join(preset.name for preset in PRESETS)}.")],
    packed: Annotated[Path | None, typer.Option(help="The packed set; made from --from when it is missing.")] = None,
    source: Annotated[Path, typer.Option("--from", help="Folder of training data.")] = Path("../shared/data"),
    data: Annotated[str, typer.Option(help="Folders to take: labels, train, demo.")] = "labels,train,demo",
    permissive: Annotated[bool, typer.Option(help="Pack only what has a licence for any use.")] = False,
    out: Annotated[Path, typer.Option(help="Folder of the run: checkpoints, curves and trees.")] = Path("build/train"),
    crops: Annotated[Path | None, typer.Option(help="Store of crops, for runs to share; default: in --out.")] = None,
    budget: Annotated[str, typer.Option(help="Wall-clock time over all sessions, as 90s, 30m or 2h, or endless.")] = (
        "2h"
    ),
    device: Annotated[str, typer.Option(help="cpu or cuda:0.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Threads of the training process.")] = 1,
    workers: Annotated[int, typer.Option(help="Processes that make crops; 0: the training itself makes them.")] = 1,
    precision: Annotated[str, typer.Option(help="Of convolutions on a CPU: auto, float32 or bfloat16.")] = "float32",
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
    resume: Annotated[bool, typer.Option(help="Go on from the checkpoint in --out, if there is one.")] = False,
    warm: Annotated[bool, typer.Option(help="Start from the shipped weights instead of from nothing.")] = False,
    rate: Annotated[float | None, typer.Option(help="Highest learning rate, in place of the preset's.")] = None,
    cool: Annotated[bool, typer.Option(help="From a copy of the checkpoint, end within --budget.")] = False,
    publish: Annotated[bool, typer.Option(help="Put the weights into assets/weights and its manifest.")] = False,
    better: Annotated[bool, typer.Option(help="Do so only if the bench on --from finds them better.")] = False,
    smoke: Annotated[
        bool, typer.Option(help="Three steps on tiny synthetic volumes, to see that all is there.")
    ] = False,
) -> None:
    """Train a network and write <out>/<weights>.safetensors with a description of it beside."""
    import torch

    from core.train.loop import Plan
    from core.train.pack import pack
    from core.train.precision import in_half
    from core.train.smoke import pack_phantoms

    preset, half = _preset(name), in_half(precision, device)
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) if smoke else _cooled(out) if cool else out
        folder.mkdir(parents=True, exist_ok=True)
        packed = pack_phantoms(folder / "packed.npz") if smoke else packed or out / "packed.npz"
        if not packed.is_file():
            packed.parent.mkdir(parents=True, exist_ok=True)
            pack(source, packed, tuple(data.split(",")), typer.echo, permissive)
        plan = Plan(
            packed,
            folder,
            seconds_of(budget),
            SMOKE_STEPS if smoke else None,
            seed,
            device,
            workers,
            resume and (folder / "checkpoint.safetensors").is_file(),
            smoke,
            warm,
            rate,
            cool,
            crops,
            half,
        )
        with _alone(folder):
            _train(preset, plan, source, publish and not smoke, better and not smoke)


def _train(preset: Preset, plan: Plan, data: Path, publish: bool, better: bool) -> None:
    from core import weights
    from core.train.curve import Stop
    from core.train.judge import publish_if_better
    from core.train.loop import error_spectrum, train
    from core.train.publish import export
    from core.train.publish import publish as install

    with Stop() as stop:
        state = train(preset, plan, typer.echo, stop)
    taken = f"{state.clock.step} steps in {state.clock.seconds:.0f} s"
    if stop.wanted:
        typer.echo(f"stopped after {taken}; --resume goes on")
        return
    written = export(preset, state, plan.packed, plan.folder, error_spectrum(preset, plan, state), plan.smallest)
    if better:
        publish_if_better(preset, written, data, typer.echo)
    for path in written:
        if publish and not better:
            install(path, weights.folder())
        typer.echo(f"{taken} -> {path}")


def _preset(name: str) -> Preset:
    try:
        return find(name)
    except KeyError as error:
        raise UserError(
            "bad_parameter",
            f"There is no network called {name[:40]!r}.",
            f"Choose {', '.join(p.name for p in PRESETS)}.",
        ) from error


def _cooled(out: Path) -> Path:
    """Return a folder below ``out`` with a copy of its checkpoint, so that the run itself may go on."""
    checkpoint = out / "checkpoint.safetensors"
    if not checkpoint.is_file():
        raise UserError("bad_parameter", f"There is no checkpoint in {out}.", "Train first, then cool.")
    folder = out / "cooled"
    folder.mkdir(exist_ok=True)
    shutil.copyfile(checkpoint, folder / checkpoint.name)
    return folder


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold ``folder`` for this process, whose number its file ``running`` holds; UserError where another one has it."""
    with (folder / "running").open("a+") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                "bad_parameter", f"A run is going on in {folder}.", "Wait for it, stop it, or give another --out."
            ) from error
        opened.truncate(0)
        opened.write(f"{os.getpid()}\n")
        opened.flush()
        yield


def seconds_of(text: str) -> float:
    """Return the seconds of a duration such as ``90s``, ``30m`` or ``2h``, infinitely many of ``endless``;
    ``UserError`` otherwise."""
    if text == ENDLESS:
        return math.inf
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if match is None:
        raise UserError("bad_parameter", f"{text[:40]!r} is not a duration.", "Write it as 90s, 30m or 2h.")
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]
