"""``python -m webapp``: the command ``counterscan``; without arguments, ``counterscan serve``."""

from __future__ import annotations

import sys

from webapp.console import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["serve"]))
