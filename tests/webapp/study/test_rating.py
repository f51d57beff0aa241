from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import UserError
from tests.webapp.study.sitting import answered, sit, study_of
from webapp.services import Services
from webapp.store.study_records import StudyRecord
from webapp.study.collection import collect
from webapp.study.rating import Sitting


def all_of(services: Services, study: StudyRecord, key: str) -> list[dict[str, Any]]:
    """Answer everything that is left with this key; returns the showings in their order."""
    found = []
    while (shown := Sitting.of(services.studies, key, "/rate/x").state()["next"]) is not None:
        found.append(shown)
        Sitting.of(services.studies, key, "/rate/x").save(answered(shown))
    return found


@pytest.fixture
def study(services: Services, tmp_path: Path) -> StudyRecord:
    """Four cases of three methods: one for practice."""
    return study_of(services, tmp_path / "images", training=["case0"])


def test_a_rater_goes_through_everything_once_and_some_twice(services: Services, study: StudyRecord) -> None:
    key, sitting = sit(services, study)
    total = sitting.state()["progress"]["total"]
    shown = all_of(services, study, key)
    assert len(shown) == total == 6 + 18 + 2
    assert [one["position"] for one in shown] == list(range(1, total + 1))
    assert [one["training"] for one in shown] == [True] * 6 + [False] * 20
    found = collect(services.studies, study)
    assert len(found.answers) == total
    assert len({(one.item, one.repeat) for one in found.answers}) == total
    assert sum(one.repeat for one in found.answers) == 2
    assert found.raters[0].group == "Radiologist, 5 to 10 years"
    assert Sitting.of(services.studies, key, "").state()["next"] is None


def test_nothing_tells_a_practice_of_another_from_a_catch_or_a_repeat(services: Services, tmp_path: Path) -> None:
    study = study_of(services, tmp_path / "images", catch=["case1"], repeats=0.3)
    key, _ = sit(services, study)
    seen = all_of(services, study, key)
    tokens = [image.rsplit("/", 1)[1] for one in seen for image in one["images"]]
    assert len(set(tokens)) == len(tokens)
    for one in seen:
        del one["id"], one["position"], one["images"], one["at"]
    kinds = {json.dumps(one) for one in seen}
    assert len(kinds) == 2
    for word in ("case", "ours", "truth", "catch", "repeat", "flipped", "item"):
        assert not any(f'"{word}' in kind for kind in kinds)


def test_pairs_stand_on_both_sides(services: Services, study: StudyRecord) -> None:
    key, _ = sit(services, study)
    all_of(services, study, key)
    pairs = [one for one in collect(services.studies, study).answers if len(one.images) == 2]
    first = [one.images[0].method < one.images[1].method for one in pairs if not one.repeat and one.use == "item"]
    assert sum(first) in (4, 5)
    again = {one.item: one.images for one in pairs if one.repeat}
    for one in pairs:
        if not one.repeat and one.item in again:
            assert again[one.item] == one.images[::-1]


def test_the_image_behind_an_address_is_the_one_that_is_counted(services: Services, study: StudyRecord) -> None:
    key, sitting = sit(services, study)
    studies = services.studies
    blobs = {image.blob: image.method for image in studies.images(study).values()}
    shown = all_of(services, study, key)
    told = [[blobs[sitting.image(url.rsplit("/", 1)[1])] for url in one["images"]] for one in shown]
    counted = [[image.method for image in one.images] for one in collect(studies, study).answers]
    assert told == counted


def test_the_same_answer_again_changes_nothing(services: Services, study: StudyRecord) -> None:
    _, sitting = sit(services, study)
    shown = sitting.state()["next"]
    first = sitting.save(answered(shown))
    again = Sitting(sitting.studies, study, sitting.rater, "/rate/x")
    second = again.save(answered(shown, answers={"nonsense": 1}))
    assert first["saved"] == second["saved"]
    assert second["progress"]["done"] == 1
    assert second["feedback"] == first["feedback"]


def test_a_change_supersedes_and_the_first_stays(services: Services, study: StudyRecord) -> None:
    studies = services.studies
    key, _ = sit(services, study)
    shown = all_of(services, study, key)[-1]
    again = Sitting.of(studies, key, "").showing(shown["position"])
    assert again["answers"] == {name: one for name, one in answered(shown)["answers"].items() if one != ""}
    changed = answered(shown, "client-new")
    changed["answers"]["confidence"] = 5
    Sitting.of(studies, key, "").save(changed)
    last = collect(studies, study).answers[-1]
    assert last.values["confidence"] == 5
    assert last.revisions == 1
    # what was spent on it before counts on
    assert (last.seconds, last.changes, last.slices) == (5.0, 2, {"axial": 3})


