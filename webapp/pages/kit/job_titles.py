"""What a job is called on the page: by its method, its scan, its verdicts."""

from __future__ import annotations

from core import tasks
from core.errors import UserError
from webapp.services import Services
from webapp.store.records import JobRecord


def method_name(job: JobRecord) -> str:
    """Return the name of the method that a job was given, "" for a task without methods."""
    declared = tasks.find(job.task).param("method")
    return str(job.params.get("method", declared.default if declared else ""))


def method_title(job: JobRecord) -> str:
    """Return the title of the method that a job was given, and its mode where that is not the usual one."""
    name = method_name(job)
    method = next((one for one in tasks.find(job.task).methods if one.name == name), None)
    if method is None:
        return name
    realistic = not method.cheap and job.params.get("mode") == "realistic"
    return f"{method.title} (realistic)" if realistic else method.title


def settings_title(job: JobRecord) -> str:
    """Return the title of the preset that a job was run with, that of its method where its settings are no preset's."""
    for preset in tasks.find(job.task).presets:
        if preset.on_page and all(job.params.get(name) == value for name, value in preset.params.items()):
            return preset.title
    return method_title(job)


def main_input(job: JobRecord) -> str:
    """Return the id of the scan or data that a job is first of all about, "" where it has none."""
    return next((job.inputs[one.name] for one in tasks.find(job.task).inputs if one.name in job.inputs), "")


def subject(services: Services, session: str, job: JobRecord) -> str:
    """Return what a job is about: the file name of its scan or data, or what its task names without one."""
    task, given = tasks.find(job.task), main_input(job)
    named = task.param(task.page.subject)
    if not given and named:
        return f"{named.title}: {job.params.get(named.name, named.default)}"
    try:
        return services.repo.scan(given, session).filename
    except UserError:
        return "a deleted scan"


def headline(job: JobRecord) -> str:
    """Return the task of a job with its method, or its verdicts where it judges."""
    found = ", ".join(f"{one.title} {one.level}" for one in job.result.verdicts) or method_title(job)
    title = tasks.find(job.task).title
    return f"{title}: {found}" if found else title
