"""No event of the page tells components of a progress that they do not draw, and none is open to programs."""

from __future__ import annotations

from webapp.pages import layout
from webapp.services import Services


def test_an_event_that_draws_no_progress_tells_no_component_of_it(services: Services) -> None:
    events = layout.build(services).get_config_file()["dependencies"]
    loud = [
        event["targets"]
        for event in events
        if event["backend_fn"] and event["show_progress"] == "hidden" and event["show_progress_on"] != []
    ]
    assert len(events) > 50
    assert loud == []
    # programs have addresses of their own
    assert {event["api_visibility"] for event in events} == {"private"}
