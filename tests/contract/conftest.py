"""A warm child to run jobs in, and jobs that must finish."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.declaration import Task
from core.engine.local import LocalEngine
from core.engine.protocol import JobSpec
from core.engine.wire import decode_event, encode_event
from core.events import Event, Finished
from core.report.labels import artifact_title
from core.result import BASELINE, Result, artifact_in
from core.result_json import from_json, to_json

Runner = Callable[[JobSpec], Iterator[Event]]


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    """An engine with a warm child."""
    with LocalEngine("cpu") as engine:
        yield engine


def finish(runner: Runner, spec: JobSpec) -> tuple[list[Event], Finished]:
    """Return the events of a job that must finish, and the last of them."""
    events = list(runner(spec))
    last = events[-1]
    assert isinstance(last, Finished), last
    return events, last


def keeps_its_contract(task: Task, last: Finished) -> None:
    """Assert that a result survives the wire and the store as it is, and that its files are named and titled as
    ``task`` declares them."""
    assert decode_event(encode_event(last)) == last
    result: Result = last.result
    assert from_json(json.loads(json.dumps(to_json(result), allow_nan=False))) == result
    titles = {output.name: output.title for output in task.outputs}
    for artifact in result.artifacts:
        path = Path(artifact.path)
        suffix = path.name.removeprefix(artifact.name)
        assert suffix in (".nii.gz", ".json", ".csv", ".html", ".png")
        assert artifact == artifact_in(path.parent, artifact.kind, suffix, artifact.method)
        if artifact.kind == BASELINE:
            assert artifact.method in [row.method for row in result.table[1:]]
            assert artifact_title(task, artifact).split(": ")[0] in ("Plain method", "Method")
        else:
            assert not artifact.method and artifact_title(task, artifact) == titles[artifact.kind]
    assert len(result.files) == len(result.artifacts)
    assert all(note.text for note in result.notes)
