"""Gradio writes no stub beside a component, for which it would parse the source of every one."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest


def test_a_component_gets_no_stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "component_shown.py").write_text("import gradio as gr\n\n\nclass Shown(gr.HTML):\n    EVENTS = []\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert importlib.import_module("component_shown").Shown.EVENTS == []
    assert not list(tmp_path.glob("*.pyi"))
