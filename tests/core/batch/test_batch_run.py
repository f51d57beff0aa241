"""What a batch does with its scans, on an engine in this process."""

from __future__ import annotations

import csv
import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core import weights
from core.batch.batch_page import PAGE, require_free, write_overview
from core.batch.batch_tables import FAILED, SUMMARY, lines_of, write_tables
from core.batch.completion import key_of, mark_done
from core.batch.run import Batch, Outcome, run_batch
from core.batch.scan_list import Scan
from core.commands.command_line import command_line, main
from core.commands.many_scans import finish_batch
from core.declaration import Value
from core.errors import UserError
from core.tasks import find
from tests.contract.phantom import write_phantom
from tests.core.batch.engines import HereEngine
from tests.waiting import wait_until

PARAMS: dict[str, Value] = {"method": "shell", "compare": False}


@pytest.fixture
def scans(tmp_path: Path) -> tuple[Scan, ...]:
    made = []
    for name, radius in (("one", 4.0), ("two", 5.0), ("three", 6.0)):
        folder = tmp_path / "given" / name
        folder.mkdir(parents=True)
        made.append(Scan(name, {key: str(path) for key, path in write_phantom(folder, radius).items()}))
    return tuple(made)


def batch_of(folder: Path, scans: tuple[Scan, ...], **params: object) -> Batch:
    return Batch(find("inpaint"), scans, folder / "out", {**PARAMS, **params}, "cpu")


def states(outcomes: tuple[Outcome, ...]) -> list[str]:
    return [outcome.state for outcome in outcomes]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("inpaint-volume", {"sha256": "0" * 64}),
        ("inpaint-volume", {"calibration": 1.5}),
        ("inpaint-volume", {"thick_slices": (0.5, 1.0)}),
        ("brain", {"sha256": "0" * 64}),
    ],
)
def test_another_network_makes_a_scan_undone(
    scans: tuple[Scan, ...], monkeypatch: pytest.MonkeyPatch, name: str, change: dict[str, Any]
) -> None:
    entries = weights.entries()
    before = key_of(find("inpaint"), scans[0], PARAMS, False)
    assert key_of(find("inpaint"), scans[0], PARAMS, False) == before
    monkeypatch.setattr(weights, "entries", lambda: {**entries, name: replace(entries[name], **change)})
    assert key_of(find("inpaint"), scans[0], PARAMS, False) != before


def test_every_scan_has_its_results_a_line_and_a_picture(tmp_path: Path, scans: tuple[Scan, ...]) -> None:
    batch = batch_of(tmp_path, (*scans[:2], Scan("lost", {**scans[2].inputs, "mask": "/nowhere.nii"})))
    finish_batch(batch, outcomes := run_batch(batch, HereEngine()))
    assert states(outcomes) == ["done", "done", "failed"]
    first, second, lost = rows(batch.out / "summary.csv")
    assert (first["name"], first["state"], first["method"]) == ("one", "done", "shell")
    assert float(second["mask_ml"]) > float(first["mask_ml"]) > 0
    record = json.loads((batch.out / "one" / "run.json").read_text())
    assert float(first["texture"]) == record["summary"]["table"][0]["texture"]
    assert first["consistency_z"] != "" and lost["state"] == "failed" and lost["texture"] == ""
    (failure,) = rows(batch.out / "failed.csv")
    assert failure["name"] == "lost" and failure["code"] == "file_missing" and "Lesion mask" in failure["message"]
    assert not (batch.out / "lost").exists()
    page = (batch.out / PAGE).read_text(encoding="utf-8")
    assert 'src="one/thumbnail.webp"' in page and "Lesion mask" in page and "2 of 3 scans done" in page
    with Image.open(batch.out / "one" / "thumbnail.webp") as picture:
        assert picture.width >= 200


def test_a_page_escapes_what_scans_are_named(tmp_path: Path, scans: tuple[Scan, ...]) -> None:
    batch = batch_of(tmp_path, (Scan("a # b?", scans[0].inputs), Scan("<b>", {})))
    finish_batch(batch, run_batch(batch, HereEngine()))
    page = (batch.out / PAGE).read_text(encoding="utf-8")
    assert 'src="a%20%23%20b%3F/thumbnail.webp"' in page and "<b>" not in page and "&lt;b&gt;" in page


