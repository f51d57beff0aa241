"""The Translate tab: load the contrasts at hand, say which one is missing, run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import gradio as gr

from core.contrasts import CANNOT_KNOW, CONTRASTS, TITLES
from core.imaging.translate.task import TASK
from webapp.pages.imaging import tab
from webapp.pages.imaging.tab import Follow, Tab
from webapp.pages.kit import boxes as pieces
from webapp.pages.kit import upload_slot as slot
from webapp.pages.kit.page_state import View
from webapp.pages.kit.panel import ident
from webapp.pages.kit.templates import EMPTY, joined, piece
from webapp.pages.kit.upload_slot import Slot
from webapp.services import Services


@dataclass(frozen=True)
class Contrasts:
    """What this tab has besides: the place where several scans are dropped at once, and for each slot a way to say
    that its scan is another contrast."""

    drop: gr.File
    trouble: gr.HTML
    corrections: Mapping[str, gr.Dropdown]


def build(services: Services) -> tuple[Tab, Contrasts]:
    """Draw the tab."""
    entries = {entry.name: entry for entry in TASK.inputs}
    with gr.Column(elem_classes="cs-section"):
        gr.HTML(pieces.step(1, "Load", "one contrast or more of one head"))
        drop = gr.File(
            label="All contrasts at once",
            elem_id=ident(TASK, "drop"),
            elem_classes=["cs-drop", "cs-first-drop"],
            height=56,
            file_count="multiple",
            interactive=True,
        )
        gr.HTML(
            pieces.hint(
                "Drop all contrasts here: names and intensities tell which is which. Or give each its own place below."
            )
        )
        trouble = gr.HTML(elem_id=ident(TASK, "drop-trouble"))
        examples = tab.example_buttons(TASK)
        slots: dict[str, Slot] = {}
        corrections: dict[str, gr.Dropdown] = {}
        for name in CONTRASTS:
            with gr.Column(elem_classes="cs-slot"):
                gr.HTML(piece("boxes", "slot_title", text=TITLES[name]))
                slots[name] = slot.build(entries[name], ident(TASK, name), f"{TITLES[name]} scan", single=True)
                corrections[name] = gr.Dropdown(
                    [(TITLES[other], other) for other in CONTRASTS],
                    value=name,
                    label="This scan is",
                    visible=False,
                    filterable=False,
                    elem_id=ident(TASK, f"{name}-is"),
                )
    with gr.Column(elem_classes="cs-section"):
        gr.HTML(pieces.step(2, "Settings", "what is missing"))
        with gr.Accordion("I have the truth", open=False, elem_classes="cs-advanced"):
            slots["reference"] = slot.build(
                entries["reference"], ident(TASK, "reference"), "The true scan, to measure against"
            )
    settings = tab.settings(services, TASK, ("target", "method"), {"target": TITLES})
    target = settings.fields["target"]
    extra = {field: _correction(name) for name, field in corrections.items()} | {target: _targets}
    made = tab.finish(services, TASK, slots, examples, settings, explain=explain, extra=extra)
    return made, Contrasts(drop, trouble, corrections)


def explain(services: Services, shown: View, given: Mapping[str, object]) -> str:
    """Return what the asked contrast cannot show, then what the method is and takes."""
    warning = CANNOT_KNOW.get(str(given.get("target")), "")
    banner = piece("boxes", "banner", text=warning) if warning else EMPTY
    return joined((banner, tab.describe(services, shown, given)))


def _correction(name: str) -> Follow:
    def follow(shown: View) -> gr.Dropdown:
        return gr.Dropdown(value=name, visible=name in shown.scans and not shown.active)

    return follow


def _targets(shown: View) -> gr.Dropdown:
    """Offer the contrasts that are not given, what the job made first."""
    left = [name for name in CONTRASTS if name not in shown.scans] or list(CONTRASTS)
    made = str(shown.job.params.get("target", "")) if shown.job else ""
    choices = [(TITLES[name], name) for name in left]
    if made in left:
        return gr.Dropdown(choices=choices, value=made)
    return gr.Dropdown(choices=choices, value=_usual(left))


def _usual(left: list[str]) -> str:
    """Return the contrast people ask for most among those that are missing."""
    return next(name for name in ("flair", "t2", "t1", "t1ce") if name in left)
