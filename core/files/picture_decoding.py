"""Pictures of strangers, reduced to one small size: what the reading process does for ``core.files.pictures``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

Pixels = NDArray[np.uint16]
Size = tuple[int, int]

WHITE = 65535
MOST_NUMBERS = 400_000_000
ORIENTATION, TURNED = 0x0112, range(5, 9)
DEEP = ("I", "I;16", "I;16B", "I;16L")
# what the libraries raise over damaged files, and over pictures that are bombs
DAMAGE = (
    *(OSError, EOFError, ValueError, TypeError, LookupError, ArithmeticError, AssertionError, RuntimeError),
    *(AttributeError, SyntaxError, MemoryError, Image.DecompressionBombError),
)


def size_of(path: Path) -> Size | None:
    """Return height and width of the picture at ``path`` as it is seen, None for what is no single picture."""
    try:
        with Image.open(path) as picture:
            if _pages(picture) > 1:
                return None
            turned = picture.getexif().get(ORIENTATION) in TURNED
            return (picture.width, picture.height) if turned else (picture.height, picture.width)
    except UnidentifiedImageError:
        stored = _of_tiff(path)
        return None if stored is None else stored.shape[:2]
    except DAMAGE:
        return None


def reduced(path: Path, size: Size) -> tuple[Pixels, list[str]] | None:
    """Return the centre of the picture at ``path`` at ``size`` (height, width), (height, width, 3) with white at 65535,
    and what it was: "grey", "alpha", "deep" (as stored, more than 8 bits). None where it is damaged."""
    try:
        with Image.open(path) as picture:
            if _pages(picture) > 1:
                return None
            # JPEG is decoded at an eighth to the whole of its sides
            picture.draft("RGB", (2 * max(size), 2 * max(size)))
            return _of_picture(ImageOps.exif_transpose(picture), size)
    except UnidentifiedImageError:
        stored = _of_tiff(path)
        return None if stored is None else (_deep(stored, size), ["deep", *(["grey"] if stored.ndim == 2 else [])])
    except DAMAGE:
        return None


def read(paths: Sequence[Path], size: Size | None, file: Path) -> dict[str, Any]:
    """Return the sizes of ``paths``, or write them at ``size`` to ``file`` and return what each was, None for a damaged
    one, which is black."""
    if size is None:
        return {"sizes": [size_of(path) for path in paths]}
    pictures = np.zeros((len(paths), *size, 3), np.uint16)
    kinds: list[list[str] | None] = []
    for place, path in enumerate(paths):
        found = reduced(path, size)
        kinds.append(None if found is None else found[1])
        if found is not None:
            pictures[place] = found[0]
    np.save(file, pictures, allow_pickle=False)
    return {"kinds": kinds}


def _pages(picture: Image.Image) -> int:
    return int(getattr(picture, "n_frames", 1)) if isinstance(picture, TiffImagePlugin.TiffImageFile) else 1


def _of_picture(picture: Image.Image, size: Size) -> tuple[Pixels, list[str]]:
    if picture.mode in DEEP:
        return _deep(np.asarray(picture), size), ["deep", "grey"]
    if picture.mode == "F":
        raise ValueError("numbers of any range are no colours")
    kinds = []
    if picture.mode in ("LA", "PA", "RGBA", "RGBa", "La") or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        lowest, _ = clear.getchannel("A").getextrema()
        if lowest < 255:  # type: ignore[operator]
            kinds.append("alpha")
        picture = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    small = _resized(picture.convert("RGB"), size)
    pixels = np.asarray(small).astype(np.uint16) * np.uint16(257)
    return pixels, [*kinds, *(["grey"] if (pixels == pixels[..., :1]).all() else [])]


def _deep(stored: NDArray[Any], size: Size) -> Pixels:
    """Return 16-bit numbers (H, W) or (H, W, C) at ``size``, three of them for a pixel."""
    if stored.min() < 0 or stored.max() > WHITE:
        raise ValueError("more than 16 bits")
    channels = stored[..., None] if stored.ndim == 2 else stored[..., :3]
    small = [
        np.asarray(_resized(Image.fromarray(channels[..., each].astype(np.float32)), size))
        for each in range(channels.shape[2])
    ]
    return np.clip(np.round(np.stack(small * (3 // len(small)), axis=2)), 0, WHITE).astype(np.uint16)


def _resized(picture: Image.Image, size: Size) -> Image.Image:
    """Return the largest centre of the form of ``size``: means of pixels, or between them where it is enlarged."""
    height, width = size
    factor = min(picture.width / width, picture.height / height)
    wide, high = factor * width, factor * height
    left, top = (picture.width - wide) / 2, (picture.height - high) / 2
    how = Image.Resampling.BOX if factor >= 1 else Image.Resampling.BILINEAR
    return picture.resize((width, height), how, box=(left, top, left + wide, top + high))


def _of_tiff(path: Path) -> NDArray[Any] | None:
    """Return a picture of 16 bits that Pillow does not read, (H, W) or (H, W, 3 or 4)."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            series = file.series[0]
            if len(file.pages) > 1 or series.size > MOST_NUMBERS:
                return None
            stored = np.asarray(series.asarray())
    except DAMAGE:
        return None
    if stored.ndim == 3 and stored.shape[0] in (3, 4):
        stored = stored.transpose(1, 2, 0)
    is_picture = stored.dtype.kind == "u" and (stored.ndim == 2 or (stored.ndim == 3 and stored.shape[2] in (3, 4)))
    return stored if is_picture and stored.dtype.itemsize == 2 else None
