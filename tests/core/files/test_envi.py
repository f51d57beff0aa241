import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.files.envi import ORDERS, TYPES, data_of, header_of, parse_header, read_envi

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


def test_an_empty_field_takes_nothing_from_the_next_line(tmp_path: Path) -> None:
    text = header(sensor_type="", interleave="bil", byte_order="1").replace("sensor type = ", "sensor type =")
    found = read_envi(*write(tmp_path, text + "wavelength units =\n" + WAVELENGTHS, "bil", ">f4"))
    np.testing.assert_array_equal(found["cube"], CUBE)
    np.testing.assert_array_equal(found["wavenumbers"], [900.5, 1000, 1100, 1200, 1300])


def test_a_list_may_begin_on_the_next_line() -> None:
    assert parse_header(header() + WAVELENGTHS.replace("= {", "=\n  {")).wavelengths[0] == 900.5


def test_the_unit_is_as_written_also_in_utf8(tmp_path: Path) -> None:
    for unit in ("Micrometers", "µm", ""):
        paths = write(tmp_path, "", "bip", "<f4")
        paths[0].write_bytes((header() + f"wavelength units = {unit}\n" + WAVELENGTHS).encode())
        assert str(read_envi(*paths)["axis"]) == unit
    paths[0].write_bytes((header() + "wavelength units = µm\n" + WAVELENGTHS).encode("latin-1"))
    assert str(read_envi(*paths)["axis"]) == "µm"


def test_numbers_of_bands_are_no_wavelengths(tmp_path: Path) -> None:
    text = header() + "wavelength units = Index\nwavelength = {1, 2, 3, 4, 5}"
    assert "wavenumbers" not in read_envi(*write(tmp_path, text, "bip", "<f4"))


def test_wavelengths_in_the_names_of_the_bands(tmp_path: Path) -> None:
    text = header() + "band names = {1000.5 cm-1, 1100 cm-1, 1200 cm-1, 1300 cm-1, 1400 cm-1}"
    found = read_envi(*write(tmp_path, text, "bip", "<f4"))
    np.testing.assert_array_equal(found["wavenumbers"], [1000.5, 1100, 1200, 1300, 1400])
    assert str(found["axis"]) == "cm-1"
    plain = read_envi(*write(tmp_path, header() + "band names = {a, b, c, d, e}", "bip", "<f4"))
    assert "wavenumbers" not in plain


def test_scale_gain_ignored_numbers_and_bad_bands(tmp_path: Path) -> None:
    more = "reflectance scale factor = 10\ndata ignore value = 7\nbbl = {1, 1, 0, 1, 1}\n"
    found = read_envi(*write(tmp_path, header(data_type="2") + more + WAVELENGTHS, "bip", "<i2"))
    expected = np.where(CUBE == 7, np.nan, CUBE / 10)[:, :, [0, 1, 3, 4]]
    np.testing.assert_allclose(found["cube"], expected, rtol=1e-6)
    np.testing.assert_array_equal(found["wavenumbers"], [900.5, 1000, 1200, 1300])
    gains = "data gain values = {1, 2, 3, 4, 5}\ndata offset values = {5, 4, 3, 2, 1}\n"
    found = read_envi(*write(tmp_path, header() + gains, "bip", "<f4"))
    np.testing.assert_allclose(found["cube"], CUBE * [1, 2, 3, 4, 5] + [5, 4, 3, 2, 1])


@pytest.mark.parametrize("first", ["Unclassified", "stroma"])
def test_a_classification_is_a_picture_of_labels(tmp_path: Path, first: str) -> None:
    stored = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    names = f"file type = ENVI Classification\nclasses = 3\nclass names = {{{first}, epithelium,\n fat}}\n"
    (tmp_path / "c.hdr").write_text(header(samples="3", lines="2", bands="1", data_type="1") + names)
    (tmp_path / "c").write_bytes(stored.tobytes())
    found = read_envi(tmp_path / "c.hdr", tmp_path / "c")
    named = first == "stroma"
    np.testing.assert_array_equal(found["labels"], stored + named)
    assert found["classes"].tolist() == [first] * named + ["epithelium", "fat"]


def test_only_data_of_the_right_size_are_taken(tmp_path: Path) -> None:
    header_path, data = write(tmp_path, header(header_offset="20"), "bip", "<f4", before=20)
    for name in ("image.seq", "image.bsq", "image.img"):
        (tmp_path / name).write_bytes(bytes(5000))
    assert data_of(header_path) == data
    with pytest.raises(UserError, match="260 bytes") as caught:
        read_envi(header_path, tmp_path / "image.seq")
    assert caught.value.code == "cube_unreadable"
    data.unlink()
    with pytest.raises(UserError, match="without its data"):
        data_of(header_path)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.hdr", "a"),
        ("a.hdr", "a.DAT"),
        ("A.HDR", "A.img"),
        ("a.img.hdr", "a.img"),
        ("a.hdr", "a.bip"),
        ("a.b.hdr", "a.b.raw"),
    ],
)
def test_header_and_data_by_any_usual_pair_of_names(tmp_path: Path, one: str, other: str) -> None:
    paths = write(tmp_path, header(), "bip", "<f4")
    paths[0].rename(tmp_path / one)
    paths[1].rename(tmp_path / other)
    assert data_of(tmp_path / one) == tmp_path / other
    assert header_of(tmp_path / other) == tmp_path / one


@pytest.mark.parametrize(
    "changed",
    [
        {"samples": "0"},
        {"lines": "-3"},
        {"bands": None},
        {"bands": "99999999999999999999"},
        {"data_type": "6"},
        {"data_type": "7"},
        {"file_compression": "1"},
        {"bbl": "{0, 1}"},
        {"scale_factor": "0"},
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
    (tmp_path / "alone.hdr").write_text(header())
    with pytest.raises(UserError, match="without its data file"):
        data_of(tmp_path / "alone.hdr")
    paths = write(tmp_path, header(), "bip", "<f4")
    assert data_of(paths[0]) == paths[1]
