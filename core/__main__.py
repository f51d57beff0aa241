"""``python -m core``: the command ``counterscan`` without those of the server."""

from __future__ import annotations

import sys

from core.commands.command_line import command_line, main

if __name__ == "__main__":
    sys.exit(main(command_line()))
