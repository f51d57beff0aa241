import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from core.anatomy.head import find_head
from core.files.masks import check_mask, read_mask
from core.files.nifti import read_stored
from core.synth.examples import CAVITIES, SETS, Cavity, Contrasts, write_example
from core.volume import corners

FOLDER = Path(__file__).parents[3] / "assets" / "examples"


def entries(*tasks: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads((FOLDER / "index.json").read_text())
    return [entry for entry in listed if not tasks or entry["task"] in tasks]


def test_the_index_lists_what_the_generator_makes() -> None:
    assert [entry["name"] for entry in entries()] == [example.name for example in (*CAVITIES, *SETS)]


# the cheapest in `make test`, the others in `make test-all`
@pytest.mark.parametrize(
    "example", [CAVITIES[0], *(pytest.param(one, marks=pytest.mark.slow) for one in (*CAVITIES[1:], *SETS))]
)
def test_an_example_is_what_the_generator_makes(shared_data: Path, tmp_path: Path, example: Cavity | Contrasts) -> None:
    assert write_example(shared_data / "labels" / "synthseg", tmp_path, example) in entries()
    made, shipped = ({file.name: file for file in (folder / example.name).iterdir()} for folder in (tmp_path, FOLDER))
    assert made.keys() == shipped.keys()
    for name in made:
        _same_up_to_rounding(made[name], shipped[name])


def _same_up_to_rounding(made: Path, shipped: Path) -> None:
    """Processors with other vector instructions round sums otherwise: few values may lie a step away, none further."""
    new, old = nib.load(made), nib.load(shipped)
    assert new.header == old.header
    steps = np.abs(np.asarray(new.dataobj, dtype=np.float64) - np.asarray(old.dataobj)) / new.dataobj.slope
    assert steps.max() <= 1, made.name
    assert np.mean(steps > 0) < 1e-3, made.name


def test_all_examples_together_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*.nii.gz")) < 9_000_000


@pytest.mark.parametrize("entry", entries("inpaint"), ids=lambda entry: entry["name"])
def test_an_example_is_a_usable_scan_marked_synthetic(entry: dict[str, Any]) -> None:
    paths = {name: FOLDER / path for name, path in entry["inputs"].items()}
    scan = read_stored(paths["t1"])
    mask = read_mask(paths["mask"], scan)
    volume = scan.to_volume()
    head = find_head(volume)
    assert head.kind == ("head" if "head" in entry["name"] else "brain")
    checked = check_mask(mask.data, scan, head.mask | mask.data)
    assert f"{checked.volume_ml:.0f} ml" in entry["title"]
    # the cavity is darker than the tissue around it
    assert np.median(volume.data[mask.data]) < 0.75 * np.percentile(volume.data[head.mask & ~mask.data], 75)
    assert b"synthetic" in nib.load(paths["t1"]).header["descrip"].item()


def test_the_thick_slices_are_the_means_of_their_reference() -> None:
    (entry,) = entries("superres")
    image, truth = (read_stored(FOLDER / entry["inputs"][name]).to_volume() for name in ("image", "reference"))
    step = SETS[0].step
    assert image.spacing == pytest.approx((1, 1, step))
    x, y, z = image.data.shape
    blocks = truth.data.reshape(x, y, z, step).mean(axis=3)
    # both are stored in whole numbers, and each in its own unit
    factor = float((image.data * blocks).sum() / (blocks**2).sum())
    assert np.abs(image.data - factor * blocks).max() < 3
    first, last = (corners(one.affine, one.data.shape) for one in (image, truth))
    np.testing.assert_allclose(first.mean(axis=0), last.mean(axis=0), atol=1e-6)


def test_the_contrasts_lie_on_one_grid_and_differ() -> None:
    (entry,) = entries("translate")
    volumes = {name: read_stored(FOLDER / path).to_volume() for name, path in entry["inputs"].items()}
    first = volumes["t1"]
    for other in volumes.values():
        np.testing.assert_array_equal(other.affine, first.affine)
        assert find_head(other).kind == "brain"
    brain = first.data > 0
    assert np.corrcoef(first.data[brain], volumes["t2"].data[brain])[0, 1] < 0.2
