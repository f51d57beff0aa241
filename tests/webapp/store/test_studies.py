from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, text

from core.errors import UserError
from tests.postgres import everything
from webapp.store.clock import now
from webapp.store.database import configuration, connect, migrate
from webapp.store.repository import Repo
from webapp.store.studies import Studies
from webapp.store.study_records import NewImage, NewItem, NewStudy, StudyRecord


def new(title: str = "T") -> NewStudy:
    """Return a study of one pair."""
    images = [NewImage(f"m{n}", "c", "real" if n else "synthetic", {}, (0, 3), f"{title}-{n}", "0", 1) for n in (0, 1)]
    return NewStudy(title, {"shape": [4, 4, 4]}, ("note",), tuple(images), (NewItem("item", (0, 1)),))


@pytest.fixture
def studies(database: Engine) -> Studies:
    """An empty database."""
    return Studies(database)


@pytest.fixture
def study(studies: Studies) -> StudyRecord:
    """A study that session "a" made."""
    return studies.add(new(), "a")[0]


def test_a_study_is_its_managers_and_of_whoever_has_the_key(studies: Studies, study: StudyRecord) -> None:
    assert studies.study(study.id, "a") == studies.study(study.id, None) == study
    assert studies.studies("a") == (study,)
    assert studies.studies("b") == ()
    with pytest.raises(UserError, match="not_found"):
        studies.study(study.id, "b")
    with pytest.raises(UserError, match="not_found"):
        studies.manage("wrong", "b")
    key = studies.renew_key(study)
    assert studies.manage(key, "b") == studies.manage(key, "b") == study
    assert studies.studies("b") == (study,)


def test_an_old_key_opens_nothing(studies: Studies) -> None:
    study, first = studies.add(new(), None)
    studies.renew_key(study)
    with pytest.raises(UserError, match="not_found"):
        studies.manage(first, "a")


def test_no_key_is_kept(studies: Studies, study: StudyRecord, database: Engine) -> None:
    _, key = studies.invite(study, "Dr A")
    manager = studies.renew_key(study)
    stored = everything(database)
    assert study.id in stored
    assert key not in stored
    assert manager not in stored


def test_raters_are_numbered_in_their_study(studies: Studies, study: StudyRecord) -> None:
    other, _ = studies.add(new("other"), None)
    assert [studies.invite(study, "")[0].name for _ in range(3)] == ["R01", "R02", "R03"]
    assert studies.invite(other, "")[0].name == "R01"
    for act in (studies.revoke, studies.renew):
        with pytest.raises(UserError, match="not_found"):
            act(study, 9)


def test_an_invitation_expires(studies: Studies, study: StudyRecord) -> None:
    _, past = studies.invite(study, "", expires=now() - timedelta(seconds=1))
    _, future = studies.invite(study, "", expires=now() + timedelta(hours=1))
    assert studies.by_key(future)
    with pytest.raises(UserError, match="invitation_over"):
        studies.by_key(past)


def test_what_stands_before_a_rater_stays(studies: Studies, study: StudyRecord) -> None:
    who, _ = studies.invite(study, "")
    (item,) = studies.items(study)
    first = studies.show(who, 1, item, repeat=False, flipped=True)
    assert studies.show(who, 1, item, repeat=True, flipped=False) == first
    assert first.right
    images = studies.images(study)
    assert studies.image_at(who, first.left) == images[item.images[1]].blob
    assert studies.image_at(who, first.right) == images[item.images[0]].blob
    other, _ = studies.invite(study, "")
    with pytest.raises(UserError, match="not_found"):
        studies.image_at(other, first.left)


def test_after_a_final_answer_there_is_none(studies: Studies, study: StudyRecord) -> None:
    who, _ = studies.invite(study, "")
    shown = studies.show(who, 1, studies.items(study)[0], repeat=False, flipped=False)
    first = studies.rate(shown, "client-1", {"a": 1}, 1.0, 0, {}, final=True)
    assert studies.rate(shown, "client-1", {"a": 2}, 1.0, 0, {}, final=True) == first
    with pytest.raises(UserError, match="answered already"):
        studies.rate(shown, "client-2", {"a": 3}, 1.0, 0, {}, final=True)
    assert [one.answers for one in studies.all_answers(study).values()] == [{"a": 1}]


def test_only_the_first_consent_counts(studies: Studies, study: StudyRecord) -> None:
    who, _ = studies.invite(study, "", "Resident", 3)
    begun = studies.start(who, "", None)
    assert (begun.expertise, begun.years) == ("Resident", 3)
    assert studies.start(begun, "Radiologist", 30) == begun


def test_images_of_a_study_are_kept_when_files_are_swept(studies: Studies, study: StudyRecord) -> None:
    assert Repo(studies._engine).blobs() == {"T-0", "T-1"}
    assert study.notes == ("note",)


def test_ratings_of_runs_outlive_the_change_of_their_table(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/old.db")
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "0001")
        for row in (
            "session VALUES ('a', '2026-01-01', '2026-01-01')",
            "job (id, session, task, params, inputs, state, fraction, text, summary, attempts, created) VALUES"
            " ('j', 'a', 'inpaint', '{}', '{}', 'done', 1, '', '{}', 1, '2026-01-01 00:00:00')",
            "rating VALUES (3, 'j', 'a', 'client-1', 5, 4, 3, 'good', NULL, '2026-01-01 10:00:00.000000')",
            "rating VALUES (7, 'j', 'a', 'client-2', 1, 2, 3, '', 3, '2026-01-02 10:00:00.000000')",
        ):
            connection.execute(text(f"INSERT INTO {row}"))
    migrate(engine)
    first, second = Repo(engine).ratings("j", "a")
    assert (first.realism, first.border, first.anatomy, first.comment) == (5, 4, 3, "good")
    assert second.created.isoformat() == "2026-01-02T10:00:00+00:00"
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT supersedes FROM rating WHERE client_id = 'client-2'")) == first.id


def test_the_newest_answer_to_a_showing_holds(studies: Studies, study: StudyRecord) -> None:
    who, _ = studies.invite(study, "")
    other, _ = studies.invite(study, "")
    (item,) = studies.items(study)
    shown = studies.show(who, 1, item, repeat=False, flipped=False)
    assert (studies.showing(who, shown.id), studies.showing(other, shown.id)) == (shown, None)
    assert (studies.answer(shown), studies.answered(who)) == (None, frozenset())
    for number, client in enumerate(("client-1", "client-2", "client-1")):
        studies.rate(shown, client, {"realism": number}, 1.0, 0, {})
    held = studies.answer(shown)
    assert held and (held.client_id, held.answers, held.revisions) == ("client-2", {"realism": 1}, 1)
    assert (studies.answered(who), studies.answered(other)) == (frozenset({shown.id}), frozenset())
    assert studies.all_answers(study) == {shown.id: held}
