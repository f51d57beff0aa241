"""``python -m webapp``: the command ``counterscan``; without arguments, ``counterscan serve``."""

from __future__ import annotations

import sys

from core.commands.command_line import leave
from webapp.console import main

if __name__ == "__main__":
    leave(main(sys.argv[1:] or ["serve"]))
