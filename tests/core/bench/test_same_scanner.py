from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

from core.bench import same_scanner
from core.declaration import Method
from core.errors import UserError
from core.events import Progress
from core.files.nifti import write_volume
from core.imaging.options import Options
from core.imaging.problem import Estimate, Sources
from core.imaging.translate.task import TASK
from core.volume import Volume
from tests.core.brains import brain, grid

SHAPE = (30, 36, 28)


def dimmed(sources: Sources, options: Options) -> Generator[Progress, None, Estimate]:
    """Return the source with a gain and an offset that no scanner has."""
    yield Progress(0.0, 0, 1, "")
    (image,) = sources.images.values()
    return Estimate(np.where(sources.brain, 0.3 * image + 0.4, 0).astype(np.float32))


def two_people(base: Path) -> Path:
    """Two people whose T2 is their T1 with another gain."""
    affine, shape = grid(2.2, SHAPE)
    for number, name in enumerate(("01", "02")):
        folder = base / "train" / "lhdata" / name
        folder.mkdir(parents=True)
        image = brain("t1", affine, shape, scale=0.45 + 0.02 * number)
        write_volume(folder / "t1.nii.gz", image)
        write_volume(folder / "t2.nii.gz", Volume(2 * image.data, image.affine))
    return base


def test_a_scan_of_the_scanner_mends_gain_and_offset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    method = TASK.method("regression")
    monkeypatch.setattr(Method, "load", lambda self: dimmed)
    monkeypatch.setattr(same_scanner, "unpublished", lambda task: (method,))
    lines: list[str] = []
    rows = same_scanner.measure(same_scanner.folders(two_people(tmp_path)), lines.append)
    assert len(rows) == len(lines) == 2 * 2 * 3 and not any(row.error for row in rows)

    def mean(name: str) -> float:
        return float(np.mean([row.scores["psnr"] for row in rows if row.method == name]))

    assert mean("regression/scanner") > mean("regression") + 3
    # what both contrasts of someone else teach is enough where one is a function of the other
    assert mean("site") > 25
    page = tmp_path / "page.md"
    page.write_text("<!-- bench scanner -->\n<!-- end of bench scanner -->\n")
    same_scanner.write_page(page, rows)
    assert "T1 to T2, a scanner that nothing was learnt from" in page.read_text()
    assert {name for names in same_scanner.BASELINES.values() for name in names} <= {row.method for row in rows}


def test_one_person_has_nobody_beside(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        same_scanner.measure([], print)
    assert "lhdata" in refused.value.message
