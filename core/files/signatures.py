"""What kind of file this is, by its first bytes and never by its name."""

from __future__ import annotations

UNKNOWN = "a file of unknown kind"
NIFTI = "a NIfTI file"
DICOM = "a DICOM file"
NRRD = "an NRRD file"
MGH = "a FreeSurfer MGH or MGZ file"
META = "a MetaImage file"
ZIP = "a zip archive"
SCANS = (NIFTI, DICOM, NRRD, META, MGH)

# a DICOM file may begin with 128 bytes of anything, then DICM (PS3.10, 7.1)
PREAMBLE_BYTES, DICOM_MARK = 128, b"DICM"
VRS = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV".split()
)
BARE_GROUPS = (b"\x02\0", b"\x08\0")
MAX_FIRST_BYTES = 1024  # of the first element of a data set that begins a file

SIGNATURES = (
    (PREAMBLE_BYTES, DICOM_MARK, DICOM),  # first: what comes before may pretend to be a TIFF picture
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"BM", "a BMP picture"),
    (0, b"II*\0", "a TIFF picture"),
    (0, b"MM\0*", "a TIFF picture"),
    (0, b"PK\x03\x04", ZIP),
    (0, b"PK\x05\x06", ZIP),
    (0, b"7z\xbc\xaf", "a 7-Zip archive"),
    (0, b"BZh", "a bzip2 file"),
    (0, b"\xfd7zXZ", "an xz file"),
    (0, b"\x28\xb5\x2f\xfd", "a zstd file"),
    (0, b"\x1f\x8b", "a gzip file inside a gzip file"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x89HDF", "an HDF5 or MINC file"),
    (0, b"CDF", "a NetCDF or MINC file"),
    (0, b"NRRD", NRRD),
    (0, b"MATLAB", "a MATLAB file"),
    (0, b"\x93NUMPY", "a NumPy file"),
    (0, b"\x00\x00\x00\x01\x00\x00", MGH),
    (257, b"ustar", "a tar archive"),
)
META_STARTS = (b"ObjectType", b"NDims", b"Comment =")
NIFTI_MAGIC = (b"n+1\0", b"ni1\0", b"n+2\0", b"ni2\0")


def kind_name(head: bytes) -> str:
    """Return what a file that begins with ``head`` is, in words: "a PNG picture", "a file of unknown kind"."""
    if head[344:348] in NIFTI_MAGIC[:2] or head[4:8] in NIFTI_MAGIC[2:]:
        return NIFTI
    for start, mark, name in SIGNATURES:
        if head[start : start + len(mark)] == mark:
            return name
    if head[:15].lower().lstrip().startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if head[:4] in (b"\x5c\x01\0\0", b"\0\0\x01\x5c"):
        return "an Analyze 7.5 header or a damaged NIfTI file"
    if head.startswith(META_STARTS):
        return META
    if bare_dicom(head):
        return DICOM
    if head and all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head):
        return "a text file"
    return UNKNOWN


def explicit_vr(letters: bytes) -> bool:
    """Return whether ``letters`` name the type of an explicitly typed DICOM element."""
    return letters in VRS


def bare_dicom(head: bytes) -> bool:
    """Return whether a file that begins with ``head`` is a little endian DICOM data set without the preamble.

    It must begin with two elements of group 2 or 8 in ascending order (PS3.5, 7.1).
    """
    second = _next_element(head, 0)
    if second is None or head[PREAMBLE_BYTES : PREAMBLE_BYTES + 4] == DICOM_MARK:
        return False
    first_tag, second_tag = head[1::-1] + head[3:1:-1], head[second : second + 4]
    ordered = second_tag[1::-1] + second_tag[3:1:-1]
    return len(second_tag) == 4 and first_tag < ordered and _next_element(head, second) is not None


def _next_element(head: bytes, at: int) -> int | None:
    """Return where the element at ``at`` ends, None where there is no short element of group 2 or 8."""
    if len(head) < at + 8 or head[at : at + 2] not in BARE_GROUPS:
        return None
    letters = head[at + 4 : at + 6]
    if letters in (b"OB", b"OW", b"SQ", b"UN", b"UT"):
        start, length = at + 12, int.from_bytes(head[at + 8 : at + 12], "little")
    elif explicit_vr(letters):
        start, length = at + 8, int.from_bytes(head[at + 6 : at + 8], "little")
    else:
        start, length = at + 8, int.from_bytes(head[at + 4 : at + 8], "little")
    return start + length if length <= MAX_FIRST_BYTES else None
