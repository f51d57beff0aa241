"""How an event runs that draws no progress of its own and is no part of the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Gradio reports each event to every output of every event before it, whether progress is drawn or not: of outputs in
# hundreds that was half of the page's start, and a quarter of a second for each click.
QUIET: Mapping[str, Any] = {"show_progress": "hidden", "show_progress_on": (), "api_visibility": "private"}
