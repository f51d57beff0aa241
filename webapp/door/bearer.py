"""The token of a program in a request: one Authorization header, never an address, which logs and histories keep."""

from __future__ import annotations

from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.types import Scope

from core.errors import UserError
from webapp.store.access_tokens import PREFIX, TOKEN

TOKEN_NEEDED = UserError(
    "token_needed",
    "This address is for programs, which need a token.",
    "Make one on the page of your account, and send it as the header Authorization: Bearer TOKEN.",
)
BAD_TOKEN = UserError(
    "bad_token", "This token opens nothing, or no longer.", "Make another on the page of your account."
)
TOKEN_IN_ADDRESS = UserError(
    "token_in_address",
    "A token stands in the address, where logs and histories keep it.",
    "End that token on the page of your account, make another, and send it as a header.",
)


def bearer_of(scope: Scope) -> str | None:
    """Return the token that a request brings, None for none; a bearer of another kind, as a proxy adds it, is none.

    UserError bad_token for several Authorization headers one of which is a token, token_in_address.
    """
    if PREFIX in unquote(scope["query_string"].decode("latin-1")):
        raise TOKEN_IN_ADDRESS
    given = Headers(scope=scope).getlist("authorization")
    tokens = [one.partition(" ")[2].strip() for one in given if one.partition(" ")[0].lower() == "bearer"]
    ours = [token for token in tokens if token.startswith(PREFIX)]
    if not ours:
        return None
    if len(given) > 1 or not TOKEN.fullmatch(ours[0]):
        raise BAD_TOKEN
    return ours[0]
