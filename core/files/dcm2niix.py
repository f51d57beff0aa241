"""dcm2niix, run on a stranger's DICOM files: what it writes is bounded, and it ends when its caller does."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from core.errors import UserError

OPTIONS = ("-b", "n", "-z", "n", "-x", "i", "-l", "o", "-w", "2", "-d", "0", "-f", "scan")
OUT_BYTES, OUT_FILES = 2 << 30, 256
LOOK_SECONDS = 0.05
# a network of its own, which leads nowhere, where the system lets a user have one (util-linux)
ALONE = ("--map-current-user", "--net", "--")


def run_dcm2niix(files: Sequence[Path], work: Path) -> list[Path]:
    """Return the NIfTI files that dcm2niix makes of the DICOM ``files``, in a folder of ``work``; [] where none.

    It sees the files under names of their order, reads no settings, compresses nothing and inherits the limits of
    memory, time and open files of this process. ``UserError`` import_memory where it writes more than ``OUT_BYTES``.
    """
    given, made = work / "dcm2niix-in", work / "dcm2niix-out"
    given.mkdir()
    made.mkdir()
    for number, path in enumerate(files):
        (given / f"{number:05d}.dcm").symlink_to(path.absolute())
    command = [*_apart(), str(_binary()), *OPTIONS, "-o", str(made), str(given)]
    # in the process group of the reading process, which is killed as one
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=work,
        env={"HOME": str(work), "PATH": "", "LC_ALL": "C"},
    )
    try:
        while child.poll() is None:
            _check_room(made)
            time.sleep(LOOK_SECONDS)
        _check_room(made)
    finally:
        child.kill()
        child.wait()
    return sorted(path for path in made.iterdir() if path.suffix == ".nii")


def _check_room(made: Path) -> None:
    sizes = [path.stat().st_size for path in made.iterdir()]
    if len(sizes) > OUT_FILES or sum(sizes) > OUT_BYTES:
        raise UserError("import_memory", "The DICOM files unpack to too many voxels.", "Give only one series.")


def _binary() -> Path:
    """Return the program that the package dcm2niix brings."""
    import dcm2niix

    return Path(dcm2niix.bin)


@cache
def _apart() -> tuple[str, ...]:
    """Return the command before dcm2niix that takes the network from it, nothing where that is not allowed."""
    unshare, nothing = shutil.which("unshare"), shutil.which("true")
    if unshare is None or nothing is None:
        return ()
    try:
        done = subprocess.run([unshare, *ALONE, nothing], capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return (unshare, *ALONE) if done.returncode == 0 else ()
