"""What a voxel, a method or a pair of scans takes: seconds measured once, of which the estimate of a run is the sum.

On the clock of two idle cores of a 2.5 GHz server processor with AVX-512 and bfloat16, of jobs in a process that has
loaded everything. A server corrects estimates by the runs that it has recorded.
"""

from __future__ import annotations

from collections.abc import Mapping

from core import device as devices

# the networks in bfloat16, where the processor has it, against the speed of core.device, which is that of float32
HALF_GAIN = 3.5

# of a job; its parts by voxel of the scan, by method, and by voxel that a method fills
INPAINT_START, INPAINT_SCAN = 0.3, 1.2e-7
INPAINT_METHOD: Mapping[str, float] = {"mirror": 1.5}
INPAINT_FILLED: Mapping[str, float] = {"shell": 1e-6, "harmonic": 1e-6, "biharmonic": 6e-6, "mirror": 2e-6}
# the search for tissue that fits, of a Realistic fill
INPAINT_BORROWED = 2.6
# the smooth fill that networks start from
INPAINT_SMOOTH = 9e-6

# of a job; its parts by voxel that is made, by each spline, and by what a network is given and gives
SUPERRES_START, SUPERRES_MADE, SUPERRES_SPLINE, SUPERRES_NETWORK = 0.3, 1.7e-7, 5e-8, 2.5e-7
# the guide is registered to see whether it fits
GUIDE, GUIDE_MADE = 3.0, 2e-7

# of a job; by voxel of all scans, by pair of scans that is aligned, by voxel of the brain's box and method; trees and,
# by source, the filters that they see are computed once
TRANSLATE_START, TRANSLATE_SCAN, TRANSLATE_PAIR, TRANSLATE_WORK = 0.7, 1e-7, 0.9, 1e-7
TRANSLATE_TREES, TRANSLATE_FILTERED = 9e-8, 5e-8
# of a stripped scan of the scanner; a whole head's brain takes some seconds more
SCANNER = 1.5


def network_seconds(multiply_adds: float, device: str, *, half: bool) -> float:
    """Return the seconds that networks take for so many multiply-adds; half: those in bfloat16 where that is fast."""
    gain = HALF_GAIN if half and device == "cpu" and devices.fast_bfloat16() else 1.0
    return multiply_adds / devices.speed(device) / gain
