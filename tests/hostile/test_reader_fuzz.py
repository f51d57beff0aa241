"""Every reader of strangers' files against damaged ones: it reads the file or refuses it, and nothing else.

A sound file of each format is changed at random. That there is one for each reader is measured: reading all of them
must run every module of ``core.files`` that is no writer.
"""

from __future__ import annotations

import faulthandler
import gzip
import io
import os
import resource
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat

from core.errors import SeveralVolumes, UserError
from core.files.arrays import read_arrays
from core.files.dicom_origin import origin_of
from core.files.masks import read_mask
from core.files.nifti import read_stored
from core.files.picture_decoding import read, size_of
from core.files.scan_finder import load
from tests.core.files.test_nrrd_mha import RAW, mgh, mha, nrrd
from tests.core.files.vendor import spectrometer_files as made
from tests.core.files.vendor.spectrometer_files import AT, TWO
from tests.core.files.vendor.test_formats import agilent
from tests.hostile.corpus import header, scan, zipped
from tests.hostile.test_import import SEEDS as SCANS
from tests.hostile.test_import import SERIES
from tests.source import ROOT

Files = Mapping[str, bytes]
Read = Callable[[Path, Path], object]
LIMIT = 17 << 20
# of addresses beyond those in use: what a reader allocates for a file of some kilobytes
MEMORY = 3 << 30
CUBE = np.arange(6 * len(AT), dtype="f4").reshape(2, 3, len(AT))

# formats whose libraries may crash; the server reads them in a process of their own, and answers import_failed
CRASHES = ("matlab",)

# modules of core.files that read no file of a stranger, and why
NO_READERS = {
    "array_archive": "writes results",
    "confinement": "of the process of a stranger's model",
    "convert": "starts the process that reads",
    "decoder": "is that process",
    "dicom_writer": "writes results",
    "nibabel_alone": "imports a library",
    "nifti_writer": "writes results",
    "scan_origin": "reads what this program wrote",
    "spectra": "starts the process that reads",
    "dcm2niix": "starts another program, tested with it",
    "pictures": "starts the process that reads",
}


def saved(write: Callable[[Any], object]) -> bytes:
    """Return what a library writes into a file."""
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def hdf() -> bytes:
    with TemporaryDirectory() as folder:
        with h5py.File(f"{folder}/a.h5", "w") as file:
            file["spectra"], file["wavenumbers"] = TWO, AT
        return Path(f"{folder}/a.h5").read_bytes()


def tile() -> dict[str, bytes]:
    with TemporaryDirectory() as folder:
        files = sorted(agilent(Path(folder)).glob("4_noimage*"))
        return {path.name: path.read_bytes() for path in files}


def picture(kind: str) -> bytes:
    return saved(lambda file: Image.fromarray(np.arange(192, dtype="u1").reshape(8, 8, 3)).save(file, kind))


JCAMP = (
    "##TITLE=a\n##JCAMP-DX=4.24\n##DATA TYPE=INFRARED SPECTRUM\n##XUNITS=1/CM\n##YUNITS=ABSORBANCE\n##FIRSTX=1000\n"
    "##LASTX=1003\n##NPOINTS=4\n##XFACTOR=1\n##YFACTOR=1\n##DELTAX=1\n##XYDATA=(X++(Y..Y))\n1000 1 2 3 4\n##END=\n"
)
ENVI = (
    f"ENVI\nsamples = 3\nlines = 2\nbands = {len(AT)}\ndata type = 4\ninterleave = bip\n"
    f"wavelength = {{{', '.join(map(str, AT))}}}\n"
)
TABLE = "1000,1001,1002,class\n1,2,3,a\n4,5,6,b\n"
ZIPPED_TABLES = {"a.csv": TABLE.encode(), "b.csv": TABLE.encode()}


def together(files: Files) -> bytes:
    import zipfile

    def write(file: io.BytesIO) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)

    return saved(write)


# format -> its files; the first is the one that is damaged and, where they are read one by one, read
SPECTRA: dict[str, Files] = {
    "spc": {"a.spc": made.spc("<", "floats")},
    "old spc": {"a.spc": made.old_spc()},
    "omnic": {"a.spa": made.omnic(TWO[:1])},
    "perkinelmer": {"a.sp": made.perkinelmer_spectrum()},
    "perkinelmer image": {"a.fsm": made.perkinelmer_image(CUBE)},
    "renishaw": {"a.wdf": made.wdf(TWO)},
    "opus": {"a.0": made.opus()},
    "horiba": {"a.xml": made.labspec(CUBE).encode()},
    "jcamp": {"a.jdx": JCAMP.encode()},
    "agilent": tile(),
    "matlab": {"a.mat": saved(lambda file: savemat(file, {"spectra": TWO, "wavenumbers": AT}))},
    "hdf": {"a.h5": hdf()},
    "npz": {"a.npz": saved(lambda file: np.savez_compressed(file, spectra=TWO, wavenumbers=AT))},
    "npy": {"a.npy": saved(lambda file: np.save(file, CUBE))},
    "envi": {"a.hdr": ENVI.encode(), "a.img": CUBE.tobytes()},
    "table": {"a.csv": TABLE.encode()},
    "zip of tables": {"a.zip": together(ZIPPED_TABLES)},
    "tiff": {"a.tif": picture("TIFF")},
    "png": {"a.png": picture("PNG")},
}
IMAGES = {name: {f"a.{name}": picture(name.upper())} for name in ("png", "jpeg", "tiff", "bmp", "gif", "webp")}
VOLUMES: dict[str, Files] = {
    **{name: {"a": content} for name, content in SCANS.items()},
    "dicom series": {f"{number}.dcm": content for number, content in enumerate(SERIES.files())},
    "nifti": {"a.nii": scan()},
    "nifti gz": {"a.nii.gz": zipped(scan())},
    "nrrd gz": {"a.nrrd": nrrd(gzip.compress(RAW), encoding="gzip")},
    "mha": {"a.mha": mha()},
    "mgz": {"a.mgz": gzip.compress(mgh())},
}


