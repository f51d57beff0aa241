"""``python -m tests.locks``: write the hashes of every package of requirements.txt anew.

``requirements.lock`` has all but torch, whose wheels differ from index to index; ``requirements-cuda.lock`` has torch
as PyPI has it, for NVIDIA GPUs, with the libraries that it brings along. Both are for ``pip install --require-hashes``.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.source import ROOT

PINS = ROOT / "requirements.txt"
LOCK, CUDA_LOCK = ROOT / "requirements.lock", ROOT / "requirements-cuda.lock"
# of PyTorch's own index, kept by hand
CPU_LOCK = ROOT / "requirements-cpu.lock"
# torch for GPUs, and what comes along with it alone
CUDA = re.compile(r"torch|triton|nvidia-.+|cuda-.+")
# the oldest Python that is supported; markers say what others need
PYTHON = "3.11"
HEAD = "# Written by .venv/bin/python -m tests.locks; for pip install --require-hashes. See docs/hosting.md.\n"
ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9_.-]+)==(?P<version>[^\s;\\]+)(?P<marker> ;[^\\\n]*)?", re.MULTILINE)


def entries(text: str) -> Iterator[tuple[str, str, bool, str]]:
    """Yield (name, version, whether every machine needs it, the lines) of each package of a file of pins."""
    starts = list(ENTRY.finditer(text))
    ends = [one.start() for one in starts[1:]] + [len(text)]
    for one, end in zip(starts, ends, strict=True):
        name = re.sub(r"[-_.]+", "-", one["name"]).lower()
        yield name, one["version"], one["marker"] is None, text[one.start() : end]


def compiled() -> str:
    """Return the pins with the hashes of all their files; it asks the package index."""
    command = [
        str(Path(sys.executable).parent / "uv"), "pip", "compile", "--quiet", "--universal", "--generate-hashes",
        "--no-header", "--no-annotate", "--python-version", PYTHON, str(PINS),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main() -> None:
    """Write both files."""
    found = list(entries(compiled()))
    for path, cuda in ((LOCK, False), (CUDA_LOCK, True)):
        lines = [text for name, _, _, text in found if bool(CUDA.fullmatch(name)) == cuda]
        path.write_text(HEAD + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
