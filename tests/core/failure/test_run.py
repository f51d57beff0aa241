from __future__ import annotations

from core.failure.run import table, verdicts
from core.failure.task import TASK
from tests.core.failure.finished_run import results


def test_a_row_for_each_recipe_has_every_measure() -> None:
    rows = table(results())
    assert [row.method for row in rows] == ["rgb-erm", "rgb-matched", "ir-erm", "ir-instance"]
    for row in rows:
        assert {measure.name for measure in TASK.measures} - {"seconds"} <= row.values.keys()
    assert rows[2].values["id"] == round(results().models[2].accuracy["id"].value, 4)


def test_the_verdicts_have_the_titles_of_their_sides_and_their_reasons() -> None:
    found = verdicts(results())
    sides = [("data", "Data"), ("rgb", "RGB"), ("ir", "IR")]
    assert [(verdict.subject, verdict.title) for verdict in found] == sides
    for verdict in found:
        own = results().verdicts[verdict.subject]
        assert (verdict.level, verdict.text) == (own.level, own.text)
        assert (verdict.reasons, verdict.not_tested) == (own.reasons, own.not_tested)
