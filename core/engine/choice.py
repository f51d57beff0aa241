"""Which engine a name stands for."""

from __future__ import annotations

import re

from core.engine.local import LocalEngine
from core.engine.protocol import Engine
from core.engine.ray.ray_engine import RayEngine
from core.errors import UserError

LOCAL, RAY = "local", "ray"
# what a person writes, and what it must look like
NAMES = f"{LOCAL}, {RAY} or {RAY}://HOST:PORT"
PATTERN = rf"^({LOCAL}|{RAY}|{RAY}://[^/\s]+:\d{{1,5}})$"


def open_engine(name: str, device: str, slots: int, *, preload: bool = True, threads: int = 0) -> Engine:
    """Return the engine of a name, its workers starting; the rest is that of ``LocalEngine`` and ``RayEngine``.

    UserError bad_parameter, not_installed, ray_unreachable.
    """
    if not re.fullmatch(PATTERN, name):
        raise UserError("bad_parameter", f"There is no engine named {name[:40]!r}.", f"Choose one of: {NAMES}.")
    if name == LOCAL:
        return LocalEngine(device, slots, preload=preload, threads=threads)
    return RayEngine(name.removeprefix(RAY).removeprefix("://"), device, slots, preload=preload, threads=threads)
