"""Where the files that ship beside the code lie: weights, examples, templates, scripts of the page."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).resolve().parent.parent / "assets"
