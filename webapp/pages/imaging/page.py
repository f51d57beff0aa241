"""What the page shows for the inputs and the job of a task: read from the store, never kept in the browser."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from core import device, tasks, weights
from core.declaration import Input, Method, Preset, Task, Value
from core.errors import UserError
from core.result import BASELINE, DIFFERENCE, ERROR, RESULT, UNCERTAINTY
from webapp.pages.kit.text import seconds
from webapp.pages.kit.viewer import Bar
from webapp.pages.kit.viewer_scene import Scene, SceneImage, SceneMap
from webapp.services import Services
from webapp.store.records import ArtifactRecord, JobRecord, ScanRecord

# what a scan's facts say when we made it
SYNTHETIC = "synthetic"
# earlier runs on the same scan that can be looked at beside this one
EARLIER_RUNS = 8


@dataclass(frozen=True)
class Held:
    """What one tab of an open page works on: input name -> id of a scan, and the id of a job, "" without one."""

    inputs: Mapping[str, str] = field(default_factory=dict)
    job: str = ""

    def with_input(self, task: Task, name: str, scan_id: str) -> Held:
        """Return this page with one input replaced; what belongs to the earlier one is let go, and the job."""
        kept = {} if name == anchor(task) else dict(self.inputs)
        return Held({**kept, name: scan_id})

    def without(self, task: Task, name: str) -> Held:
        """Return this page with one input taken out."""
        kept = {key: value for key, value in self.inputs.items() if key != name}
        return Held({} if name == anchor(task) else kept)

    def with_job(self, job_id: str) -> Held:
        """Return this page with a job."""
        return replace(self, job=job_id)


@dataclass(frozen=True)
class View:
    """The rows behind a tab: input name -> scan, the job, and earlier jobs on the same scan, newest first."""

    task: Task
    scans: Mapping[str, ScanRecord] = field(default_factory=dict)
    job: JobRecord | None = None
    earlier: tuple[JobRecord, ...] = ()

    @property
    def active(self) -> bool:
        """Whether a job waits or runs."""
        return self.job is not None and not self.job.over

    @property
    def done(self) -> bool:
        """Whether there is a result to look at."""
        return self.job is not None and self.job.state == "done"

    @property
    def missing(self) -> tuple[Input, ...]:
        """The inputs that a run still needs."""
        lacking = tuple(entry for entry in self.task.required if entry.name not in self.scans)
        # a task that needs no scan in particular needs any; one that takes no scans needs none
        wanted = sources(self.task)
        return lacking or (self.task.inputs[:1] if wanted and not any(one in self.scans for one in wanted) else ())

    @property
    def ready(self) -> bool:
        """Whether a run can start."""
        return not self.missing and not self.active


def anchor(task: Task) -> str:
    """Return the input on whose grid all others of ``task`` lie, "" where they stand side by side."""
    return task.required[0].name if task.required else ""


def sources(task: Task) -> tuple[str, ...]:
    """Return the inputs that a result is made from, in the order of the declaration."""
    return tuple(entry.name for entry in task.inputs if entry.kind == "volume" and entry.name != "reference")


def view(services: Services, session: str, task: Task, held: Held) -> View:
    """Return the rows of ``held``; UserError not_found when one is missing or another visitor's."""
    repo = services.repo
    scans = {name: repo.scan(scan_id, session) for name, scan_id in held.inputs.items()}
    job = repo.job(held.job, session) if held.job else None
    earlier = _earlier(services, session, task, held) if job and job.state == "done" else ()
    return View(task, scans, job, earlier)


def of_job(services: Services, session: str, job_id: str) -> tuple[Task, Held]:
    """Return the task of a job and its inputs together with it; UserError not_found."""
    job = services.repo.job(job_id, session)
    return tasks.find(job.task), Held(dict(job.inputs), job.id)


