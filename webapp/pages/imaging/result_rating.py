"""The rating form under a finished result."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gradio as gr

from core.errors import UserError
from webapp.door.visitor import session_of
from webapp.pages.kit.event_options import QUIET
from webapp.pages.kit.page_state import Held
from webapp.pages.kit.templates import piece
from webapp.pages.kit.trouble import attempt
from webapp.services import Services
from webapp.store.records import RatingRecord

SCALES = (
    ("realism", "Realism", "1 clearly artificial, 5 looks like a real scan"),
    ("border", "Borders and seams", "1 plainly visible, 5 cannot be found"),
    ("anatomy", "Anatomy", "1 impossible, 5 fully plausible"),
)
GRADES = ["1", "2", "3", "4", "5"]


@dataclass(frozen=True)
class RatingForm:
    """The parts that the rest of the page shows and hides."""

    group: gr.Column
    scores: tuple[gr.Radio, ...]
    comment: gr.Textbox
    save: gr.Button
    status: gr.HTML
    client: gr.State


def build(services: Services, held: gr.State, ident: Callable[[str], str]) -> RatingForm:
    """Draw the form and wire it; ``held`` has the job that is rated, ``ident`` makes ids of names."""
    with gr.Column(visible=False, elem_classes="cs-section cs-rating", elem_id=ident("rating")) as group:
        gr.HTML(piece("results", "rating_heading"))
        scores = tuple(
            gr.Radio(GRADES, label=title, info=help, elem_classes="cs-scale", elem_id=ident(f"rate-{name}"))
            for name, title, help in SCALES
        )
        comment = gr.Textbox(label="Comment (optional)", lines=2, max_length=2000, elem_id=ident("rate-comment"))
        save = gr.Button("Save rating", variant="secondary", elem_id=ident("rate-save"))
        status = gr.HTML(elem_id=ident("rate-status"))
    # the result that opens brings the first id: an initial value that is computed would be an event of its own
    form = RatingForm(group, scores, comment, save, status, gr.State(""))
    _wire(services, held, form)
    return form


def new_client() -> str:
    """Return the id under which one rating is kept once, however often it is sent."""
    return secrets.token_hex(16)


def known(ratings: Sequence[RatingRecord]) -> str:
    """Return a line about the rating that holds, nothing when there is none."""
    if not ratings:
        return ""
    last = ratings[-1]
    scores = f"realism {last.realism}, border {last.border}, anatomy {last.anatomy}"
    return piece("results", "good", text=f"Saved: {scores}. A new rating replaces it.")


def _wire(services: Services, held: gr.State, form: RatingForm) -> None:
    # Gradio counts arguments from the left, so the request comes before the open-ended ones
    def store(request: gr.Request, page: Held, client: str, *answers: str | None) -> tuple[object, ...]:
        session = session_of(request)
        *grades, comment = answers

        def work() -> RatingRecord:
            if not all(grade in GRADES for grade in grades):
                raise UserError("bad_rating", "Three answers are needed.", "Choose 1 to 5 on each line, then save.")
            realism, border, anatomy = (int(str(grade)) for grade in grades)
            return services.repo.add_rating(page.job, session, client, realism, border, anatomy, comment or "")

        kept, box = attempt(work)
        if kept is None:
            return box, gr.skip()
        return known([kept]), gr.Button("Saved", interactive=False)

    form.save.click(
        store,
        [held, form.client, *form.scores, form.comment],
        [form.status, form.save],
        **QUIET,
    )
    fields: tuple[gr.Radio | gr.Textbox, ...] = (*form.scores, form.comment)
    for field in fields:
        field.input(
            lambda: (new_client(), gr.Button("Save rating", interactive=True)),
            None,
            [form.client, form.save],
            queue=False,
            **QUIET,
        )
