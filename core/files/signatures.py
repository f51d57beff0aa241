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

SIGNATURES = (
    (128, b"DICM", DICOM),  # first: what comes before may pretend to be a TIFF picture
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
    if head and all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head):
        return "a text file"
    return UNKNOWN
