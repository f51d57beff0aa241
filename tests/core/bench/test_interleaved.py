from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from core.bench import interleaved
from core.bench.table import mark
from core.commands import bench as command
from core.files.nifti import write_volume
from core.volume import Volume
from tests.core.imaging.superres.alternating import anatomy

Ball = tuple[str, Volume]


@pytest.fixture(scope="module")
def ball() -> Ball:
    return "ball", Volume(np.asarray(anatomy(0) / 500, np.float32), np.eye(4))


@pytest.fixture(scope="module")
def rows(ball: Ball) -> dict[str, interleaved.Gained]:
    return {row.kind: row for row in interleaved.gained([ball], ["cubic"], lambda line: None)}


def test_a_gain_alternates_varies_and_drifts() -> None:
    gain = interleaved.alternating((60, 50, 20), 0.02, 0, (2.0, 2.0, 4.0)) - 1
    assert np.sqrt(np.square(gain).mean()) == pytest.approx(0.02, rel=1e-3)
    np.testing.assert_array_equal(np.sign(gain[..., 1:]), -np.sign(gain[..., :-1]))
    sizes = np.abs(gain).mean(axis=(0, 1))
    assert sizes[-1] == pytest.approx((1 - interleaved.DRIFT) * sizes[0], rel=1e-3)
    assert np.abs(gain[..., 0]).std() > 0.2 * sizes[0]


def test_slices_that_need_nothing_are_made_alike(rows: dict[str, interleaved.Gained]) -> None:
    row = rows["as they are"]
    assert row.psnr[0] == row.psnr[1] and row.striped[0] == row.striped[1]


def test_the_correction_takes_stripes_and_noise_out(rows: dict[str, interleaved.Gained]) -> None:
    striped, plain = rows["alternating by 5 %"], rows["as they are"]
    assert striped.psnr[0] + 0.1 < striped.psnr[1] <= plain.psnr[0] + 0.05
    assert striped.striped[1] < 0.7 * striped.striped[0]
    assert rows["noise of 5 %"].psnr[0] + 0.5 < rows["noise of 5 %"].psnr[1]


def test_a_search_counts_what_it_finds(ball: Ball, tmp_path: Path) -> None:
    write_volume(tmp_path / "ball.nii.gz", ball[1])
    found = {(row.step, row.gain): row for row in interleaved.searched([tmp_path / "ball.nii.gz"], lambda line: None)}
    assert found.keys() == {(step, gain) for step in interleaved.STEPS for gain in interleaved.GAINS}
    assert all(found[step, 0.0].found == 0 for step in interleaved.STEPS)
    assert found[3, 0.01].found == 1 and found[3, 0.01].strength[1] > found[3, 0.0].strength[1]


def test_the_command_writes_its_table(ball: Ball, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interleaved, "synthetic", lambda: iter([ball]))
    monkeypatch.setattr(interleaved, "KINDS", {"as they are": (0.0, 0.0)})
    page = tmp_path / "page.md"
    page.write_text("\n".join(mark(interleaved.MARK)))
    ran = CliRunner().invoke(command.app, ["interleaved", "--methods", "cubic", "--markdown", str(page)])
    assert ran.exit_code == 0, ran.output
    assert "| as they are | ball | cubic | " in ran.stdout and "| as they are | ball | cubic | " in page.read_text()
    refused = CliRunner().invoke(command.app, ["interleaved", "--methods", "magic"])
    assert refused.exit_code != 0
