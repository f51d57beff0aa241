"""Files of a job travel whole, with what belongs to them, and leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from core.engine.ray import parcels
from core.engine.ray.parcels import PIECE, Piece, folder_files, input_files, pieces, put, room
from core.engine.ray.ray_plan import Plan, program
from tests.core.failure.data.core_set import write_cores
from tests.source import ROOT
from tests.waiting import LONGEST


@pytest.mark.parametrize("size", [0, 1, PIECE, PIECE + 1, 2 * PIECE + 7])
def test_a_file_arrives_as_it_was(tmp_path: Path, size: int) -> None:
    source = tmp_path / "source.bin"
    source.write_bytes(os.urandom(size))
    sent = list(pieces("out", "in/there.bin", source))
    assert [piece.last for piece in sent] == [False] * (len(sent) - 1) + [True]
    assert max(len(piece.content) for piece in sent) <= PIECE
    target = tmp_path / "target" / "in" / "there.bin"
    for piece in sent:
        assert not target.exists()
        put(piece, tmp_path / "target")
    assert target.read_bytes() == source.read_bytes()
    assert list(folder_files(tmp_path / "target")) == ["in/there.bin"]


def test_a_file_sent_again_replaces_what_came_of_it(tmp_path: Path) -> None:
    put(Piece("out", "a", 0, b"half of the first", False), tmp_path)
    put(Piece("out", "a", 0, b"second", True), tmp_path)
    assert (tmp_path / "a").read_bytes() == b"second"


@pytest.mark.parametrize("name", ["/etc/passwd", "../a", "b/../../a", ""])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="elsewhere"):
        put(Piece("out", name, 0, b"x", True), tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


def test_what_is_read_with_a_file_goes_along(tmp_path: Path) -> None:
    table = write_cores(tmp_path / "set", patients=1, cores=1, across=1)
    (table.parent / "other.txt").write_text("not read")
    found = input_files(table)
    assert {"core00.hdr", "core00.dat", table.name} <= set(found) and "other.txt" not in found
    assert set(input_files(table.parent / "core00.hdr")) == {"core00.hdr", "core00.dat"}
    assert set(input_files(table.parent)) == {f"set/{path.name}" for path in table.parent.iterdir()}
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    for name in ("results.json", "run.json", "report.html"):
        (earlier / name).write_text("{}")
    assert set(input_files(earlier / "results.json")) == {"results.json", "run.json"}
    assert input_files(tmp_path / "missing") == {}


def test_a_room_is_private_and_goes_with_its_job(tmp_path: Path) -> None:
    with room(tmp_path) as one, room(tmp_path) as other:
        assert one != other and one.parent == other.parent
        assert one.parent.stat().st_mode & 0o77 == 0 and one.stat().st_mode & 0o77 == 0
        (one / "scan").write_text("x")
    assert list(one.parent.iterdir()) == []


def test_the_room_of_a_killed_process_is_swept_and_no_other(tmp_path: Path) -> None:
    code = (
        "import os; from pathlib import Path; from core.engine.ray.parcels import room\n"
        f"with room(Path({str(tmp_path)!r})) as here: (here / 'scan').write_text('x'); os.kill(os.getpid(), 9)"
    )
    with room(tmp_path) as mine:
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=LONGEST, check=False)
        assert len(list(mine.parent.iterdir())) == 2
        with room(tmp_path):
            assert len(list(mine.parent.iterdir())) == 2 and mine.exists()


def test_rooms_of_somebody_else_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = tmp_path / parcels.ROOMS.format(user=os.getuid())
    rooms.symlink_to(tmp_path)
    with pytest.raises(PermissionError), room(tmp_path):
        pass


def test_a_room_that_was_swept_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, made = tempfile.mkdtemp, list[str]()

    def gone(**options: Path) -> str:
        made.append(make(dir=options["dir"]))
        if len(made) == 1:
            Path(made[0]).rmdir()
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", gone)
    with room(tmp_path) as here:
        assert len(made) == 2 and here.is_dir()


def test_a_plan_is_one_argument() -> None:
    plan = Plan("10.0.0.1:6379", "", 2, "auto", "core.tasks", ("inpaint", "superres"), 4, 900.0, 10.0)
    assert Plan.from_json(plan.to_json()) == plan
    assert "Counterscan" in program() and program() == program()
