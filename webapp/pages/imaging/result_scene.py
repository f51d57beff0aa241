"""What the viewer draws for the inputs and the job of a task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict, Unpack

from core import tasks
from core.declaration import Preset
from core.result import BASELINE, DIFFERENCE, ERROR, RESULT, UNCERTAINTY
from webapp.pages.imaging import other_presets
from webapp.pages.kit.job_titles import method_name, method_title
from webapp.pages.kit.page_state import REFERENCE, View, address, sources
from webapp.pages.kit.viewer_scene import Scene, SceneImage, SceneMap
from webapp.store.records import ArtifactRecord, JobRecord, ScanRecord

# a scan that we made has this among its facts
SYNTHETIC = "synthetic"


class _More(TypedDict, total=False):
    """Fields of an image that are left out where they are not known: the viewer then has its own for them."""

    synthetic: bool
    units: str
    group: str
    uncertainty: str | None


def scene(shown: View) -> Scene:
    """Return what the viewer draws."""
    task, job = shown.task, shown.job
    given = [entry for entry in task.inputs if entry.name in shown.scans and entry.name in sources(task)]
    apart = task.page.own_units
    inputs = tuple(_volume(shown.scans[entry.name], entry.title, apart or entry.own_units) for entry in given)
    mask = next((scan for scan in shown.scans.values() if scan.role == "mask"), None)
    reference = shown.scans.get(REFERENCE)
    truth = _volume(reference, "Reference", apart) if reference else None
    done = job if shown.done else None
    results = _results(done) if done else ()
    repeated = other_presets.computed(shown)
    own = other_presets.preset_of(done, task) if done and repeated else None
    if own:
        results = (results[0].model_copy(update={"title": own.title}), *results[1:])
    return Scene(
        task=task.name,
        inputs=inputs,
        scan=inputs[0] if inputs else None,
        mask=_volume(mask, "Mask", False) if mask else None,
        reference=truth,
        drawable=any(entry.kind == "mask" for entry in task.inputs),
        in_place=task.page.in_place,
        job=job.id if job else "",
        address=address(shown),
        busy=shown.active,
        invite=task.page.invitation,
        twins=tuple(_twin(preset, one) for preset, one in repeated),
        others=tuple(entry for one in shown.earlier for entry in _others(one)) if not shown.active else (),
        compare=(truth or inputs[0], *results) if inputs and _compares(job) and results else None,
        results=results,
        uncertainty=_uncertainty(done) if done else None,
        uncertain=method_title(done) if done else "",
        difference=_map(done, DIFFERENCE, "Difference") if done and not task.page.in_place else None,
        error=_map(done, ERROR, "Error against the reference") if done else None,
    )


def _volume(row: ScanRecord, title: str, own_units: bool) -> SceneImage:
    return _image(row.id, title, _address(row), own_units, synthetic=bool(row.facts.get(SYNTHETIC)))


def _image(name: str, title: str, url: str, own_units: bool, **more: Unpack[_More]) -> SceneImage:
    """Return an image; what has units of its own shares them with nothing, so that its address can name them."""
    known: _More = {**more, "units": url} if own_units else more
    return SceneImage(id=name, title=title, url=url, **known)


def _address(row: ScanRecord | ArtifactRecord) -> str:
    """Return where the viewer reads a volume; the name only gives it its suffix."""
    return f"/vol/{row.token}/v.nii.gz"


def _results(job: JobRecord) -> tuple[SceneImage, ...]:
    # what one job made shares a window, also where it shares none with the scans
    units: _More = {"units": "result"} if tasks.find(job.task).page.own_units else {}
    return tuple(SceneImage(id=name, title=title, url=url, **units) for name, title, url in _made(job))


def _twin(preset: Preset, job: JobRecord) -> SceneImage:
    """Return the result of a run that differs from the one that is shown in its preset alone."""
    made, _, url = next(_made(job))
    own_units = tasks.find(job.task).page.own_units
    return _image(f"{job.id}-{made}", preset.title, url, own_units, uncertainty=_uncertainty(job))


def _uncertainty(job: JobRecord) -> str | None:
    """Return where the uncertainty of a job's result is, None where its method has none."""
    method = next((one for one in tasks.find(job.task).methods if one.name == method_name(job)), None)
    artifact = job.artifact(UNCERTAINTY) if method is None or method.weights else None
    return _address(artifact) if artifact else None


def _map(job: JobRecord, kind: str, title: str) -> SceneMap | None:
    artifact = job.artifact(kind)
    if artifact is None:
        return None
    declared = next((one.title for one in tasks.find(job.task).outputs if one.name == kind), title)
    if declared == title:
        return SceneMap(url=_address(artifact), title=title)
    # the task names what was subtracted
    return SceneMap(url=_address(artifact), title=title, what=declared[:1].lower() + declared[1:])


def _compares(job: JobRecord | None) -> bool:
    """Return whether a job compares methods, so that its results open side by side."""
    return job is not None and bool(job.params.get("beside"))


def _made(job: JobRecord) -> Iterator[tuple[str, str, str]]:
    """Yield (method, title, address) of each result of a job, the chosen method's first."""
    titles = {one.name: one.title for one in tasks.find(job.task).methods}
    chosen = method_name(job)
    found = {one.method: one for one in job.artifacts if one.kind == BASELINE}
    result = job.artifact(RESULT)
    if result:
        yield chosen or RESULT, titles.get(chosen, chosen) or "Result", _address(result)
    for method, title in titles.items():
        if method != chosen and method in found:
            yield method, title, _address(found[method])


def _others(job: JobRecord) -> Iterator[SceneImage]:
    group, own_units = f"Run of {job.created:%d %b %H:%M}", tasks.find(job.task).page.own_units
    for made, title, url in _made(job):
        yield _image(f"{job.id}-{made}", title, url, own_units, group=group)
