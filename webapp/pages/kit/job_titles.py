"""What a job is called on the page: by its method, its scan, its verdicts."""

from __future__ import annotations

from core import tasks
from core.errors import UserError
from webapp.pages.kit.page_state import sources
from webapp.services import Services
from webapp.store.records import JobRecord


def method_titles(task: str) -> dict[str, str]:
    """Return method name -> title."""
    return {one.name: one.title for one in tasks.find(task).methods}


def method_name(job: JobRecord) -> str:
    """Return the name of the method that a job was given, "" for a task without methods."""
    known = {param.name: param.default for param in tasks.find(job.task).params}
    return str(job.params.get("method", known.get("method", "")))


def method_title(job: JobRecord) -> str:
    """Return the title of the method that a job was given, and its mode where that is not the usual one."""
    name = method_name(job)
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
    found = ", ".join(f"{one.title} {one.level}" for one in job.result.verdicts) or method_title(job)
    title = tasks.find(job.task).title
    return f"{title}: {found}" if found else title
