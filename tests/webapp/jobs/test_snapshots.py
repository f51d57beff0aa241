from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.engine.protocol import JobSpec, WorkerLost
from core.errors import UserError
from core.events import Event, Failed, Finished, Progress, Started
from core.result import Result
from tests.phantom import Phantom
from tests.waiting import LONGEST, wait_until
from tests.webapp.fakes import FakeEngine, load, wait_for
from webapp.jobs.snapshots import Previews
from webapp.services import Services

PNG = b"\x89PNG first", b"\x89PNG second"


class Held:
    """A job that shows two pictures, then waits until it is told how to end."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.end: Event | None = None

    def __call__(self, job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
        yield Started("cpu")
        for step, png in enumerate(PNG, 1):
            yield Progress(step / 4, step, 4, "sampling", png)
        yield Progress(0.75, 3, 4, "no picture this time")
        self.go.wait(LONGEST)
        if self.end is None:
            raise WorkerLost("killed")
        yield self.end


@pytest.fixture
def held(engine: FakeEngine) -> Iterator[Held]:
    script = Held()
    engine.script = script
    yield script
    script.go.set()


def start(services: Services, head: Phantom, folder: Path, session: str = "a") -> str:
    scan, mask = load(services, head, folder, session)
    job_id = services.dispatcher.submit(session, "inpaint", {"t1": scan.id, "mask": mask.id}, {})
    assert services.dispatcher.preview(job_id, session) is None
    return job_id


@pytest.mark.parametrize("end", [Finished(Result()), Failed("empty_mask", "Empty.", "Draw one."), None, "cancelled"])
def test_the_newest_picture_is_there_while_the_job_runs_and_never_after(
    services: Services, held: Held, head: Phantom, tmp_path: Path, end: Event | str | None
) -> None:
    held.end = None if isinstance(end, str) else end
    job_id = start(services, head, tmp_path)
    services.dispatcher.start()
    assert wait_until(lambda: services.dispatcher.preview(job_id, "a"), lambda seen: seen == PNG[1])
    with pytest.raises(UserError, match="not_found"):
        services.dispatcher.preview(job_id, "b")
    if end == "cancelled":
        services.dispatcher.cancel(job_id, "a")
        assert services.dispatcher.preview(job_id, "a") is None
    held.go.set()
    wait_for(services, job_id)
    assert services.dispatcher.preview(job_id, "a") is None
    wait_until(lambda: list((services.settings.data / "work").iterdir()), lambda left: not left)


def test_a_picture_left_by_a_dead_server_is_gone_at_the_next_start(
    services: Services, held: Held, head: Phantom, tmp_path: Path
) -> None:
    work = services.settings.data / "work"
    work.mkdir(parents=True)
    (work / "dead.png").write_bytes(PNG[0])
    services.dispatcher.start()
    assert not (work / "dead.png").exists()


def test_a_job_goes_on_when_its_picture_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    previews = Previews(folder)
    previews.keep("a", PNG[0])
    assert previews.of("a") == PNG[0]
    shutil.rmtree(folder)
    previews.keep("a", PNG[1])
    assert previews.of("a") is None
    assert "not written" in caplog.text
    previews.drop("a")