def test_what_is_done_and_unchanged_is_kept(tmp_path: Path, scans: tuple[Scan, ...]) -> None:
    batch = batch_of(tmp_path, scans)
    run_batch(batch, HereEngine())
    again = HereEngine()
    assert states(run_batch(batch, again)) == ["kept"] * 3 and not again.runs
    # a result that was changed, a file that is gone, an input that was changed
    result = batch.out / "one" / "result.nii.gz"
    whole = result.read_bytes()
    result.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert states(run_batch(batch, HereEngine())) == ["done", "kept", "kept"] and result.read_bytes() == whole
    (batch.out / "two" / "report.html").unlink()
    write_phantom(Path(scans[2].inputs["t1"]).parent, 3.0)
    assert states(run_batch(batch, HereEngine())) == ["kept", "done", "done"]
    # a parameter of a single scan, and one of all
    own = (Scan("one", scans[0].inputs, {"grow": "1"}), *scans[1:])
    assert states(run_batch(batch_of(tmp_path, own), HereEngine())) == ["done", "kept", "kept"]
    assert states(run_batch(batch_of(tmp_path, own, samples=2), HereEngine())) == ["done"] * 3


def test_a_scan_that_fails_is_tried_once_more_after_the_others(tmp_path: Path, scans: tuple[Scan, ...]) -> None:
    engine = HereEngine({"one": 1, "two": 9})
    seen: list[str] = []
    outcomes = run_batch(batch_of(tmp_path, scans), engine, lambda outcome: seen.append(outcome.scan.name))
    assert states(outcomes) == ["done", "failed", "done"]
    assert engine.runs == {"one": 2, "two": 2, "three": 1}
    assert set(engine.order[:3]) == {"one", "two", "three"}
    assert seen[0] == "three" and set(seen[1:]) == {"one", "two"}
    assert outcomes[1].error is not None and outcomes[1].error.code == "worker_lost"


def test_what_cannot_be_used_of_one_scan_is_a_failure_of_that_scan(tmp_path: Path, scans: tuple[Scan, ...]) -> None:
    again: list[str] = []
    tries: list[str] = []

    def use(scan: Scan) -> None:
        tries.append(scan.name)
        if scan.name == "two" or tries.count(scan.name) == 1:
            raise UserError("write_failed", "In the way.", "Move it.")

    def noted(outcome: Outcome) -> None:
        assert outcome.error is not None and outcome.error.message == "In the way."
        again.append(outcome.scan.name)

    outcomes = run_batch(batch_of(tmp_path, scans), HereEngine(), on_again=noted, use=use)
    assert states(outcomes) == ["kept", "failed", "kept"]
    assert sorted(again) == ["one", "three", "two"] and len(tries) == 6


