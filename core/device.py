"""Where work runs and what there is to run on: device, threads, free memory, speed."""

from __future__ import annotations

import ctypes
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from core.errors import UserError

Given = TypeVar("Given")
Made = TypeVar("Made")

MOST_THREADS = 4
# multiply-adds per second of 3x3x3 convolutions: two cores of a 2.5 GHz server processor; a data-centre GPU
STORED_SPEED = {"cpu": 6.0e10, "cuda": 5.0e12}
# options of glibc's mallopt, and PR_SET_THP_DISABLE of Linux
_MMAP_MAX, _TRIM_THRESHOLD, _TOP_PAD, _ARENA_MAX = -4, -1, -2, -8
_HUGE_PAGES_OFF = 41
GPU_SIGNS = ("/dev/nvidiactl", "/dev/dxg")


def choose(device: str = "auto") -> str:
    """Return ``"cpu"`` or ``"cuda:N"`` for ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.

    ``"auto"`` takes the first GPU if there is one; torch is loaded only when the system shows a GPU.
    Raises UserError device_unavailable.
    """
    if device == "cpu" or (device == "auto" and not _gpu_in_sight()):
        return "cpu"
    wanted = re.fullmatch(r"cuda(?::(\d{1,3}))?", device)
    if not wanted and device != "auto":
        raise UserError("device_unavailable", f"There is no device named {device[:20]!r}.", "Use auto, cpu or cuda:0.")
    index = int(wanted[1] or 0) if wanted else 0
    if index < _gpu_count():
        return f"cuda:{index}"
    if device == "auto":
        return "cpu"
    raise UserError("device_unavailable", f"This machine has no usable device {device!r}.", "Use auto or cpu.")


def threads() -> int:
    """Return how many threads to compute with: COUNTERSCAN_THREADS, or all cores up to four."""
    wanted = os.environ.get("COUNTERSCAN_THREADS", "")
    return int(wanted) if wanted.isdecimal() and 1 <= int(wanted) <= 512 else min(cores(), MOST_THREADS)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share(slots: int) -> int:
    """Return with how many threads each of ``slots`` processes side by side computes: its share of the cores."""
    return max(1, min(threads(), cores() // slots))


def limit_threads() -> None:
    """Make torch, loaded or still to be loaded, use ``threads()`` threads in this process, numpy and scipy one.

    Their products of vectors are too short to be shared: threads that wait for each other made conjugate gradients 12
    times as slow on two busy cores. Threads of torch sleep between its operations instead of turning in circles.
    """
    os.environ |= {"OMP_NUM_THREADS": str(threads()), "OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"}
    if "numpy" in sys.modules:
        from threadpoolctl import ThreadpoolController

        ThreadpoolController().select(internal_api="openblas").limit(limits=1)
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(threads())


def side_by_side(function: Callable[[Given], Made], items: Iterable[Given]) -> list[Made]:
    """Return ``function`` of each item, in order, computed by ``threads()`` threads of this process.

    Worth it where most of the time is spent in C that lets others go on: filters, comparisons, zlib.
    """
    with ThreadPoolExecutor(threads()) as pool:
        return list(pool.map(function, items))


def keep_memory() -> None:
    """Let this process reuse what it has freed instead of giving it back at once, where the C library can (glibc).

    The system hands out every volume of tens of MB in new pages, which takes several times as long as to fill them.
    Pages that come once need not be huge: to find huge ones took longer, 2.6 of 3.9 s in the system for a translation.
    """
    _c_library("mallopt", [(_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 64 << 20), (_ARENA_MAX, 1)])
    _c_library("prctl", [(_HUGE_PAGES_OFF, 1, 0, 0, 0)])


def give_back_memory() -> None:
    """Give the system what this process has freed and kept."""
    _c_library("malloc_trim", [(0,)])


def _c_library(name: str, calls: Sequence[tuple[int, ...]]) -> None:
    function = getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
    if function is not None:
        for arguments in calls:
            function(*arguments)


@lru_cache
def fast_bfloat16() -> bool:
    """Return whether this processor multiplies bfloat16 in hardware, as Linux on x86 reports: 2.0 times as fast,
    measured."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def free_memory() -> int | None:
    """Return the bytes that can still be taken, the smaller of the machine's and the container's; None if unknown."""
    known = [amount for amount in (_machine_free(), _container_free()) if amount is not None]
    return min(known) if known else None


def require_memory(amount: int) -> None:
    """Raise UserError not_enough_memory unless ``amount`` bytes are free (or nothing is known about it)."""
    free = free_memory()
    if free is not None and free < amount:
        raise UserError(
            "not_enough_memory",
            f"This needs about {amount / 2**30:.1f} GiB of memory and {free / 2**30:.1f} GiB are free.",
            "Close other programs, draw a smaller mask, or use fewer samples.",
        )


def reset_peak_memory() -> None:
    """Start ``peak_memory`` anew where the system can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_memory() -> int:
    """Return the most bytes of memory this process has held since ``reset_peak_memory``."""
    peak = _kib("/proc/self/status", "VmHWM")
    if peak is not None:
        return peak
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def speed(device: str) -> float:
    """Return 3D convolution multiply-adds per second on ``device``: measured once torch is loaded, stored before."""
    if "torch" not in sys.modules:
        return STORED_SPEED[device.partition(":")[0]]
    return _measured_speed(device, threads())


@lru_cache
def _measured_speed(device: str, count: int) -> float:
    import torch

    channels, side = 48, 32
    layer = torch.nn.Conv3d(channels, channels, 3, padding=1, device=device)
    volume = torch.zeros(1, channels, side, side, side, device=device)
    best = float("inf")
    with torch.inference_mode():
        for _ in range(4):
            start = time.perf_counter()
            layer(volume).sum().item()
            best = min(best, time.perf_counter() - start)
    return 27.0 * channels**2 * side**3 / best


def _gpu_in_sight() -> bool:
    return any(Path(sign).exists() for sign in GPU_SIGNS)


def _gpu_count() -> int:
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _machine_free() -> int | None:
    return _kib("/proc/meminfo", "MemAvailable")


def _container_free() -> int | None:
    """Return what is left under the limit of the control group (version 2), if there is one."""
    try:
        most = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = Path("/sys/fs/cgroup/memory.current").read_text().strip()
        return None if most == "max" else max(0, int(most) - int(used))
    except (OSError, ValueError):
        return None


def _kib(path: str, key: str) -> int | None:
    """Return the value in bytes of the line ``key: N kB`` of a /proc file."""
    try:
        found = re.search(rf"^{key}:\s+(\d+) kB", Path(path).read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None