def of_spectra(path: Path, work: Path) -> object:
    return read_arrays(path)


def of_images(path: Path, work: Path) -> object:
    size = size_of(path)
    return read([path], size, work / "pictures.npy")


def of_volumes(path: Path, work: Path) -> object:
    try:
        loaded = next(load([one for one in path.parent.iterdir() if one.is_file()], work, max_bytes=LIMIT))
    except SeveralVolumes as error:
        return error.volumes
    return origin_of(loaded.files) if loaded.files else loaded


def of_masks(path: Path, work: Path) -> object:
    return read_mask(path, read_stored(io_scan(work)), max_bytes=LIMIT)


def io_scan(work: Path) -> Path:
    """Write the scan that a mask belongs to."""
    path = work / "scan.nii"
    path.write_bytes(scan())
    return path


KINDS: dict[str, tuple[Read, Mapping[str, Files]]] = {
    "spectra": (of_spectra, SPECTRA),
    "images": (of_images, IMAGES),
    "volumes": (of_volumes, VOLUMES),
    "masks": (of_masks, {"mask": {"a.nii": header() + (np.arange(720) % 9 == 0).astype("<i2").tobytes()}}),
}


def outcome(read: Read, files: Files, folder: Path) -> str:
    """Read files in this process and return "" or the code by which they are refused; else the fault is raised."""
    rmtree(folder, ignore_errors=True)
    work = folder / "work"
    work.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    try:
        read(folder / next(iter(files)), work)
    except UserError as error:
        assert error.message.endswith((".", "!")) and error.hint and error.code, error
        return error.code
    except MemoryError:
        # the process that reads answers with a code of its own
        return "import_memory"
    return ""


def outcome_apart(read: Read, files: Files, folder: Path) -> str:
    """Do the same in a process with bounded memory, as the server does; "crash" where a library killed it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = "fault"
        try:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            most = pages * resource.getpagesize() + MEMORY
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            faulthandler.disable()
            code = outcome(read, files, folder)
        except BaseException:  # noqa: BLE001 - the other process reports whatever it is
            code = f"fault {traceback.format_exc()[-1500:]}"
        finally:
            os.write(writing, code.encode("utf-8", "replace")[:2000])
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        code = pipe.read().decode("utf-8", "replace")
    _, status = os.waitpid(child, 0)
    return "crash" if os.WIFSIGNALED(status) else code


def damaged(content: bytes, changes: list[tuple[int, bytes]], keep: float) -> bytes:
    """Return a file with other bytes in some places, near its start above all, and cut off."""
    data = bytearray(content)
    for place, new in changes:
        at = place % min(len(data), 4096)
        data[at : at + len(new)] = new
    return bytes(data[: max(1, int(2 * keep * len(data)))])


WORDS = st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"999999999"])
CHANGES = st.lists(
    st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=1) | WORDS), min_size=1, max_size=4
)


def fuzz(kind: str, name: str, folder: Path, examples: int, *, apart: bool = True) -> None:
    """Read damaged files of a format; apart: in a process each, which takes longer."""
    read, seeds = KINDS[kind]
    look = outcome_apart if apart or name in CRASHES else outcome
    files = seeds[name]

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(changes=CHANGES, keep=st.floats(0.05, 1))
    def check(changes: list[tuple[int, bytes]], keep: float) -> None:
        first = next(iter(files))
        code = look(read, {**files, first: damaged(files[first], changes, keep)}, folder / "a")
        assert not code.startswith("fault"), code
        assert code != "crash" or name in CRASHES

    check()


EVERY = [(kind, name) for kind, (_, seeds) in KINDS.items() for name in seeds]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, kind: str, name: str) -> None:
    fuzz(kind, name, tmp_path, 8, apart=False)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_a_damaged_file_is_read_or_refused_for_long(tmp_path: Path, kind: str, name: str) -> None:
    fuzz(kind, name, tmp_path, 300)


def modules() -> set[str]:
    """Return the modules of ``core.files``, by their paths below it."""
    folder = ROOT / "core" / "files"
    return {str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.py") if path.stem != "__init__"}


def run_by(work: Callable[[], object]) -> set[str]:
    """Return the modules of ``core.files`` functions of which ``work`` runs."""
    folder, seen = str(ROOT / "core" / "files"), set[str]()

    def note(frame: FrameType, event: str, value: object) -> None:
        if event == "call":
            seen.add(frame.f_code.co_filename)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    inner = (Path(name) for name in seen if name.startswith(folder))
    return {str(path.relative_to(folder).with_suffix("")) for path in inner}


@pytest.mark.filterwarnings("ignore")
def test_every_reader_has_a_file_that_is_damaged(tmp_path: Path) -> None:
    """A new module of ``core.files`` fails here until a file that it reads, or why it reads none, is above."""
    refused = {}

    def everything() -> None:
        for kind, name in EVERY:
            read, seeds = KINDS[kind]
            if code := outcome(read, seeds[name], tmp_path / "a"):
                refused[kind, name] = code

    ran = run_by(everything)
    # three of the files are one slice of a series
    assert [*refused.values()] == ["single_slice"] * 3, refused
    assert modules() - ran - NO_READERS.keys() == set()
    assert NO_READERS.keys() <= modules()
