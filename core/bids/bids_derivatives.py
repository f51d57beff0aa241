"""Results of a batch as a BIDS data set of derivatives: images with sidecars, a description, what validators skip."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core import __version__
from core.anatomy.head import find_head
from core.bids.bids_dataset import Image
from core.bids.bids_names import BidsName
from core.bids.bids_plan import Planned
from core.bids.bids_sidecars import DESCRIPTION
from core.declaration import Task
from core.engine.run_record import PROGRAM, write_json
from core.errors import UserError
from core.files.nifti import read_own
from core.result import RESULT, RUN, UNCERTAINTY, VOLUME_SUFFIX

VERSION = "1.10.0"
# where reports, run records and tables of the batch lie, which are no part of BIDS
WORK = "counterscan"
IGNORED = ".bidsignore"
LEFT_OUT = "left_out.txt"
RAW = "raw"
# what is named where something lies at the place of a file or folder
IN_THE_WAY = (errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY)
README = """# Synthetic images

Made by Counterscan from the data set that {description} names. **Synthetic: computed, not measured. Research use only,
not for diagnosis.**

Each image has a sidecar that names its sources, the method and the networks. The folder `{work}` has reports, run
records, tables and an overview with pictures.
"""
WHAT = {
    "inpaint": "T1-weighted image with the lesion replaced by the healthy tissue that could have been there",
    "superres": "Image on a finer grid, in agreement with the slices that were measured",
    "translate": "Contrast that was not acquired, predicted from those that were",
}


def require_own(out: Path, dataset: Path) -> None:
    """Refuse a folder for derivatives that is the data set itself or that of another program. UserError bids_wrong."""
    if out.resolve() == dataset.resolve():
        raise UserError("bids_wrong", "The output folder is the data set itself.", "Give another output folder.")
    if any(out.resolve().is_relative_to(folder.resolve()) for folder in dataset.glob("sub-*")):
        raise UserError(
            "bids_wrong", "The output folder is that of a participant.", "Give one in derivatives, or elsewhere."
        )
    try:
        found: Any = json.loads((out / DESCRIPTION).read_text(encoding="utf-8-sig"))
        makers = [maker["Name"] for maker in found["GeneratedBy"]]
    except (FileNotFoundError, NotADirectoryError):
        # what cannot be a folder is refused when it is made
        return
    except (OSError, ValueError, TypeError, KeyError):
        makers = []
    if PROGRAM not in makers:
        raise UserError(
            "bids_wrong", "The output folder holds a data set that is not of this program.", "Give another folder."
        )


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    """Raise UserError write_failed for what the disk refuses."""
    try:
        yield
    except OSError as error:
        why = error.strerror or "not writable"
        # of a file that was moved, the place where it was to be
        place = error.filename2 or error.filename
        where = f" at {Path(place).name}" if place and error.errno in IN_THE_WAY else ""
        raise UserError(
            "write_failed", f"The derivatives could not be written{where} ({why}).", "Free some space or check rights."
        ) from error


@_writing()
def write_description(out: Path, dataset: Path, description: Mapping[str, Any]) -> None:
    """Write what makes ``out`` a data set of derivatives of ``dataset``, whose own description is ``description``.

    UserError write_failed.
    """
    out.mkdir(parents=True, exist_ok=True)
    name = str(description.get("Name") or dataset.name)
    content = {
        "Name": f"Counterscan: synthetic images of {name}",
        "BIDSVersion": VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": PROGRAM, "Version": __version__, "Description": "Synthetic brain scans"}],
        "DatasetLinks": {RAW: _link(out, dataset)},
    }
    if description.get("DatasetDOI"):
        content["SourceDatasets"] = [{"DOI": str(description["DatasetDOI"])}]
    content |= {key: description[key] for key in ("License", "Authors") if description.get(key)}
    write_json(out / DESCRIPTION, content)
    texts = {"README.md": README.format(description=DESCRIPTION, work=WORK), IGNORED: f"{WORK}\n"}
    for file, text in texts.items():
        if not (out / file).exists():
            (out / file).write_text(text, encoding="utf-8")


@_writing()
def write_left_out(folder: Path, sentences: Sequence[str]) -> Path | None:
    """Write which images were left out, and why, as lines into ``folder``, and return that file; without any, remove
    that of a run before. UserError write_failed."""
    path = folder / LEFT_OUT
    if not sentences:
        path.unlink(missing_ok=True)
        return None
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join((*sentences, "")), encoding="utf-8")
    return path


@_writing()
def place(out: Path, task: Task, one: Planned, folder: Path, dataset: Path) -> list[Path]:
    """Put result and uncertainty of ``folder`` under their BIDS names into ``out``, each with its sidecar; return the
    images. What lies there already under these names is replaced. UserError write_failed."""
    record: Any = json.loads((folder / f"{RUN}.json").read_text(encoding="utf-8"))
    made = []
    stripped = find_head(read_own(folder / f"{RESULT}{VOLUME_SUFFIX}").to_volume()).kind == "brain"
    for kind in (RESULT, UNCERTAINTY):
        source = folder / f"{kind}{VOLUME_SUFFIX}"
        if not source.is_file():
            continue
        name = one.result if kind == RESULT else _uncertainty(one.result)
        target = out / name.folder / str(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        _link_file(source, target)
        beside = target.with_name(str(name.derived(name.suffix, ".json")))
        what = WHAT[task.name] if kind == RESULT else "Standard deviation of the synthetic image, in its intensities"
        sources = [_address(image, dataset) for image in one.images]
        write_json(
            beside,
            {
                **_sidecar(task, record),
                "Description": f"Synthetic. {what}.",
                "Sources": sources,
                "SkullStripped": stripped,
            },
        )
        made.append(target)
    return made


def _uncertainty(result: BidsName) -> BidsName:
    return result.derived(result.suffix, desc=f"{result.entities['desc']}Uncertainty")


def _sidecar(task: Task, record: Any) -> dict[str, object]:
    """Return what a sidecar states of a run with the run record ``record``."""
    return {
        PROGRAM: {
            "Task": task.name,
            "Parameters": record["params"],
            "Networks": record["weights"],
            "Version": record["versions"]["counterscan"],
            "Warnings": [note["text"] for note in record["summary"]["notes"] if note["level"] == "warning"],
        },
    }


def _address(image: Image, dataset: Path) -> str:
    """Return the BIDS URI of an image of the data set or of derivatives within it."""
    with contextlib.suppress(ValueError):
        return f"bids:{RAW}:{image.path.relative_to(dataset).as_posix()}"
    # derivatives elsewhere have no name in the description of this data set
    return f"bids::{image.relative}"


def _link(out: Path, dataset: Path) -> str:
    """Return where the data set lies, seen from ``out``: no name of this machine's folders is written."""
    return Path(os.path.relpath(dataset.resolve(), out.resolve())).as_posix()


def _link_file(source: Path, target: Path) -> None:
    """Make ``target`` the file ``source``, without a second copy of its bytes where the disk allows it."""
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        try:
            os.link(source, part)
        except OSError:
            shutil.copyfile(source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
