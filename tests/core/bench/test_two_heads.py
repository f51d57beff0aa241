from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from core.anatomy.head import Head
from core.anatomy.registration import Alignment
from core.anatomy.same_head import Fit, fit, judge
from core.bench import two_heads
from core.bench.people import people
from core.bench.two_heads import Row, markdown, measure, write_json, write_page
from core.errors import UserError
from core.files.nifti import write_volume
from core.volume import Volume
from tests.core.made_heads import heads


def folder(base: Path) -> Path:
    """Three people, one of whom thresholds were chosen on."""
    for seed, place, files in (
        (2, "demo/sri24", {"spgr": "t1", "late": "t2"}),
        (3, "demo/thick", {"patient12_T1W": "t1", "patient12_FLAIR": "flair"}),
        (5, "train/lhdata/01", {"t1": "t1", "t2": "t2"}),
    ):
        (base / place).mkdir(parents=True)
        for name, contrast in files.items():
            write_volume(base / place / f"{name}.nii.gz", heads(seed)[contrast])
    return base


FITS: dict[tuple[int, ...], Fit] = {}


def remembered(one: Volume, head: Head, other: Volume, other_head: Head) -> Fit:
    """The fit of two scans, computed once for the same voxels in the same places."""
    arrays = [each for scan in (one, other) for each in (scan.data, scan.affine)]
    key = tuple(zlib.crc32(array.tobytes()) for array in arrays)
    if key not in FITS:
        FITS[key] = fit(one, head, other, other_head)
    return FITS[key]


def test_pairs_of_one_person_and_of_two_are_told_apart_and_alignments_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sought = []

    def stay(fixed: Volume, fixed_head: Head, moving: Volume, moving_head: Head) -> Alignment:
        sought.append(moving)
        return Alignment(np.eye(4), 0, 0, 0, 0)

    monkeypatch.setattr(two_heads, "register_heads", stay)
    monkeypatch.setattr(two_heads, "fit", remembered)
    data, cache = folder(tmp_path / "data"), tmp_path / "cache" / "pairs.jsonl"
    rows = measure(data, cache, lambda line: None)
    assert {row.chosen_on for row in rows if "lhdata" in row.first} == {True}
    assert not any(row.chosen_on for row in rows if "demo" in row.first)
    for row in rows:
        if not row.same or "moved" in row.second:
            # what was moved is not brought back here
            assert judge(row.found) == "two", row
        else:
            assert judge(row.found) in ("one", "unknown"), row
    kinds = {row.kind for row in rows if not row.same}
    assert kinds == {
        "T1 and T1",
        "T1 and FLAIR",
        "T2 and FLAIR",
        two_heads.GUIDE,
        "T1 and T2 or FLAIR, aligned directly",
    }
    before = len(sought)
    assert before == len(cache.read_text(encoding="utf-8").splitlines())
    again = measure(data, cache, lambda line: None)
    assert len(sought) == before and again == rows


def row(same: bool, share: float, blocks: int = 300, chosen_on: bool = False, kind: str = "T1 and T2") -> Row:
    return Row(kind, same, chosen_on, "a/t1", "b/t2", Fit(share, blocks))


def test_the_tables_count_what_is_caught_what_is_accused_and_what_is_not_judged(tmp_path: Path) -> None:
    rows = [
        *(row(False, share) for share in (0.05, 0.06, 0.12, 0.25)),
        row(False, 0.0, 10),
        row(False, 0.9, kind="T1 and T1"),
        *(row(True, share) for share in (0.5, 0.7, 0.15, 0.29)),
        row(True, 0.31, chosen_on=True),
        row(False, 0.17, chosen_on=True),
    ]
    text = markdown(rows)
    assert "| T1 and T2 | 5 | 0.05, 0.09, 0.25 | 75.0% (30.1% to 95.4%) | 1 | 1 |" in text
    assert "| all | 6 | 0.05, 0.12, 0.90 | 60.0%" in text
    assert "| T1 and T2 | 4 | 0.15, 0.40, 0.70 | 25.0%" in text
    assert "1 pairs of two people with shares of 0.170 to 0.170, and 1 pairs of one person with 0.310 to 0.310" in text
    page = tmp_path / "page.md"
    page.write_text("<!-- bench pairs -->\nstale\n<!-- end of bench pairs -->\n", encoding="utf-8")
    write_page(page, rows)
    assert "stale" not in page.read_text(encoding="utf-8") and text in page.read_text(encoding="utf-8")
    write_json(tmp_path / "rows.json", rows)
    written = json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))
    assert written[0]["judgement"] == "two" and written[0]["found"] == {"share": 0.05, "blocks": 300}


def test_data_without_people_or_without_the_atlas_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no scans"):
        people(tmp_path)
    (tmp_path / "train/lhdata/01").mkdir(parents=True)
    for name in ("t1", "t2"):
        write_volume(tmp_path / f"train/lhdata/01/{name}.nii.gz", heads(2)[name])
    with pytest.raises(UserError, match="sri24"):
        measure(tmp_path, tmp_path / "cache", lambda line: None)
