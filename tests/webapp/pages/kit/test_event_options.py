"""No event of the page tells components of a progress that they do not draw, and programs call few."""

from __future__ import annotations

from core import tasks
from webapp.pages import layout
from webapp.services import Services


def test_an_event_that_draws_no_progress_tells_no_component_of_it(services: Services) -> None:
    events = layout.build(services).get_config_file()["dependencies"]
    loud = [
        event["targets"]
        for event in events
        # what programs call happens on no page
        if event["targets"] and event["backend_fn"] and event["show_progress"] == "hidden"
        if event["show_progress_on"] != []
    ]
    assert len(events) > 50
    assert loud == []
    # programs call those of ``named_events`` alone, by the names of tasks
    named = {event["api_name"] for event in events if event["api_visibility"] != "private"}
    assert named <= {task.name for task in tasks.TASKS}
