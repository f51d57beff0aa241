"""The look of the page: its colours are those of assets/style/colours.css, light or dark as the visitor prefers."""

from __future__ import annotations

import inspect

import gradio as gr

from core.assets import ASSETS
from webapp.pages.kit.templates import document

STYLE = ASSETS / "style"
# in the order in which they are read
SHEETS = ("colours", "style", "layout")


def _colour(name: str) -> str:
    return f"var(--cs-{name})"


GROUND, PANEL, RAISED, LINE = map(_colour, ("ground", "panel", "raised", "line"))
TEXT, MUTED, ACCENT, HOVER, SOFT, EDGE = map(_colour, ("text", "muted", "accent", "hover", "accent-soft", "edge"))

_COLOURS = {
    "body_background_fill": GROUND,
    "body_text_color": TEXT,
    "body_text_color_subdued": MUTED,
    "background_fill_primary": PANEL,
    "background_fill_secondary": GROUND,
    "border_color_primary": LINE,
    "border_color_accent": ACCENT,
    "color_accent_soft": SOFT,
    "link_text_color": ACCENT,
    "link_text_color_hover": _colour("accent-hover"),
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
    "input_border_color": EDGE,
    "input_border_color_focus": ACCENT,
    "input_placeholder_color": _colour("faint"),
    "input_shadow": "none",
    "input_shadow_focus": "none",
    "checkbox_background_color": GROUND,
    "checkbox_background_color_selected": ACCENT,
    "checkbox_border_color": EDGE,
    "checkbox_border_color_selected": ACCENT,
    "checkbox_label_background_fill": RAISED,
    "checkbox_label_background_fill_hover": HOVER,
    "checkbox_label_background_fill_selected": SOFT,
    "checkbox_label_border_color": LINE,
    "checkbox_label_border_color_selected": ACCENT,
    "checkbox_label_border_width": "1px",
    "checkbox_label_text_color": TEXT,
    "checkbox_label_text_color_selected": TEXT,
    "slider_color": ACCENT,
    "button_primary_background_fill": ACCENT,
    "button_primary_background_fill_hover": _colour("accent-hover"),
    "button_primary_text_color": _colour("on-accent"),
    "button_primary_text_color_hover": _colour("on-accent"),
    "button_primary_border_color": ACCENT,
    "button_secondary_background_fill": RAISED,
    "button_secondary_background_fill_hover": HOVER,
    "button_secondary_text_color": TEXT,
    "button_secondary_text_color_hover": TEXT,
    "button_secondary_border_color": LINE,
    "table_border_color": LINE,
    "accordion_text_color": TEXT,
    "error_background_fill": _colour("bad-ground"),
    "error_border_color": _colour("bad-edge"),
    "error_text_color": _colour("bad-text"),
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


# the switch in the header; assets/page/head.html applies what was chosen before
THEMES = """
const buttons = [...element.querySelectorAll("[data-theme-choice]")];
const show = (choice) => buttons.forEach((one) =>
  one.setAttribute("aria-pressed", String(one.dataset.themeChoice === choice)));
show(document.documentElement.dataset.theme || "system");
element.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-theme-choice]")?.dataset.themeChoice;
  if (!choice) return;
  globalThis.counterscanTheme(choice);
  show(choice);
});
"""

THEME = _theme()
CSS = "".join((STYLE / f"{name}.css").read_text(encoding="utf-8") for name in SHEETS)
HEAD = document("head")
