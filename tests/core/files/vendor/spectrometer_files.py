"""Files of spectrometers, written from their published layouts."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

AT = np.linspace(1000.0, 1700.0, 36)
VALUES = np.asarray(0.2 + 0.5 * np.exp(-(((AT - 1655) / 30) ** 2)), np.float64)
LASER = 532.0
TWO = np.array([VALUES, 0.5 * VALUES])


def spc(order: str, kind: str, spectra: NDArray[np.float64] = TWO, exponent: int = 1) -> bytes:
    """SPC of 1996: ``kind`` floats, whole, short, or each spectrum at positions of its own."""
    flags = {"floats": 0, "whole": 0, "short": 0x01, "positions": 0x80, "each": 0xC0}[kind] | (
        0x04 * (len(spectra) > 1)
    )
    floats = kind in ("floats", "positions", "each")
    head = struct.pack(
        f"{order}BBbbIddIBB",
        *(flags, 0x4B if order == "<" else 0x4C, 0, -128 if floats else exponent, len(AT)),
        *(AT[0], AT[-1], len(spectra), 1, 2),
    ).ljust(512, b"\0")
    if kind == "positions":
        head += AT.astype(f"{order}f4").tobytes()
    for number, values in enumerate(spectra):
        head += struct.pack(f"{order}BbHfffI", 0, -128 if floats else exponent, number, 0, 0, 0, len(AT)).ljust(
            32, b"\0"
        )
        if kind == "each":
            head += AT.astype(f"{order}f4").tobytes()
        if floats:
            head += values.astype(f"{order}f4").tobytes()
        else:
            bits = 16 if kind == "short" else 32
            head += np.round(values * 2.0 ** (bits - exponent)).astype(f"{order}i{bits // 8}").tobytes()
    return head


def old_spc(spectra: NDArray[np.float64] = TWO, exponent: int = 1) -> bytes:
    """SPC as it was before 1996; numbers have their halves exchanged."""
    flags = 0x04 if len(spectra) > 1 else 0
    head = struct.pack("<BBhfffBB", flags, 0x4D, exponent, len(AT), AT[0], AT[-1], 1, 2).ljust(224, b"\0")
    for values in spectra:
        whole = np.round(values * 2.0 ** (32 - exponent)).astype("<i4").view("<u2").reshape(-1, 2)[:, ::-1]
        head += bytes(32) + np.ascontiguousarray(whole).tobytes()
    return head


def omnic(spectra: NDArray[np.float64], titles: tuple[str, ...] = ()) -> bytes:
    """SPA of one spectrum, SPG of several."""
    group = len(spectra) > 1
    parts: list[tuple[int, bytes]] = []
    for number, values in enumerate(spectra):
        header = struct.pack("<IIBBBBBBBBff", 0, len(AT), 1, 0, 0, 0, 17, 0, 0, 0, AT[-1], AT[0])
        parts += [(2, header), (3, values[::-1].astype("<f4").tobytes())]
        if group:
            parts.append((107, titles[number].encode().ljust(64, b"\0")))
    at = 304 + 16 * (len(parts) + 1)
    table = body = b""
    for key, content in parts:
        table += struct.pack("<BBII", key, 0, at + len(body), len(content)).ljust(16, b"\0")
        body += content
    mark = b"Spectral Exte File\r\n" if group else b"Spectral Data File\r\n"
    head = bytearray(mark.ljust(304, b"\0"))
    struct.pack_into("<H", head, 294, len(parts))
    return bytes(head) + table + bytes(16) + body


def block(kind: int, content: bytes) -> bytes:
    return struct.pack("<Hi", kind, len(content)) + content


def perkinelmer_spectrum(unit: str = "A") -> bytes:
    def text(value: str) -> bytes:
        return struct.pack("<Hh", 0x7523, len(value)) + value.encode()

    members = [
        block(35698, struct.pack("<Hdd", 0x751D, AT[-1], AT[0])),
        block(35701, struct.pack("<Hi", 0x752B, len(AT))),
        block(35703, text("cm-1")),
        block(35704, text(unit)),
        block(35708, struct.pack("<Hi", 0x7516, 8 * len(AT)) + VALUES[::-1].astype("<f8").tobytes()),
    ]
    return b"PEPE2D constant interval DataSet file".ljust(44, b"\0") + block(120, b"".join(members))


def perkinelmer_image(cube: NDArray[np.float64]) -> bytes:
    down, across, points = cube.shape
    head = (
        struct.pack("<H", 4)
        + b"name"
        + struct.pack("<10diii", 1, 1, AT[1] - AT[0], AT[0], AT[-1], 0, 0, 0, 0, 0, across, down, points)
    )
    pixels = [block(5105, spectrum.astype("<f4").tobytes()) for spectrum in cube.reshape(-1, points)]
    return b"PEPE3D".ljust(44, b"\0") + block(5100, head) + b"".join(pixels)


def wdf(spectra: NDArray[np.float64], unit: int = 1, size: tuple[int, int] | None = None, order: str = "rows") -> bytes:
    """WDF; size: pixels across and down of a map; order: in which the stage reached them."""

    def part(name: bytes, content: bytes) -> bytes:
        return struct.pack("<4sIQ", name, 0, 16 + len(content)) + content

    count, points = spectra.shape
    head = bytearray(512)
    struct.pack_into("<4sIQ", head, 0, b"WDF1", 1, 512)
    struct.pack_into("<IQQI", head, 0x3C, points, count, count, 1)
    struct.pack_into("<III", head, 0x54, 1, points, 2)
    struct.pack_into("<II", head, 0x80, 2 if size else 1, 3 if size else 1)
    struct.pack_into("<If", head, 0x98, 6, 1e7 / LASER)
    positions = 1e7 / (1e7 / LASER - AT) if unit == 3 else AT
    found = bytes(head) + part(b"DATA", spectra.astype("<f4").tobytes())
    found += part(b"XLST", struct.pack("<II", 1, unit) + positions.astype("<f4").tobytes())
    found += part(b"YLST", struct.pack("<IIf", 0, 0, 0.0))
    across, down = size or (count, 1)
    places = [(x, y) for y in range(down) for x in range(across)]
    if order == "to and fro":
        places = [(across - 1 - x if y % 2 else x, y) for x, y in places]
    if order == "columns":
        places = [(x, y) for x in range(across) for y in range(down)]
    origins = b"".join(
        struct.pack("<II16s", kind, 8, name) + np.array([place[kind - 3] for place in places], "<f8").tobytes()
        for kind, name in ((3, b"X"), (4, b"Y"))
    )
    found += part(b"ORGN", struct.pack("<I", 2) + origins)
    if size:
        found += part(b"WMAP", struct.pack("<II6fIIII", 0, 0, 0, 0, 0, 1, 1, 1, size[0], size[1], 1, 0))
    return found


def labspec(cube: NDArray[np.float64]) -> str:
    def axis(number: int, name: str, unit: str, values: NDArray[np.float64]) -> str:
        numbers = " ".join(map(str, values))
        return (
            f'<LSX Format="9" ID="0x{number}"><LSX Format="6" ID="0x7D6CD4DB">{numbers}</LSX>'
            f'<LSX ID="0x6D707974">{name}</LSX><LSX ID="0x7C696E75">{unit}</LSX></LSX>'
        )

    down, across, _ = cube.shape
    axes = axis(1, "Spectr", "1/cm", AT) + axis(2, "X", "µm", np.arange(1.0 * across))
    axes += axis(3, "Y", "µm", np.arange(1.0 * down))
    rows = "".join(f"<LSX_Row>{' '.join(map(str, row))}</LSX_Row>" for row in cube.reshape(down * across, -1))
    return f"<LSX_Data><LSX_Tree>{axes}</LSX_Tree><LSX_Matrix>{rows}</LSX_Matrix></LSX_Data>"


def opus() -> bytes:
    """OPUS with a block of absorbance and the block that describes it."""

    def parameter(name: str, value: object) -> bytes:
        if isinstance(value, str):
            text = value.encode().ljust(len(value) + 2 - len(value) % 2, b"\0")
            return name.encode() + b"\0" + struct.pack("<hh", 2, len(text) // 2) + text
        packed = struct.pack("<i" if isinstance(value, int) else "<d", value)
        return name.encode() + b"\0" + struct.pack("<hh", int(isinstance(value, float)), len(packed) // 2) + packed

    values = VALUES[::-1].astype("<f4")
    status = b"".join(
        parameter(name, value)
        for name, value in {
            "DPF": 1,
            "NPT": len(AT),
            "FXV": float(AT[-1]),
            "LXV": float(AT[0]),
            "CSF": 1.0,
            "MXY": float(values.max()),
            "MNY": float(values.min()),
            "DXU": "WN",
            "DAT": "01/02/2020",
            "TIM": "12:00:00.000 (GMT+1)",
        }.items()
    )
    status += b"END\0" + bytes(4)
    status += bytes(-len(status) % 4)
    places = 24 + 12 * 3
    directory = struct.pack("<3i", 0x3400, 9, 24)
    directory += struct.pack("<3i", 0x100F, len(AT), places) + struct.pack(
        "<3i", 0x101F, len(status) // 4, places + 4 * len(AT)
    )
    head = b"\x0a\x0a\xfe\xfe" + struct.pack("<diii", 920622.0, 24, 3, 3)
    return head + directory + values.tobytes() + status


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