def test_changes_may_be_forbidden_and_practice_is_never_changed(services: Services, tmp_path: Path) -> None:
    for more in ({"changes": False}, {"training": ["case0"]}):
        _, sitting = sit(services, study_of(services, tmp_path / "images", **more))
        shown = sitting.state()["next"]
        sitting.save(answered(shown))
        with pytest.raises(UserError, match="answered already"):
            Sitting(sitting.studies, sitting.study, sitting.rater, "").save(answered(shown, "client-new"))


def test_practice_says_what_was_right(services: Services, study: StudyRecord) -> None:
    studies = services.studies
    _, sitting = sit(services, study)
    for _ in range(6):
        shown = sitting.state()["next"]
        told = sitting.save(answered(shown))["feedback"]
        sitting = Sitting(studies, study, sitting.rater, "")
        given = collect(studies, study).answers[-1]
        if given.expected:
            (name, right), *_ = given.expected.items()
            assert told["correct"] == (given.values[name] == right)
            assert str(right) in told["text"]
        else:
            assert told["correct"] is None
    assert sitting.save(answered(sitting.state()["next"]))["feedback"] is None


def test_a_sitting_goes_on_where_it_was_and_nothing_is_shown_too_early(services: Services, study: StudyRecord) -> None:
    studies = services.studies
    key, sitting = sit(services, study)
    first = sitting.state()["next"]
    assert Sitting.of(studies, key, "/rate/x").state()["next"] == first
    ahead = Sitting.of(studies, key, "/rate/x").showing(2)
    with pytest.raises(UserError, match="not_found"):
        Sitting.of(studies, key, "/rate/x").showing(3)
    after = Sitting.of(studies, key, "/rate/x").save(answered(first))
    assert after["next"] == ahead


def test_raters_know_nothing_of_each_other(services: Services, study: StudyRecord) -> None:
    studies = services.studies
    first, mine = sit(services, study, "Dr A")
    second, theirs = sit(services, study, "Dr B")
    before = theirs.state()
    shown = all_of(services, study, first)
    after = Sitting.of(studies, second, "/rate/x")
    assert after.state() == before
    with pytest.raises(UserError, match="not_found"):
        after.save(answered(shown[0]))
    with pytest.raises(UserError, match="not_found"):
        after.image(shown[0]["images"][0].rsplit("/", 1)[1])
    assert mine.rater.label not in json.dumps(before)


def test_an_invitation_ends(services: Services, study: StudyRecord) -> None:
    studies = services.studies
    key, _ = sit(services, study)
    studies.revoke(study, 1)
    with pytest.raises(UserError, match="invitation_over"):
        studies.by_key(key)
    renewed, fresh = studies.renew(study, 1)
    assert studies.by_key(fresh)[0] == renewed
    with pytest.raises(UserError, match="not_found"):
        studies.by_key(key)
    studies.close(study)
    with pytest.raises(UserError, match="invitation_over"):
        studies.by_key(fresh)
    studies.close(study, False)
    assert studies.by_key(fresh)


def test_nothing_is_answered_before_consent(services: Services, study: StudyRecord) -> None:
    _, sitting = sit(services, study, start=False)
    assert sitting.state()["next"] is None
    with pytest.raises(UserError, match="bad_rating"):
        sitting.showing(1)
    with pytest.raises(UserError, match="bad_rating"):
        sitting.save({})
    with pytest.raises(UserError, match="years"):
        sitting.start("", 200)


@pytest.mark.parametrize(
    "change",
    [
        {"real": "maybe"},
        {"real": None},
        {"confidence": 6},
        {"confidence": "3"},
        {"confidence": True},
        {"realism": 0},
        {"comment": "x" * 5000},
        {"comment": 3},
        {"mark": {"shape": [1, 1, 1], "runs": [0, 1]}},
        {"mark": [0, 1]},
        {"other": 1},
    ],
)
def test_a_bad_answer_is_refused_and_nothing_is_kept(
    services: Services, tmp_path: Path, change: dict[str, Any]
) -> None:
    ask = {"real": True, "scales": ["realism"], "mark": True}
    study = study_of(services, tmp_path / "images", ask=ask)
    _, sitting = sit(services, study)
    sent = answered(sitting.state()["next"])
    sent["answers"] |= change
    with pytest.raises(UserError, match="bad_rating"):
        sitting.save(sent)
    assert collect(services.studies, study).answers == ()


