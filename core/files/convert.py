"""Scans of other formats than NIfTI: decoded in a process of their own that can be killed, and written as NIfTI."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import SeveralVolumes, UserError
from core.files.decoder import ANSWER
from core.files.nifti import PathLike, read_own
from core.files.scan_origin import Origin, read_origin
from core.files.signatures import NIFTI, SCANS, ZIP
from core.files.voxel_stream import MAX_BYTES, kind_of
from core.result import Note
from core.volume import Volume

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS = 120
DECODER = "core.files.decoder"
# of the processor: for the libraries and small files, and what is read in a second of the others
START_SECONDS, BYTES_A_SECOND = 30, 4 << 20
LOG_BYTES = 4096
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")


@dataclass(frozen=True)
class Converted:
    """The NIfTI file that was written, notes for the user, and facts that name nobody.

    facts: of a DICOM series ``slice_thickness_mm``, ``slice_distance_mm`` (between centres) and ``series``, its
    description; each only where it is known. volumes: in words, the volumes of a DICOM folder that could be taken;
    number: which of them it is, from 1. origin: whose scan it is and of which images, None unless that was asked for
    and it is DICOM.
    """

    path: Path
    notes: tuple[Note, ...] = ()
    facts: Mapping[str, float | str] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    number: int = 1
    origin: Origin | None = None


def convertible(paths: Sequence[Path]) -> bool:
    """Whether ``to_nifti`` has to come first: several files, a folder, a zip, or a scan that is not NIfTI.

    False for a file of no known format too, which the NIfTI reader refuses by name.
    """
    if len(paths) != 1 or paths[0].is_dir():
        return True
    try:
        kind = kind_of(paths[0])
    except UserError:
        return False
    return kind == ZIP or (kind in SCANS and kind != NIFTI)


def to_nifti(
    paths: Sequence[Path],
    out: Path,
    *,
    number: int | None = None,
    max_bytes: int = MAX_BYTES,
    seconds: int = SECONDS,
    origin: bool = False,
    room: int | None = None,
) -> Converted:
    """Write the one scan in ``paths`` (files, a folder, a zip) to ``out`` (.nii or .nii.gz) with a fresh header.

    number: which volume of a DICOM folder with several to take, from 1, as its refusal lists them. Voxels, scaling and
    place stay as they are; a thickness of slices that is known is stated in the header. Nothing else leaves the reading
    process, unless ``origin`` asks whose DICOM series it is. That process is held to 4 GiB and killed after
    ``seconds``. room: bytes that the disk has for what a zip unpacks to, None where nobody counts. The outcome still is
    a stranger's: read it with ``read_stored``.
    ``UserError`` for anything but exactly one scan, ``SeveralVolumes`` where a number is needed.
    """
    wish = {"max_bytes": max_bytes, "seconds": seconds, "origin": origin, "room": room}
    return _converted(paths, {number: out}, wish)[0]


def each_to_nifti(
    paths: Sequence[Path], outs: Mapping[int, Path], *, max_bytes: int = MAX_BYTES, room: int | None = None
) -> list[Converted]:
    """Write several volumes of a DICOM folder, which is read once, as ``to_nifti`` does: number -> file."""
    return _converted(paths, outs, {"max_bytes": max_bytes, "seconds": SECONDS, "origin": False, "room": room})


def _converted(
    paths: Sequence[Path], outs: Mapping[int, Path] | Mapping[int | None, Path], wish: Mapping[str, Any]
) -> list[Converted]:
    if not paths:
        raise UserError("no_file", "No file arrived.", "Give at least one file.")
    first = next(iter(outs.values()))
    with tempfile.TemporaryDirectory(prefix=".import-", dir=first.parent) as folder:
        work = Path(folder)
        name = f"scan{''.join(first.suffixes[-2:]) if first.name.endswith('.gz') else first.suffix}"
        request = {**wish, "paths": [str(path) for path in paths], "name": name, "numbers": list(outs)}
        answers = accepted(ask_child(request, work))["scans"]
        made = []
        for place, (out, answer) in enumerate(zip(outs.values(), answers, strict=True)):
            (work / f"{place}-{name}").replace(out)
            notes = tuple(Note(level, text) for level, text in answer["notes"])
            found = read_origin(answer["origin"]) if "origin" in answer else None
            made.append(Converted(out, notes, answer["facts"], tuple(answer["volumes"]), answer["number"], found))
        return made


def numbered(path: Path) -> tuple[Path, int | None]:
    """Return the path of an input and the number of the volume that ``FOLDER#2`` names, None without one."""
    whole, mark, number = str(path).rpartition("#")
    if not mark or not number.isdecimal() or path.exists():
        return path, None
    return Path(whole), int(number)


