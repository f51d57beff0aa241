"""The addresses for programs that watch the server: whether it lives, whether it can work, and its counters."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Scope

from core import weights
from core.errors import UserError
from core.tasks import TASKS
from webapp.door.headers import UNKEPT
from webapp.door.peer import is_near
from webapp.door.refusals import CLOSED, answer
from webapp.door.visitor import VISITOR
from webapp.roles import covers
from webapp.services import Services
from webapp.telemetry.metrics import Sample


def router(services: Services) -> APIRouter:
    """Return the addresses ``/healthz``, ``/readyz`` and ``/metrics``."""
    routes = APIRouter()
    services.metrics.watch(lambda: samples(services))

    @routes.get("/healthz")
    async def health() -> Response:
        """Answer "ok", whatever the threads of the server do."""
        return PlainTextResponse("ok", headers=UNKEPT)

    @routes.get("/readyz")
    def ready() -> Response:
        """Answer 200 if the server can work, and what it lacks."""
        state = {
            "database": _database_answers(services),
            "disk": _has_room(services),
            "queue": services.dispatcher.is_alive,
            "weights": _weights_present(),
        }
        return JSONResponse(state, 200 if all(state.values()) else 503, UNKEPT)

    @routes.get("/metrics")
    def metrics(request: Request) -> Response:
        """The counters, for an administrator, or for programs on this machine."""
        if not may_read(services.settings.metrics, request.scope):
            return answer(request.scope, 403, CLOSED, UNKEPT)
        return Response(services.metrics.text(), media_type=CONTENT_TYPE_LATEST, headers=UNKEPT)

    return routes


def may_read(rule: str, scope: Scope) -> bool:
    """Return whether who sends a request may read the counters."""
    visitor = scope[VISITOR]
    if visitor is not None and covers(visitor.role, "admin"):
        return True
    return rule == "loopback" and is_near(scope)


def samples(services: Services) -> Mapping[str, Sample]:
    """Return what the store and its disk hold now."""
    counts, disk = services.overview.counts(), shutil.disk_usage(services.settings.data)
    return {
        "jobs": ("Jobs in the database.", ("task", "state"), {key: n for key, n in counts.jobs.items()}),
        "queue_length": ("Jobs that wait.", (), {(): counts.waiting}),
        "scans": ("Scans and masks in the store.", ("role",), {(role,): n for role, n in counts.scans.items()}),
        "stored_bytes": ("Bytes in the store, by kind.", ("kind",), {(kind,): n for kind, n in counts.bytes.items()}),
        "ratings": ("Answers and opinions in the database.", (), {(): counts.ratings}),
        "disk_free_bytes": ("Free bytes on the disk of the data folder.", (), {(): disk.free}),
        "disk_bytes": ("Size of the disk of the data folder.", (), {(): disk.total}),
        "disk_reserve_bytes": (
            "Free bytes below which uploads and jobs are refused.", (), {(): services.settings.disk_reserve_mb << 20},
        ),
    }  # fmt: skip


def _database_answers(services: Services) -> bool:
    try:
        services.repo.ping()
    except SQLAlchemyError:
        return False
    return True


def _has_room(services: Services) -> bool:
    try:
        services.blobs.require_room()
    except UserError:
        return False
    return True


def _weights_present() -> bool:
    try:
        for task in TASKS:
            for name in task.weights:
                weights.verify(name)
    except UserError:
        return False
    return True
