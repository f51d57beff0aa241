from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from tests.databases import fresh
from tests.source import ROOT
from webapp.store import states
from webapp.store.database import connect
from webapp.store.queue import Queue
from webapp.store.schema import job
from webapp.store.states import OVER, State, Step

STEPS = [step for step in vars(states).values() if isinstance(step, Step)]
WRITERS = {
    "visitor": "the visitor whose job it is",
    "slot": "a free slot of any server",
    "holder": "the slot whose claim holds",
    "server": "any server",
}


def test_the_page_of_the_architecture_has_the_table() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.partition("<!-- states -->")[2].partition("<!-- end of states -->")[0]
    written = [tuple(cell.strip() for cell in line.split("|")[1:5]) for line in table.splitlines()[3:] if line]
    assert written == [
        (step.name, ", ".join(step.before) or "-", ", ".join(step.after), WRITERS[step.writer]) for step in STEPS
    ]


def test_every_state_is_reached_and_what_is_over_is_never_left() -> None:
    names = set(get_args(State))
    assert {after for step in STEPS for after in step.after} == names
    assert {before for step in STEPS for before in step.before} == names - set(OVER)
    checks = [str(one.sqltext) for one in job.constraints if "state in" in str(getattr(one, "sqltext", ""))]  # type: ignore[attr-defined]
    assert [set(re.findall(r"'(\w+)'", check)) for check in checks] == [names]


@pytest.mark.parametrize(
    ("step", "writer", "after"),
    [(states.FINISH, "visitor", "done"), (states.FINISH, "holder", "failed"), (states.CANCEL, "holder", "cancelled")],
)
def test_a_write_that_the_table_lacks_is_refused(step: Step, writer: states.Writer, after: State) -> None:
    with pytest.raises(ValueError, match=step.name):
        step.require(writer, after)


@pytest.mark.parametrize("state", get_args(State))
def test_a_step_from_a_state_that_the_table_lacks_changes_nothing(tmp_path: Path, state: State) -> None:
    engine = connect(f"sqlite:///{tmp_path}/test.db")
    fresh(engine)
    queue = Queue(engine, running_per_session=1)
    job_id = queue.add("a", "inpaint", {}, {}, own=1, total=1)
    claim = queue.claim("me", 0.0, 1.0)
    assert claim
    with engine.begin() as connection:
        # the claim would hold, were it not for the state
        connection.execute(job.update().values(state=state))
    assert queue.progress(claim, 0.5, "", 0.0, 1.0) == (state == "running")
    assert (queue.renew([claim], 0.0, 1.0) == ()) == (state == "running")
    queue.reclaim(2.0)
    queue.cancel(job_id, "a")
    with engine.begin() as connection:
        after = connection.scalar(job.select().with_only_columns(job.c.state))
    assert after == (state if state in OVER else "cancelled")
    engine.dispose()
