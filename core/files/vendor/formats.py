"""Files of spectrometers by their first bytes: what is read by what, and what to do with the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from core.errors import UserError
from core.files.vendor.horiba import read_labspec_xml
from core.files.vendor.omnic import MARKS as OMNIC
from core.files.vendor.omnic import read_omnic
from core.files.vendor.perkinelmer import read_perkinelmer
from core.files.vendor.renishaw import read_wdf
from core.files.vendor.spc import is_spc, read_spc

Arrays = dict[str, NDArray[Any]]
Reader = Callable[[Path], Arrays]

EXPORT = "Save it as ENVI, SPC, JCAMP-DX or CSV."
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
    (b"", (".xls",), "spreadsheet", "Save the sheet as CSV."),
)


def reader_of(path: Path, head: bytes) -> Reader | None:
    """Return what reads a file of a spectrometer that begins with ``head``, None where it is none of them.

    The libraries are loaded when it is called.
    """
    suffix = path.suffix.lower()
    if suffix in (".bsp", ".seq", ".dmt", ".dmd", ".drd", ".dms"):
        return _agilent
    for starts, reader in MARKS:
        if head.startswith(starts):
            return reader
    if head.lstrip().startswith(b"##") and b"##JCAMP" in head.upper():
        return _jcamp
    if b"<LSX_Data" in head[:200]:
        return read_labspec_xml
    return read_spc if suffix == ".spc" and is_spc(head) else None


def _agilent(path: Path) -> Arrays:
    from core.files.vendor.agilent import read_agilent

    return read_agilent(path)


def _bruker(path: Path) -> Arrays:
    from core.files.vendor.opus import read_bruker

    return read_bruker(path)


def _jcamp(path: Path) -> Arrays:
    from core.files.vendor.jcamp_dx import read_jcamp

    return read_jcamp(path)


def _hdf(path: Path) -> Arrays:
    from core.files.vendor.hdf import read_hdf

    return read_hdf(path)


def _matlab(path: Path) -> Arrays:
    from core.files.vendor.matlab import read_mat

    return read_mat(path)


# the first bytes of a format, and what reads it
MARKS: tuple[tuple[tuple[bytes, ...], Reader], ...] = (
    ((b"\x0a\x0a\xfe\xfe",), _bruker),
    (OMNIC, read_omnic),
    ((b"PEPE",), read_perkinelmer),
    ((b"WDF1",), read_wdf),
    ((b"\x89HDF", b"MATLAB 7.3"), _hdf),
    ((b"MATLAB 5",), _matlab),
)


def refusal(path: Path, head: bytes, formats: str) -> UserError:
    """Return the refusal of a file that is not read, with what it is and what to do where that is known."""
    for start, suffixes, what, hint in OTHERS:
        if (start and head.startswith(start)) or path.suffix.lower() in suffixes:
            return UserError("cube_unreadable", f"This is a {what}, which is not read.", hint)
    return UserError("cube_unreadable", "This is no file of spectra of a kind that is known.", formats)