def scene(shown: View) -> Scene:
    """Return what the viewer draws."""
    task, job = shown.task, shown.job
    given = [entry for entry in task.inputs if entry.name in shown.scans and entry.name in sources(task)]
    inputs = tuple(_volume(shown.scans[entry.name], entry.title) for entry in given)
    mask, reference = shown.scans.get("mask"), shown.scans.get("reference")
    truth = _volume(reference, "Reference") if reference else None
    done = job if shown.done else None
    results = _results(done) if done else ()
    return Scene(
        task=task.name,
        inputs=inputs,
        scan=inputs[0] if inputs else None,
        mask=_volume(mask, "Mask") if mask else None,
        reference=truth,
        drawable=any(entry.kind == "mask" for entry in task.inputs),
        job=job.id if job else "",
        busy=shown.active,
        invite=INVITES.get(task.name, ""),
        others=tuple(entry for one in shown.earlier for entry in _others(one)),
        compare=(truth or inputs[0], *results) if inputs and _compares(job) and results else None,
        results=results,
        uncertainty=_uncertainty(done) if done else None,
        uncertain=method_title(done) if done else "",
        difference=_map(done, DIFFERENCE, "Difference") if done and task.name != "inpaint" else None,
        error=_map(done, ERROR, "Error against the reference") if done else None,
    )


# what the empty viewer says
INVITES = {
    "inpaint": "Drop a T1 scan here or in step 1. It appears here, ready for drawing a mask.",
    "superres": "Drop a scan with thick slices or coarse voxels here or in step 1.",
    "translate": "Drop the contrasts of one head here or in step 1: what each one is, is told by name and intensities.",
}


def progress(job: JobRecord | None, preview: bytes | None = None) -> Bar:
    """Return the state of the progress bar; ``preview`` is a PNG of what the result looks like so far."""
    if job is None or job.state not in ("queued", "running"):
        return {"shown": False, "percent": 0, "text": "", "picture": ""}
    if job.state == "queued":
        place = f"Waiting, place {job.position} in the queue" if job.position else "Waiting"
        return {"shown": True, "percent": 0, "text": place, "picture": ""}
    picture = f"data:image/png;base64,{base64.b64encode(preview).decode()}" if preview else ""
    passed = _since(job.started)
    text = f"{job.text or 'Starting'} · {seconds(passed)}" if passed is not None else job.text or "Starting"
    return {"shown": True, "percent": min(100, int(100 * job.fraction)), "text": text, "picture": picture}


def preset_titles(services: Services, shown: View) -> list[tuple[str, str]]:
    """Return (title with expected seconds on this device, name) of each preset."""
    presets = offered(shown.task)
    return [(f"{preset.title} · {expected(services, shown, preset.params)}", preset.name) for preset in presets]


def offered(task: Task) -> tuple[Preset, ...]:
    """Return the presets that say how much to do; those that only choose a tissue belong to the command line."""
    return tuple(preset for preset in task.presets if set(preset.params) != {"tissue"})


def expected(services: Services, shown: View, params: Mapping[str, object]) -> str:
    """Return the expected duration of a run, for a typical scan until there is one."""
    paths: tuple[tuple[str, Path], ...] = ()
    if not shown.missing:
        paths = tuple((name, services.blobs.path(row.blob)) for name, row in shown.scans.items())
    try:
        settings = tuple(shown.task.parse(params).items())
        return seconds(_estimate(shown.task.name, paths, settings, place(services.settings.device)))
    except UserError:
        return "–"


# an estimate reads files; blobs never change, so one reading is enough
@lru_cache(maxsize=256)
def _estimate(task: str, paths: tuple[tuple[str, Path], ...], params: tuple[tuple[str, Value], ...], on: str) -> float:
    return tasks.find(task).estimate(dict(paths), dict(params), on).seconds


@lru_cache
def place(wanted: str) -> str:
    """Return the device that jobs run on."""
    return device.choose(wanted)


def device_title(wanted: str) -> str:
    """Return the device in words for the badge."""
    chosen = place(wanted)
    return f"CPU · {device.threads()} threads" if chosen == "cpu" else f"GPU · {chosen}"


def installed(task: str) -> tuple[Method, ...]:
    """Return the methods of ``task`` whose weights are here, ours first."""
    known = weights.entries()
    return tuple(one for one in tasks.find(task).methods if all(name in known for name in one.networks()))


def method_titles(task: str) -> dict[str, str]:
    """Return method name -> title."""
    return {one.name: one.title for one in tasks.find(task).methods}


def method_title(job: JobRecord) -> str:
    """Return the title of the method that a job was given, and its mode where that is not the usual one."""
    name = _method(job)
    method = next((one for one in tasks.find(job.task).methods if one.name == name), None)
    if method is None:
        return name
    realistic = not method.cheap and job.params.get("mode") == "realistic"
    return f"{method.title} (realistic)" if realistic else method.title


