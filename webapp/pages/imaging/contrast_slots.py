"""The events of the Translate tab alone: several scans dropped at once, and a scan moved to another slot."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from webapp.door.session import session_of
from webapp.pages.imaging import actions
from webapp.pages.imaging.translate_tab import Contrasts
from webapp.pages.kit import boxes as pieces
from webapp.pages.kit.event_options import QUIET
from webapp.pages.kit.page_state import Held
from webapp.pages.kit.panel_events import PanelEvents, Updates
from webapp.pages.kit.trouble import attempt


def connect(events: PanelEvents, parts: Contrasts) -> None:
    """Attach the events of ``parts``."""
    held = events.tab.held
    own = [parts.drop, parts.trouble]
    whole: dict[str, Any] = {"outputs": [*events.everything(), *own], **QUIET}

    def dropped(request: gr.Request, now: Held, paths: Any) -> Updates:
        session = session_of(request)
        taken, box = attempt(lambda: actions.distribute(events.services, session, now, paths))
        held, problems = taken or (now, ())
        said: Updates = {parts.trouble: box or pieces.notes(problems), parts.drop: gr.File(value=None)}
        return {**events.render(session, held), **said}

    parts.drop.upload(dropped, [held, parts.drop], **whole).then(events.noted, **events.note())
    for name, field in parts.corrections.items():
        # the last argument is what the field was changed to
        events.on(field.input, partial(_move, name), parts.trouble, field)


def _move(name: str, session: str, held: Held, other: Any) -> Held:
    return actions.move(name, str(other), held)
