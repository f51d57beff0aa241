"""Processes that an engine starts: new ones that hold one socket of their parent and nothing else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def start(module: str, link: socket.socket, *arguments: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Run ``module`` in a process that leads a group of its own, with the number of ``link``, which it inherits, and
    ``arguments``; environment: what is added to this process's own. OSError."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, str(link.fileno()), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=sys.__stderr__ if _has_file(sys.__stderr__) else subprocess.DEVNULL,
        pass_fds=[link.fileno()],
        env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(_paths())},
        start_new_session=True,
    )


def _has_file(stream: object) -> bool:
    try:
        return stream is not None and stream.fileno() >= 0  # type: ignore[attr-defined]
    except (OSError, ValueError, AttributeError):
        return False


def _paths() -> list[str]:
    inherited = os.environ.get("PYTHONPATH")
    return [str(ROOT), inherited] if inherited else [str(ROOT)]
