"""The Batch tab: a zip of scans through one task, and how far each batch is."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import gradio as gr
from markupsafe import Markup

from core import tasks
from core.batch.batch_page import cell_of, title_of
from core.batch.batch_tables import Line, columns_of
from core.declaration import Task
from core.errors import UserError
from core.plurals import count
from core.presentation import Welcome
from webapp.door.visitor import session_of
from webapp.intake.example_scans import examples
from webapp.intake.scan_zips import Wanted, begin, is_table, load, read_examples, read_in
from webapp.intake.scans import clean_name
from webapp.pages.kit import row_buttons, welcome
from webapp.pages.kit.event_options import QUIET
from webapp.pages.kit.expected_time import offered
from webapp.pages.kit.panel import tab_title
from webapp.pages.kit.panel_events import Updates
from webapp.pages.kit.row_buttons import ROW_BUTTONS
from webapp.pages.kit.templates import EMPTY, joined, piece
from webapp.pages.kit.text import ago, seconds, span
from webapp.pages.kit.trouble import attempt
from webapp.pages.kit.upload_slot import drop_words
from webapp.pages.many.many_state import TITLES, ManyScan, ManyState, batch_state
from webapp.services import Services

TICK_SECONDS = 2.0
# measures of a scan in the list; all are in the table to download
SHOWN = 4
WORDS = Welcome(
    "Many scans at once",
    "A zip goes in: a table or the names of its files state what belongs together, or it is a BIDS data set. Each scan "
    "is a run of its own, which opens in its tab; all results come out as one zip with a table and an overview. What "
    "fails is listed with the reason.",
    "sessions.webp",
    "Three runs side by side: a filled cavity, thin slices, a translated contrast",
    "Runs of the synthetic examples: inpainting, super-resolution, translation.",
    "Run a batch of examples",
)
TAKES = tuple(task for task in tasks.TASKS if task.page.kind == "imaging")


@dataclass(frozen=True)
class _Form:
    task: gr.Radio
    preset: gr.Radio
    files: gr.File
    settings: gr.Textbox
    deface: gr.Checkbox
    start: gr.Button
    trouble: gr.HTML


def build(services: Services, tab: gr.Tab, demo: gr.Blocks) -> None:
    """Draw the tab; its list is read anew while a batch is not over."""
    with gr.Column(elem_classes="cs-steps", min_width=0):
        form = _form(services)
        outcome = row_buttons.outcome("many-outcome")
    with gr.Column(elem_id="many-view", visible=False, min_width=0) as view:
        listed = gr.HTML(elem_id="many", js_on_load=ROW_BUTTONS)
    greeting = welcome.build(WORDS, "many-welcome")
    timer = gr.Timer(TICK_SECONDS, active=False)
    outputs = [listed, view, greeting.group, timer]

    def fill(request: gr.Request) -> Updates:
        states, box = attempt(lambda: standing_of(services, session_of(request)))
        moving = any(not state.over for state in states or ())
        return {
            listed: box or joined(_drawn(one) for one in states or ()),
            view: gr.Column(visible=states != []),
            greeting.group: gr.Column(visible=states == []),
            timer: gr.Timer(active=moving),
        }

    def started(
        task: str, preset: str, files: list[str] | None, text: str | None, deface: bool, request: gr.Request
    ) -> Updates:
        uploads = [Path(one) for one in files or ()]
        done, box = attempt(lambda: _start(services, session_of(request), uploads, task, preset, text or "", deface))
        return {**fill(request), form.trouble: box or done or EMPTY, form.files: None}

    def shown(request: gr.Request) -> Updates:
        done, box = attempt(lambda: _start_examples(services, session_of(request)))
        return {**fill(request), form.trouble: box or done or EMPTY}

    greeting.start.click(shown, None, [*outputs, form.trouble], api_visibility="private")
    inputs = [form.task, form.preset, form.files, form.settings, form.deface]
    form.start.click(started, inputs, [*outputs, form.trouble, form.files], api_visibility="private")
    form.files.change(_ready, form.files, form.start, queue=False, **QUIET)
    form.task.change(lambda task: _presets(tasks.find(task)), form.task, form.preset, queue=False, **QUIET)
    for event in (demo.load, tab.select, timer.tick):
        event(fill, None, outputs, queue=False, **QUIET)
    row_buttons.connect(services, listed, outcome, [*outputs, outcome], fill, partial(_end, services))


def standing_of(services: Services, session: str) -> list[ManyState]:
    """Return the batches of a session as they stand, newest first."""
    return [batch_state(services, session, one) for one in services.batches.of(session)]


def _form(services: Services) -> _Form:
    first = TAKES[0]
    with gr.Column(elem_classes="cs-section", elem_id="many-form"):
        gr.HTML(piece("many", "heading", most=services.settings.batch_scans))
        task = gr.Radio(
            [(tab_title(one), one.name) for one in TAKES], value=first.name, label="Task", elem_id="many-task"
        )
        preset = _presets(first)
        files = gr.File(
            label=drop_words("Zip of scans, and a table if you have one"),
            elem_id="many-file",
            elem_classes="cs-drop",
            height=56,
            file_count="multiple",
            interactive=True,
        )
        with gr.Accordion("Other settings", open=False, elem_classes="cs-advanced"):
            settings = gr.Textbox(
                label="Settings",
                info="One a line, as seed = 7 or target = t2; a table may have a column for any of them.",
                lines=2,
                elem_id="many-settings",
            )
        deface = gr.Checkbox(label="Remove the faces", visible=services.settings.deface == "offer")
        start = gr.Button("Start the batch", variant="primary", elem_id="many-start", interactive=False)
        trouble = gr.HTML(elem_id="many-trouble")
    return _Form(task, preset, files, settings, deface, start, trouble)


def _ready(files: Sequence[str] | None) -> gr.Button:
    """Return the button, which starts a batch once there is something beside tables."""
    return gr.Button(interactive=any(not is_table(Path(one)) for one in files or ()))


def _presets(task: Task) -> gr.Radio:
    choices = [(one.title, one.name) for one in offered(task)]
    value = task.page.preset or (choices[0][1] if choices else None)
    return gr.Radio(choices, value=value, label="Preset", elem_id="many-preset", elem_classes="cs-choice")


def _start(
    services: Services, session: str, uploads: Sequence[Path], task_name: str, preset: str, text: str, deface: bool
) -> Markup:
    """List what was uploaded, record it as a batch and read it in the background; return what is said of it."""
    task = next((one for one in TAKES if one.name == task_name), TAKES[0])
    chosen = next((one.params for one in offered(task) if one.name == preset), {})
    wanted = Wanted(task, {**chosen, **_settings(text)}, deface)
    title = "Batch" if services.settings.public_demo else ", ".join(clean_name(one.name) for one in uploads)
    loaded = load(services, uploads, wanted)
    batch_id = begin(services, session, title, loaded, wanted)
    arguments = (services, session, batch_id, loaded, wanted)
    threading.Thread(target=read_in, args=arguments, name="batch", daemon=True).start()
    return piece("many", "started", scans=count(len(loaded.scans), "scan"), left_out=loaded.left_out)


def _start_examples(services: Services, session: str) -> Markup:
    """Record the examples of the first task as a batch, read it in the background; return what is said of it."""
    task = TAKES[0]
    params = next((one.params for one in offered(task) if one.name == task.page.preset), {})
    known = examples(task.name)
    names = [one.name for one in known]
    batch_id = services.batches.add(session, task.name, "Examples", names, services.settings.batch_scans)
    arguments = (services, session, batch_id, known, params)
    threading.Thread(target=read_examples, args=arguments, name="batch", daemon=True).start()
    return piece("many", "started", scans=count(len(names), "scan"), left_out=())


def _settings(text: str) -> dict[str, object]:
    """Return name -> raw value of the lines ``name = value``; UserError bad_parameter."""
    found: dict[str, object] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, mark, value = line.partition("=")
        if not mark or not name.strip():
            raise UserError("bad_parameter", f"{line[:40]!r} is no setting.", "Write one a line, as seed = 7.")
        found[name.strip().replace("-", "_")] = value.strip()
    return found


def _end(services: Services, batch_id: str, session: str) -> str:
    """Cancel a batch that is not over, delete one that is; return what is said of it."""
    record = services.batches.one(batch_id, session)
    if not batch_state(services, session, record).over:
        alive = services.batches.cancel(batch_id, session)
        for job_id in alive:
            services.dispatcher.cancel(job_id, session)
        return piece("many", "cancelled", title=record.title)
    runs, scans = services.erasure.delete_batch(batch_id, session)
    return f"{record.title} with {count(runs, 'run')} and {count(scans, 'scan')}"


def _drawn(state: ManyState) -> Markup:
    standing = state.standing()
    lines = {line.name: line for line in state.lines()}
    columns = [name for name in columns_of(list(lines.values()), state.task) if name != "seconds"][:SHOWN]
    counts = state.counts
    words = [f"{counts[name]} {title.lower()}" for name, title in TITLES.items() if counts[name]]
    if not state.over and standing.rate is not None and standing.left is not None:
        words += [f"{standing.rate:.3g} scans an hour", f"about {span(standing.left, standing.left)} left"]
    made = standing.ended + sum(standing.under_way.values())
    return piece(
        "many",
        "batch",
        batch=state.record,
        task=state.task.title,
        ago=ago(state.record.created),
        over=state.over,
        words=" · ".join(words),
        percent=round(100 * made / max(1, standing.scans)) if not state.over else 100,
        has_results=bool(counts["done"]),
        has_failures=bool(counts["failed"]),
        titles=[title_of(state.task, name)[0] for name in columns],
        scans=[_row(state, scan, columns, lines.get(scan.name)) for scan in state.scans],
    )


def _why(scan: ManyScan) -> str:
    """Return why a scan failed, "" for one that did not."""
    if scan.error is None or scan.state != "failed":
        return ""
    return " ".join(filter(None, (scan.error.message, scan.error.hint, scan.note)))


def _row(state: ManyState, scan: ManyScan, columns: Sequence[str], line: Line | None) -> Mapping[str, object]:
    job, shown = scan.job, TITLES[scan.state]
    if scan.state == "running" and job is not None:
        shown = f"{shown}, {100 * job.fraction:.0f} %"
    values, warnings = (line.values, line.warnings) if line is not None else ({}, tuple(filter(None, (scan.note,))))
    return {
        "name": scan.name,
        "state": scan.state,
        "title": shown,
        "took": seconds(job.seconds) if job is not None and job.seconds is not None else "–",
        "cells": [cell_of(state.task, name, values.get(name)) for name in columns],
        "why": _why(scan),
        "warnings": warnings,
        "noted": count(len(warnings), "note"),
        "job": job.id if job is not None else "",
        "picture": f"/thumbnail/{job.id}.webp" if job is not None and job.artifact("result") else "",
    }