def main_scan(job: JobRecord) -> str:
    """Return the id of the scan a job is first of all about, "" where it has none."""
    names = sources(tasks.find(job.task))
    return next((job.inputs[name] for name in names if name in job.inputs), "")


def subject(services: Services, session: str, job: JobRecord) -> str:
    """Return what a job is about: the file name of its scan or data, or the tissue that it simulates."""
    scan = main_scan(job) or job.inputs.get("data", "")
    if not scan and "tissue" in job.params:
        return f"Simulated tissue: {job.params['tissue']}"
    try:
        return services.repo.scan(scan, session).filename
    except UserError:
        return "a deleted scan"


def headline(job: JobRecord) -> str:
    """Return the task of a job with its method, or its verdicts where it judges."""
    said = ", ".join(f"{one.title} {one.level}" for one in job.result.verdicts) or method_title(job)
    title = tasks.find(job.task).title
    return f"{title}: {said}" if said else title


def _earlier(services: Services, session: str, task: Task, held: Held) -> tuple[JobRecord, ...]:
    found = [
        job
        for job in services.repo.jobs(session)
        if job.task == task.name and job.id != held.job and job.state == "done" and _same_sources(task, job, held)
    ]
    return tuple(found[:EARLIER_RUNS])


def _same_sources(task: Task, job: JobRecord, held: Held) -> bool:
    """Whether two runs are about one scan; runs on contrasts that stand side by side share at least one."""
    if anchor(task):
        return job.inputs.get(anchor(task)) == held.inputs.get(anchor(task))
    return any(held.inputs.get(name) == job.inputs.get(name, "none") for name in sources(task))


def _volume(row: ScanRecord, title: str) -> SceneImage:
    return SceneImage(id=row.id, title=title, url=_address(row), synthetic=bool(row.facts.get(SYNTHETIC)))


def _address(row: ScanRecord | ArtifactRecord) -> str:
    """Return where the viewer reads a volume; the name only gives it its suffix."""
    return f"/vol/{row.token}/v.nii.gz"


def _results(job: JobRecord) -> tuple[SceneImage, ...]:
    # what is made shares a window; sources and truth have units of their own
    if job.task == "translate":
        return tuple(SceneImage(id=name, title=title, url=url, units="target") for name, title, url in _made(job))
    return tuple(SceneImage(id=name, title=title, url=url) for name, title, url in _made(job))


def _uncertainty(job: JobRecord) -> str | None:
    """Return where the uncertainty of a job's result is, None where its method has none."""
    method = _method(job)
    known = method in method_titles(job.task) and bool(tasks.find(job.task).method(method).weights)
    artifact = job.artifact(UNCERTAINTY) if known else None
    return _address(artifact) if artifact else None


def _map(job: JobRecord, kind: str, title: str) -> SceneMap | None:
    artifact = job.artifact(kind)
    return SceneMap(url=_address(artifact), title=title) if artifact else None


def _compares(job: JobRecord | None) -> bool:
    """Whether a job was asked to compare methods, so that its results open side by side."""
    return job is not None and bool(job.params.get("beside"))


def _made(job: JobRecord) -> Iterator[tuple[str, str, str]]:
    """Yield (method, title, address) of each result of a job, the chosen method's first."""
    titles = method_titles(job.task)
    chosen = _method(job)
    found = {one.method: one for one in job.artifacts if one.kind == BASELINE}
    result = job.artifact(RESULT)
    if result:
        yield chosen, titles.get(chosen, chosen), _address(result)
    for method, title in titles.items():
        if method != chosen and method in found:
            yield method, title, _address(found[method])


def _others(job: JobRecord) -> Iterator[SceneImage]:
    for made, title, url in _made(job):
        yield SceneImage(id=f"{job.id}-{made}", title=title, url=url, group=f"Run of {job.created:%d %b %H:%M}")


def _method(job: JobRecord) -> str:
    known = {param.name: param.default for param in tasks.find(job.task).params}
    return str(job.params.get("method", known.get("method", "")))


def _since(moment: datetime | None) -> float | None:
    return None if moment is None else (datetime.now(UTC) - moment).total_seconds()
