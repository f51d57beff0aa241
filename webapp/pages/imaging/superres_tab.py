"""The Super-resolve tab: load a thick scan, say how it was measured, run."""

from __future__ import annotations

from collections.abc import Mapping

import gradio as gr
import numpy as np

from core.imaging.superres.geometry import describe_geometry, geometry
from core.imaging.superres.task import TASK
from webapp.pages.imaging.page import View
from webapp.pages.kit import boxes as pieces
from webapp.pages.kit import tab
from webapp.pages.kit import upload_slot as slot
from webapp.pages.kit.tab import Tab, ident
from webapp.pages.kit.text import safe
from webapp.services import Services


def build(services: Services) -> Tab:
    """Draw the tab."""
    entries = {entry.name: entry for entry in TASK.inputs}
    with gr.Column(elem_classes="cs-section"):
        gr.HTML(pieces.step(1, "Load", "thick slices or coarse voxels"))
        image = slot.build(entries["image"], ident(TASK, "scan"), "Scan, any contrast", first=True, removable=False)
        examples = tab.example_buttons(TASK)
    with gr.Column(elem_classes="cs-section"):
        gr.HTML(pieces.step(2, "Settings", "how it was measured, what it is to become"))
        with gr.Accordion("A sharper contrast of the same head, as a guide", open=False, elem_classes="cs-advanced"):
            guide = slot.build(entries["guide"], ident(TASK, "guide"), "Guide, in the same space")
        with gr.Accordion("I have the truth", open=False, elem_classes="cs-advanced"):
            reference = slot.build(entries["reference"], ident(TASK, "reference"), "The true scan, to measure against")
    settings = tab.settings(
        services, TASK, ("method", "spacing", "thickness", "profile"), {"profile": {"box": "Box", "gaussian": "Bell"}}
    )
    slots = {"image": image, "guide": guide, "reference": reference}
    return tab.finish(services, TASK, slots, examples, settings, explain=explain)


def explain(services: Services, shown: View, given: Mapping[str, object]) -> str:
    """Return what the settings make of the scan at hand, then what the method is and takes."""
    said = ""
    scan = shown.scans.get("image")
    if scan is not None:
        slices = scan.facts.get("slices")
        stated = (int(slices[0]), float(slices[1])) if slices else None
        found = geometry(scan.shape, np.diag([*scan.spacing, 1.0]), TASK.parse(given), stated)
        lines = describe_geometry(found)
        said = "".join(f'<p class="cs-assumed">{safe(line)}</p>' for line in lines)
    return said + tab.describe(services, shown, given)
