"""One input of a task on the page: a place to drop a file, what was read from it, and a way to take it off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.blocks import Block

from core.declaration import Input
from webapp.pages.kit import boxes
from webapp.pages.kit.page_state import Volumes
from webapp.store.records import ScanRecord

Updates = dict[Block, Any]


@dataclass(frozen=True)
class Slot:
    """The parts of one input; ``remove`` is None where the input is replaced, never taken off.

    volume: which volume of a DICOM folder is taken, None for an input that takes no scans. single: hide the place to
    drop a file once there is one.
    """

    entry: Input
    file: gr.File
    facts: gr.HTML
    trouble: gr.HTML
    volume: gr.Dropdown | None
    remove: gr.Button | None
    single: bool = False

    def everything(self) -> list[Block]:
        """Return every component that ``updates`` may change."""
        return [self.file, self.facts, self.trouble, *(one for one in (self.volume, self.remove) if one)]

    def updates(self, scan: ScanRecord | None, free: bool, volumes: Volumes | None = None) -> Updates:
        """Return the slot as it stands with ``scan``; ``free``: whether the input may be changed now.

        volumes: what the upload holds, where that is more than the scan.
        """
        changed: Updates = {
            self.file: gr.File(value=None, visible=free and not (self.single and scan is not None)),
            self.facts: card(scan),
            self.trouble: "",
        }
        if self.volume:
            changed[self.volume] = _choice(volumes) if volumes and free else gr.Dropdown(visible=False)
        if self.remove:
            changed[self.remove] = gr.Button(visible=free and scan is not None)
        return changed


def build(entry: Input, ident: str, *, first: bool = False, removable: bool = True, single: bool = False) -> Slot:
    """Draw a slot whose parts are called ``<ident>-file``, ``-facts`` and ``-trouble``.

    first: files dropped on the empty viewer go here; removable: whether the input may be taken off again; single: as in
    ``Slot``.
    """
    classes = ["cs-drop", "cs-first-drop"] if first else ["cs-drop"]
    file = gr.File(
        label=drop_words(entry.label or entry.title),
        elem_id=f"{ident}-file",
        elem_classes=classes,
        height=56,
        file_count="multiple",
        interactive=True,
    )
    trouble = gr.HTML(elem_id=f"{ident}-trouble")
    facts = gr.HTML(elem_id=f"{ident}-facts")
    volume = _volume_list(ident) if entry.kind == "volume" else None
    remove = gr.Button("Remove", size="sm", visible=False, elem_id=f"{ident}-remove") if removable else None
    return Slot(entry, file, facts, trouble, volume, remove, single)


def _volume_list(ident: str) -> gr.Dropdown:
    return gr.Dropdown([], visible=False, filterable=False, elem_id=f"{ident}-volume")


def _choice(volumes: Volumes) -> gr.Dropdown:
    """Return the list of the volumes of a folder, with the one that was taken, or with none."""
    known = [(title, number) for number, title in enumerate(volumes.titles, 1)]
    wanted = "this one is taken" if volumes.number else "choose one"
    label = f"{len(known)} volumes in this upload: {wanted}"
    return gr.Dropdown(choices=known, value=volumes.number, label=label, visible=True)


def drop_words(what: str) -> str:
    """Return the words in the place where ``what`` is dropped."""
    return f"{what}: drop it here, or click to choose"


def card(scan: ScanRecord | None) -> str:
    """Return what is known of a scan or mask, "" where there is none."""
    if scan is None:
        return ""
    known = {"mask": boxes.mask_card, "tissue": boxes.tissue_card, "model": boxes.tissue_card}
    return known.get(scan.role, boxes.scan_card)(scan)
