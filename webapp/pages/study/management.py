"""Management of studies on the Rate tab: create one, invite raters, follow them. All is read from the store."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import Block

from core.errors import UserError
from core.result import RESULT
from webapp.door.visitor import require, session_of
from webapp.intake.example_scans import FOLDER
from webapp.intake.scans import uploaded
from webapp.pages.kit.event_options import QUIET
from webapp.pages.kit.job_titles import headline, subject
from webapp.pages.kit.panel import Shared
from webapp.pages.kit.panel_events import Updates
from webapp.pages.kit.text import ago
from webapp.pages.kit.trouble import attempt
from webapp.pages.study import cards
from webapp.pages.study.tab import NO_RUNS, Controls, ResultsColumn
from webapp.services import Services
from webapp.store.clock import now
from webapp.store.records import JobRecord
from webapp.store.study_records import StudyRecord
from webapp.study import creation, design, image_zip
from webapp.study.collection import progress
from webapp.study.image_sources import case_of

TAB = "rate"
NEW = ("New study", "")
# the key is removed from the address, which people copy and pass on
_FORGET = "() => { if (new URLSearchParams(location.search).has('study')) history.replaceState(null, '', '/'); }"


@dataclass(frozen=True)
class StudyEvents:
    """The events of the Rate tab on its components."""

    services: Services
    panel: Controls
    column: ResultsColumn
    shared: Shared

    def connect(self, tab: gr.Tab, demo: gr.Blocks) -> None:
        """Attach every event; tab: the Rate tab, demo: the whole page."""
        panel, inviting, column = self.panel, self.panel.inviting, self.column
        everything = self.everything()
        opened = demo.load(self.opened, None, [self.shared.tabs, *everything], **QUIET)
        opened.then(None, None, None, js=_FORGET)
        tab.select(self.looked, panel.pick, everything, **QUIET)
        panel.pick.input(self.looked, panel.pick, everything, **QUIET)
        column.refresh.click(self.looked, panel.pick, everything, **QUIET)
        drawn = {**QUIET, "show_progress": "minimal", "show_progress_on": panel.overview}
        panel.making.make.click(self.made, panel.making.values(), everything, **drawn)
        column.welcome.start.click(self.shown_first, None, everything, **QUIET)
        inviting.invite.click(
            self.acting(self.invited),
            [panel.pick, inviting.label, inviting.expertise, inviting.days],
            everything,
            **QUIET,
        )
        for button, action in ((inviting.renew, self.renewed), (inviting.revoke, self.revoked)):
            button.click(self.acting(action), [panel.pick, inviting.which], everything, **QUIET)
        panel.share.click(self.acting(self.shared_key), panel.pick, everything, **QUIET)
        panel.close.click(self.acting(self.closed), panel.pick, everything, **QUIET)
        panel.timer.tick(self.counted, [panel.pick, column.shown], [inviting.table, column.fresh], queue=False, **QUIET)

    def everything(self) -> list[Block]:
        """Return every component that an event may change."""
        panel, making, inviting, column = self.panel, self.panel.making, self.panel.inviting, self.column
        return [
            panel.pick, panel.overview, making.box, making.runs, making.training, making.catch, making.images,
            making.trouble, panel.group,
            inviting.table, inviting.link, inviting.label, inviting.which, inviting.trouble, panel.files, panel.close,
            panel.key, panel.timer, column.bar, column.shown, column.fresh, column.report,
            column.welcome.group,
        ]  # fmt: skip

    def render(self, session: str, chosen: str, boxes: Mapping[Block, Any] | None = None) -> Updates:
        """Return the tab for the study ``chosen``, "" for a new one."""
        panel, making, column = self.panel, self.panel.making, self.column
        known = self.services.studies.studies(session)
        study = next((one for one in known if one.id == chosen), None)
        runs = self._runs(session)
        cases = [(title, case_of(job)) for title, job in runs]
        choices = [NEW, *((f"{one.title}, {ago(one.created)}", one.id) for one in known)]
        return {
            panel.pick: gr.Dropdown(choices=choices, value=study.id if study else ""),
            making.box: gr.Accordion(visible=study is None),
            making.runs: gr.CheckboxGroup(
                choices=[(title, job.id) for title, job in runs], info=None if runs else NO_RUNS
            ),
            making.training: gr.Dropdown(choices=cases),
            making.catch: gr.Dropdown(choices=cases),
            making.trouble: "",
            panel.group: gr.Column(visible=study is not None),
            panel.timer: gr.Timer(active=study is not None),
            column.bar: gr.Row(visible=study is not None),
            panel.inviting.link: "",
            panel.inviting.trouble: "",
            panel.key: "",
            **(self._study(study) if study else self._no_study()),
            **(boxes or {}),
        }

    def _no_study(self) -> Updates:
        return {
            self.panel.overview: "",
            self.column.fresh: "",
            self.column.report: gr.HTML(visible=False),
            self.column.welcome.group: gr.Column(visible=True),
        }

    def _study(self, study: StudyRecord) -> Updates:
        panel, inviting, column = self.panel, self.panel.inviting, self.column
        records, done = self.services.studies.raters(study), progress(self.services.studies, study)
        answers = sum(one.done for one in done)
        return {
            panel.overview: cards.overview(study, self.services.studies.items(study)),
            inviting.table: cards.raters(records, done),
            inviting.which: gr.Dropdown(choices=cards.options(records), value=None),
            panel.files: cards.exports(study),
            panel.close: gr.Button("Open it again" if study.closed else "Close the study"),
            column.shown: answers,
            column.fresh: cards.fresh(answers, answers),
            column.report: gr.HTML(cards.report(study, answers), visible=True),
            column.welcome.group: gr.Column(visible=False),
        }

    def _runs(self, session: str) -> list[tuple[str, JobRecord]]:
        """Return the finished runs that have an image as a result."""
        rateable = (job for job in self.services.repo.jobs(session) if job.state == "done" and job.artifact(RESULT))
        return [
            (f"{subject(self.services, session, job)}: {headline(job)}, {ago(job.created)}", job) for job in rateable
        ]

    def opened(self, request: gr.Request) -> Updates:
        """Show the studies of this browser, and the one whose key is in the page's address."""
        session, key = session_of(request), str(request.query_params.get("study", ""))
        if not key:
            return {self.shared.tabs: gr.skip(), **self.render(session, "")}
        study, box = attempt(lambda: self.services.studies.manage(key, session))
        boxes: Updates = {self.panel.overview: box} if box else {}
        return {self.shared.tabs: gr.Tabs(selected=TAB), **self.render(session, study.id if study else "", boxes)}

    def looked(self, request: gr.Request, chosen: str) -> Updates:
        """Show a study as it stands now."""
        return self.render(session_of(request), str(chosen or ""))

    def counted(self, request: gr.Request, chosen: str, shown: int) -> Updates:
        """Show the progress of the raters."""
        study, _ = attempt(lambda: self.services.studies.study(str(chosen), session_of(request)))
        if study is None:
            return {self.column.fresh: ""}
        done = progress(self.services.studies, study)
        return {
            self.panel.inviting.table: cards.raters(self.services.studies.raters(study), done),
            self.column.fresh: cards.fresh(sum(one.done for one in done), int(shown or 0)),
        }

    def made(self, request: gr.Request, *values: Any) -> Updates:
        """Make a study from the form."""
        study, box = attempt(lambda: self._made(require(request, "manager"), *values))
        if study is None:
            return {self.panel.making.trouble: box}
        return self.render(session_of(request), study.id, {self.panel.making.images: gr.File(value=None)})

    def _made(
        self,
        session: str,
        title: str | None,
        runs: Sequence[str],
        images: str | None,
        questions: Sequence[str],
        order: str,
        repeats: float,
        toggle: bool,
        training: Sequence[str] | None,
        catch: Sequence[str] | None,
        scales: str | None,
        instructions: str | None,
        consent: str | None,
    ) -> StudyRecord:
        ask: dict[str, Any] = {name: name in questions for name in ("real", "prefer", "mark")}
        ask["scales"] = [*(name for name in questions if name in design.SCALES), *_scales(scales or "")]
        form = {
            "title": (title or "").strip(), "ask": ask, "jobs": list(runs), "order": order, "repeats": repeats / 100,
            "toggle": toggle, "training": training or [], "catch": catch or [],
            "instructions": instructions or "", "consent": consent or "",
        }  # fmt: skip
        if images is None:
            return creation.create(self.services, design.parse(form), session)[0]
        with uploaded(self.services, [Path(images)]), image_zip.opened(self.services, Path(images)) as found:
            return creation.create(self.services, design.parse({**form, "images": found}), session)[0]

    def shown_first(self, request: gr.Request) -> Updates:
        """Make the study of the shipped scans, with a link for one rater."""
        session = session_of(request)
        study, box = attempt(lambda: creation.create(self.services, design.read(FOLDER / "study.json"), session)[0])
        if study is None:
            return {self.panel.making.trouble: box}
        return self.render(session, study.id, self.invited(study, "", "", None))

    def acting(self, action: Callable[..., Updates]) -> Callable[..., Updates]:
        """Return a handler that applies ``action`` to the chosen study, and shows the outcome."""

        def handle(request: gr.Request, chosen: str, *values: Any) -> Updates:
            session = session_of(request)
            boxes, box = attempt(lambda: action(self.services.studies.study(str(chosen), session), *values))
            return self.render(session, str(chosen), boxes or {self.panel.inviting.trouble: box})

        return handle

    def invited(self, study: StudyRecord, label: str | None, expertise: str | None, days: float | None) -> Updates:
        """Invite a rater and show the link."""
        until = now() + timedelta(days=_days(study, days))
        rater, key = self.services.studies.invite(study, (label or "").strip(), expertise or "", None, until)
        shown = cards.link(f"Link for {rater.name}.", f"/rate/{key}")
        return {self.panel.inviting.link: shown, self.panel.inviting.label: ""}

    def renewed(self, study: StudyRecord, number: int | None) -> Updates:
        """Make a new link for a rater and show it."""
        rater, key = self.services.studies.renew(study, _chosen(number), now() + timedelta(days=study.design["days"]))
        return {self.panel.inviting.link: cards.link(f"New link for {rater.name}.", f"/rate/{key}")}

    def revoked(self, study: StudyRecord, number: int | None) -> Updates:
        """End a rater's link."""
        self.services.studies.revoke(study, _chosen(number))
        return {self.panel.inviting.trouble: ""}

    def shared_key(self, study: StudyRecord) -> Updates:
        """Show a link with which a colleague manages the study too."""
        key = self.services.studies.renew_key(study)
        words = "This link lets others manage the study; the link before it no longer works."
        return {self.panel.key: cards.link(words, f"/?study={key}")}

    def closed(self, study: StudyRecord) -> Updates:
        """End the rating, or open it again."""
        self.services.studies.close(study, study.closed is None)
        return {self.panel.key: ""}


def _scales(lines: str) -> list[dict[str, str]]:
    """Return the scales of a text, one a line: title | meaning of the lowest step | meaning of the highest step."""
    made = []
    for number, line in enumerate(filter(str.strip, lines.splitlines()), 1):
        title, low, high = (*(part.strip() for part in line.split("|")), "", "")[:3]
        name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:29]
        made.append(
            {"name": name if name[:1].isalpha() else f"scale_{number}", "title": title, "low": low, "high": high}
        )
    return made


def _days(study: StudyRecord, given: float | None) -> float:
    """Return for how many days an invitation is valid, as in the study where a field is empty; UserError bad_study."""
    if given is None:
        return float(study.design["days"])
    if not 0 < given <= design.LONGEST_DAYS:
        raise UserError(
            "bad_study",
            f"An invitation is valid for more than 0 and at most {design.LONGEST_DAYS} days.",
            "Give such a number; 0.04 is an hour.",
        )
    return float(given)


def _chosen(number: int | None) -> int:
    if number is None:
        raise UserError("bad_study", "No rater is chosen.", "Choose one from the list, then try again.")
    return int(number)
