from __future__ import annotations

import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import UserError
from core.files.masks import read_mask
from core.files.nifti import Stored, read_stored, read_volume
from core.volume import Volume
from tests.hostile.corpus import MEBIBYTE, Case, blown_up, cases, header, huge_header, scan, zipped
from tests.spent import little_work
from tests.waiting import LONGEST

CASES = cases()
SEEDS = {
    f"{version}{order}{suffix}": pack(scan(version, order))
    for version in (1, 2)
    for order in "<>"
    for suffix, pack in ((".nii", bytes), (".nii.gz", zipped))
}
REPOSITORY = Path(__file__).resolve().parents[2]


def refusal(path: Path) -> str | None:
    try:
        volume = read_volume(path)
    except UserError as error:
        assert error.message.endswith(".")
        assert error.hint.endswith(".")
        return error.code
    assert isinstance(volume, Volume)
    assert np.isfinite(volume.data).all()
    assert np.isfinite(volume.affine).all()
    return None


def test_corpus_is_large_and_its_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES) > 150


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_exact_code_for_little_work(tmp_path: Path, case: Case) -> None:
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(case.data)
    with little_work():
        assert refusal(path) == case.code


def test_kind_is_named(tmp_path: Path) -> None:
    for name, word in {"png": "PNG picture", "dicom_gz": "DICOM", "html": "web page", "gzip_twice": "gzip"}.items():
        path = tmp_path / "scan.nii"
        path.write_bytes(next(case for case in CASES if case.name == name).data)
        with pytest.raises(UserError, match=word):
            read_stored(path)


def test_no_file_and_no_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.nii") == "file_unreadable"
    assert refusal(tmp_path) == "file_unreadable"
    assert refusal(Path("/dev/zero")) == "file_unreadable"


def test_two_gigabytes_are_refused_by_size(tmp_path: Path) -> None:
    path = tmp_path / "scan.nii"
    with path.open("wb") as file:
        file.write(scan())
        file.truncate(2 << 30)
    assert refusal(path) == "file_too_large"
    path.write_bytes(scan())
    with pytest.raises(UserError, match="limit is 0 MB"):
        read_stored(path, max_bytes=100)


@pytest.mark.filterwarnings("error")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    seed=st.sampled_from(sorted(SEEDS)),
    changes=st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_changed_bytes(tmp_path: Path, seed: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(SEEDS[seed])
    for place, value in changes:
        # Half of the changes hit the header, which is where lies are told.
        span = len(data) if place % 2 else min(len(data), 352)
        data[place // 2 % span] = value
    path = tmp_path / "scan.nii"
    path.write_bytes(data)
    refusal(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(seed=st.sampled_from(sorted(SEEDS)), keep=st.floats(0, 1, exclude_max=True))
def test_no_cut_file_is_accepted(tmp_path: Path, seed: str, keep: float) -> None:
    path = tmp_path / "scan.nii"
    path.write_bytes(SEEDS[seed][: int(keep * len(SEEDS[seed]))])
    assert refusal(path) is not None


MEASURE = """
import sys
from pathlib import Path
from core.errors import UserError
from core.files.masks import read_mask
from core.files.nifti import Stored, read_stored
import numpy as np

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024

grid = np.eye(4)
scan = Stored(np.zeros((16, 16, 16), np.uint8), grid)
small = Path(sys.argv[1])
read_stored(small), read_mask(small.with_name("tiny_mask"), scan)
before = peak()
try:
    read_mask(Path(sys.argv[2]), scan) if sys.argv[3] == "mask" else read_stored(Path(sys.argv[2]))
    code = "accepted"
except UserError as error:
    code = error.code
print(code, peak() - before)
"""


def _peak(tmp_path: Path, data: bytes, role: str) -> tuple[str, int]:
    """Return the outcome of reading ``data`` in a fresh process, and its peak memory over the base in MB."""
    paths = [tmp_path / name for name in ("small", "file", "tiny_mask")]
    blob = np.zeros(720, "<i2")
    blob[300] = 1
    for path, content in zip(paths, (scan(), data, header() + blob.tobytes()), strict=True):
        path.write_bytes(content)
    command = [sys.executable, "-c", MEASURE, str(paths[0]), str(paths[1]), role]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=LONGEST)
    code, peak = done.stdout.split()
    return code, int(peak) - len(data) // MEBIBYTE


def _sound_zeros(head: bytes, mebibytes: int) -> bytes:
    """Return ``head`` and zeros as a gzip file whose checksum is right."""
    packed = blown_up(head, mebibytes)
    checksum = zlib.crc32(head)
    for _ in range(mebibytes):
        checksum = zlib.crc32(bytes(MEBIBYTE), checksum)
    return packed[:-8] + checksum.to_bytes(4, "little") + packed[-4:]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize(
    ("code", "mebibytes", "side", "dtype"),
    [
        ("data_longer", 2048, 16, "i2"),
        ("compressed_too_much", 256, 512, "i2"),
        ("constant_image", 64, 256, "f4"),
        ("data_truncated", 63, 256, "f4"),
    ],
)
def test_refused_scan_takes_little_memory(tmp_path: Path, code: str, mebibytes: int, side: int, dtype: str) -> None:
    outcome, peak = _peak(tmp_path, _sound_zeros(huge_header(side, dtype), mebibytes), "scan")
    assert outcome == code
    assert peak < 64


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize(("code", "tail"), [("nan_voxels", b"\0\0\xc0\x7f"), ("gzip_damaged", bytes(4))])
def test_refused_at_the_last_voxel_takes_little_memory(tmp_path: Path, code: str, tail: bytes) -> None:
    head = huge_header(320, "f4")
    values = np.resize(np.random.default_rng(0).integers(0, 1000, 4096), 320**3).astype("<f4")
    raw = head + values.tobytes()[:-4] + tail
    packed = bytearray(zlib.compress(raw, 1, 31))
    if code == "gzip_damaged":
        packed[-8] ^= 1
    outcome, peak = _peak(tmp_path, bytes(packed), "scan")
    assert outcome == code
    assert peak < 64


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize(
    ("code", "mebibytes", "dtype"),
    [("empty_mask", 128, "u1"), ("compressed_too_much", 1024, "f8"), ("data_truncated", 127, "u1")],
)
def test_refused_mask_takes_little_memory(tmp_path: Path, code: str, mebibytes: int, dtype: str) -> None:
    outcome, peak = _peak(tmp_path, _sound_zeros(huge_header(512, dtype), mebibytes), "mask")
    assert outcome == code
    assert peak < 64


def test_tightly_packed_mask_is_accepted(tmp_path: Path) -> None:
    values = np.zeros((256, 256, 256), np.uint8)
    values[100:120, 90:130, 80:110] = 1
    packed = zipped(huge_header(256, "u1") + values.tobytes(order="F"))
    assert values.size > 100 * len(packed)
    (tmp_path / "mask.nii.gz").write_bytes(packed)
    grid = Stored(values, np.eye(4))
    mask = read_mask(tmp_path / "mask.nii.gz", grid)
    np.testing.assert_array_equal(mask.data, values.astype(bool))
    assert mask.notices == ()
