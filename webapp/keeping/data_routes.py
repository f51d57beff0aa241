"""The address by which visitors delete their data."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from webapp.door.headers import FORGOTTEN, UNKEPT
from webapp.door.identity import Identity, set_cookie
from webapp.door.visitor import visitor_of
from webapp.keeping.deletion import delete_all_of
from webapp.services import Services


def router(services: Services, identity: Identity) -> APIRouter:
    """Return the address ``/data/delete``."""
    routes = APIRouter()

    @routes.post("/data/delete")
    def delete_session(request: Request) -> Response:
        """All that this visitor has; without an account the browser is a new visitor afterwards."""
        visitor = visitor_of(request)
        delete_all_of(services, visitor.session)
        identity.forget(visitor.session)
        answer = Response(status_code=204, headers={**UNKEPT, **FORGOTTEN})
        if not visitor.name:
            answer.headers.append("set-cookie", set_cookie(request.scope, "", 0))
        return answer

    return routes
