"""Counterscan's science: read a scan, run a task, write the result. Importing this loads neither torch nor scipy.

>>> from pathlib import Path
>>> from tempfile import TemporaryDirectory
>>> import core
>>> case = core.ASSETS / "examples" / "cavity-brain"
>>> folder = TemporaryDirectory()
>>> inputs = {"t1": case / "t1.nii.gz", "mask": case / "mask.nii.gz"}
>>> done = core.run("inpaint", inputs, out=folder.name, method="shell", compare=False)
>>> Path(done.files["result"]).is_file()
True
>>> folder.cleanup()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.assets import ASSETS
    from core.files.convert import read_volume
    from core.files.nifti import write_volume
    from core.job import run
    from core.tasks import TASKS

__version__ = "0.1.0"
__all__ = ["ASSETS", "TASKS", "__version__", "read_volume", "run", "write_volume"]

_HOMES = {
    "ASSETS": "core.assets",
    "TASKS": "core.tasks",
    "read_volume": "core.files.convert",
    "run": "core.job",
    "write_volume": "core.files.nifti",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
