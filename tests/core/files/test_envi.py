import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import UserError
from core.files.envi import ORDERS, TYPES, data_of, in_wavenumbers, parse_header, read_envi

SIZES = {"l": 3, "s": 4, "b": 5}
CUBE = np.arange(60.0).reshape(3, 4, 5)
WAVELENGTHS = "wavelength = {\n 900.5, 1000,\n 1100, 1200,\n 1300 }"


def header(**changed: str | None) -> str:
    fields: dict[str, str | None] = {
        "samples": "4",
        "lines": "3",
        "bands": "5",
        "header offset": "0",
        "data type": "4",
        "interleave": "bip",
        "byte order": "0",
    }
    fields |= {name.replace("_", " "): value for name, value in changed.items()}
    return "ENVI\n" + "".join(f"{name} = {value}\n" for name, value in fields.items() if value is not None)


def write(folder: Path, text: str, interleave: str, dtype: str, before: int = 0) -> tuple[Path, Path]:
    stored = CUBE.transpose(["lsb".index(axis) for axis in ORDERS[interleave]]).astype(dtype)
    paths = folder / "image.hdr", folder / "image.dat"
    paths[0].write_text(text)
    paths[1].write_bytes(b"x" * before + stored.tobytes())
    return paths


@pytest.mark.parametrize(("interleave", "kind", "order"), list(itertools.product(ORDERS, TYPES, ("0", "1", None))))
def test_every_order_and_type_comes_back(tmp_path: Path, interleave: str, kind: int, order: str | None) -> None:
    text = header(interleave=interleave, data_type=str(kind), byte_order=order)
    found = read_envi(*write(tmp_path, text, interleave, "<>"[int(order or 0)] + TYPES[kind]))
    np.testing.assert_array_equal(found["cube"], CUBE)
    assert "wavenumbers" not in found


@given(
    st.permutations(
        ["samples = 4", "Lines=3", "BANDS  =  5", "data   type = 4", "sensor type = {a, b = c}", WAVELENGTHS]
    )
)
def test_keys_come_in_any_order_and_case(lines: list[str]) -> None:
    found = parse_header("ENVI\n" + "\n".join(lines))
    assert (found.lines, found.samples, found.bands) == (3, 4, 5)
    assert list(found.wavelengths) == [900.5, 1000, 1100, 1200, 1300]
    assert (found.interleave, found.dtype, found.offset) == ("bsq", "<f4", 0)


@pytest.mark.parametrize("told", ["data units = % Transmittance", "z plot titles = {cm-1, Transmittance}"])
def test_a_header_says_what_the_numbers_are(told: str) -> None:
    texts = (told, "data units = Absorbance", "")
    assert [parse_header(header() + text).values for text in texts] == ["transmittance", "absorbance", ""]


def test_an_offset_is_skipped(tmp_path: Path) -> None:
    found = read_envi(*write(tmp_path, header(header_offset="7") + WAVELENGTHS, "bip", "<f4", before=7))
    np.testing.assert_array_equal(found["cube"], CUBE)
    np.testing.assert_array_equal(found["wavenumbers"], [900.5, 1000, 1100, 1200, 1300])


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [([6.0, 10.0], "", [1e4 / 6, 1000]), ([6.0], "micrometers", [1e4 / 6]), ([5000.0], "nanometers", [2000])],
)
def test_wavelengths_become_wavenumbers(values: list[float], unit: str, expected: list[float]) -> None:
    np.testing.assert_allclose(in_wavenumbers(np.array(values), unit), expected)
    same: NDArray[np.float64] = np.array([900.0, 1800.0])
    assert in_wavenumbers(same, "wavenumber") is same


@pytest.mark.parametrize(
    "changed",
    [
        {"samples": "0"},
        {"lines": "-3"},
        {"bands": None},
        {"bands": "99999999999999999999"},
        {"data_type": "6"},
        {"interleave": "abc"},
        {"byte_order": "2"},
        {"header_offset": "1e3"},
        {"wavelength": "{1, 2, 3}"},
        {"wavelength": "{1, 2, 3, 4, x}"},
        {"wavelength": "{1, 2, 3, 4, nan}"},
    ],
)
def test_a_header_that_says_nonsense_is_refused(changed: dict[str, str | None]) -> None:
    with pytest.raises(UserError, match="envi_header"):
        parse_header(header(**changed))


def test_data_that_stop_early_are_refused(tmp_path: Path) -> None:
    paths = write(tmp_path, header(lines="400000", samples="400000", bands="400000"), "bip", "<f4")
    with pytest.raises(UserError, match="cube_unreadable"):
        read_envi(*paths)


def test_the_data_lie_beside_the_header(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="without its data file"):
        data_of(tmp_path / "image.hdr")
    paths = write(tmp_path, header(), "bip", "<f4")
    assert data_of(paths[0]) == paths[1]
    (tmp_path / "other.img.hdr").write_text(header())
    (tmp_path / "other.img").write_bytes(b"")
    assert data_of(tmp_path / "other.img.hdr") == tmp_path / "other.img"
