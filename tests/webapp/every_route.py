"""Every address of a server, its own and Gradio's, read from its table of routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi.routing import _IncludedRouter
from starlette.types import ASGIApp


def every_route(server: ASGIApp) -> list[tuple[str, str]]:
    """Return (method, template) of every address; a template has its parameters in braces."""
    inner: Any = server
    found = {
        (method, route.path)
        for route in _walked(inner._app.routes)
        for method in route.methods or ("GET",)
        if method != "HEAD"
    }
    return sorted(found, key=lambda one: (one[1], one[0]))


def _walked(routes: Iterable[Any]) -> Iterator[Any]:
    for route in routes:
        if isinstance(route, _IncludedRouter):
            yield from _walked(route.effective_candidates())
            yield from _walked(route.effective_low_priority_routes())
        elif getattr(route, "routes", None):
            yield from _walked(route.routes)
        else:
            yield route
