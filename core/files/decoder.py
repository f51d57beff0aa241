"""The process that reads what other libraries decode: it limits itself, and writes a scan as NIfTI or arrays as NPY."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.errors import SeveralVolumes, UserError

Reader = Callable[[dict[str, Any], Path], dict[str, Any]]
ANSWER = "answer.json"
MEMORY_BYTES = 4 << 30  # of addresses; a 512 x 512 x 512 scan of 64-bit floats takes 1 GiB, twice
FILE_BYTES = 2 << 30
OPEN_FILES = 256


def main(readers: Mapping[str, Reader]) -> None:
    """Read the files that the JSON object on standard input names; write ``answer.json`` into its ``work`` folder.

    readers: what the object calls a way to read -> that way, which returns the answer.
    """
    request = json.load(sys.stdin)
    work = Path(request["work"])
    _limit(request["work_seconds"], request.get("memory", MEMORY_BYTES))
    answer = _outcome(readers[request.get("reader", "scan")], request, work)
    (work / ANSWER).write_text(json.dumps(answer), encoding="utf-8")


def _outcome(read: Reader, request: dict[str, Any], work: Path) -> dict[str, Any]:
    try:
        return read(request, work)
    except SeveralVolumes as error:
        return {"error": [error.code, error.message, error.hint], "volumes": error.volumes}
    except UserError as error:
        return {"error": [error.code, error.message, error.hint]}
    except MemoryError:
        return {"error": ["import_memory", "Reading the files takes more memory than is allowed.", "Give fewer files."]}


def _scan(request: dict[str, Any], work: Path) -> dict[str, Any]:
    # imported here, so that the limits hold for the libraries too
    from core.files.nifti import write_stored
    from core.files.scan_finder import load

    paths, wanted = [Path(path) for path in request["paths"]], request["numbers"]
    found: list[dict[str, Any]] = []
    for loaded in load(paths, work, max_bytes=request["max_bytes"], numbers=wanted, room=request["room"]):
        write_stored(work / f"{len(found)}-{request['name']}", loaded.stored)
        notes = [[note.level, note.text] for note in loaded.notes]
        answer = {"notes": notes, "facts": dict(loaded.facts), "volumes": loaded.volumes, "number": loaded.number}
        if request.get("origin") and loaded.files:
            # names of people leave this process only where they are asked for
            from core.files.dicom_origin import origin_of

            answer["origin"] = origin_of(loaded.files)
        found.append(answer)
    return {"scans": found}


def _arrays(request: dict[str, Any], work: Path) -> dict[str, Any]:
    import numpy as np

    from core.files.arrays import read_arrays

    paths = iter([Path(path) for path in request["paths"]])
    names = []
    for group, count in enumerate(request["groups"]):
        found = read_arrays(*(next(paths) for _ in range(count)), room=request["room"])
        for number, array in enumerate(found.values()):
            np.save(work / f"{group}-{number}.npy", array, allow_pickle=False)
        names.append(list(found))
    return {"names": names}


def _pictures(request: dict[str, Any], work: Path) -> dict[str, Any]:
    from core.files.picture_decoding import read

    return read([Path(path) for path in request["paths"]], request["size"], work / "pictures.npy")


READERS: Mapping[str, Reader] = {"scan": _scan, "arrays": _arrays, "pictures": _pictures}


def _limit(seconds: int, memory: int) -> None:
    """Bound this process for good: memory, processor time, file size, open files, and no core dump."""
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: seconds + 1,
        resource.RLIMIT_FSIZE: FILE_BYTES,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
    }
    for kind, wanted in limits.items():
        _, hard = resource.getrlimit(kind)
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        # one second less, for a signal that names the cause: at the hard limit of processor time comes SIGKILL
        soft = allowed - 1 if kind == resource.RLIMIT_CPU and allowed > 1 else allowed
        resource.setrlimit(kind, (soft, allowed))


if __name__ == "__main__":
    main(READERS)