def read_volume(path: PathLike) -> Volume:
    """Return the scan at ``path`` as float32 (X, Y, Z) in RAS+, with its affine in mm.

    path: a NIfTI file (the results of a run too), an NRRD, MHA or MGZ file, a zip of one scan, or a DICOM folder;
    "FOLDER#2" for the second of its volumes. A volume of one value is read as any other. ``UserError`` for anything but
    exactly one scan.
    """
    given, number = numbered(Path(path))
    if not convertible([given]):
        return read_own(given).to_volume()
    with tempfile.TemporaryDirectory(prefix="counterscan-") as folder:
        return read_own(to_nifti([given], Path(folder) / "scan.nii", number=number).path).to_volume()


def accepted(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the ``answer`` of a reading process; raise the UserError or SeveralVolumes that it holds instead."""
    if "error" not in answer:
        return answer
    code, message, hint = answer["error"]
    if "volumes" in answer:
        raise SeveralVolumes(message, hint, answer["volumes"])
    raise UserError(code, message, hint)


def ask_child(request: Mapping[str, Any], work: Path, module: str = DECODER) -> dict[str, Any]:
    """Run the reading process ``module`` to its end in the folder ``work`` and return its answer; the module has what a
    request may ask for.

    UserError import_failed where it gave no answer, import_timeout after ``request["seconds"]``, or after fewer of the
    processor's where the files are small: see ``work_seconds``.
    """
    # the child has another working folder
    work = work.absolute()
    paths = [os.path.abspath(path) for path in request["paths"]]
    most = work_seconds([Path(path) for path in paths], request["seconds"])
    request = {**request, "work": str(work), "paths": paths, "work_seconds": most}
    written = work / "log"
    with written.open("wb") as log_file:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=log_file,
            stderr=log_file,
            cwd=work,
            env=child_environment(work),
            start_new_session=True,
        )
    try:
        child.communicate(json.dumps(request).encode(), timeout=request["seconds"])
    except subprocess.TimeoutExpired as error:
        raise _too_slow(request["seconds"]) from error
    finally:
        end_child(child)
    if child.returncode == -signal.SIGXCPU:
        raise _too_slow(most)
    if child.returncode != 0 or not (work / ANSWER).is_file():
        log.warning("the reading process ended with %d", child.returncode)
        log.debug("%s", written.read_bytes()[-LOG_BYTES:].decode("utf-8", "replace"))
        raise _broke_off()
    answer: dict[str, Any] = json.loads((work / ANSWER).read_bytes())
    return answer


def work_seconds(paths: Sequence[Path], seconds: int) -> int:
    """Return how many seconds of a processor it may take to read ``paths``, never more than ``seconds``.

    What is small and takes long was made to.
    """
    if not all(path.is_file() for path in paths):
        return seconds
    return min(seconds, START_SECONDS + sum(path.stat().st_size for path in paths) // BYTES_A_SECOND)


def end_child(child: subprocess.Popen[bytes]) -> None:
    """Kill the child and whatever it started: they are a process group of their own."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    if child.stdin is not None:
        # what a child that was killed had not read
        with suppress(BrokenPipeError):
            child.stdin.close()


def child_environment(work: Path) -> dict[str, str]:
    """Return what the child needs of this process's environment: where modules are, and threads that wait for none."""
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = [str(ROOT), *(os.path.abspath(path) for path in inherited if path)]
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ}
    # absolute: the child has another working folder
    weights = os.environ.get("COUNTERSCAN_WEIGHTS")
    kept |= {"COUNTERSCAN_WEIGHTS": os.path.abspath(weights)} if weights else {}
    return kept | dict.fromkeys(ONE_THREAD, "1") | {"PYTHONPATH": os.pathsep.join(paths), "TMPDIR": str(work)}


def _broke_off() -> UserError:
    # whose fault it is, nobody knows: the program, the machine and the files are all possible
    return UserError(
        "import_failed",
        "The process that reads files broke off; the files may be sound.",
        "Try again, or convert the scan to NIfTI with another program; COUNTERSCAN_DEBUG=1 logs the cause.",
    )


def _too_slow(seconds: int) -> UserError:
    return UserError(
        "import_timeout",
        f"Reading the files took more than {seconds} seconds and was stopped.",
        "Give fewer files, or less in them; a scan can be converted to NIfTI with dcm2niix.",
    )
