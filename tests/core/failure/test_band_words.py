"""Every line over bands is called by what was measured."""

from __future__ import annotations

from dataclasses import replace

from core.events import finish
from core.failure.data.dataset import Dataset
from core.failure.diagnostics.battery import Depth
from core.failure.spectra_audit import audit_spectra
from core.failure.titles import band_axis
from tests.core.failure.made_up_patches import patches


def test_lines_over_shifts_are_not_called_wavenumbers() -> None:
    train, test = (replace(patches(60, seed, size=1, level=0.3), rgb=None, raman=True) for seed in (0, 1))
    found = finish(audit_spectra([Dataset(train, {"id": test}, None, "file", "")], Depth(20, (1,)), 0))
    lines = [line for each in (*found.prior, *found.models[0].diagnostics) for line in each.lines]
    titles = {line.x_title for line in lines} | {line.y_title for line in lines}
    assert band_axis("raman").position in titles and not any("wavenumber" in title for title in titles)
