"""The server: the guard around the addresses of Counterscan around Gradio's page."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.routing import Mount
from starlette.types import ASGIApp

from core import tasks
from core.declaration import Task
from core.engine.protocol import Engine
from webapp.account import account_page, sign_in
from webapp.api import api_router
from webapp.api.mcp_server import McpServer
from webapp.door.forwarding import Unforwarded
from webapp.door.guard import Guard
from webapp.door.headers import UNKEPT
from webapp.door.identity import Identity
from webapp.door.provider import Provider
from webapp.door.refusals import CLOSED, answer
from webapp.door.uploads import Uploads
from webapp.door.uploads import router as upload_router
from webapp.endpoints import add_routes
from webapp.housekeeping import Housekeeping
from webapp.jobs.dispatcher import Dispatcher
from webapp.keeping import data_routes
from webapp.keeping.retention import Retention
from webapp.operations import admin_page, health
from webapp.services import Services
from webapp.settings import Settings
from webapp.store.access_tokens import AccessTokens
from webapp.store.accounts import Accounts
from webapp.store.batches import Batches
from webapp.store.blob_place import open_blobs
from webapp.store.browsers import Browsers
from webapp.store.database import connect, migrate
from webapp.store.erased import FILE as ERASED
from webapp.store.erased import Erased
from webapp.store.erasure import Erasure
from webapp.store.overview import Overview
from webapp.store.owners import Owners
from webapp.store.repository import Repo
from webapp.store.shares import Shares
from webapp.store.studies import Studies
from webapp.store.unfinished_work import UNFINISHED, UnfinishedWork
from webapp.telemetry.metrics import Metrics
from webapp.telemetry.recent_errors import RecentErrors

if TYPE_CHECKING:
    import gradio

__all__ = ["Services", "build_services", "create_app"]

# how many pages Gradio remembers the state of, at most; each takes 0.8 MB
OPEN_PAGES = 500
# between two looks of Gradio at its queue of events
LOOK_SECONDS = 0.02
# the folder of files on their way in, below the data folder
UPLOADS = "uploads"

Page = Callable[[Services], "gradio.Blocks"]


def create_app(settings: Settings, *, page: Page | None = None, engine: Callable[[], Engine] | None = None) -> ASGIApp:
    """Return the whole server as one ASGI application; its queue runs from start-up to shut-down.

    page: builds the page; without it that of ``webapp.pages``. engine: makes it; without it that of the settings.
    """
    folder = prepare_gradio(settings.data)
    services = build_services(settings, engine)
    retention = Retention(services)
    uploads = Uploads(folder, services.owners, retention.life_of_uploads)
    identity = Identity(services)
    work = {"uploads": uploads.sweep, "open pages": services.owners.forget_pages, "retention": retention.sweep}
    keeping = Housekeeping(work, retention.tick)
    tools = McpServer(services) if settings.api and settings.mcp else None
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan(services, keeping, tools))
    add_routes(app, services)
    app.include_router(sign_in.router(services, identity, _provider(settings)))
    app.include_router(account_page.router(services, identity))
    app.include_router(data_routes.router(services, identity))
    app.include_router(health.router(services))
    app.include_router(admin_page.router(services, identity, retention))
    app.include_router(upload_router(uploads, settings.max_upload_mb << 20, services.blobs.require_room))
    if settings.api:
        app.include_router(api_router.router(services, uploads))
    if tools is not None:
        app.router.routes.append(tools.route())
    mount_page(app, services, page)
    return Guard(app, services, identity, uploads)


def build_services(
    settings: Settings, engine: Callable[[], Engine] | None = None, *, find: Callable[[str], Task] = tasks.find
) -> Services:
    """Open the store of ``settings``, brought to the newest schema, and a queue that has not been started."""
    settings.data.mkdir(parents=True, exist_ok=True)
    database = connect(settings.url)
    migrate(database)
    repo = Repo(database, settings.running_per_session)
    blobs = open_blobs(settings)
    metrics, unfinished = Metrics(), UnfinishedWork(settings.data / UNFINISHED)
    make = engine or _chosen(settings)
    dispatcher = Dispatcher(repo, blobs, settings, make, unfinished, find=find, ended=metrics.job_ended)
    return Services(
        settings,
        repo,
        Studies(database),
        blobs,
        dispatcher,
        Accounts(database),
        Browsers(database, settings.session_days),
        Owners(database),
        Erasure(database, blobs, settings.data / UPLOADS, Erased(settings.data / ERASED), unfinished),
        Shares(database),
        AccessTokens(database),
        Overview(database),
        metrics,
        RecentErrors(),
        Batches(database),
    )


def prepare_gradio(data: Path) -> Path:
    """Keep Gradio's files in the data folder and its telemetry off; it reads both when it is imported."""
    uploads = data.resolve() / UPLOADS
    uploads.mkdir(parents=True, exist_ok=True)
    os.environ["GRADIO_TEMP_DIR"] = str(uploads)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_RUN_HISTORY"] = "False"
    return uploads


