"""``python -m core``: the command ``counterscan`` without those of the server."""

from __future__ import annotations

from core.commands.command_line import command_line, leave, main

if __name__ == "__main__":
    leave(main(command_line()))
