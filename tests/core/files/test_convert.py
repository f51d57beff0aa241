from __future__ import annotations

import gzip
import io
import json
import os
import signal
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import UserError
from core.files import decoder as child
from core.files.convert import child_environment, convertible, to_nifti, work_seconds
from core.files.nifti import read_stored
from tests.core.files.grids import grid_affine, nib, random_values, save
from tests.core.files.test_nrrd_mha import mha, nrrd
from tests.dicom_files import PERSONAL, Series

AFFINE = grid_affine((0, 1, 2), (True, True, False), (1.0, 1.0, 2.0))
SERIES = Series(random_values("i2", shape=(20, 18, 12)), AFFINE, thickness=1.5, extra=PERSONAL)


def zip_folder(folder: Path, path: Path) -> Path:
    """Pack ``folder`` as a file manager does: with litter, and folders of its own."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("study/", b"")
        for file in sorted(folder.iterdir()):
            archive.write(file, f"study/series 3/{file.name}")
            archive.writestr(f"__MACOSX/study/series 3/._{file.name}", b"litter")
        archive.writestr("study/DICOMDIR", b"index")
        archive.writestr("study/README.TXT", b"Open viewer.exe to see the images.")
    return path


def give_folder(tmp_path: Path) -> list[Path]:
    folder = SERIES.write(tmp_path / "in")
    (folder / "DICOMDIR").write_bytes(b"index")
    (folder / "link").symlink_to("/etc/passwd")
    return [folder]


def give_files(tmp_path: Path) -> list[Path]:
    return sorted(SERIES.write(tmp_path / "in").iterdir())


def give_zip(tmp_path: Path) -> list[Path]:
    return [zip_folder(SERIES.write(tmp_path / "in"), tmp_path / "a.zip")]


@pytest.mark.parametrize("give", [give_folder, give_files, give_zip])
def test_a_series_is_the_same_however_it_comes(tmp_path: Path, give: Callable[[Path], list[Path]]) -> None:
    paths = give(tmp_path)
    assert convertible(paths)
    done = to_nifti(paths, tmp_path / "out.nii.gz")
    found = read_stored(done.path)
    np.testing.assert_array_equal(found.values, SERIES.values)
    np.testing.assert_allclose(found.affine, AFFINE, atol=1e-3)
    assert done.facts == {"slice_distance_mm": 2.0, "slice_thickness_mm": 1.5, "series": "T1 MPRAGE"}
    raw = gzip.decompress(done.path.read_bytes())
    assert not any(word in raw for word in (b"CANARY", b"1977", b"1955", b"MPRAGE"))
    assert not list(tmp_path.glob(".import-*"))


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha", "a.mgz"])
def test_one_scan_in_a_zip(tmp_path: Path, name: str) -> None:
    values = random_values("i2")
    inside = tmp_path / name
    if name.endswith(".mgz"):
        nib.save(nib.MGHImage(values, AFFINE), inside)
    elif ".nii" in name:
        save(inside, values, AFFINE)
    else:
        values = np.arange(720, dtype="i2").reshape((10, 9, 8), order="F")
        inside.write_bytes({".nrrd": nrrd, ".mha": mha}[inside.suffix](values.tobytes(order="F")))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(inside, f"folder/{name}")
        archive.writestr("folder/sidecar.json", json.dumps({"EchoTime": 0.004}))
    found = read_stored(to_nifti([tmp_path / "a.zip"], tmp_path / "out.nii").path)
    np.testing.assert_array_equal(found.values, values)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    paths = give_files(tmp_path)
    first = to_nifti(paths, tmp_path / "1.nii.gz").path.read_bytes()
    assert to_nifti(paths[::-1], tmp_path / "2.nii.gz").path.read_bytes() == first


def test_only_what_is_not_nifti_is_converted(tmp_path: Path) -> None:
    save(tmp_path / "a.nii", random_values("i2"), AFFINE)
    (tmp_path / "a.nii").rename(tmp_path / "scan.dcm")
    (tmp_path / "scan.nii").write_bytes(nrrd())
    (tmp_path / "picture.nii").write_bytes(b"\x89PNG" + bytes(1000))
    (tmp_path / "packed.nrrd").write_bytes(gzip.compress(nrrd()))
    assert not convertible([tmp_path / "scan.dcm"])
    assert convertible([tmp_path / "scan.nii"])
    for name in ("picture.nii", "packed.nrrd", "missing.nii"):
        assert not convertible([tmp_path / name])
    assert convertible([tmp_path])


def refusal(paths: list[Path], out: Path, **limits: Any) -> str:
    with pytest.raises(UserError) as caught:
        to_nifti(paths, out, **limits)
    assert not out.exists() and not list(out.parent.glob(".import-*"))
    return caught.value.code


def test_refusals_of_the_child_arrive_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"text\n" * 99)
    folder = tmp_path / "empty"
    folder.mkdir()
    assert refusal([folder], tmp_path / "out.nii") == "no_scan_found"
    assert refusal([tmp_path / "a", tmp_path / "a"], tmp_path / "out.nii") == "no_scan_found"
    assert refusal([], tmp_path / "out.nii") == "no_file"
    paths = give_files(tmp_path)
    assert refusal(paths, tmp_path / "out.nii", max_bytes=2000) == "too_many_bytes"
    assert refusal(paths, tmp_path / "out.nii", max_bytes=500) == "file_too_large"


def stand_in(monkeypatch: pytest.MonkeyPatch, script: str) -> list[subprocess.Popen[bytes]]:
    """Let the reading process run ``script`` instead; return the list of the processes that were started."""
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def popen(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        started.append(start([command[0], "-P", "-c", script], **options))
        return started[-1]

    monkeypatch.setattr("core.files.convert.subprocess.Popen", popen)
    return started


def test_a_child_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = stand_in(monkeypatch, "import time; time.sleep(600)")
    # the child itself would go on for ten minutes
    assert refusal(give_files(tmp_path), tmp_path / "out.nii", seconds=1) == "import_timeout"
    assert started[0].returncode == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        os.kill(started[0].pid, 0)


def limited(script: str) -> str:
    return f"import sys, json\nfrom core.files import decoder\ndecoder._limit(1, decoder.MEMORY_BYTES)\n{script}"


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("while True: pass", "import_timeout"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "import_failed"),
        ("raise ValueError", "import_failed"),
        ("held = bytearray(5 << 30)", "import_failed"),
        ("open('big', 'wb').truncate(3 << 30)", "import_failed"),
    ],
)
def test_a_child_is_held_to_its_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, code: str) -> None:
    stand_in(monkeypatch, limited(script))
    assert refusal(give_files(tmp_path), tmp_path / "out.nii", seconds=60) == code


def test_small_files_have_less_of_the_processor_than_large_ones(tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"x")
    with large.open("wb") as file:
        file.truncate(100 << 20)
    assert work_seconds([small], 120) == 30
    assert work_seconds([small, large], 120) == 55 and work_seconds([large] * 9, 120) == 120
    assert work_seconds([small], 9) == 9
    # of a folder on one's own machine nobody counts the files
    assert work_seconds([tmp_path], 120) == 120


def test_too_much_memory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*args: Any, **options: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("core.files.scan_finder.load", greedy)
    monkeypatch.setattr(child, "_limit", lambda seconds, memory: None)
    request = {
        "paths": [],
        "work": str(tmp_path),
        "seconds": 9,
        "work_seconds": 9,
        "room": None,
        "max_bytes": 1,
        "numbers": [None],
        "name": "scan.nii",
    }
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(request)))
    child.main(child.READERS)
    assert json.loads((tmp_path / child.ANSWER).read_text())["error"][0] == "import_memory"


@pytest.mark.parametrize("script", ["raise ValueError", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"])
def test_a_child_that_breaks_off_does_not_blame_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    stand_in(monkeypatch, script)
    with pytest.raises(UserError) as caught:
        to_nifti(give_files(tmp_path), tmp_path / "out.nii")
    assert "may be sound" in caught.value.message and "damaged" not in str(caught.value)


def test_the_child_finds_modules_and_files_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(("here", "")))
    paths = [path.relative_to(tmp_path) for path in give_files(tmp_path)]
    Path("out").mkdir()
    assert to_nifti(paths, Path("out/scan.nii")).path.is_file()
    assert str(tmp_path / "here") in child_environment(tmp_path)["PYTHONPATH"].split(os.pathsep)


def test_the_child_reads_the_networks_of_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COUNTERSCAN_WEIGHTS", "mine")
    assert child_environment(tmp_path / "work")["COUNTERSCAN_WEIGHTS"] == str(tmp_path / "mine")
    monkeypatch.delenv("COUNTERSCAN_WEIGHTS")
    assert "COUNTERSCAN_WEIGHTS" not in child_environment(tmp_path / "work")
