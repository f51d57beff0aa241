from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.errors import UserError
from core.files import voxel_stream as stream
from core.files.voxel_stream import kind_of, open_source, pieces
from tests.core.files.grids import grid_affine, nib, random_values

RAS = grid_affine((0, 1, 2), (False, False, False), (1.0, 1.0, 1.0))
VALUES = random_values("i4", shape=(20, 19, 18))


@pytest.fixture(params=[bytes, lambda raw: gzip.compress(raw, mtime=0)], ids=["plain", "gzip"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    pack: Callable[[bytes], bytes] = request.param
    (tmp_path / "scan").write_bytes(pack(nib.Nifti1Image(VALUES, RAS).to_bytes()))
    return tmp_path / "scan"


@pytest.mark.parametrize("size", [4, 1000, 1 << 20])
def test_pieces_join_to_the_voxels(path: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PIECE_BYTES", size)
    found = list(pieces(open_source(path, max_bytes=1 << 30, free_bytes=1 << 30)))
    assert max(piece.nbytes for piece in found) <= size
    np.testing.assert_array_equal(np.concatenate(found), VALUES.ravel(order="F"))


def test_a_damaged_end_is_told_after_the_last_piece(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError) as caught:
        for _ in pieces(open_source(path, max_bytes=1 << 30, free_bytes=1 << 30)):
            pass
    assert caught.value.code in ("gzip_truncated", "data_truncated")


def test_size_limit(path: Path) -> None:
    size = path.stat().st_size
    open_source(path, max_bytes=size, free_bytes=1 << 30)
    with pytest.raises(UserError) as caught:
        open_source(path, max_bytes=size - 1, free_bytes=1 << 30)
    assert caught.value.code == "file_too_large"


def test_ratio_matters_only_above_the_free_size(tmp_path: Path) -> None:
    zeros = gzip.compress(nib.Nifti1Image(np.zeros((64, 64, 64), np.uint8), RAS).to_bytes())
    (tmp_path / "zeros").write_bytes(zeros)
    assert open_source(tmp_path / "zeros", max_bytes=1 << 20, free_bytes=64**3).header.nbytes == 64**3
    with pytest.raises(UserError) as caught:
        open_source(tmp_path / "zeros", max_bytes=1 << 20, free_bytes=64**3 - 1)
    assert caught.value.code == "compressed_too_much"


def test_file_that_vanishes(path: Path) -> None:
    source = open_source(path, max_bytes=1 << 30, free_bytes=1 << 30)
    path.unlink()
    with pytest.raises(UserError) as caught:
        next(pieces(source))
    assert caught.value.code == "file_unreadable"


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.nii")
    with pytest.raises(UserError) as caught:
        kind_of(tmp_path / "pipe.nii")
    assert caught.value.code == "file_unreadable"