def test_marks_are_measured_against_what_was_made(services: Services, tmp_path: Path) -> None:
    study = study_of(services, tmp_path / "images", ask={"mark": True})
    studies = services.studies
    images = studies.images(study)
    key, sitting = sit(services, study)
    for _ in range(4):
        shown = Sitting.of(studies, key, "").state()["next"]
        blob = sitting.image(shown["images"][0].rsplit("/", 1)[1])
        image = next(one for one in images.values() if one.blob == blob)
        sent = answered(shown)
        sent["answers"]["mark"] = {"shape": study.design["shape"], "runs": list(image.region or (0, 4))}
        Sitting.of(studies, key, "").save(sent)
    for one in collect(studies, study).answers:
        assert one.values["mark"] == (1.0 if one.images[0].truth == "synthetic" else 0.0)


def test_the_crosshair_begins_where_something_was_made_in_real_images_too(services: Services, tmp_path: Path) -> None:
    study = study_of(services, tmp_path / "images", ask={"real": True})
    key, _ = sit(services, study)
    places: dict[str, set[tuple[int, ...]]] = {}
    shown = all_of(services, study, key)
    for told, given in zip(shown, collect(services.studies, study).answers, strict=True):
        places.setdefault(given.images[0].case, set()).add(tuple(told["at"]))
    assert [len(found) for found in places.values()] == [1] * 4
    # real scans of other subjects would be known by a crosshair that has nowhere to go
    (tmp_path / "images" / "regions" / "case1.nii.gz").unlink()
    some = study_of(services, tmp_path / "images", ask={"real": True})
    assert {one["at"] for one in all_of(services, some, sit(services, some)[0])} == {None}
    middle = study_of(services, tmp_path / "images", ask={"real": True}, look="middle")
    assert sit(services, middle)[1].state()["next"]["at"] is None


def test_catch_items_count_only_what_was_asked(services: Services, tmp_path: Path) -> None:
    ask = {"prefer": True, "scales": ["realism"]}
    study = study_of(services, tmp_path / "images", ask=ask, catch=["case0"])
    key, _ = sit(services, study)
    all_of(services, study, key)
    catches = [one for one in collect(services.studies, study).answers if one.use == "catch"]
    assert {tuple(one.expected) for one in catches if len(one.images) == 1} == {()}
    assert {tuple(one.expected) for one in catches if len(one.images) == 2} == {("prefer",), ()}


def test_labels_stand_beside_the_numbers(services: Services, study: StudyRecord) -> None:
    for label in ("Dr A", "Dr A", ""):
        all_of(services, study, sit(services, study, label)[0])
    found = collect(services.studies, study, labels=True)
    assert [one.name for one in found.raters] == ["R01 Dr A", "R02 Dr A", "R03"]
    assert len({one.rater for one in found.answers}) == 3


def test_a_group_that_the_managers_gave_stays(services: Services, study: StudyRecord) -> None:
    studies = services.studies
    _, key = studies.invite(study, "", "Neuroradiologist", 12)
    assert Sitting.of(studies, key, "").state()["expertise"] == []
    Sitting.of(studies, key, "").start("Resident", 1)
    assert studies.by_key(key)[0].expertise == "Neuroradiologist"
    assert studies.by_key(key)[0].years == 12


def test_the_least_rated_comes_first(services: Services, tmp_path: Path) -> None:
    study = study_of(services, tmp_path / "images", order="least", ask={"real": True}, repeats=0)
    studies = services.studies
    shown = []
    for _ in range(3):
        key, _ = sit(services, study)
        for _ in range(4):
            sitting = Sitting.of(studies, key, "")
            sitting.save(answered(sitting.state()["next"]))
        shown.append({one.item for one in collect(studies, study).answers})
    # three raters of four items each have seen all twelve
    assert [len(one) for one in shown] == [4, 8, 12]


def test_what_the_browser_tells_beside_is_bounded(services: Services, study: StudyRecord) -> None:
    _, sitting = sit(services, study)
    sent = answered(sitting.state()["next"], seconds=float("inf"), changes=-3, client={str(n): "x" for n in range(99)})
    sitting.save(sent | {"slices": {"axial": "y" * 1000}, "secret": "z"})
    (kept,) = services.studies.all_answers(study).values()
    assert kept.seconds == 0
    assert kept.changes == 0
    assert len(kept.circumstances["client"]) == 12
    assert kept.circumstances["slices"] == {"axial": 0}
    assert set(kept.circumstances) == {"client", "slices"}
