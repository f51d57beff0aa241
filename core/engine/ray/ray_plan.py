"""What the engine and the processes of the cluster have to agree on."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import asdict, dataclass

from core import __version__, weights


@dataclass(frozen=True)
class Plan:
    """What an engine wants of Ray.

    address: HOST:PORT of the head of a cluster; "": a Ray of its own on this machine, with its files in ``folder``.
    patience: seconds for which a cluster that cannot be joined is tried again. The rest is that of ``LocalEngine``.
    """

    address: str
    folder: str
    slots: int
    device: str
    tasks: str
    warm: tuple[str, ...]
    threads: int
    silence: float
    patience: float

    def to_json(self) -> str:
        """Return the plan as one argument of a process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Return the plan of ``to_json``."""
        fields = json.loads(text)
        return cls(**{**fields, "warm": tuple(fields["warm"])})


def program() -> str:
    """Return what has to be the same on all machines of a cluster: versions, and the weights."""
    known = sorted((name, entry.sha256) for name, entry in weights.entries().items())
    digest = hashlib.sha256(json.dumps(known).encode()).hexdigest()[:8]
    return f"Counterscan {__version__}, Python {sys.version_info.major}.{sys.version_info.minor}, weights {digest}"
