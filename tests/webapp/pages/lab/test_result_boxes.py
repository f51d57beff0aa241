"""What the lab says: verdicts, tables, probes, and nothing that a file's text could do."""

from __future__ import annotations

from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import numpy as np

from core.failure import titles
from core.failure.recipe_means import usual_models
from core.failure.task import NETWORKS, REMEDIES, TASK, TISSUES
from core.report.lab.tissue_tiles import AGAINST, FOR, NEITHER, coloured
from tests.webapp.pages.lab_results import HOSTILE, model, results
from webapp.pages.lab import gallery, result_boxes, sections


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(text)
    return parser.seen


def test_a_verdict_names_its_level_its_reasons_and_what_was_not_tested() -> None:
    text = result_boxes.verdicts(results())
    levels = {
        attributes["data-side"]: attributes["data-level"] for _, attributes in tags(text) if "data-side" in attributes
    }
    assert levels == {"rgb": "none", "ir": "red"}
    assert "IR: Red" in text
    assert "No failure found" in text
    assert "It follows the swap." in text
    assert "New patients." in text
    assert "SIMULATED" in text
    assert result_boxes.NEVER in text
    assert "is safe" not in text.replace(result_boxes.NEVER, "")


def test_data_of_a_file_are_not_called_simulated() -> None:
    found = results()
    text = result_boxes.verdicts(replace(found, data=replace(found.data, source="file", mode="spectra")))
    assert "SIMULATED" not in text
    assert "Spectra of your file" in text


def test_texts_of_a_file_are_inert_in_every_view() -> None:
    made = sections.sections(results(), "ir-erm", "rgb-erm")
    for name, section in made.items():
        text = section.above + section.below
        assert HOSTILE not in text, name
        assert "${" not in text, name
        assert not [tag for tag, attributes in tags(text) if "onerror" in attributes], name


def test_every_view_with_a_figure_has_a_table() -> None:
    made = sections.sections(results(), "ir-erm", "rgb-erm")
    assert list(made) == list(sections.VIEWS)
    for name in sections.DRAWN:
        section = made[name]
        if section.figure is not None:
            assert f'data-twin="{name}"' in section.below
            assert "<tbody><tr>" in section.below
    assert {name for name, section in made.items() if section.figure is not None} <= set(sections.DRAWN)
    assert made["leaks"].figure is None and not made["leaks"].above


def test_probes_that_decide_nothing_say_so() -> None:
    text = result_boxes.probes([model("a", "A", "ir")], results())
    assert text.count("not used for the verdict") == 2
    assert text.count('class="cs-decides"') == 3
    assert "it stays high." in text


def test_remedies_are_sorted_by_numbers_not_words() -> None:
    text = result_boxes.remedies(results(), "Remedies")
    assert 'data-value="0.9' in text
    assert "cs-sortable" in text
    assert 'data-value="nan' not in text


def test_the_usual_models_are_plain_infrared_beside_plain_stained() -> None:
    found = results()
    assert usual_models(found) == ("ir-erm", "rgb-erm")
    alone = replace(found, models=found.models[:1])
    assert usual_models(alone) == ("rgb-erm", "")
    assert sections.choices(found)[0] == ("RGB: Plain training", "rgb-erm")
    assert sections.sections(found, "no such model", "")["score"].figure is None


def test_pictures_carry_what_pixels_speak_for() -> None:
    text = gallery.gallery(results(), [model("a", "A", "ir")])
    assert text.count("data:image/png;base64,") == 3
    pixels = coloured(np.array([[1.0, 0.0, -1.0]]))
    assert [tuple(pixel) for pixel in pixels[0]] == [FOR, NEITHER, AGAINST]
    assert gallery.gallery(replace(results(), gallery=()), []) == ""


def test_limits_say_what_was_examined_and_that_no_number_is_the_papers() -> None:
    text = result_boxes.limits(results())
    assert "No number here is theirs." in text
    assert "60 train, 80 in distribution" in text
    assert HOSTILE not in text and HOSTILE in unescape(text)


def test_every_choice_of_the_task_has_a_word() -> None:
    assert tuple(titles.TISSUES) == TISSUES
    assert tuple(titles.REMEDIES) == REMEDIES
    assert tuple(titles.NETWORKS) == NETWORKS
    titled = {param.name: set(param.titles) for param in TASK.params if param.choices and param.name != "depth"}
    assert titled == {param.name: set(param.choices) for param in TASK.params if param.name in titled}
