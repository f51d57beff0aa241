"""nibabel without pydicom, which it imports wherever that is installed, and with it requests: three quarters of its
time to load, for an extension of headers that this program neither reads nor writes."""

from __future__ import annotations

import sys
from typing import Any, cast

PYDICOM = "pydicom"

_modules = cast("dict[str, Any]", sys.modules)
_hidden = PYDICOM not in _modules
if _hidden:
    # what Python takes for a module that cannot be imported
    _modules[PYDICOM] = None
try:
    import nibabel
finally:
    if _hidden:
        del _modules[PYDICOM]

__all__ = ["nibabel"]
