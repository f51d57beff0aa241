"""The events of the Translate tab alone: several scans dropped at once, and a scan moved to another slot."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from core.tasks.translate import TASK
from webapp.ui import actions
from webapp.ui.page import Held
from webapp.ui.tab_translate import Contrasts
from webapp.ui.wiring import QUIET, Updates, Wiring


def connect(wiring: Wiring, parts: Contrasts) -> None:
    """Attach the events of ``parts``."""
    held = wiring.tab.held
    own = [parts.drop, parts.trouble]
    whole: dict[str, Any] = {"outputs": [*wiring.everything(), *own], **QUIET}

    def dropped(request: gr.Request, now: Held, paths: Any) -> Updates:
        take = partial(actions.distribute, wiring.services)
        updates = wiring.after(take, parts.trouble)(request, now, paths)
        return {parts.trouble: "", **updates, parts.drop: gr.File(value=None)}

    parts.drop.upload(dropped, [held, parts.drop], **whole).then(wiring.noted, **wiring.note())
    for name, field in parts.corrections.items():
        # the last argument is what the field was changed to
        move = partial(_move, name)
        event = field.input(wiring.after(move, parts.trouble), [held, field], **whole)
        event.then(wiring.noted, **wiring.note())


def _move(name: str, session: str, held: Held, other: Any) -> Held:
    return actions.move(TASK, name, str(other), held)
