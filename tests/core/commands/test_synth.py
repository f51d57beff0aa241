from pathlib import Path

import numpy as np
import pytest
from typer import Typer
from typer.testing import CliRunner

from core.commands.synth import synth_command
from core.errors import UserError
from core.files.nifti import Stored, read_stored, read_volume, write_stored
from core.synth.labelmaps import WHITE
from core.synth.phantom import phantom

app = Typer()
app.command()(synth_command)
# FreeSurfer's labels of the tissues that a phantom is made of
FREESURFER = np.array([0, 24, 2, 3, 7, 8, 10, 11, 12, 13, 16, 17, 28, 31, 507, 511, 515, 516, 514, 506, 502])


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labels") / "map.nii.gz"
    write_stored(path, Stored(FREESURFER[phantom(0, (64, 76, 64))].astype(np.int16), np.eye(4)))
    return path


def run(out: Path, *arguments: str | Path) -> list[str]:
    result = CliRunner().invoke(app, ["--out", str(out), *map(str, arguments)])
    if isinstance(result.exception, UserError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return [Path(line).name.removesuffix(".nii.gz") for line in result.output.splitlines()]


def test_a_subject_with_a_lesion_and_thick_slices(tmp_path: Path, labels: Path) -> None:
    options = ("--labels", labels, "--contrasts", "t1,flair", "--lesion", "tumour", "--thick", "4", "--seed", "3")
    names = run(tmp_path, *options)
    scans = [f"{contrast}{kind}" for contrast in ("flair", "t1") for kind in ("", "_healthy", "_thick")]
    assert sorted(names) == sorted([*scans, "lesion", "tissues"])
    volumes = {name: read_volume(tmp_path / f"{name}.nii.gz") for name in names}
    white = volumes["tissues"].data == WHITE
    assert np.median(volumes["t1_healthy"].data[white]) == pytest.approx(1, abs=0.02)
    assert set(np.unique(volumes["lesion"].data)) == {0, 1}
    changed = volumes["t1"].data != volumes["t1_healthy"].data
    assert changed[volumes["lesion"].data > 0].mean() > 0.9
    thick, fine = volumes["t1_thick"], volumes["t1"]
    assert thick.spacing == pytest.approx((1, 1, 4))
    assert thick.data.shape[2] == fine.data.shape[2] // 4
    # the slices lie where they were measured
    ends = [
        volume.affine[2, 3] + volume.affine[2, 2] * np.array([-0.5, volume.data.shape[2] - 0.5])
        for volume in (thick, fine)
    ]
    assert ends[1][0] - 1e-3 <= ends[0][0] < ends[0][1] <= ends[1][1] + 1e-3


def test_the_same_seed_gives_the_same_files(tmp_path: Path, labels: Path) -> None:
    for name in ("one", "two"):
        assert run(tmp_path / name, "--labels", labels, "--contrasts", "pd", "--seed", "7") == ["pd", "tissues"]
    first, second = (read_stored(tmp_path / name / "pd.nii.gz").values for name in ("one", "two"))
    assert np.array_equal(first, second)


def test_without_label_maps_there_is_a_phantom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.commands.synth.phantom", lambda seed: phantom(seed, (48, 58, 48)))
    assert run(tmp_path, "--data", tmp_path / "none", "--contrasts", "t1", "--whole-head") == ["t1", "tissues"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--lesion", "stroke"), "stroke"),
        (("--contrasts", "t1,ct"), "ct"),
        (("--contrasts", ","), "contrast"),
    ],
)
def test_a_wrong_option_is_named(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    with pytest.raises(UserError, match=said) as found:
        run(tmp_path, *options)
    assert found.value.code == "bad_parameter"


@pytest.mark.parametrize(
    ("values", "size", "said"),
    [
        (np.array([0, 2]), 2.0, "1 mm"),
        (np.array([0, 24]), 1.0, "white matter"),
        (np.array([-1, 2]), 1.0, "no label map"),
    ],
)
def test_a_file_must_be_a_label_map(
    tmp_path: Path, values: np.ndarray[tuple[int], np.dtype[np.int64]], size: float, said: str
) -> None:
    data = values[np.indices((12, 12, 12)).sum(axis=0) % 2].astype(np.int16)
    write_stored(tmp_path / "map.nii.gz", Stored(data, np.diag([size, size, size, 1.0])))
    with pytest.raises(UserError, match=said):
        run(tmp_path / "out", "--labels", tmp_path / "map.nii.gz")
