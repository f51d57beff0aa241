from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from core.batch.run import Batch
from core.batch.scan_list import Scan
from core.bench import batch_cost
from core.bench.batch_cost import Cost
from core.bench.table import mark
from core.commands import bench as command
from core.errors import UserError
from core.tasks import find
from tests.contract.phantom import write_phantom

PARAMS = {"method": "shell", "compare": False}


def test_a_batch_costs_more_than_its_jobs_and_these_more_than_their_networks(tmp_path: Path) -> None:
    given = {name: str(path) for name, path in write_phantom(tmp_path).items()}
    scans = (Scan("one", given), Scan("two", given))
    cost = batch_cost.measure(Batch(find("inpaint"), scans, Path(), PARAMS, "cpu"))
    assert cost.scans == 2 and 0 < cost.jobs < cost.whole and cost.networks == 0
    assert {"Reading", "Writing the report"} <= set(cost.parts)
    assert sum(cost.parts.values()) == pytest.approx(cost.jobs)


def test_a_scan_that_fails_costs_nothing_that_counts(tmp_path: Path) -> None:
    scans = (Scan("lost", {"t1": str(tmp_path / "a.nii"), "mask": str(tmp_path / "b.nii")}),)
    with pytest.raises(UserError) as caught:
        batch_cost.measure(Batch(find("inpaint"), scans, Path(), PARAMS, "cpu"))
    assert caught.value.code == "scans_failed" and str(tmp_path) in caught.value.message


def test_a_network_within_another_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([1.0, 4.0, 10.0, 11.0])
    monkeypatch.setattr("core.bench.batch_cost.time.process_time", lambda: next(moments))
    cost, network = Cost(), nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    with batch_cost._counted(cost), torch.inference_mode():
        network(torch.zeros(1, 1))
        network(torch.zeros(1, 1))
    network(torch.zeros(1, 1))
    assert cost.networks == 4.0


def test_the_table_is_for_each_scan_and_stands_in_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cost = Cost(4, 12.0, 10.0, 2.0)
    cost.parts.update({"Reading": 1.0, "": 1.0, "Read": 0.001})
    rows = batch_cost.markdown(cost).splitlines()
    assert rows[-4:] == [
        "| calls of networks | 0.50 |", "| Reading | 0.25 |", "| all of the job | 2.50 |", "| all of the batch | 3.00 |"
    ]  # fmt: skip
    page, table = tmp_path / "page.md", tmp_path / "scans.csv"
    begin, end = mark(batch_cost.MARK)
    page.write_text(f"above\n{begin}\n{end}\nbelow\n")
    table.write_text("t1,mask\na.nii,b.nii\n")
    seen: list[Batch] = []

    def measured(batch: Batch) -> Cost:
        seen.append(batch)
        return cost

    monkeypatch.setattr(batch_cost, "measure", measured)
    shown = CliRunner().invoke(command.app, ["batch", str(table), "--no-compare", "--markdown", str(page)])
    assert shown.exit_code == 0 and "| Reading | 0.25 |" in page.read_text()
    assert seen[0].params["compare"] is False and seen[0].scans[0].inputs["t1"] == str(tmp_path / "a.nii")
