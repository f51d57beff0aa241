"""The whole door: the middlewares of this folder around the server, in the order in which a request meets them."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from webapp.door.addresses import Addresses
from webapp.door.head_requests import HeadRequests
from webapp.door.headers import SecurityHeaders
from webapp.door.identity import Identity
from webapp.door.limits import Limits
from webapp.door.noting import Noting
from webapp.door.origin import Origin
from webapp.door.ownership import Ownership
from webapp.door.peer import Peer
from webapp.door.ranges import Ranges
from webapp.door.session import Sessions
from webapp.door.streams import Streams
from webapp.door.upload_limits import UploadLimits
from webapp.door.uploads import Uploads
from webapp.door.watching import Watch
from webapp.services import Services
from webapp.store.day_use import DayUse


class Guard:
    """ASGI middleware around the whole server.

    A later middleware relies on the earlier ones: rates are counted and files are owned by session, and no body is
    read before the rest of the request was found in order.
    """

    def __init__(self, app: ASGIApp, services: Services, identity: Identity, uploads: Uploads) -> None:
        self.services = services
        settings = services.settings
        self._app = app
        door: ASGIApp = Ownership(HeadRequests(Ranges(app)), uploads, services.owners)
        door = Noting(door, services.dispatcher.whereabouts.note)
        arriving = UploadLimits(
            settings.upload_mb_per_day,
            settings.upload_mb_per_day_total,
            services.blobs.require_room,
            DayUse(services.repo.engine, "bytes"),
        )
        door = Limits(door, settings.post_burst, settings.post_rate, settings.max_upload_mb << 20, arriving)
        door = Streams(door, identity, settings.streams_per_session, settings.streams_per_address)
        door = Sessions(
            door,
            identity,
            has_login=settings.has_login,
            days=settings.session_days,
            per_hour=settings.sessions_per_address,
            admin_token=settings.admin_token,
            framed=bool(settings.framing_sites),
        )
        door = Addresses(door)
        door = Origin(door, settings.allowed_hosts)
        door = SecurityHeaders(door, settings.framing_sites)
        self._door = Watch(Peer(door), services.metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request through the door; websockets are not answered."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._door(scope, receive, send)
