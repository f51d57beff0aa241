import io
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat

from core.errors import UserError
from core.files.arrays import read_arrays

CUBE = np.random.default_rng(0).random((5, 6, 7)).astype(np.float32)


def test_npz(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a", ir=CUBE, y=np.array(["a", "b"]))
    found = read_arrays(tmp_path / "a.npz")
    np.testing.assert_array_equal(found["ir"], CUBE)
    assert found["y"].tolist() == ["a", "b"]


def test_an_array_alone(tmp_path: Path) -> None:
    np.save(tmp_path / "mask.npy", np.eye(4, dtype=np.uint8))
    np.testing.assert_array_equal(read_arrays(tmp_path / "mask.npy")["image"], np.eye(4))


def test_matlab_5(tmp_path: Path) -> None:
    names = np.array(["benign", "tumour"], dtype=object)
    savemat(tmp_path / "a.mat", {"cube": CUBE, "wn": np.arange(7.0), "names": names, "other": {"field": 1}})
    found = read_arrays(tmp_path / "a.mat")
    np.testing.assert_array_equal(found["cube"], CUBE)
    assert found["wn"].shape == (7,)
    assert found["names"].tolist() == ["benign", "tumour"]
    assert "other" not in found


def test_matlab_73(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["cube"] = CUBE.T
        file["wn"] = np.arange(7.0)[:, None]
        file["title"] = np.array([[ord(letter)] for letter in "liver"], np.uint16)
        file["title"].attrs["MATLAB_class"] = np.bytes_(b"char")
        file.create_group("a structure")
    with path.open("r+b") as stored:
        stored.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512))
    found = read_arrays(path)
    np.testing.assert_array_equal(found["cube"], CUBE)
    assert found["wn"].shape == (7,)
    assert str(found["title"]) == "liver"
    assert set(found) == {"cube", "wn", "title"}


def test_hdf_does_not_lead_out_of_its_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(range(80)))
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["values"] = np.ones(4)
    with h5py.File(tmp_path / "trap.h5", "w") as file:
        file["mine"] = np.zeros((2, 2))
        file["link"] = h5py.ExternalLink("other.h5", "values")
        file["soft"] = h5py.SoftLink("/mine")
        file.create_dataset("raw", (10,), "u1", external=[(str(secret), 0, 10)])
        layout = h5py.VirtualLayout((4,), "f8")
        layout[:] = h5py.VirtualSource("other.h5", "values", (4,))
        file.create_virtual_dataset("virtual", layout)
    assert set(read_arrays(tmp_path / "trap.h5")) == {"mine"}


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"planarconfig": "separate"}, {"bigtiff": True}])
def test_a_tiff_stack_has_its_bands_last(tmp_path: Path, options: dict[str, Any]) -> None:
    photometric = "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", CUBE.transpose(2, 0, 1), photometric=photometric, **options)
    np.testing.assert_array_equal(read_arrays(tmp_path / "a.tif")["image"], CUBE)


def test_a_tiff_of_many_samples_a_pixel(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", CUBE, photometric="minisblack", planarconfig="contig")
    np.testing.assert_array_equal(read_arrays(tmp_path / "a.tif")["image"], CUBE)


def test_pictures(tmp_path: Path) -> None:
    mask: NDArray[np.uint8] = np.arange(30, dtype=np.uint8).reshape(5, 6)
    Image.fromarray(mask).save(tmp_path / "a.png")
    Image.fromarray(mask).save(tmp_path / "a.tif")
    for name in ("a.png", "a.tif"):
        np.testing.assert_array_equal(read_arrays(tmp_path / name)["image"], mask)


def test_envi_is_found_from_either_file(tmp_path: Path) -> None:
    text = "ENVI\nsamples = 6\nlines = 5\nbands = 7\ndata type = 4\ninterleave = bip\nwavelength = {1,2,3,4,5,6,700}\n"
    header, data = tmp_path / "a.hdr", tmp_path / "a.img"
    header.write_text(text)
    data.write_bytes(CUBE.tobytes())
    for paths in ((header,), (data,), (header, data), (data, header)):
        np.testing.assert_array_equal(read_arrays(*paths)["cube"], CUBE)


def npz_of(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def npy_of(description: str) -> bytes:
    return b"\x93NUMPY\x01\x00v\x00" + description.encode().ljust(117) + b"\n\x80\x04."


OBJECTS = npy_of("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }")
HOSTILE = {
    "empty": b"",
    "objects": OBJECTS,
    "objects in an archive": npz_of("y.npy", OBJECTS),
    "an archive of something else": npz_of("a.txt", b"hello"),
    "half an archive": npz_of("y.npy", b"x" * 100)[:80],
    "huge by its header": npy_of("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,), }"),
    "matlab 5 cut off": b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + b"\x0f\0\0\0\xff\xff\0\0xx",
    "matlab 7.3 without content": b"MATLAB 7.3 MAT-file".ljust(512),
    "hdf cut off": b"\x89HDF\r\n\x1a\n" + bytes(50),
    "tiff cut off": b"II*\0\x08\0\0\0\xff\xff",
    "png cut off": b"\x89PNG\r\n\x1a\n" + bytes(20),
    "a program": b"\x7fELF" + bytes(200),
    "a table without rows": b"label,1000,1100\n",
    "a table with ragged rows": b"label,1000,1100\na,1,2\nb,1\n",
    "words where numbers belong": b"label,1000,1100\na,1,2\nb,1,many\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(HOSTILE[name])
    with pytest.raises(UserError) as error:
        read_arrays(path)
    assert error.value.code in ("cube_unreadable", "cube_too_large", "no_wavenumbers")


@pytest.mark.parametrize("name", ["a.npz", "a.tif", "a.csv"])
def test_damage_anywhere_is_refused_or_harmless(tmp_path: Path, name: str) -> None:
    np.savez_compressed(tmp_path / "a.npz", ir=CUBE)
    tifffile.imwrite(tmp_path / "a.tif", CUBE, photometric="minisblack", compression="zlib")
    (tmp_path / "a.csv").write_text("y,1000,1100\n" + "a,1,2\n" * 20)
    whole = (tmp_path / name).read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for number in range(60):
        damaged = bytearray(whole[: rng.integers(1, len(whole))] if number % 3 == 0 else whole)
        for _ in range(4):
            damaged[rng.integers(0, min(len(damaged), 600))] = rng.integers(0, 256)
        (tmp_path / "damaged").write_bytes(damaged)
        try:
            read_arrays(tmp_path / "damaged")
        except UserError as error:
            assert error.code in ("cube_unreadable", "cube_too_large", "no_wavenumbers")
            refused += 1
    assert refused > 10


def test_an_archive_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.files.arrays.MAX_BYTES", 1 << 20)
    np.savez_compressed(tmp_path / "bomb", ir=np.zeros((64, 64, 64), np.float64))
    with pytest.raises(UserError, match="cube_too_large"):
        read_arrays(tmp_path / "bomb.npz")
    tifffile.imwrite(tmp_path / "bomb.tif", np.zeros((64, 64, 64)), compression="zlib")
    with pytest.raises(UserError, match="cube_too_large"):
        read_arrays(tmp_path / "bomb.tif")
    savemat(tmp_path / "bomb.mat", {"a": np.zeros((64, 64, 64))}, do_compression=True)
    with pytest.raises(UserError, match="cube_too_large"):
        read_arrays(tmp_path / "bomb.mat")
