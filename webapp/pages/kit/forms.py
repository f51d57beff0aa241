"""From a task's parameters to the fields of a form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

import gradio as gr
from gradio.components import Component

from core.declaration import Param, Preset, Value

# above this many steps a slider cannot be aimed
SLIDER_STEPS = 200
RADIO_CHOICES = 3
# a range as short as this is set in twentieths
FINE_RANGE = 2.0


def field(param: Param, first: Value | None = None) -> Component:
    """Return the component for ``param``; first: the value it begins with, None for that of the declaration."""
    if first is not None:
        param = replace(param, default=first)
    label = f"{param.title} ({param.unit})" if param.unit else param.title
    if param.kind == "bool":
        return gr.Checkbox(value=bool(param.default), label=label, info=param.help)
    if param.kind == "axes":
        return gr.Textbox(
            value="", label=label, info=param.help, placeholder="automatic; or three numbers, as 1 1 1", max_lines=1
        )
    if param.kind == "several":
        return _several(param, label)
    if param.kind == "text":
        return gr.Textbox(value=str(param.default), label=label, info=param.help, max_lines=1)
    if param.kind == "choice":
        return _choice(param, label)
    return _number(param, label)


def choices(param: Param, names: Sequence[str] | None = None) -> list[tuple[str, str]]:
    """Return (title, name) of each choice of ``param``, or of those called ``names``."""
    shown = param.choices if names is None else names
    return [(param.titles.get(name, name.capitalize()), name) for name in shown]


def values(params: Sequence[Param], given: Sequence[object]) -> dict[str, object]:
    """Return name -> value of the fields, in the order of ``params``."""
    return {param.name: value for param, value in zip(params, given, strict=True)}


def preset_values(params: Sequence[Param], preset: Mapping[str, Value]) -> list[object]:
    """Return the new value of each field under a preset; fields the preset is silent about stay as they are."""
    return [_shown(preset[param.name]) if param.name in preset else gr.skip() for param in params]


def run_values(params: Sequence[Param], ran: Mapping[str, object], now: Sequence[object]) -> list[object]:
    """Return the value of each field for a run with the settings ``ran``; of a setting that it has not that of
    ``now``."""
    return [
        _run_value(param, ran[param.name]) if param.name in ran else old for param, old in zip(params, now, strict=True)
    ]


def _run_value(param: Param, value: object) -> object:
    if param.kind == "axes" and not isinstance(value, str):
        return " ".join(f"{part:g}" for part in cast("Sequence[float]", value))
    return _shown(value)


def preset_of(presets: Sequence[Preset], given: Mapping[str, object]) -> Preset | None:
    """Return the first of ``presets`` that the settings ``given`` are, None for settings of one's own."""
    fits = (one for one in presets if all(given.get(name) == _shown(value) for name, value in one.params.items()))
    return next(fits, None)


def preset_script(params: Sequence[Param], presets: Mapping[str, Mapping[str, Value]]) -> str:
    """Return the script that fills the fields by a preset's name in the browser: given the name and the values of the
    fields, it returns their new values. Whoever presses Run at once runs what the preset means."""
    places = {param.name: place for place, param in enumerate(params)}
    table = {
        preset: {places[name]: _shown(value) for name, value in values.items() if name in places}
        for preset, values in presets.items()
    }
    return f"(name, ...now) => now.map((value, place) => ({json.dumps(table)}[name] ?? {{}})[place] ?? value)"


def _shown(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _choice(param: Param, label: str) -> Component:
    offered, first = choices(param), str(param.default)
    if len(offered) <= RADIO_CHOICES:
        return gr.Radio(offered, value=first, label=label, info=param.help, elem_classes="cs-choice")
    return gr.Dropdown(offered, value=first, label=label, info=param.help, filterable=False)


def _several(param: Param, label: str) -> Component:
    chosen = param.default if isinstance(param.default, tuple) else ()
    return gr.CheckboxGroup(
        choices(param),
        value=[str(name) for name in chosen],
        label=label,
        info=param.help,
        elem_classes="cs-several",
    )


def _number(param: Param, label: str) -> Component:
    default = float(str(param.default))
    low, high = param.low, param.high
    fine = low is not None and high is not None and high - low <= FINE_RANGE
    step = 1.0 if param.kind == "int" else 0.05 if fine else 0.5
    if low is not None and high is not None and (high - low) / step <= SLIDER_STEPS:
        return gr.Slider(low, high, value=default, step=step, label=label, info=param.help)
    return gr.Number(
        value=default,
        label=label,
        info=param.help,
        minimum=low,
        maximum=high,
        precision=0 if param.kind == "int" else None,
    )
