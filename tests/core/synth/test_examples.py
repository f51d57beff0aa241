import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from core.files.mask import check_mask, read_mask
from core.files.nifti import read_stored
from core.head import find_head
from core.synth.examples import EXAMPLES

FOLDER = Path(__file__).parents[3] / "assets" / "examples"


def entries() -> list[dict[str, str]]:
    listed: list[dict[str, str]] = json.loads((FOLDER / "index.json").read_text())
    return listed


def test_the_index_lists_what_the_generator_makes() -> None:
    assert [entry["name"] for entry in entries()] == [example.name for example in EXAMPLES]


def test_all_examples_together_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*.nii.gz")) < 3_000_000


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry["name"])
def test_an_example_is_a_usable_scan_marked_synthetic(entry: dict[str, str]) -> None:
    scan = read_stored(FOLDER / entry["t1"])
    mask = read_mask(FOLDER / entry["mask"], scan)
    volume = scan.to_volume()
    head = find_head(volume)
    assert head.kind == ("head" if "head" in entry["name"] else "brain")
    checked = check_mask(mask.data, scan, head.mask | mask.data)
    assert f"{checked.volume_ml:.0f} ml" in entry["title"]
    # the cavity is darker than the tissue around it
    assert np.median(volume.data[mask.data]) < 0.75 * np.percentile(volume.data[head.mask & ~mask.data], 75)
    assert b"synthetic" in nib.load(FOLDER / entry["t1"]).header["descrip"].item()
