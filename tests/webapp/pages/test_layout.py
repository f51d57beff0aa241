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


def test_one_event_alone_shows_that_a_run_is_over(services: Services) -> None:
    """Run can be pressed once that is shown: a second answer that came later would put the old run back."""
    config = layout.build(services).get_config_file()
    named = {one["props"].get("elem_id"): one["id"] for one in config["components"]}
    for task in tasks.TASKS:
        run, cancel = (named[name if task is tasks.TASKS[0] else f"{task.name}-{name}"] for name in ("run", "cancel"))
        enabling = [
            target for event in config["dependencies"] if run in event["outputs"] for target in event["targets"]
        ]
        assert [what for _, what in enabling].count("over") == 1
        assert cancel not in {whose for whose, _ in enabling}
