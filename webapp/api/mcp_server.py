"""The address ``/mcp``: the tasks as tools of the Model Context Protocol, behind the same door as ``/api/v1``.

Every request stands alone and is answered as JSON; nothing is kept between them. (Specification of 2025-11-25 and
before, "Streamable HTTP".)
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from core import __version__
from core.errors import UserError
from webapp.api.mcp_tools import ABOUT, as_text, called, failed, tools
from webapp.door.visitor import session_of
from webapp.services import Services

if TYPE_CHECKING:
    from mcp import types as mcp_types
    from mcp.server.context import ServerRequestContext

PATH = "/mcp"


class McpServer:
    """The tools of ``services``; UserError not_installed without the package mcp."""

    def __init__(self, services: Services) -> None:
        try:
            from mcp.server.lowlevel import Server
            from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
        except ImportError as error:
            raise UserError(
                "not_installed", "The tools of the Model Context Protocol need the package mcp.",
                "Run pip install 'counterscan[mcp]', or start without --mcp.",
            ) from error  # fmt: skip
        self._services = services
        server: Server[Any] = Server(
            "counterscan", version=__version__, title="Counterscan", instructions=ABOUT,
            on_list_tools=self._listed, on_call_tool=self._called,
        )  # fmt: skip
        self._sessions = StreamableHTTPSessionManager(server, json_response=True, stateless=True)

    def route(self) -> Route:
        """Return the address."""
        return Route(PATH, _Endpoint(self._sessions), methods=["POST", "GET", "DELETE"])

    def running(self) -> AbstractAsyncContextManager[None]:
        """Return what must be open while requests come; once."""
        return self._sessions.run()

    async def _listed(self, context: ServerRequestContext[Any, Any], given: object) -> mcp_types.ListToolsResult:
        from mcp import types as mcp_types

        return mcp_types.ListToolsResult(
            tools=[
                mcp_types.Tool(
                    name=tool.name,
                    title=tool.title,
                    description=tool.text,
                    input_schema=dict(tool.schema),
                    annotations=mcp_types.ToolAnnotations(
                        read_only_hint=not tool.changes, destructive_hint=False, open_world_hint=False
                    ),
                )
                for tool in tools()
            ]
        )

    async def _called(
        self, context: ServerRequestContext[Any, Any], given: mcp_types.CallToolRequestParams
    ) -> mcp_types.CallToolResult:
        from mcp import types as mcp_types

        try:
            found = await called(self._services, session_of(context.request), given.name, given.arguments or {})
        except UserError as error:
            problem = {"code": error.code, "message": error.message, "hint": error.hint}
            text = mcp_types.TextContent(type="text", text=as_text(problem))
            return mcp_types.CallToolResult(content=[text], is_error=True)
        text = mcp_types.TextContent(type="text", text=as_text(found))
        return mcp_types.CallToolResult(content=[text], structured_content=found, is_error=failed(given.name, found))


class _Endpoint:
    """An ASGI application, which a route does not take for a function that returns an answer."""

    def __init__(self, sessions: Any) -> None:
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            await self._sessions.handle_request(scope, receive, send)
            return
        # no stream of the server's own and no session to end: clients that try go on after 405 alone
        problem = {"code": "bad_request", "message": "This address takes POST alone.", "hint": "Send a message to it."}
        await JSONResponse(problem, 405, headers={"allow": "POST"})(scope, receive, send)