def test_what_fails_is_reported_at_once_and_again_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "scans.csv"
    table.write_text("name,t1,mask\nlost,gone/t1.nii,gone/mask.nii\n")
    command = ["batch", str(table), "--task", "inpaint", "--method", "shell", "--out", str(tmp_path / "out")]
    assert main(command_line(), command) == 2
    first, last, _ = capsys.readouterr().err.splitlines()
    assert first.startswith("lost: failed, tried again after the others.") and last.startswith("lost: failed. ")
    assert all(str(tmp_path / "gone" / "mask.nii") in line for line in (first, last))
    assert main(command_line(), [*command, "--quiet"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_fault_in_one_scan_stops_no_other(
    tmp_path: Path, scans: tuple[Scan, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("core.batch.run.write_thumbnail", broken)
    assert states(run_batch(batch_of(tmp_path, scans[:1]), HereEngine())) == ["done"]
    monkeypatch.setattr("core.batch.run.mark_done", broken)
    (failed,) = run_batch(batch_of(tmp_path, scans[1:2]), HereEngine())
    assert failed.error is not None and failed.error.code == "internal"


def test_an_interruption_closes_the_engine_and_begins_nothing_more(tmp_path: Path, scans: tuple[Scan, ...]) -> None:
    engine = HereEngine()

    def interrupt(outcome: Outcome) -> None:
        raise KeyboardInterrupt

    many = tuple(Scan(f"n{n}", scans[0].inputs) for n in range(40))
    with pytest.raises(KeyboardInterrupt):
        run_batch(batch_of(tmp_path, many), engine, interrupt)
    assert engine.closed and sum(engine.runs.values()) <= 5


def test_a_batch_killed_and_resumed_equals_an_uninterrupted_one(tmp_path: Path, scans: tuple[Scan, ...]) -> None:
    table = tmp_path / "scans.csv"
    lines = [f"{scan.name}-{n},{scan.inputs['t1']},{scan.inputs['mask']},{n}" for n in range(2) for scan in scans]
    table.write_text("\n".join(("name,t1,mask,grow", *lines, "lost,/nowhere.nii,/nowhere.nii,0")))
    command = ["batch", str(table), "--task", "inpaint", "--method", "shell", "--no-compare", "--quiet", "--out"]
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    child = subprocess.Popen(
        [sys.executable, "-m", "core", *command, str(broken)], stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_until(lambda: len(list(broken.glob("*/state.json"))), lambda count: count >= 2)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    finished = list(broken.glob("*/state.json"))
    stamps = {path: path.stat().st_mtime_ns for path in finished}
    assert 2 <= len(finished) < 6
    assert main(command_line(), [*command, str(broken)]) == 2
    assert main(command_line(), [*command, str(broken), "--resume"]) == 2
    assert main(command_line(), [*command, str(whole)]) == 2
    assert {path: path.stat().st_mtime_ns for path in finished} == stamps
    assert contents(broken) == contents(whole)
    assert len(rows(whole / "summary.csv")) == 7 and len(rows(whole / "failed.csv")) == 1


@pytest.mark.parametrize("name", [PAGE, SUMMARY, FAILED])
def test_a_file_that_no_batch_wrote_is_never_replaced(
    name: str, tmp_path: Path, scans: tuple[Scan, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    table, out = tmp_path / "scans.csv", tmp_path / "out"
    lines = "".join(f"{scan.name},{scan.inputs['t1']},{scan.inputs['mask']}\n" for scan in scans[:1])
    table.write_text(f"name,t1,mask\n{lines}")
    out.mkdir()
    command = ["--task", "inpaint", "--method", "shell", "--no-compare", "--quiet", "--out", str(out)]
    (out / name).write_text("notes of years\n")
    assert main(command_line(), ["batch", str(table), *command]) == 2
    assert "[write_failed]" in capsys.readouterr().err and (out / name).read_text() == "notes of years\n"
    (out / name).write_bytes(table.read_bytes())
    assert main(command_line(), ["batch", str(out / name), *command]) == 2
    assert "[input_in_out]" in capsys.readouterr().err and (out / name).read_bytes() == table.read_bytes()
    (out / name).unlink()
    (out / name).mkdir()
    assert main(command_line(), ["batch", str(table), *command]) == 2
    assert "[write_failed]" in capsys.readouterr().err and [path.name for path in out.iterdir()] == [name]


def test_tables_and_page_of_a_batch_are_replaced_by_the_next(tmp_path: Path, scans: tuple[Scan, ...]) -> None:
    batch = batch_of(tmp_path, (scans[0], Scan("lost", {})))
    finish_batch(batch, run_batch(batch, HereEngine()))
    assert {PAGE, SUMMARY, FAILED} <= {path.name for path in batch.out.iterdir()}
    require_free(batch.out, Path(scans[0].inputs["t1"]))


def test_a_full_disk_is_named_and_nothing_unfinished_is_left(
    tmp_path: Path, scans: tuple[Scan, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    batch = batch_of(tmp_path, scans[:1])
    outcomes = run_batch(batch, HereEngine())
    before = sorted(path.name for path in batch.out.rglob("*"))
    monkeypatch.setattr("os.fsync", full)
    lines = lines_of(batch, outcomes)
    writers: tuple[Callable[[], None], ...] = (
        partial(write_tables, batch, outcomes, lines),
        partial(write_overview, batch, lines),
        partial(mark_done, batch.folder(scans[0]), "", ()),
    )
    for write in writers:
        with pytest.raises(UserError) as caught:
            write()
        assert caught.value.code == "write_failed"
    assert sorted(path.name for path in batch.out.rglob("*")) == before


def test_a_scan_may_have_the_name_of_a_file_being_written(tmp_path: Path, scans: tuple[Scan, ...]) -> None:
    batch = batch_of(tmp_path, (Scan(f"{PAGE}.part", scans[0].inputs), Scan(f"{SUMMARY}.part", {})))
    finish_batch(batch, run_batch(batch, HereEngine()))
    assert (batch.out / PAGE).is_file() and len(rows(batch.out / SUMMARY)) == 2


def contents(folder: Path) -> dict[str, object]:
    """Return what lies in a folder, less the times of a run."""
    found: dict[str, object] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.name == "run.json":
            record = json.loads(path.read_text())
            found[name] = {key: value for key, value in record.items() if key != "timing"}
        elif path.name == "state.json":
            found[name] = sorted(json.loads(path.read_text())["files"])
        elif path.name in ("summary.csv", PAGE):
            continue
        else:
            found[name] = path.read_bytes()
    found["summary"] = [{**row, "seconds": ""} for row in rows(folder / "summary.csv")]
    return found