def _provider(settings: Settings) -> Provider | None:
    if not settings.oidc_issuer:
        return None
    return Provider(settings.oidc_issuer, settings.oidc_client, settings.oidc_secret, settings.oidc_claim)


def _chosen(settings: Settings) -> Callable[[], Engine]:
    def make() -> Engine:
        from core.engine.engine_choice import open_engine

        warm = tuple(task.name for task in tasks.TASKS) if settings.warm else ()
        return open_engine(settings.engine, settings.device, settings.slots, warm=warm)

    return make


def _lifespan(
    services: Services, keeping: Housekeeping, tools: McpServer | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # the database may be an older copy that somebody has put back
        await run_in_threadpool(services.erasure.repeat)
        await run_in_threadpool(services.dispatcher.start)
        keeping.start()
        services.errors.begin()
        try:
            async with tools.running() if tools else nullcontext():
                yield
        finally:
            await run_in_threadpool(keeping.stop)
            await run_in_threadpool(services.dispatcher.stop)
            services.repo.engine.dispose()
            services.errors.end()

    return lifespan


def mount_page(app: FastAPI, services: Services, page: Page | None) -> None:
    """Put Gradio's page at "/"; page: builds it, without one that of ``webapp.pages``."""
    import gradio
    from gradio.route_utils import FnIndexInferError

    from webapp.pages.kit import following, gradio_files

    app.include_router(following.router(services))
    app.include_router(gradio_files.router())
    options: dict[str, Any] = {}
    if page is None:
        from webapp.pages import layout, thumbnails
        from webapp.pages.kit import theme
        from webapp.pages.many import many_routes
        from webapp.pages.shared import shared_routes
        from webapp.pages.study import downloads as study_export
        from webapp.pages.worth import worth_report

        page = layout.build
        app.include_router(worth_report.router(services))
        app.include_router(study_export.router(services))
        app.include_router(thumbnails.router(services))
        app.include_router(many_routes.router(services))
        app.include_router(shared_routes.router(services))
        options = {"theme": theme.THEME, "css": theme.CSS, "head": theme.HEAD}
    blocks = page(services)
    blocks.state_session_capacity = OPEN_PAGES
    blocks.queue(default_concurrency_limit=8, api_open=False)
    # by itself a thousand and a hundred times a second, which cost an idle server a twentieth of a core
    blocks._queue.sleep_when_free = LOOK_SECONDS
    blocks._queue.progress_update_sleep_when_free = 25 * LOOK_SECONDS
    gradio.mount_gradio_app(
        app,
        blocks,
        path="/",
        max_file_size=services.settings.max_upload_mb << 20,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        allowed_paths=[],
        # the text of an exception may name files of the server; pages explain what a visitor can solve themselves
        show_error=False,
        **options,
    )
    mount = app.routes[-1]
    if not isinstance(mount, Mount):
        raise TypeError("Gradio is not mounted as it was")
    _bound_states(mount.app, blocks, services)
    mount.app.add_exception_handler(FnIndexInferError, _no_event)  # type: ignore[attr-defined]
    mount.app = Unforwarded(mount.app)
    # it would be a stream for each open page, of which a browser has six a server by HTTP/1.1, so that a seventh page
    # would never open; what closed pages held is bounded by `PageStates`
    blocks.config["connect_heartbeat"] = False
    # Gradio checks which files an event names only once it is launched, and mounting does not count as that
    blocks.has_launched = True


def _bound_states(app: Any, blocks: gradio.Blocks, services: Services) -> None:
    """Have a visitor, or an address, who opens pages without end lose the memory of these before others do."""
    from webapp.door.page_states import PageStates

    def whose(page: str) -> str:
        session = services.owners.holder(page)
        return services.dispatcher.whereabouts.of(session) or session

    app.state_holder = PageStates(whose)
    app.state_holder.set_blocks(blocks)


async def _no_event(request: Request, error: Exception) -> Response:
    return answer(request.scope, 403, CLOSED, UNKEPT)
