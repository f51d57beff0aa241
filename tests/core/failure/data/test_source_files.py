"""Which files a run read: those that a table names, the data of a header, all of a folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

from core.failure.data.source_files import MOST, source_files
from tests.core.failure.data.core_set import write_cores


def test_a_table_names_its_images_with_their_data_and_pictures(tmp_path: Path) -> None:
    table = write_cores(tmp_path / "set", patients=2, cores=1, across=1)
    (table.parent / "notes.md").write_text("not read, as the label pictures that the table does not name")
    found = {each.name: each for each in source_files(table)}
    assert set(found) == {path.name for path in table.parent.iterdir()} - {
        "notes.md", "core00_labels.png", "core01_labels.png",
    }  # fmt: skip
    data = table.parent / "core00.dat"
    assert found["core00.dat"].bytes == data.stat().st_size
    assert found["core00.dat"].sha256 == hashlib.sha256(data.read_bytes()).hexdigest()
    assert [each.name for each in source_files(table.parent / "core00.hdr")] == ["core00.dat", "core00.hdr"]


def test_a_folder_of_very_many_files_is_summed_up(tmp_path: Path) -> None:
    for number in range(MOST + 5):
        (tmp_path / f"{number:04}.csv").write_text("x")
    found = source_files(tmp_path)
    assert len(found) == MOST + 1 and found[-1].name == "and 5 more files" and found[-1].bytes == 5
