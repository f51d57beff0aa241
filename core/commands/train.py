"""``python -m core train`` and ``python -m core pack``."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from core.errors import UserError
from core.train.presets import PRESETS, find

SMOKE_STEPS = 3


def pack_command(
    data: Annotated[Path, typer.Option(help="Folder of training data, laid out as docs/training.md says.")],
    out: Annotated[Path, typer.Option(help="The packed set to write (.npz).")],
    use: Annotated[str, typer.Option("--use", help="Folders to take: labels, train, demo.")] = "labels,train,demo",
) -> None:
    """Pack training volumes into one .npz that numpy alone can read."""
    from core.train.pack import pack

    pack(data, out, tuple(use.split(",")), typer.echo)


def train_command(
    name: Annotated[str, typer.Argument(help=f"What to train: {', '.join(preset.name for preset in PRESETS)}.")],
    packed: Annotated[Path | None, typer.Option(help="The packed set; made from --from when it is missing.")] = None,
    source: Annotated[Path, typer.Option("--from", help="Folder of training data.")] = Path("../shared/data"),
    data: Annotated[str, typer.Option(help="Folders to take: labels, train, demo.")] = "labels,train,demo",
    out: Annotated[Path, typer.Option(help="Folder of the run: checkpoints, batches and trees.")] = Path("build/train"),
    budget: Annotated[str, typer.Option(help="Wall-clock time over all sessions, as 90s, 30m or 2h.")] = "2h",
    device: Annotated[str, typer.Option(help="cpu or cuda:0.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Threads of the training process.")] = 1,
    workers: Annotated[int, typer.Option(help="Processes that make batches.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
    resume: Annotated[bool, typer.Option(help="Go on from the checkpoint in --out.")] = False,
    warm: Annotated[bool, typer.Option(help="Start from the shipped weights instead of from nothing.")] = False,
    rate: Annotated[float | None, typer.Option(help="Highest learning rate, in place of the preset's.")] = None,
    publish: Annotated[bool, typer.Option(help="Put the weights into assets/weights and its manifest.")] = False,
    smoke: Annotated[
        bool, typer.Option(help="Three steps on tiny synthetic volumes, to see that all is there.")
    ] = False,
) -> None:
    """Train a network and write <out>/<weights>.safetensors with its facts beside it."""
    import torch

    from core import weights
    from core.train.loop import Plan, doubt, train
    from core.train.pack import pack
    from core.train.publish import export
    from core.train.publish import publish as install
    from core.train.smoke import pack_phantoms

    try:
        preset = find(name)
    except KeyError as error:
        raise UserError(
            "bad_parameter",
            f"There is no network called {name[:40]!r}.",
            f"Choose {', '.join(p.name for p in PRESETS)}.",
        ) from error
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) if smoke else out
        folder.mkdir(parents=True, exist_ok=True)
        if smoke:
            packed = pack_phantoms(folder / "packed.npz")
        packed = packed or folder / "packed.npz"
        if not packed.is_file():
            pack(source, packed, tuple(data.split(",")), typer.echo)
        steps = SMOKE_STEPS if smoke else None
        plan = Plan(packed, folder, seconds_of(budget), steps, seed, device, workers, resume, smoke, warm, rate)
        state = train(preset, plan, typer.echo)
        written = export(preset, state, packed, folder, doubt(preset, plan, state), smoke)
        for path in written:
            if publish and not smoke:
                install(path, weights.folder())
            typer.echo(f"{state.clock.step} steps in {state.clock.seconds:.0f} s -> {path}")


def seconds_of(text: str) -> float:
    """Return the seconds of a duration such as ``90s``, ``30m`` or ``2h``; ``UserError`` otherwise."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if match is None:
        raise UserError("bad_parameter", f"{text[:40]!r} is not a duration.", "Write it as 90s, 30m or 2h.")
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]
