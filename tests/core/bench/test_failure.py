from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from core.bench import failure
from core.bench.failure import Trained, correlate, grid, markdown, measure, write_page
from core.errors import UserError


def row(number: int, tissue: str = "density", modality: str = "ir") -> Trained:
    """A network whose loss rises with its number, and whose probes rise or fall with it."""
    probes = {name: -0.01 * number if less else 0.01 * number for name, (_, _, less) in failure.PROBES.items()}
    probes["D1 first component"] = -probes["D1 first component"]
    probes["D4n follows a swapped noise floor"] = math.nan
    accuracy = {"id": 0.9, "external": 0.9 - 0.01 * number, "conflict": 0.9 - 0.02 * number}
    return Trained(tissue, modality, "erm", number, accuracy, probes)


def test_a_probe_that_rises_with_the_loss_has_rank_correlation_one() -> None:
    found = {line.probe: line for line in correlate([row(number) for number in range(8)])}
    assert found["D4 follows a swapped score"].conflict == pytest.approx(1)
    assert found["D6 accuracy without the mean"].external == pytest.approx(1)
    assert found["D1 first component"].conflict == pytest.approx(-1)
    assert math.isnan(found["D4n follows a swapped noise floor"].conflict)
    assert found["D5 logits of shuffled pixels"].decides == "leaning" and not found["D1 low effective rank"].decides


def test_swaps_are_also_told_without_the_networks_that_were_taught_them() -> None:
    rows = [row(number) for number in range(8)]
    # taught not to follow, and losing all the same
    taught = [replace(row(number), recipe="swap", probes=row(0).probes) for number in range(20, 28)]
    found = {line.probe: line.conflict for line in correlate([*rows, *taught])}
    assert found["D4 follows a swapped score"] < 0.5
    assert found["D4 follows a swapped score, of networks that were not taught by swaps"] == pytest.approx(1)


def test_the_leaning_half_is_the_largest_of_three_in_their_thresholds() -> None:
    one = row(4)
    one.probes.update(
        {"D3 within classes": 0.10, "D4 follows a swapped score": 0.03, "D5 logits of shuffled pixels": 1.125}
    )
    assert failure.reading(one, failure.LEANING) == pytest.approx(2.5)
    assert failure.reading(one, "D6 accuracy without the mean") == -one.probes["D6 accuracy without the mean"]


def test_stained_networks_and_those_without_a_shortcut_count_in_the_other_columns_alone() -> None:
    some = [row(number) for number in range(6)]
    against = [row(-number, "none") for number in range(1, 7)] + [row(20, modality="rgb")]
    line = correlate([*some, *against])[0]
    assert line.conflict == pytest.approx(1)
    assert correlate(against)[0].conflict != line.conflict


def test_the_grid_has_sixty_infrared_networks_with_a_shortcut() -> None:
    wanted = list(grid(1))
    assert len(set(wanted)) == len(wanted)
    assert sum(tissue != "none" and modality == "ir" for tissue, modality, _, _ in wanted) >= 60
    assert failure.DECIDING.keys() <= {*failure.PROBES, failure.LEANING}


def test_what_was_trained_is_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure, "TISSUES", {"density": failure.TISSUES["density"]})
    monkeypatch.setattr(failure, "RECIPES", ("erm",))
    monkeypatch.setattr(failure, "TESTS", 40)
    cache = tmp_path / "a" / "rows.jsonl"
    said: list[str] = []
    first = measure(1, cache, said.append, patches=40, epochs=1)
    assert [(each.modality, each.recipe) for each in first] == [("rgb", "erm"), ("ir", "erm")]
    assert len(said) == 2
    assert [each.accuracy for each in measure(1, cache, said.append, patches=40, epochs=1)] == [
        each.accuracy for each in first
    ]
    assert len(said) == 2


def test_the_table_takes_its_place_in_the_page(tmp_path: Path) -> None:
    rows = [row(number) for number in range(6)]
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- bench failure -->\nold\n<!-- end of bench failure -->\nafter\n")
    write_page(page, rows)
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert markdown(rows) in text
    assert "| D5 logits of shuffled pixels | leaning | +1.00 | +1.00 |" in text
    page.write_text("nothing")
    with pytest.raises(UserError):
        write_page(page, rows)
