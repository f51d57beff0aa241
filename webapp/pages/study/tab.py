"""The Rate tab: make a reader study, invite raters, read the results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import gradio as gr
from gradio.components import Component

from core.presentation import Welcome
from webapp.pages.kit import boxes, welcome
from webapp.pages.kit.templates import piece
from webapp.pages.kit.upload_slot import drop_words
from webapp.pages.kit.welcome import WelcomeBox
from webapp.study.design import SCALES

QUESTIONS = [
    ("Real or synthetic?", "real"),
    ("Which of two looks more real?", "prefer"),
    *((question.title, name) for name, question in SCALES.items()),
    ("Mark what looks suspicious", "mark"),
]
ORDERS = [
    ("Another order for each rater", "rater"),
    ("The same order for all", "study"),
    ("Items shown least often come first", "least"),
    ("As the runs are listed", "none"),
]
EXPERTISE = ["", "Neuroradiologist", "Radiologist", "Resident", "Imaging scientist", "Other"]
COUNT_SECONDS = 5.0
NO_RUNS = "None yet. Each run is a case: its result, the plain methods and, where you gave one, the reference."
WORDS = Welcome(
    "Do experts see the difference?",
    "Make a blind study of your finished runs, or of a zip of images; invite raters by a link, without an account. "
    "The results are drawn here while answers come in: intervals, agreement, and every answer to take with you.",
    "study.webp",
    "Two slices beside each other, A and B, with the question which looks more real",
    "A question of a study: which of two looks more real? The example compares thick slices with thin ones.",
    "Make the example study",
)
# completes a link with the address of the page, and selects it when it is focused
_WHOLE = """
const whole = () => element.querySelectorAll("input[data-path]").forEach((one) => {
  one.value = location.origin + one.dataset.path;
});
element.addEventListener("focusin", (event) => event.target.matches("input[data-path]") && event.target.select());
new MutationObserver(whole).observe(element, { childList: true, subtree: true, attributeFilter: ["data-path"] });
whole();
"""


@dataclass(frozen=True)
class Making:
    """The form of a new study."""

    box: gr.Accordion
    title: gr.Textbox
    runs: gr.CheckboxGroup
    images: gr.File
    questions: gr.CheckboxGroup
    order: gr.Dropdown
    repeats: gr.Slider
    toggle: gr.Checkbox
    training: gr.Dropdown
    catch: gr.Dropdown
    scales: gr.Textbox
    instructions: gr.Textbox
    consent: gr.Textbox
    make: gr.Button
    trouble: gr.HTML

    def values(self) -> list[Component]:
        """Return the fields in the order in which ``StudyEvents`` reads them."""
        form = (
            self.title, self.runs, self.images, self.questions, self.order, self.repeats, self.toggle, self.training,
            self.catch, self.scales, self.instructions, self.consent,
        )  # fmt: skip
        return [cast("Component", one) for one in form]


@dataclass(frozen=True)
class Inviting:
    """The raters of the chosen study."""

    label: gr.Textbox
    expertise: gr.Dropdown
    days: gr.Number
    invite: gr.Button
    link: gr.HTML
    table: gr.HTML
    which: gr.Dropdown
    renew: gr.Button
    revoke: gr.Button
    trouble: gr.HTML


@dataclass(frozen=True)
class Controls:
    """The left column: choose or make a study, invite raters, download the results."""

    pick: gr.Dropdown
    overview: gr.HTML
    making: Making
    group: gr.Column
    inviting: Inviting
    files: gr.HTML
    share: gr.Button
    close: gr.Button
    key: gr.HTML
    timer: gr.Timer


@dataclass(frozen=True)
class ResultsColumn:
    """The right column; ``shown``: the number of answers that the results were drawn from."""

    shown: gr.State
    bar: gr.Row
    fresh: gr.HTML
    refresh: gr.Button
    welcome: WelcomeBox
    report: gr.HTML


def build() -> Controls:
    """Draw the controls."""
    with gr.Column(elem_classes="cs-steps", min_width=0):
        return _steps()


def _steps() -> Controls:
    with gr.Column(elem_classes="cs-section"):
        gr.HTML(boxes.step(1, "Study", "blind, by link"))
        pick = gr.Dropdown([("New study", "")], value="", label="Study", elem_id="study-pick", filterable=False)
        overview = gr.HTML(elem_id="study-facts")
        making = _making()
    with gr.Column(visible=False, elem_id="study-steps") as group:
        with gr.Column(elem_classes="cs-section"):
            gr.HTML(boxes.step(2, "Raters"))
            inviting = _inviting()
        with gr.Column(elem_classes="cs-section"):
            gr.HTML(boxes.step(3, "Results"))
            files = gr.HTML(elem_id="study-files")
            with gr.Row():
                share = gr.Button("Link for a colleague", size="sm", elem_id="study-share")
                close = gr.Button("Close the study", size="sm", elem_id="study-close")
            key = gr.HTML(elem_id="study-key", js_on_load=_WHOLE)
    timer = gr.Timer(COUNT_SECONDS, active=False)
    return Controls(pick, overview, making, group, inviting, files, share, close, key, timer)


def results() -> ResultsColumn:
    """Draw the column of results, which the style sheet shows while the tab is open."""
    with gr.Row(elem_classes="cs-section", elem_id="study-bar", visible=False) as bar:
        fresh = gr.HTML(elem_id="study-fresh")
        refresh = gr.Button("Refresh", size="sm", elem_id="study-refresh")
    greeting = welcome.build(WORDS, "study-welcome")
    report = gr.HTML(elem_id="study-report", elem_classes="cs-section", visible=False)
    return ResultsColumn(gr.State(0), bar, fresh, refresh, greeting, report)


def _making() -> Making:
    with gr.Accordion("Make a new study", open=True, elem_id="study-new", elem_classes="cs-advanced") as box:
        title = gr.Textbox(label="Title", max_length=200, elem_id="study-title")
        runs = gr.CheckboxGroup(
            [], label="Finished runs", info=NO_RUNS, elem_id="study-runs", elem_classes="cs-lines-of"
        )
        gr.HTML(piece("study", "images_hint"))
        images = gr.File(
            label=drop_words("Zip of images"),
            elem_id="study-images",
            elem_classes="cs-drop",
            height=56,
        )
        questions = gr.CheckboxGroup(QUESTIONS, value=["prefer"], label="Questions", elem_id="study-asks")
        with gr.Accordion("Order, repeats and words", open=False, elem_classes="cs-advanced"):
            order = gr.Dropdown(ORDERS, value="rater", label="Order", elem_id="study-order", filterable=False)
            repeats = gr.Slider(0, 50, 10, step=5, label="Shown a second time, %", elem_id="study-repeats")
            toggle = gr.Checkbox(False, label="One viewer that switches between A and B", elem_id="study-toggle")
            training, catch = (
                gr.Dropdown(
                    [], value=[], label=label, multiselect=True, allow_custom_value=True, elem_id=f"study-{name}"
                )
                for name, label in (
                    ("training", "Cases for practice, with the right answer after each"),
                    ("catch", "Cases whose answer is obvious"),
                )
            )
            scales = gr.Textbox(
                label="Scales of your own, one a line: Noise | none | strong", lines=2, elem_id="study-scales"
            )
            instructions = gr.Textbox(label="Instructions", lines=3, max_length=5000, elem_id="study-instructions")
            consent = gr.Textbox(label="Consent", lines=3, max_length=5000, elem_id="study-consent")
        make = gr.Button("Make the study", variant="primary", elem_id="study-make")
        trouble = gr.HTML(elem_id="study-trouble")
    return Making(
        box, title, runs, images, questions, order, repeats, toggle, training, catch, scales, instructions, consent,
        make, trouble,
    )  # fmt: skip


def _inviting() -> Inviting:
    table = gr.HTML(elem_id="study-raters")
    label = gr.Textbox(label="Your name for the rater (not exported)", max_length=120, elem_id="rater-label")
    with gr.Row():
        expertise = gr.Dropdown(EXPERTISE, value="", label="Group", elem_id="rater-expertise", filterable=False)
        days = gr.Number(90, label="Valid for, days", elem_id="rater-days")
    invite = gr.Button("Invite", variant="primary", elem_id="rater-invite")
    link = gr.HTML(elem_id="rater-link", js_on_load=_WHOLE)
    which = gr.Dropdown([], label="Rater", elem_id="rater-which", filterable=False)
    with gr.Row():
        renew = gr.Button("New link", size="sm", elem_id="rater-renew")
        revoke = gr.Button("End link", size="sm", elem_id="rater-revoke")
    trouble = gr.HTML(elem_id="rater-trouble")
    return Inviting(label, expertise, days, invite, link, table, which, renew, revoke, trouble)
