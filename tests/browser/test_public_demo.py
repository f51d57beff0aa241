"""A public demo keeps nothing: after its retention no byte of a scan is left in the data folder of a real server."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from playwright.sync_api import Browser

from core.weights import FOLDER
from tests.browser.conftest import Server, new_context
from tests.browser.steps import choose_preset, load_mask, load_scan, run, visit, wait_result
from tests.phantom import Phantom, make_phantom

pytestmark = pytest.mark.slow

CANARY = "canary-5c1e9"
RETENTION = 60.0
# what the retention promises beside its own length: two sweeps, and a machine that has other work
LATE = 60.0
HEAD = 96


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """``counterscan serve --public-demo`` with a retention of a minute."""
    settings = {"COUNTERSCAN_RETENTION_HOURS": str(RETENTION / 3600)}
    running = Server(tmp_path_factory.mktemp("demo"), FOLDER, ["serve", "--public-demo"], settings)
    running.start()
    yield running
    running.stop()


def marked(folder: Path) -> tuple[Path, Path, list[bytes]]:
    """Write a scan and its mask under telling names, with texts in the header; return them and what may not stay."""
    head: Phantom = make_phantom()
    paths = (folder / f"{CANARY}.nii.gz", folder / f"{CANARY}-mask.nii.gz")
    for path, data in zip(paths, (head.scan.astype(np.int16), head.mask.astype(np.uint8)), strict=True):
        image = nib.Nifti1Image(data, head.affine)
        image.header["descrip"] = CANARY.encode()
        nib.save(image, path)
    # voxels of the middle of the head, and the bytes in which they travelled
    voxels = head.scan.astype(np.int16).tobytes(order="F")
    packed = paths[0].read_bytes()
    return *paths, [CANARY.encode(), telling(voxels), telling(packed)]


def telling(content: bytes) -> bytes:
    """Return the part with the most different bytes: zeros, of which there are many, would say nothing."""
    parts = (content[start : start + HEAD] for start in range(0, len(content), HEAD))
    return max(parts, key=lambda part: len(set(part)))


def traces(folder: Path, needles: list[bytes]) -> list[str]:
    """Return the files below ``folder`` with one of ``needles`` in their path or bytes, packed or not."""
    found = []
    for path in folder.rglob("*"):
        content = bytes(path)
        if path.is_file():
            stored = path.read_bytes()
            content += stored + (gzip.decompress(stored) if stored[:2] == b"\x1f\x8b" else b"")
        if any(needle in content for needle in needles):
            found.append(path.relative_to(folder).as_posix())
    return found


def kept(data: Path) -> list[str]:
    """Return every file of visitors."""
    folders = ("blobs", "uploads", "incoming", "work", "backups")
    return [str(path) for name in folders for path in (data / name).rglob("*") if path.is_file()]


def test_after_the_retention_no_byte_of_a_scan_is_left(demo: Server, browser: Browser, tmp_path: Path) -> None:
    t1, mask, needles = marked(tmp_path)
    context = new_context(browser)
    page = context.new_page()
    visit(page, demo.url)
    load_scan(page, t1)
    load_mask(page, mask)
    choose_preset(page, "fast")
    run(page)
    wait_result(page)
    finished = time.monotonic()
    job = page.url.rpartition("job=")[2]
    results = [Path(one).read_bytes() for one in kept(demo.data) if "/blobs/" in one]
    assert len(results) >= 4
    needles += [job.encode(), *map(telling, results)]
    assert min(len(set(needle)) for needle in needles) > 8
    before = traces(demo.data, needles)
    assert any(one.startswith("blobs/") for one in before) and "counterscan.db" in "".join(before)
    context.close()
    end = finished + RETENTION + LATE
    while (left := traces(demo.data, needles) + kept(demo.data)) and time.monotonic() < end:
        time.sleep(1)
    assert left == []
    # not at once, by some other way
    assert time.monotonic() - finished > RETENTION / 2
    assert CANARY not in demo.log.read_text() and job not in (demo.data / "erased.log").read_text()
