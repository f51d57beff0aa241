from __future__ import annotations

import pytest

from core.anatomy.head import find_head
from core.files.nifti import read_volume
from core.imaging.contrast_look import mistaken
from tests.source import ROOT

EXAMPLES = ROOT / "assets" / "examples" / "contrasts"


@pytest.mark.parametrize(
    ("file", "given", "looks"),
    [
        ("t1", {"t1", "t1ce"}, "T1"),
        ("t2", {"t2"}, "T2"),
    ],
)
def test_a_scan_given_as_another_contrast_is_warned_of(file: str, given: set[str], looks: str) -> None:
    volume = read_volume(EXAMPLES / f"{file}.nii.gz")
    head = find_head(volume)
    for contrast in ("t1", "t1ce", "t2", "flair"):
        found = mistaken(contrast, volume, head)
        assert (not found) == (contrast in given)
        assert all(note.level == "warning" and f"looks like {looks} " in note.text for note in found)
