"""No event of the page tells components of a progress that they do not draw; programs have events of their own."""

from __future__ import annotations

from core.tasks import TASKS
from webapp.pages import layout
from webapp.services import Services


def test_an_event_that_draws_no_progress_tells_no_component_of_it(services: Services) -> None:
    events = layout.build(services).get_config_file()["dependencies"]
    of_the_page = [event for event in events if event["targets"]]
    loud = [
        event["targets"]
        for event in of_the_page
        if event["backend_fn"] and event["show_progress"] == "hidden" and event["show_progress_on"] != []
    ]
    assert len(of_the_page) > 50
    assert loud == []
    assert {event["api_visibility"] for event in of_the_page} == {"private"}
    assert [event["api_name"] for event in events if not event["targets"]] == [task.name for task in TASKS]
