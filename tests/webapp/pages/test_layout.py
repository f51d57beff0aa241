"""The whole page, as the settings of the server make it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core import tasks
from webapp.pages import layout
from webapp.services import Services
from webapp.settings import Settings


@pytest.mark.parametrize("demo", [False, True])
def test_a_public_demo_begins_with_what_it_is_and_examples_in_one_click(
    settings: Settings, services: Services, demo: bool
) -> None:
    blocks = layout.build(replace(services, settings=settings.model_copy(update={"public_demo": demo})))
    config = blocks.get_config_file()
    text = json.dumps(config["components"], default=str)
    assert ("This is a public demo" in text) is demo
    assert ("deleted 24 hours after it came" in text) is demo
    others = [task for task in tasks.TASKS[1:] if task.page.welcome]
    buttons = {
        one["props"].get("elem_id"): one["id"] for one in config["components"] if one["type"] == "button"
    }  # fmt: skip
    pressed = {target[0] for event in config["dependencies"] for target in event["targets"]}
    for task in others:
        assert (f"welcome-{task.name}" in buttons) is demo
        assert not demo or buttons[f"welcome-{task.name}"] in pressed
    assert len(others) == 4


def test_a_server_may_offer_neither_links_nor_the_removal_of_faces(settings: Settings, services: Services) -> None:
    def ids(**more: object) -> set[object]:
        page = layout.build(replace(services, settings=settings.model_copy(update=more)))
        return {one["props"].get("elem_id") for one in page.get_config_file()["components"]}

    assert {"deface", "superres-deface", "translate-deface", "share-make"} <= ids(deface="offer")
    assert "deface" not in ids(deface="always") and "deface" not in ids(deface="off")
