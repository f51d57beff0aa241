"""What sidecars state of masks: that they mark lesions, and which images they are meant for (BIDS 1.10)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

INTENDED, LINKS, TYPE = "IntendedFor", "DatasetLinks", "Type"
DESCRIPTION = "dataset_description.json"
URI = "bids:"


def read_sidecar(path: Path) -> dict[str, Any]:
    """Return what the sidecar of the image ``path`` states, nothing where there is none or it cannot be read."""
    return _read(path.with_name(path.name.partition(".")[0] + ".json"))


def is_lesion(path: Path) -> bool:
    """Return whether the sidecar of a mask gives its type as a lesion."""
    return str(read_sidecar(path).get(TYPE, "")).lower() == "lesion"


def intended(path: Path, base: Path, dataset: Path) -> list[tuple[str, tuple[Path, ...]]]:
    """Return what the sidecar of the mask ``path`` is meant for: each as it is written, with the places it may name.

    base: the data set in which the mask lies; dataset: the one whose images are looked for. Written are BIDS URIs, and
    paths below the folder of the participant; in use are paths below the data set too.
    """
    found = read_sidecar(path).get(INTENDED, [])
    words = [found] if isinstance(found, str) else found
    if not isinstance(words, list):
        return []
    own = path.relative_to(base).parts[0]
    return [(word, tuple(_places(word, own, (base, dataset)))) for word in words if isinstance(word, str) and word]


def absolute(path: Path) -> Path:
    """Return the absolute path of a file without following links: in an annex, equal files are one."""
    return Path(os.path.abspath(path))


def _places(word: str, participant: str, bases: Sequence[Path]) -> Iterator[Path]:
    if not word.startswith(URI):
        yield from (absolute(base / start / word) for base in bases for start in (participant, ""))
        return
    name, _, rest = word.removeprefix(URI).partition(":")
    links = _read(bases[0] / DESCRIPTION).get(LINKS)
    target = links.get(name) if name and isinstance(links, dict) else None
    if isinstance(target, str):
        yield absolute(bases[0] / target.removeprefix("file://") / rest)
    # many call the images of the data set so from within derivatives
    yield from (absolute(base / rest) for base in bases)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
