"""A zip of scans on its way in: listed at once, then read one after the other, each a job as soon as it is read."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from core.batch.scan_groups import group_files
from core.batch.scan_list import Scan, read_scans
from core.bids.bids_dataset import derivatives_of, participants
from core.bids.bids_plan import TASKS as BIDS_TASKS
from core.bids.bids_plan import Wish, plan
from core.declaration import Input, Task
from core.errors import UserError
from core.files.archive import unpack_all
from core.files.convert import numbered
from webapp.intake.example_scans import Example, accept_example
from webapp.intake.scans import accept, accept_volume
from webapp.services import Services
from webapp.store.batches import SORRY
from webapp.store.records import ScanRecord

log = logging.getLogger(__name__)

# largest unpacked size, as a multiple of the largest upload
UNPACKED = 20
# of a path that is shown
LONGEST_PATH = 120
TABLE_ENDS = (".csv", ".tsv", ".txt")
BIDS = "dataset_description.json"
# batches that are read at the same time; seconds between two signs of one that waits for its turn
TURNS, SIGN = threading.BoundedSemaphore(2), 20.0


@dataclass(frozen=True)
class Loaded:
    """What an upload holds: scans in ``folder``, which whoever has this removes, and sentences on what is left out."""

    folder: Path
    scans: tuple[Scan, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class Wanted:
    """What is done to every scan; params: raw, over which a scan has its own. deface: without faces."""

    task: Task
    params: Mapping[str, object]
    deface: bool = False


def load(services: Services, uploads: Sequence[Path], wanted: Wanted) -> Loaded:
    """Unpack a zip, with the table beside it or in it, and list its scans; the uploads are deleted.

    Without a table a BIDS data set is taken by its names, anything else by ``group_files``. UserError batch_upload,
    manifest_wrong, disk_full, every code of ``unpack_all`` and of the task's parameters.
    """
    folder = services.settings.data / "work" / f"batch-{services.blobs.fresh_name()}"
    try:
        tables = [path for path in uploads if is_table(path)]
        zips = [path for path in uploads if path not in tables]
        if len(zips) != 1 or len(tables) > 1:
            raise UserError(
                "batch_upload", "A batch is one zip of scans.", "Drop one zip, and at most one table with it."
            )
        folder.mkdir(parents=True)
        most = (services.settings.max_upload_mb << 20) * UNPACKED
        names = unpack_all(zips[0], folder, max_bytes=most, room=services.blobs.room())
        table = _table(folder, list(names), tables)
        scans, left_out = _listed(folder, list(names), table, wanted)
        for scan in scans:
            wanted.task.parse({**wanted.params, **scan.params})
        return Loaded(folder, scans, left_out)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        for path in uploads:
            path.unlink(missing_ok=True)


def is_table(path: Path) -> bool:
    """Return whether an upload is a table of scans, by its name."""
    return path.name.lower().endswith(TABLE_ENDS)


def begin(services: Services, session: str, title: str, loaded: Loaded, wanted: Wanted) -> str:
    """Record what was loaded as a batch and return its id; whoever calls reads it in.

    UserError queue_full, and what was unpacked is removed.
    """
    names = [scan.name for scan in loaded.scans]
    try:
        return services.batches.add(session, wanted.task.name, title, names, services.settings.batch_scans)
    except BaseException:
        shutil.rmtree(loaded.folder, ignore_errors=True)
        raise


def read_in(services: Services, session: str, batch_id: str, loaded: Loaded, wanted: Wanted) -> None:
    """Take every scan of a batch in and give it to the queue; what goes wrong with one is recorded, and the next read.

    The folder of the upload is removed in the end.
    """
    try:
        while not TURNS.acquire(timeout=SIGN):
            services.batches.touch(batch_id)
        try:
            known: dict[tuple[str, str], ScanRecord] = {}
            for number, scan in enumerate(loaded.scans):
                services.batches.touch(batch_id)
                if services.batches.waits(batch_id, number):
                    _read_one(services, session, (batch_id, number), scan, wanted, known)
        finally:
            TURNS.release()
    finally:
        shutil.rmtree(loaded.folder, ignore_errors=True)


def read_examples(
    services: Services, session: str, batch_id: str, known: Sequence[Example], params: Mapping[str, object]
) -> None:
    """Take shipped examples in as the scans of a batch."""
    for number, one in enumerate(known):
        with _recorded(services, (batch_id, number)):
            inputs = accept_example(services, session, one.task, one.name)
            services.dispatcher.submit(session, one.task, inputs, params, batch=(batch_id, number))


@contextmanager
def _recorded(services: Services, place: tuple[str, int]) -> Iterator[None]:
    """Record what goes wrong with a scan of a batch."""
    try:
        yield
    except UserError as error:
        services.batches.fail(*place, error)
    except Exception:
        log.exception("a scan of a batch could not be read")
        services.batches.fail(*place, SORRY)


def _read_one(
    services: Services,
    session: str,
    place: tuple[str, int],
    scan: Scan,
    wanted: Wanted,
    known: dict[tuple[str, str], ScanRecord],
) -> None:
    params = {**wanted.params, **scan.params}
    with _recorded(services, place):
        inputs = _inputs(services, session, scan, wanted, known)
        services.dispatcher.submit(session, wanted.task.name, inputs, params, batch=place)


def _inputs(
    services: Services, session: str, scan: Scan, wanted: Wanted, known: dict[tuple[str, str], ScanRecord]
) -> dict[str, str]:
    """Take the files of a scan in, each file of the batch once, and return input -> id."""
    taken: dict[str, str] = {}
    first = ""
    for entry in wanted.task.inputs:
        if entry.name not in scan.inputs:
            continue
        path = scan.inputs[entry.name]
        key = (first if entry.kind == "mask" else entry.kind, path)
        if key not in known:
            known[key] = _accepted(services, session, entry, path, first, wanted.deface)
        taken[entry.name] = known[key].id
        first = first or known[key].id
    return taken


def _accepted(services: Services, session: str, entry: Input, given: str, first: str, deface: bool) -> ScanRecord:
    path, number = numbered(Path(given))
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    if not files or not all(one.is_file() for one in files):
        # below the folder of this batch, as it is in the zip
        there = "/".join(path.relative_to((services.settings.data / "work").absolute()).parts[1:])
        raise UserError(
            "file_missing",
            f"There is no file for {entry.title!r}: {there[-LONGEST_PATH:]}.",
            "Correct its path in the table; paths begin at the folder of the table.",
        )
    # what is taken in is deleted, and another row may name the same files
    folder = Path(f"{path.parent}/.{services.blobs.fresh_name()}")
    folder.mkdir()
    links = [folder / f"{place}-{one.name}"[-200:] for place, one in enumerate(files)]
    try:
        for one, link in zip(files, links, strict=True):
            os.link(one, link)
        if entry.kind == "mask":
            return accept(services, links, path.name, session, "mask", first)
        return accept_volume(services, links, path.name, session, number, deface=deface).scan
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _table(folder: Path, names: Sequence[str], tables: Sequence[Path]) -> Path | None:
    """Return the table of scans, where its paths are relative to the zip: the uploaded one, or the only one in it."""
    if tables:
        return Path(shutil.copyfile(tables[0], folder / f".{tables[0].name}"))
    inside = [name for name in names if name.lower().endswith(TABLE_ENDS[:2]) and "sub-" not in name]
    tops = [name for name in inside if name.rpartition("/")[2].lower().startswith("manifest")]
    chosen = tops or inside
    return folder / chosen[0] if len(chosen) == 1 and _root(folder, names) is None else None


def _root(folder: Path, names: Sequence[str]) -> Path | None:
    """Return the top folder of the BIDS data set in a zip: the zip itself or a folder in it, None without one."""
    found = [name for name in names if name.rpartition("/")[2] == BIDS and name.count("/") <= 1]
    return (folder / min(found, key=lambda name: name.count("/"))).parent if found else None


def _listed(
    folder: Path, names: Sequence[str], table: Path | None, wanted: Wanted
) -> tuple[tuple[Scan, ...], tuple[str, ...]]:
    if table is not None:
        found = read_scans(table, wanted.task)
        for scan in found.scans:
            _require_inside(folder, scan)
        unused = (f"Columns that mean nothing to the task: {', '.join(found.unused)}.",) if found.unused else ()
        return found.scans, unused
    root = _root(folder, names)
    if root is not None and wanted.task.name in BIDS_TASKS:
        masks = tuple(derivatives_of(root, root))
        wish = Wish(wanted.task.name, derivatives=masks, target=str(wanted.params.get("target", "flair")))
        made = plan(root, participants(root), wish)
        if not made.planned:
            raise UserError("bids_wrong", "The data set has nothing for this task.", "Add a table manifest.csv.")
        return tuple(one.scan for one in made.planned), made.left_out
    grouped = group_files(folder, names, wanted.task)
    return grouped.scans, grouped.left_out


def _require_inside(folder: Path, scan: Scan) -> None:
    """Refuse a path of a table that leads out of the zip, also by a link; UserError manifest_wrong."""
    for given in scan.inputs.values():
        with suppress(OSError, ValueError):
            if numbered(Path(given))[0].resolve().is_relative_to(folder.resolve()):
                continue
        raise UserError(
            "manifest_wrong",
            f"The table names a file outside of the zip, for {scan.name}.",
            "Give paths as they are in the zip, without .. and without a drive.",
        )
