from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.files.dicom_origin import origin_of
from tests.core.files.grids import grid_affine
from tests.dicom_files import Series

SERIES = Series(np.zeros((8, 8, 8), "i2"), grid_affine((0, 1, 2), (True, True, True), (1.0, 1.0, 2.0)))
NUMBER = b"\x20\x00\x11\x00IS\x02\x00"


@pytest.mark.parametrize(("stored", "number"), [(b"3 ", 3), (b"7E", 0), (b"  ", 0), (b"\xff\xff", 0)])
def test_a_number_of_a_series_against_the_standard_is_none(tmp_path: Path, stored: bytes, number: int) -> None:
    content = SERIES.files()[0]
    assert content.count(NUMBER) == 1
    (tmp_path / "a.dcm").write_bytes(content.replace(NUMBER + b"3 ", NUMBER + stored))
    found = origin_of([tmp_path / "a.dcm"])
    assert found["series"] == ["1.2.3.4", number] and len(found["instances"]) == 1
