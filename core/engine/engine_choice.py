"""Which engine a name stands for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.device import share
from core.engine.local import LocalEngine
from core.engine.protocol import ENGINE_NAMES, ENGINE_PATTERN, Engine
from core.engine.ray.ray_engine import RayEngine
from core.errors import UserError


def open_engine(name: str, device: str, slots: int, *, warm: Sequence[str] = (), threads: int = 0) -> Engine:
    """Return the engine of a name, its workers starting; the rest is that of ``LocalEngine`` and ``RayEngine``.

    threads: 0: on this machine the share of its cores that a slot has, because with one thread too many each, processes
    wait for one another; on a cluster as many as one job would have here.
    UserError bad_parameter, not_installed, ray_unreachable.
    """
    if not re.fullmatch(ENGINE_PATTERN, name):
        raise UserError("bad_parameter", f"There is no engine named {name[:40]!r}.", f"Choose {ENGINE_NAMES}.")
    if name == "local":
        return LocalEngine(device, slots, warm=warm, threads=threads or share(slots))
    address = name.removeprefix("ray").removeprefix("://")
    own = 0 if address else share(slots)
    return RayEngine(address, device, slots, warm=warm, threads=threads or own)
