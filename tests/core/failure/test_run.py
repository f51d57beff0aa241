from __future__ import annotations

from core.failure.run import lines, table
from core.failure.task import TASK
from tests.core.failure.finished import results


def test_a_row_for_each_recipe_has_every_measure() -> None:
    rows = table(results())
    assert [row["method"] for row in rows] == ["rgb-erm", "rgb-matched", "ir-erm", "ir-instance"]
    for row in rows:
        assert {measure.name for measure in TASK.measures} - {"seconds"} <= row.keys()
        assert row["verdict"] in ("red", "amber", "none")
    assert rows[2]["id"] == round(results().models[2].accuracy["id"].value, 4)


def test_the_verdicts_are_sentences_with_their_reasons() -> None:
    found = lines(results())
    headings = [line for line in found if not line.startswith("  ")]
    assert [line.partition(":")[0] for line in headings] == ["RGB", "IR"]
    assert all(line.split(": ")[1].partition(".")[0] in ("RED", "AMBER", "NONE FOUND") for line in headings)
    reasons = sum(len(verdict.reasons) for verdict in results().verdicts.values())
    assert len(found) == 2 + reasons
