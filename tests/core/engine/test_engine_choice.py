"""The engine that a name stands for."""

from __future__ import annotations

from typing import Any

import pytest

from core.engine import engine_choice
from core.errors import UserError


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What engines were made of, in place of engines."""
    calls: list[tuple[Any, ...]] = []
    for name in ("LocalEngine", "RayEngine"):
        monkeypatch.setattr(
            engine_choice, name, lambda *given, kind=name, **options: calls.append((kind, *given, options))
        )
    return calls


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("local", ("LocalEngine", "cpu", 2)),
        ("ray", ("RayEngine", "", "cpu", 2)),
        ("ray://10.0.0.1:6379", ("RayEngine", "10.0.0.1:6379", "cpu", 2)),
    ],
)
def test_a_name_is_an_engine(made: list[tuple[Any, ...]], name: str, wanted: tuple[Any, ...]) -> None:
    engine_choice.open_engine(name, "cpu", 2, warm=("inpaint",), threads=1)
    assert made == [(*wanted, {"warm": ("inpaint",), "threads": 1})]


@pytest.mark.parametrize(("name", "wanted"), [("local", 2), ("ray", 2), ("ray://10.0.0.1:6379", 0)])
def test_slots_of_this_machine_share_its_cores(
    made: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, name: str, wanted: int
) -> None:
    monkeypatch.setattr(engine_choice, "share", lambda slots: 4 // slots)
    engine_choice.open_engine(name, "cpu", 2)
    assert made[0][-1] == {"warm": (), "threads": wanted}


@pytest.mark.parametrize("name", ["", "dask", "ray:", "ray://", "ray://head", "ray://head:6379/x", "local\n"])
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(UserError) as caught:
        engine_choice.open_engine(name, "cpu", 1)
    assert caught.value.code == "bad_parameter" and "ray://HOST:PORT" in caught.value.hint
