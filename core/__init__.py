"""Counterscan's science: read a scan, run a task, write the result. Importing this loads neither torch nor scipy.

>>> import core
>>> done = core.run("inpaint", {"t1": "T1.nii.gz", "mask": "M.nii.gz"}, out="OUT", method="biharmonic")
>>> done.files["result"]
'OUT/result.nii.gz'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.files.nifti import read_volume, write_volume
    from core.job import run
    from core.tasks import TASKS

__version__ = "0.1.0"
__all__ = ["TASKS", "__version__", "read_volume", "run", "write_volume"]

_HOMES = {
    "TASKS": "core.tasks",
    "read_volume": "core.files.nifti",
    "run": "core.job",
    "write_volume": "core.files.nifti",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
