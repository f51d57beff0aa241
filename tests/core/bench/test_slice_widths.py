from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from core.bench import slice_widths
from core.bench.slice_widths import Kind, Measured
from core.bench.table import mark
from core.commands import bench as command
from core.imaging.superres.slice_width import SliceWidth
from core.volume import Volume
from tests.core.imaging.superres.test_slice_width import tissue

KINDS = (Kind(4, 4), Kind(4, 7))


def ball() -> tuple[str, Volume]:
    return "ball", Volume(np.asarray(tissue() / 1000, np.float32), np.eye(4))


def test_the_right_thickness_is_worth_most_and_what_is_taken_is_between() -> None:
    touching, wide = slice_widths.measure([ball()], ["cubic"], lambda line: None, KINDS)
    assert touching.found is not None and wide.found is not None and wide.found.certain
    assert wide.found.width > touching.found.width + 1
    assumed, taken, right = wide.psnr["cubic"]
    assert assumed + 0.5 < taken and assumed + 0.5 < right
    assert touching.psnr["cubic"][0] == touching.psnr["cubic"][2]


def test_a_table_has_a_line_for_each_kind() -> None:
    rows = [
        Measured("a", Kind(4, 4), SliceWidth(4.2, 0.4, 4.0), {"cubic": (20.0, 20.0, 20.0)}),
        Measured("b", Kind(4, 4), SliceWidth(5.8, 0.4, 4.0), {"cubic": (21.0, 23.0, 23.0)}),
        Measured("a", Kind(4, 6, "gaussian"), None, {"cubic": (20.0, 20.0, 25.0)}),
    ]
    lines = slice_widths.markdown(rows).splitlines()
    assert lines[2] == "| 4 mm | 4 mm | box | 2 | 5.00 mm | 0.80 mm | 0.40 mm | 1 | 20.50, 21.50, 21.50 dB |"
    assert lines[3] == "| 4 mm | 6 mm | gaussian | 1 | - | - | - | - | 20.00, 20.00, 25.00 dB |"


def test_the_command_writes_its_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.bench.interleaved.synthetic", lambda: iter([ball()]))
    monkeypatch.setattr(slice_widths, "KINDS", (Kind(4, 4),))
    page = tmp_path / "page.md"
    page.write_text("\n".join(mark(slice_widths.MARK)))
    ran = CliRunner().invoke(command.app, ["slices", "--methods", "", "--markdown", str(page)])
    assert ran.exit_code == 0, ran.output
    assert "| 4 mm | 4 mm | box | 1 |" in ran.stdout and "| 4 mm | 4 mm | box | 1 |" in page.read_text()
