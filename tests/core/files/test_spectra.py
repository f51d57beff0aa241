from pathlib import Path

import numpy as np
import pytest

from core.errors import UserError
from core.files.spectra import read_safely


def test_arrays_come_back_from_the_other_process(tmp_path: Path) -> None:
    cube = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4)
    np.savez(tmp_path / "a", cube=cube, y=np.array(["a", "bc"]))
    found = read_safely([tmp_path / "a.npz"])
    np.testing.assert_array_equal(found["cube"], cube)
    assert found["y"].tolist() == ["a", "bc"]


def test_refusals_come_back_too(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(UserError, match="cube_unreadable"):
        read_safely([tmp_path / "a.npz"])
    with pytest.raises(UserError, match="file_unreadable"):
        read_safely([tmp_path / "none.npz"])


def test_what_takes_too_long_is_killed(tmp_path: Path) -> None:
    np.savez(tmp_path / "a", cube=np.zeros(4))
    with pytest.raises(UserError, match="import_timeout"):
        read_safely([tmp_path / "a.npz"], seconds=0)
