"""What the viewer draws for the inputs and the job of a task."""

from __future__ import annotations

from collections.abc import Iterator

from core import tasks
from core.result import BASELINE, DIFFERENCE, ERROR, RESULT, UNCERTAINTY
from webapp.pages.kit.job_titles import method_name, method_title, method_titles
from webapp.pages.kit.page_state import View, sources
from webapp.pages.kit.viewer_scene import Scene, SceneImage, SceneMap
from webapp.store.records import ArtifactRecord, JobRecord, ScanRecord

# a scan that we made has this among its facts
SYNTHETIC = "synthetic"


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
    method = method_name(job)
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
    chosen = method_name(job)
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
