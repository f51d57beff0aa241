"""The look of the page: one dark theme that does not depend on the visitor's preference."""

from __future__ import annotations

import inspect

import gradio as gr

from core.assets import ASSETS
from webapp.pages.kit.templates import document

STYLE = ASSETS / "style" / "style.css"

GROUND, PANEL, RAISED, LINE = "#0b0f14", "#121821", "#18202b", "#263241"
TEXT, MUTED, ACCENT = "#e6edf3", "#a9b7c6", "#38bdf8"

_COLOURS = {
    "body_background_fill": GROUND,
    "body_text_color": TEXT,
    "body_text_color_subdued": MUTED,
    "background_fill_primary": PANEL,
    "background_fill_secondary": GROUND,
    "border_color_primary": LINE,
    "border_color_accent": ACCENT,
    "color_accent_soft": "#0f2a3a",
    "link_text_color": ACCENT,
    "link_text_color_hover": "#7dd3fc",
    "link_text_color_active": ACCENT,
    "link_text_color_visited": ACCENT,
    "block_background_fill": "transparent",
    "block_border_color": "transparent",
    "block_border_width": "0px",
    "block_shadow": "none",
    "block_label_background_fill": "transparent",
    "block_label_border_color": "transparent",
    "block_label_border_width": "0px",
    "block_label_text_color": MUTED,
    "block_title_text_color": TEXT,
    "block_title_background_fill": "transparent",
    "block_title_border_width": "0px",
    "block_info_text_color": MUTED,
    "panel_background_fill": PANEL,
    "panel_border_color": LINE,
    "input_background_fill": GROUND,
    "input_background_fill_focus": GROUND,
    "input_border_color": "#364558",
    "input_border_color_focus": ACCENT,
    "input_placeholder_color": "#8495a8",
    "input_shadow": "none",
    "input_shadow_focus": "none",
    "checkbox_background_color": GROUND,
    "checkbox_background_color_selected": "#0284c7",
    "checkbox_border_color": "#4a5c72",
    "checkbox_border_color_selected": ACCENT,
    "checkbox_label_background_fill": RAISED,
    "checkbox_label_background_fill_hover": "#1e2937",
    "checkbox_label_background_fill_selected": "#0f2a3a",
    "checkbox_label_border_color": LINE,
    "checkbox_label_border_color_selected": ACCENT,
    "checkbox_label_border_width": "1px",
    "checkbox_label_text_color": TEXT,
    "checkbox_label_text_color_selected": TEXT,
    "slider_color": ACCENT,
    "button_primary_background_fill": ACCENT,
    "button_primary_background_fill_hover": "#7dd3fc",
    "button_primary_text_color": "#04202e",
    "button_primary_text_color_hover": "#04202e",
    "button_primary_border_color": ACCENT,
    "button_secondary_background_fill": RAISED,
    "button_secondary_background_fill_hover": "#1e2937",
    "button_secondary_text_color": TEXT,
    "button_secondary_text_color_hover": TEXT,
    "button_secondary_border_color": LINE,
    "table_border_color": LINE,
    "accordion_text_color": TEXT,
    "error_background_fill": "#2a1618",
    "error_border_color": "#f87171",
    "error_text_color": "#fecaca",
}


def _theme() -> gr.themes.Base:
    theme = gr.themes.Base(
        primary_hue=gr.themes.colors.sky,
        neutral_hue=gr.themes.colors.slate,
        text_size=gr.themes.sizes.text_sm,
        spacing_size=gr.themes.sizes.spacing_sm,
        radius_size=gr.themes.sizes.radius_md,
        # the semi-bold files that Gradio ships lack letters; 600 falls to 700
        font=[gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"],
        font_mono=[gr.themes.LocalFont("IBM Plex Mono", weights=(400, 700)), "ui-monospace", "monospace"],
    )
    known = inspect.signature(theme.set).parameters
    both = {f"{name}{twin}": colour for name, colour in _COLOURS.items() for twin in ("", "_dark")}
    return theme.set(**{name: colour for name, colour in both.items() if name in known})


THEME = _theme()
CSS = STYLE.read_text(encoding="utf-8")
HEAD = document("head")
