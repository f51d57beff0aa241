"""Whether a trained network is better than the one that is shipped: the bench measures both."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from core import weights
from core.errors import UserError
from core.train.presets import Preset
from core.train.publish import publish

METHOD = "volume"
# what of a case is compared: 1 for what is better when higher
MEASURE = "psnr"

Scores = dict[tuple[str, str, int], float]


def publish_if_better(preset: Preset, written: Sequence[Path], data: Path, log: Callable[[str], None]) -> bool:
    """Install the weight files ``written`` where the bench on the held-out subjects of ``data`` finds them better than
    those that are shipped: PSNR, mean over all its cases. Return whether it did.

    Raises UserError for a network that the bench has no method for, and when it fails.
    """
    if preset.architecture != "volume_net":
        raise UserError(
            "bad_parameter",
            f"The bench compares no two files of {preset.weights}.",
            "Publish it with --publish once you have looked at it.",
        )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "weights"
        shutil.copytree(weights.folder(), folder)
        for path in written:
            publish(path, folder)
        shipped = measure(preset.source, weights.folder(), data)
        made = measure(preset.source, folder, data)
    gain = gain_of(shipped, made)
    log(f"{preset.weights}: {gain:+.3f} dB over what is shipped, mean of {len(shipped.keys() & made.keys())} cases")
    if gain <= 0:
        log("not published")
        return False
    for path in written:
        publish(path, weights.folder())
    return True


def gain_of(shipped: Scores, made: Scores) -> float:
    """Return the mean gain of ``made`` over the cases that both have; UserError where there are none."""
    shared = sorted(shipped.keys() & made.keys())
    if not shared:
        raise UserError("bad_parameter", "The bench measured no case with both networks.", "Give its data with --from.")
    return math.fsum(made[case] - shipped[case] for case in shared) / len(shared)


def measure(task: str, folder: Path, data: Path) -> Scores:
    """Return the bench's figure of our method on each case of ``task`` with the weights of ``folder``.

    The bench stands above this package, so that it runs as a program of its own.
    """
    with tempfile.TemporaryDirectory() as scratch:
        found = Path(scratch) / "rows.json"
        command = [sys.executable, "-m", "core", "bench", "quality", "--data", str(data.resolve()), "--task", task]
        command += ["--methods", METHOD, "--realistic", "", "--json", str(found)]
        done = subprocess.run(
            command,
            env={**os.environ, "COUNTERSCAN_WEIGHTS": str(folder)},
            cwd=Path(__file__).resolve().parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not found.is_file():
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise UserError("bad_parameter", f"The bench failed: {last[:200]}", "Run it by itself to see why.")
        rows = json.loads(found.read_text())["rows"]
    return {
        (row["block"], row["subject"], row["index"]): row["scores"][MEASURE]
        for row in rows
        if row["method"] == METHOD and row["scores"].get(MEASURE) is not None
    }
