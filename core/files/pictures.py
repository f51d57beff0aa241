"""Many pictures of strangers as one array of small ones, decoded in processes that can be killed."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.convert import SECONDS, accepted, ask_child
from core.plurals import count

Pixels = NDArray[np.uint16]
Size = tuple[int, int]

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
SMALLEST_SIDE = 4
# pictures that one process decodes, and headers that one reads
BATCH, HEADERS = 256, 4096
NAMED = 3
WHITE = 65535
DEEPEST = 16


@dataclass(frozen=True, eq=False)
class Pictures:
    """values: (N, H, W, 3) uint16, white at 65535. kept: (N,) which of the given files they are. notices: sentences on
    how they were read. sizes: (N, 2) height and width of the files."""

    values: Pixels
    kept: NDArray[np.int64]
    notices: tuple[str, ...]
    sizes: NDArray[np.int64]


def read_pictures(files: Sequence[tuple[str, Path]], side: int) -> Generator[int, None, Pictures]:
    """Return ``files`` (name, path) as pictures of one size, no side above ``side``, yielding how many are done.

    Pictures of one form keep it; of others the central square is taken. Clear parts become white, grey becomes three
    equal colours, 16 bits count up to the least power of two that holds all. Damaged files, stacks of pictures, and
    those with a side below 4 are left out and named. UserError pictures_unreadable where none is left, import_failed,
    import_timeout.
    """
    paths = [path for _, path in files]
    sizes = np.array([each or (0, 0) for each in sizes_of(paths)], np.int64).reshape(-1, 2)
    usable = np.flatnonzero(sizes.min(axis=1, initial=WHITE) >= SMALLEST_SIDE)
    if not len(usable):
        raise _none(files)
    size = common_size(sizes[usable], side)
    parts, kinds = [], []
    for start in range(0, len(usable), BATCH):
        answer, pixels = _asked([paths[each] for each in usable[start : start + BATCH]], size)
        parts.append(pixels)
        kinds += answer["kinds"]
        yield min(start + BATCH, len(usable))
    whole = np.array([kind is not None for kind in kinds])
    kept = usable[whole]
    if not len(kept):
        raise _none(files)
    values, own = np.concatenate(parts)[whole], [kind for kind in kinds if kind is not None]
    notices = _left_out([files[each][0] for each in sorted({*range(len(files))} - set(kept.tolist()))])
    notices += _brightened(values, np.array(["deep" in kind for kind in own]))
    notices += _described(own, sizes[kept], size)
    return Pictures(values, kept, tuple(notices), sizes[kept])


def sizes_of(paths: Sequence[Path]) -> list[Size | None]:
    """Return height and width of each picture, None for a file that is no single picture."""
    found: list[Any] = []
    for start in range(0, len(paths), HEADERS):
        found += _asked(paths[start : start + HEADERS], None)[0]["sizes"]
    return [None if each is None else (each[0], each[1]) for each in found]


def common_size(sizes: NDArray[np.int64], side: int) -> Size:
    """Return the height and width to which pictures of ``sizes`` (N, 2) are brought: their form where it is one, else a
    square of the middle shorter side; ``side`` at most.

    >>> common_size(np.array([[64, 96], [128, 192]]), 32), common_size(np.array([[20, 30], [30, 20]]), 32)
    ((21, 32), (20, 20))
    """
    ratios = sizes[:, 0] / sizes[:, 1]
    if np.ptp(ratios) < 1e-2 * ratios.min():
        height, width = (float(each) for each in np.median(sizes, axis=0))
        factor = min(1.0, side / max(height, width))
        return max(SMALLEST_SIDE, round(factor * height)), max(SMALLEST_SIDE, round(factor * width))
    square = min(side, int(np.median(sizes.min(axis=1))))
    return square, square


def _asked(paths: Sequence[Path], size: Size | None) -> tuple[dict[str, Any], Pixels]:
    with tempfile.TemporaryDirectory(prefix=".pictures-") as folder:
        work = Path(folder)
        request = {"reader": "pictures", "paths": [str(path) for path in paths], "size": size, "seconds": SECONDS}
        answer = accepted(ask_child(request, work))
        pixels = np.load(work / "pictures.npy", allow_pickle=False) if size else np.zeros(0, np.uint16)
        return answer, pixels


def _none(files: Sequence[tuple[str, Path]]) -> UserError:
    return UserError(
        "pictures_unreadable",
        f"None of the {len(files)} pictures could be read.",
        "Give PNG, JPEG, TIFF, BMP or WebP of at least 4 × 4 pixels, one picture a file.",
    )


def _left_out(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    shown = ", ".join(PurePosixPath(name).name[:60] for name in names[:NAMED])
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    which = f"{count(len(names), 'file')} could not be read as one picture of at least {SMALLEST_SIDE} pixels"
    return [f"{which} and {'was' if len(names) == 1 else 'were'} left out: {shown}{more}."]


def _brightened(values: Pixels, deep: NDArray[np.bool_]) -> list[str]:
    """Scale the ``deep`` ones of ``values`` in place, so that white is the highest number of their bits."""
    if not deep.any():
        return []
    bits = max(8, int(values[deep].max()).bit_length())
    if bits == DEEPEST:
        return []
    values[deep] = np.round(values[deep] * np.float64(WHITE / (2**bits - 1))).astype(np.uint16)
    return [f"Pictures of 16 bits have no number above {2**bits - 1}, so that this was taken as white."]


def _described(kinds: Sequence[Sequence[str]], sizes: NDArray[np.int64], size: Size) -> list[str]:
    counts, notices = Counter(kind for each in kinds for kind in each), []
    if 0 < counts["grey"] < len(kinds):
        notices.append(f"{counts['grey']} of {len(kinds)} pictures are grey and the others are not.")
    if counts["alpha"]:
        notices.append(f"Clear parts of {count(counts['alpha'], 'picture')} were made white.")
    different = len(np.unique(sizes, axis=0)) > 1
    if different:
        low, high = sizes[sizes.prod(axis=1).argmin()], sizes[sizes.prod(axis=1).argmax()]
        square = " cut to their central squares and" if np.ptp(sizes[:, 0] / sizes[:, 1]) > 1e-2 else ""
        notices.append(
            f"The pictures have {len(np.unique(sizes, axis=0))} sizes, {low[1]} × {low[0]} to {high[1]} × {high[0]}; "
            f"they were{square} brought to {size[1]} × {size[0]} pixels."
        )
    elif tuple(sizes[0]) != size:
        notices.append(f"Pictures of {sizes[0][1]} × {sizes[0][0]} pixels are studied at {size[1]} × {size[0]}.")
    return notices
