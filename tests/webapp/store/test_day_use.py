from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from core.errors import UserError
from tests.phantom import Phantom
from tests.webapp.fakes import FakeEngine, load
from webapp.app import build_services
from webapp.rates import ALL, DAY
from webapp.settings import Settings
from webapp.store.day_use import DayUse, forget_days
from webapp.store.schema import day_use

NOON = 1_800_000_000.0


def test_amounts_add_up_within_a_day_and_begin_anew_after_it(database: Engine) -> None:
    use, other = DayUse(database, "bytes"), DayUse(database, "jobs")
    use.add({"a": (NOON, 3), ALL: (NOON, 3)})
    # a second server may have another beginning of the same day
    use.add({"a": (NOON + 5, 4)})
    other.add({"a": (NOON, 1)})
    assert use.load(NOON + 6) == {"a": (NOON, 7), ALL: (NOON, 3)} and other.load(NOON) == {"a": (NOON, 1)}
    assert use.load(NOON + DAY) == {}
    use.add({"a": (NOON + DAY, 2)})
    assert use.load(NOON + DAY) == {"a": (NOON + DAY, 2)}
    forget_days(database, NOON + DAY)
    with database.begin() as connection:
        assert connection.scalar(select(func.count()).select_from(day_use)) == 1


def test_a_restart_begins_no_new_day_of_jobs(settings: Settings, head: Phantom, tmp_path: Path) -> None:
    strict = settings.model_copy(update={"jobs_per_day": 1})
    codes = []
    for number in range(2):
        services = build_services(strict, FakeEngine)
        (tmp_path / str(number)).mkdir()
        scan, mask = load(services, head, tmp_path / str(number))
        try:
            services.dispatcher.submit("a", "inpaint", {"t1": scan.id, "mask": mask.id}, {})
            codes.append("")
        except UserError as error:
            codes.append(error.code)
        services.repo.engine.dispose()
    assert codes == ["", "job_limit"]


@pytest.mark.parametrize("left", [True, False])
def test_a_deleted_visitor_leaves_no_row(settings: Settings, left: bool) -> None:
    services = build_services(settings, FakeEngine)
    owner = services.accounts.add("ada", "visitor", None).session if left else "a"
    services.repo.touch(owner)
    use = DayUse(services.repo.engine, "jobs")
    use.add({owner: (NOON, 1)})
    services.erasure.delete_session(owner)
    # an account that deletes its data has used its day none the less
    assert bool(use.load(NOON)) is left
    services.repo.engine.dispose()
