"""Every format of a spectrometer: a file from an independent library or the published layout, read equal to it."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable
from contextlib import closing
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import h5py
import jcamp
import numpy as np
import pytest
from agilent_format import agilentImage, agilentMosaic
from matio import save_to_mat
from matio.utils.matclass import MatlabOpaque
from numpy.typing import NDArray
from renishawWiRE import WDFReader
from scipy.io import savemat
from spc_io import SPC
from spc_io.high_level.even_axis import EvenAxis

from core.errors import UserError
from core.files.arrays import read_arrays
from core.files.vendor.horiba import read_labspec_xml
from tests.core.files.vendor import spectrometer_files as made
from tests.core.files.vendor.spectrometer_files import AT, TWO, VALUES, write

Arrays = dict[str, NDArray[Any]]


def same(found: Arrays, spectra: NDArray[np.float64], unit: str = "", axis: str = "cm-1", rtol: float = 1e-4) -> None:
    order = np.argsort(found["wavenumbers"])
    np.testing.assert_allclose(found["wavenumbers"][order], AT, rtol=1e-5)
    np.testing.assert_allclose(found["spectra"][:, order], spectra, rtol=rtol)
    assert str(found.get("unit", "")) == unit and str(found.get("axis", "")) == axis


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["floats", "whole", "short", "positions", "each"])
def test_spc(tmp_path: Path, kind: str, order: str) -> None:
    rtol = 1e-3 if kind == "short" else 1e-5
    same(read_arrays(write(tmp_path / "a.spc", made.spc(order, kind))), TWO, "absorbance", rtol=rtol)
    same(read_arrays(write(tmp_path / "b.spc", made.spc(order, kind, TWO[:1]))), TWO[:1], "absorbance", rtol=rtol)


def test_spc_of_another_program(tmp_path: Path) -> None:
    library = SPC(xarray=EvenAxis(AT[0], AT[-1], len(AT)))
    for values in TWO:
        library.add_subfile(yarray=values)
    same(read_arrays(write(tmp_path / "a.SPC", library.to_spc_raw().to_bytes())), TWO, axis="")


def test_spc_before_1996(tmp_path: Path) -> None:
    negative = np.array([VALUES - 0.4, VALUES])
    same(read_arrays(write(tmp_path / "a.spc", made.old_spc(negative))), negative, "absorbance")
    same(read_arrays(write(tmp_path / "b.spc", made.old_spc(TWO[:1]))), TWO[:1], "absorbance")


def test_omnic(tmp_path: Path) -> None:
    same(read_arrays(write(tmp_path / "a.spa", made.omnic(TWO[:1]))), TWO[:1], "absorbance")
    found = read_arrays(write(tmp_path / "a.spg", made.omnic(TWO, ("first", "second"))))
    same(found, TWO, "absorbance")
    assert found["spectrum"].tolist() == ["first", "second"]


@pytest.mark.parametrize(("written", "unit"), [("A", "absorbance"), ("%T", "transmittance")])
def test_perkinelmer_spectrum(tmp_path: Path, written: str, unit: str) -> None:
    same(read_arrays(write(tmp_path / "a.sp", made.perkinelmer_spectrum(written))), TWO[:1], unit)


CUBE = np.arange(1.0, 7).reshape(2, 3, 1) * VALUES


def same_cube(found: Arrays) -> None:
    np.testing.assert_allclose(found["cube"], CUBE, rtol=1e-5)
    np.testing.assert_allclose(found["wavenumbers"], AT, rtol=1e-5)


def test_perkinelmer_image(tmp_path: Path) -> None:
    same_cube(read_arrays(write(tmp_path / "a.fsm", made.perkinelmer_image(CUBE))))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_labspec_with_entities_is_refused(tmp_path: Path, encoding: str) -> None:
    """Entities could grow a hundred times, or name files of the server; in UTF-16 no search for bytes finds them."""
    start = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [<!ENTITY one "1">]>'
    path = tmp_path / "a.xml"
    path.write_bytes((start + made.labspec(CUBE)).encode(encoding))
    with pytest.raises(ValueError, match="with entities"):
        read_labspec_xml(path)
    path.write_bytes((start.partition("<!DOCTYPE")[0] + made.labspec(CUBE)).encode(encoding))
    assert read_labspec_xml(path)["cube"].shape == CUBE.shape


def test_labspec(tmp_path: Path) -> None:
    found = read_arrays(write(tmp_path / "a.xml", '<?xml version="1.0" encoding="UTF-8"?>\n' + made.labspec(CUBE)))
    same_cube(found)
    assert (str(found["axis"]), str(found["technique"])) == ("Raman shift", "raman")


def test_renishaw(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wdf", made.wdf(TWO))
    found = read_arrays(path)
    same(found, TWO, "counts", "Raman shift")
    with closing(WDFReader(str(path))) as library:
        np.testing.assert_array_equal(library.spectra.reshape(2, -1), found["spectra"])
        np.testing.assert_array_equal(library.xdata, found["wavenumbers"])
    path = write(tmp_path / "map.wdf", made.wdf(CUBE.reshape(6, -1), size=(3, 2)))
    same_cube(read_arrays(path))
    with closing(WDFReader(str(path))) as whole:
        np.testing.assert_array_equal(whole.spectra, read_arrays(path)["cube"])


def test_a_map_is_put_together_by_the_places_of_the_stage(tmp_path: Path) -> None:
    back = CUBE.copy()
    back[1] = back[1, ::-1]
    path = write(tmp_path / "a.wdf", made.wdf(back.reshape(6, -1), size=(3, 2), order="to and fro"))
    same_cube(read_arrays(path))
    turned = CUBE.transpose(1, 0, 2).reshape(6, -1)
    same_cube(read_arrays(write(tmp_path / "b.wdf", made.wdf(turned, size=(3, 2), order="columns"))))


def test_wavelengths_of_renishaw_become_shifts_from_the_laser(tmp_path: Path) -> None:
    found = read_arrays(write(tmp_path / "a.wdf", made.wdf(TWO, unit=3)))
    np.testing.assert_allclose(found["wavenumbers"], AT, atol=0.01)
    assert str(found["axis"]) == "Raman shift" and "laser" in str(found["notices"][0])


def test_opus(tmp_path: Path) -> None:
    same(read_arrays(write(tmp_path / "a.0", made.opus())), TWO[:1], "absorbance")


def test_jcamp(tmp_path: Path) -> None:
    header = {"title": "first", "data type": "INFRARED SPECTRUM", "xunits": "1/CM", "yunits": "TRANSMITTANCE"}
    jcamp.writefile(str(tmp_path / "a.jdx"), {**header, "x": AT, "y": VALUES})
    found = read_arrays(tmp_path / "a.jdx")
    same(found, TWO[:1], "transmittance", "1/CM", rtol=1e-3)
    lines = (
        "TITLE=small", "JCAMP-DX=4.24", "DATA TYPE=RAMAN SPECTRUM", "XUNITS=1/CM", "YUNITS=COUNTS", "FIRSTX=1000",
        "LASTX=1003", "DELTAX=1", "XFACTOR=1", "YFACTOR=2", "NPOINTS=4",
        "XYDATA=(X++(Y..Y))\n1000A1B2\n1002C3D4", "END=",
    )  # fmt: skip
    whole = "".join(f"##{line}\n" for line in lines)
    found = read_arrays(write(tmp_path / "b.dx", whole))
    assert found["spectra"].tolist() == [[22, 44, 66, 88]] and str(found["technique"]) == "raman"


def agilent(folder: Path) -> Path:
    """Files that the library brings along."""
    with as_file(files("agilent_format") / "datasets") as shipped:
        return Path(shutil.copytree(shipped, folder / "agilent"))


def test_agilent(tmp_path: Path) -> None:
    folder = agilent(tmp_path)
    tile = agilentImage(folder / "4_noimage_agg256.bsp")
    mosaic = agilentMosaic(folder / "5_mosaic_agg1024.dmt")
    for name, library in (
        ("4_noimage_agg256.bsp", tile),
        ("4_noimage_agg256.seq", tile),
        ("4_noimage_agg256.hdr", tile),
        ("5_mosaic_agg1024.dmt", mosaic),
        ("5_Mosaic_agg1024_0000_0001.dmd", mosaic),
        ("5_mosaic_agg1024.hdr", mosaic),
    ):
        found = read_arrays(folder / name)
        np.testing.assert_array_equal(found["cube"], library.data)
        np.testing.assert_allclose(found["wavenumbers"], library.wavenumbers, atol=1e-4)
    together = [path for path in folder.iterdir() if path.stem.startswith("4_noimage") and path.suffix != ".hdr"]
    np.testing.assert_array_equal(read_arrays(*together)["cube"], tile.data)
    (folder / "4_noimage_agg256.dat").unlink()
    with pytest.raises(UserError, match="cube_unreadable"):
        read_arrays(folder / "4_noimage_agg256.bsp")


def test_photothermal(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.ptir", "w") as file:
        for number, label in enumerate(["OPTIR (mV)", "Raman Intensity", "OPTIR (mV)", ""]):
            group = file.create_group(f"Measurement_{number:03}")
            group["Spectroscopic_Values"] = AT[None]
            channel = group.create_group("Channel_000")
            channel.attrs["Label"] = np.bytes_(label.encode())
            channel["Raw_Data"] = TWO[number // 2][None] if label else np.ones((40, len(AT)))
    found = read_arrays(tmp_path / "a.ptir")
    same(found, TWO, "absorbance")
    assert "Raman Intensity" in str(found["notices"][0])


def test_nexus(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        group = file.create_group("entry/map")
        group.attrs["NX_class"] = "NXdata"
        group["data"] = CUBE.transpose(2, 0, 1)
        group["wavenumber"] = AT
        group["wavenumber"].attrs["units"] = "1/cm"
        group["wavenumber"].attrs["axis"] = 1
        group["x"] = np.arange(3.0)
    found = read_arrays(tmp_path / "a.nxs")
    same_cube(found)
    assert str(found["axis"]) == "1/cm"


def test_arrays_in_a_group(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["deep/down/spectra"] = TWO.T
        file["deep/down/wavenumbers"] = AT
        file["deep/other"] = np.zeros((3, 3))
    same(read_arrays(tmp_path / "a.h5"), TWO, axis="")


IROOTLAB = {
    "X": TWO, "fea_x": AT[None], "classes": np.array([[0], [1]]), "xunit": "cm^{-1}",
    "classlabels": np.array(["benign", "tumour"], object), "groupcodes": np.array(["p1", "p2"], object),
}  # fmt: skip
STRUCTURES: dict[str, tuple[dict[str, Any], str]] = {
    "IRootLab": ({"ds": IROOTLAB}, "cm^{-1}"),
    "ChiToolbox": ({"chi": {"xvals": AT[None], "data": TWO, "xlabel": "wavenumber (cm-1)"}}, "wavenumber (cm-1)"),
    "Saisir": ({"s": {"d": TWO, "v": np.array([f"{at:9.4f}" for at in AT]), "i": np.array(["a", "b"])}}, ""),
    "OCTAVVS": ({"AB": np.vstack([AT, TWO]).T}, ""),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_structures_of_matlab(tmp_path: Path, name: str) -> None:
    content, axis = STRUCTURES[name]
    savemat(tmp_path / "a.mat", content)
    found = read_arrays(tmp_path / "a.mat")
    same(found, TWO, "absorbance" if name == "OCTAVVS" else "", axis)
    if name == "IRootLab":
        assert found["class"].tolist() == [0, 1] and found["patient"].tolist() == ["p1", "p2"]
        assert found["class_names"].tolist() == ["benign", "tumour"]


def test_images_of_matlab(tmp_path: Path) -> None:
    savemat(tmp_path / "o.mat", {"AB": np.vstack([AT, CUBE.reshape(6, -1)]).T, "wh": np.array([3, 2])})
    same_cube(read_arrays(tmp_path / "o.mat"))
    savemat(tmp_path / "c.mat", {"C": CUBE, "FileHeader": {"WVS": AT[0], "WVE": AT[-1]}})
    same_cube(read_arrays(tmp_path / "c.mat"))
    flat = {"xvals": AT, "data": CUBE.reshape(6, -1), "xpixels": 3, "ypixels": 2}
    savemat(tmp_path / "chi.mat", {"image": flat})
    same_cube(read_arrays(tmp_path / "chi.mat"))


def packed(name: str) -> bytes:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr(name, "content")
    return stored.getvalue()


UNREAD = {
    "a.wip": (b"WIT_PR06\0\0", "WITec"),
    "a.l6m": (b"\0\1\2\3", "Horiba"),
    "a.map": (b"\0\1\2\3" * 20, "OMNIC"),
    "a.doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "document"),
    "a.csv.gz": (b"\x1f\x8b\x08" + bytes(100), "gzip"),
    "a.bin": (bytes(range(100)), "no file of spectra"),
    "a.csv": (b"", "empty"),
    "a.xlsx": (packed("[Content_Types].xml"), "spreadsheet"),
}


@pytest.mark.parametrize("name", UNREAD)
def test_what_is_not_read_is_named(tmp_path: Path, name: str) -> None:
    content, word = UNREAD[name]
    with pytest.raises(UserError, match=word) as caught:
        read_arrays(write(tmp_path / name, content))
    assert caught.value.code == "cube_unreadable" and caught.value.hint


WRITTEN: dict[str, Callable[[], bytes]] = {
    "a.spc": lambda: made.spc("<", "whole"),
    "b.spc": lambda: made.spc("<", "each"),
    "old.spc": made.old_spc,
    "a.spa": lambda: made.omnic(TWO[:1]),
    "a.spg": lambda: made.omnic(TWO, ("a", "b")),
    "a.sp": made.perkinelmer_spectrum,
    "a.fsm": lambda: made.perkinelmer_image(CUBE),
    "a.wdf": lambda: made.wdf(TWO),
    "a.0": made.opus,
    "a.xml": lambda: made.labspec(CUBE).encode(),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_damage_anywhere_is_refused_or_harmless(tmp_path: Path, name: str) -> None:
    whole = WRITTEN[name]()
    rng = np.random.default_rng(0)
    for number in range(40):
        damaged = bytearray(whole[: rng.integers(1, len(whole))] if number % 2 else whole)
        for _ in range(3):
            damaged[rng.integers(0, min(len(damaged), 500))] = rng.integers(0, 256)
        try:
            read_arrays(write(tmp_path / name, bytes(damaged)))
        except UserError as error:
            assert error.code in ("cube_unreadable", "cube_too_large", "no_wavenumbers")


def test_an_object_of_irootlab_is_read_and_another_is_named(tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_normal((5, 7))
    at, kinds = np.linspace(900, 1800, 7), np.array([0.0, 1, 1, 0, 1])
    fields = {"X": values, "fea_x": at[None], "classes": kinds[:, None], "xunit": np.array(["cm^{-1}"])}
    save_to_mat(tmp_path / "a.mat", {"data": MatlabOpaque(fields, "irdata")}, version="v7")
    found = read_arrays(tmp_path / "a.mat")
    np.testing.assert_array_equal(found["spectra"], values)
    np.testing.assert_array_equal(found["wavenumbers"], at)
    np.testing.assert_array_equal(found["class"], kinds)
    assert str(found["axis"]) == "cm^{-1}"
    save_to_mat(tmp_path / "b.mat", {"data": MatlabOpaque({"X": values}, "blcr")}, version="v7")
    with pytest.raises(UserError) as caught:
        read_arrays(tmp_path / "b.mat")
    assert caught.value.code == "cube_unreadable" and "'blcr'" in caught.value.message


REAL = {
    "brukeropus/file.0": (1, 4927), "opus/BF_lo_01_soil_cal.1": (1, 1716), "spc/Ft-ir.spc": (1, 1776),
    "spc/RAMAN.SPC": (1, 3632), "scpdata/BENZENE.SPC": (1, 1842), "jdx/br_1.DX": (1, 1216),
    "scpdata/7_CZ0-100_Pd_101.SPA": (1, 5549), "orange/sample1.spa": (1, 1738), "specio/spectra.sp": (1, 3301),
    "rsciio/renishaw_test_spectrum.wdf": (1, 36), "orange/renishaw_test_files/sp.wdf": (1, 1015),
    "rsciio/jobinyvon_test_map_x3-y2.xml": (2, 3, 34), "orange/photothermal/Nodax_Spectral_Array.ptir": (3, 499),
    "chi/measuredSpectra.mat": (60, 1556), "scpdata/dso.mat": (20, 426), "orange/small_diamond_nxs.nxs": (7, 6, 8),
    "orange/agilent/4_noimage_agg256.seq": (8, 8, 9), "orange/agilent/5_mosaic_agg1024.dmt": (8, 4, 9),
    "orange/map_test.xyz": (16, 9), "iroot/raman_sample.mat": (5, 1011), "openspecy/testdata_zipped.zip": (3, 964),
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_real_files(shared_data: Path, name: str) -> None:
    path = shared_data / "infrared" / "vendor" / name
    if not path.exists():
        pytest.skip("there is no such file")
    found = read_arrays(path)
    spectra = found["cube"] if "cube" in found else found["spectra"]
    assert spectra.shape == REAL[name] and found["wavenumbers"].shape == REAL[name][-1:]
