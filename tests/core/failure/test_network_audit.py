from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import UserError
from core.events import finish
from core.failure.data.dataset import Dataset
from core.failure.diagnostics.battery import Depth
from core.failure.models.remedies import REMEDIES
from core.failure.network_audit import audit_networks
from core.failure.plan import Plan, networks_to_train
from core.failure.verdict import NOTHING_LEARNT
from tests.core.failure.finished_run import dataset, results
from tests.core.failure.made_up_patches import patches

PLAN = Plan(("rgb", "ir"), ("erm", "instance"), ("cnn",), 1, (0,), depth=Depth(10, (3,), bands=False))


def test_remedies_are_tried_on_the_infrared_side_and_the_picture_is_the_control() -> None:
    wanted, skipped = networks_to_train(replace(PLAN, matched=True), dataset())
    assert [each.name for each in wanted] == ["rgb-erm", "rgb-matched", "ir-erm", "ir-instance"]
    assert skipped == ()
    both, _ = networks_to_train(replace(PLAN, control=True, networks=("cnn", "pixel")), dataset())
    assert [each.name for each in both] == [
        "rgb-erm", "rgb-erm-pixel", "rgb-instance", "ir-erm", "ir-erm-pixel", "ir-instance",
    ]  # fmt: skip


def test_what_the_data_do_not_allow_is_left_out_and_said() -> None:
    bare = dataset()
    bare = replace(bare, train=replace(bare.train, groups=None), balanced=None)
    wanted, skipped = networks_to_train(replace(PLAN, remedies=("erm", "groupdro", "dfr")), bare)
    assert {each.remedy.name for each in wanted} == {"erm"}
    assert len(skipped) == 2 and all("left out" in each for each in skipped)
    points = replace(bare, train=replace(bare.train, ir=bare.train.ir[:, :, :1, :1], rgb=None))
    assert [each.name for each in networks_to_train(replace(PLAN, remedies=("instance", "snv")), points)[0]] == [
        "ir-erm",
        "ir-snv",
    ]


def test_nothing_to_train_is_refused() -> None:
    bare = dataset()
    bare = replace(bare, train=replace(bare.train, rgb=None))
    with pytest.raises(UserError) as caught:
        finish(audit_networks([bare], replace(PLAN, modalities=("rgb",))))
    assert caught.value.code == "no_networks"


def test_a_result_holds_what_every_view_needs() -> None:
    found = results()
    assert [model.name for model in found.models] == ["rgb-erm", "rgb-matched", "ir-erm", "ir-instance"]
    infrared = found.models[2]
    assert {
        "D0",
        "D1",
        "D2",
        "D3",
        "D3k",
        "D17",
        "D4",
        "D4n",
        "D5",
        "D6",
        "R",
        "D7",
        "D9",
        "D10",
        "D11",
        "D12",
        "D13",
        "D14",
    } == {each.code for each in infrared.diagnostics}
    assert infrared.accuracy.keys() == {"id", "external", "conflict"} == {each.name for each in infrared.calibration}
    assert len(infrared.score) == len(infrared.probabilities) == 48
    np.testing.assert_allclose(np.sum(infrared.probabilities, axis=1), 1, atol=1e-6)
    assert len(infrared.losses) == infrared.epochs == 2
    assert [line.name for line in infrared.history] == ["accuracy", "one_number", "within"]
    assert all(line.x == (1.0, 2.0) for line in infrared.history)
    # what is watched at the end is what is measured at the end: 48 patches are all of them
    assert infrared.history[0].y[-1] == pytest.approx(infrared.accuracy["id"].value)
    one = next(each for each in infrared.diagnostics if each.code == "D3")
    assert infrared.history[1].y[-1] == pytest.approx(one.figure.value, abs=1e-5)
    assert {each.modality for each in found.bands} == {"ir", "rgb"}
    assert len(found.gallery) == 6 and len(infrared.attributions) == 6
    assert np.shape(found.gallery[0].ir) == np.shape(found.gallery[0].rgb) == (6, 6, 3)
    assert {(each.first, each.second) for each in found.paired} >= {("rgb-erm", "ir-erm"), ("rgb-matched", "ir-erm")}
    # the made-up densities have the same noise, so the class shows in the signal to noise of the infrared side
    assert found.verdicts.keys() == {"data", "rgb", "ir"}
    assert found.accuracies.keys() == {model.name for model in found.models}
    assert {each.name for each in found.prior} >= {"ir-dimension", "rgb-dimension", "ir-class_noise", "ir-prior"}
    assert any("No number here is theirs" in limit for limit in found.limits)


def test_probes_that_do_not_foretell_failure_say_so() -> None:
    for model in results().models:
        for each in model.diagnostics:
            assert each.reason
            if not each.decides:
                assert each.reason.startswith(("Not used for the verdict", "Not measured"))
    rank = next(each for each in results().models[0].diagnostics if each.code == "D1")
    assert not rank.decides and "Not used for the verdict" in rank.reason


def test_progress_comes_after_every_epoch_and_never_falls() -> None:
    events = list(audit_networks([dataset()], replace(PLAN, epochs=3)))
    fractions = [each.fraction for each in events]
    assert fractions == sorted(fractions) and fractions[-1] < 1
    for name in ("RGB: Plain training", "IR: Plain training", "IR: Instance norm"):
        assert sum(each.text.startswith(f"{name}: epoch") for each in events) == 3


def test_later_seeds_are_probed_too() -> None:
    found = finish(audit_networks([dataset(), dataset()], replace(PLAN, remedies=("erm",), seeds=(0, 7)))).results
    assert [(model.name, model.seed) for model in found.models] == [
        ("rgb-erm", 0), ("ir-erm", 0), ("rgb-erm", 7), ("ir-erm", 7),
    ]  # fmt: skip
    assert found.models[1].losses != found.models[3].losses


def test_networks_on_noise_get_the_sentence_of_the_gate() -> None:
    tests = {"id": patches(120, 5), "external": patches(60, 6)}
    noise = Dataset(patches(60), tests, None, "simulated", "nothing")
    plan = replace(PLAN, remedies=("erm",), seeds=(0, 1))
    found = finish(audit_networks([noise, noise], plan)).results
    assert {side: each.text for side, each in found.verdicts.items()} == {"rgb": NOTHING_LEARNT, "ir": NOTHING_LEARNT}
    assert all(model.verdict is not None and len(model.verdict.reasons) == 1 for model in found.models)


def test_every_remedy_has_words() -> None:
    assert all(each.title and each.help.endswith((".", "it.")) for each in REMEDIES.values())
