"""Files of spectrometers by their first bytes: what is read by what, and what to do with the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from core.errors import UserError
from core.files.vendor.spc import is_spc

Arrays = dict[str, NDArray[Any]]
Reader = Callable[[Path], Arrays]

EXPORT = "Save it as ENVI, SPC, JCAMP-DX or CSV."
# the first bytes of a format, and what reads it
MARKS: tuple[tuple[tuple[bytes, ...], str], ...] = (
    ((b"\x0a\x0a\xfe\xfe",), "opus:read_bruker"),
    ((b"Spectral Data File", b"Spectral Exte File"), "omnic:read_omnic"),
    ((b"PEPE",), "perkinelmer:read_perkinelmer"),
    ((b"WDF1",), "renishaw:read_wdf"),
    ((b"\x89HDF", b"MATLAB 7.3"), "hdf:read_hdf"),
    ((b"MATLAB 5",), "matlab:read_mat"),
)
# files that are not read, by their first bytes or their ending: what they are and how to save them
OTHERS: tuple[tuple[bytes, tuple[str, ...], str, str], ...] = (
    (
        b"",
        (".map", ".mapx", ".srs"),
        "Thermo OMNIC map or series",
        "Save it in OMNIC as a group (SPG) or as CSV.",
    ),
    (b"", (".l6m", ".l6s", ".l5m", ".ngs", ".ngc"), "Horiba LabSpec file", "Save it in LabSpec as text or XML."),
    (b"", (".wip", ".wid"), "WITec Project file", "Save it in WITec Project as ENVI, MATLAB or ASCII table."),
    (b"", (".spe",), "Princeton Instruments file", EXPORT),
    (b"", (".hips", ".lspe", ".spero"), "Daylight Spero file", "Save it in ChemVision as ENVI or MATLAB."),
    (b"", (".cyt",), "CytoSpec file", "Save it in CytoSpec as MATLAB or ENVI."),
    (b"", (".irb", ".axz", ".axd"), "Anasys or Photothermal file", "Save it as CSV, or as PTIR with a newer program."),
    (b"", (".rds",), "R object", "In R, write the spectra as CSV with one spectrum a row."),
    (b"\xd0\xcf\x11\xe0", (), "document of an instrument or of Office", EXPORT),
    (b"SQLite", (), "database", EXPORT),
    (b"%PDF", (), "PDF document", EXPORT),
    (b"\x1f\x8b", (), "gzip file", "Unpack it first."),
    (b"7z\xbc\xaf", (), "7-Zip archive", "Pack it as zip."),
    (b"Rar!", (), "RAR archive", "Pack it as zip."),
    (b"", (".xlsx", ".xls", ".ods"), "spreadsheet", "Save the sheet as CSV."),
)


def reader_of(path: Path, head: bytes) -> Reader | None:
    """Return what reads a file of a spectrometer that begins with ``head``, None where it is none of them.

    The libraries are loaded only then.
    """
    suffix = path.suffix.lower()
    if suffix in (".bsp", ".seq", ".dmt", ".dmd", ".drd", ".dms"):
        from core.files.vendor.agilent import read_agilent

        return read_agilent
    for starts, wanted in MARKS:
        if head.startswith(starts):
            return _loaded(wanted)
    if head.lstrip().startswith(b"##") and b"##JCAMP" in head.upper():
        return _loaded("jcamp_dx:read_jcamp")
    if b"<LSX_Data" in head[:200]:
        return _loaded("horiba:read_labspec_xml")
    return _loaded("spc:read_spc") if suffix == ".spc" and is_spc(head) else None


def _loaded(wanted: str) -> Reader:
    from importlib import import_module

    module, name = wanted.split(":")
    found: Reader = getattr(import_module(f"core.files.vendor.{module}"), name)
    return found


def refusal(path: Path, head: bytes, formats: str) -> UserError:
    """Return the refusal of a file that is not read, with what it is and what to do where that is known."""
    for start, suffixes, what, hint in OTHERS:
        if (start and head.startswith(start)) or path.suffix.lower() in suffixes:
            return UserError("cube_unreadable", f"This is a {what}, which is not read.", hint)
    return UserError("cube_unreadable", "This is no file of spectra of a kind that is known.", formats)
