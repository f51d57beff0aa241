"""Log-in by an OpenID Connect provider: authorization code with PKCE (OpenID Connect Core 1.0, 3.1; RFC 7636)."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import httpx2
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from core.errors import UserError
from webapp.settings import is_safe

DISCOVERY = "/.well-known/openid-configuration"
# algorithms of signatures that need no secret shared with the provider
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
# seconds: how long the provider's addresses and keys are kept, how far clocks may differ, how long an answer may take
KEPT_SECONDS, LEEWAY, PATIENCE = 3600.0, 60, 10.0
FAILED = UserError("sign_in_failed", "The log-in did not succeed.", "Try again from the log-in page.")


@dataclass(frozen=True)
class Attempt:
    """One log-in under way: what the browser keeps meanwhile, to be compared with what comes back."""

    state: str
    nonce: str
    verifier: str
    next: str

    def to_text(self) -> str:
        """Return it as it is kept in a cookie."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Person:
    """Whom the provider has checked: a name that it gives to nobody else, and one to call them by."""

    subject: str
    name: str


@dataclass(frozen=True)
class _Known:
    """What the provider says of itself."""

    metadata: Mapping[str, Any]
    keys: KeySet
    until: float


class Provider:
    """An OpenID Connect provider.

    issuer: its address; claim: what becomes the name of an account. transport: how requests reach it.
    """

    def __init__(
        self,
        issuer: str,
        client: str,
        secret: str,
        claim: str,
        transport: httpx2.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer.rstrip("/")
        self._client = client
        self._secret = secret
        self._claim = claim
        self._transport = transport
        self._clock = clock
        self._known: _Known | None = None

    async def begin(self, back: str, following: str) -> tuple[str, Attempt]:
        """Return where to send a browser, and what it must keep; back: this server's address for the return.

        following: where the visitor wanted to go. UserError sign_in_failed.
        """
        metadata = (await self._read()).metadata
        attempt = Attempt(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), following)
        async with self._session(back) as session:
            address, _ = session.create_authorization_url(
                metadata["authorization_endpoint"],
                state=attempt.state,
                nonce=attempt.nonce,
                code_verifier=attempt.verifier,
            )
        return str(address), attempt

    async def finish(self, attempt: Attempt, query: Mapping[str, str], back: str) -> Person:
        """Return who has logged in; query: that of the address to which the provider sent the browser back.

        UserError sign_in_failed.
        """
        if not secrets.compare_digest(query.get("state", "").encode(), attempt.state.encode()) or "code" not in query:
            raise FAILED
        known = await self._read()
        try:
            async with self._session(back) as session:
                token = await session.fetch_token(
                    known.metadata["token_endpoint"], code=query["code"], code_verifier=attempt.verifier
                )
            return self._person(await self._checked(str(token["id_token"]), attempt.nonce))
        except (OAuthError, httpx2.HTTPError, KeyError, ValueError) as error:
            raise FAILED from error

    def _session(self, back: str) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            self._client,
            self._secret,
            scope="openid email profile",
            redirect_uri=back,
            code_challenge_method="S256",
            transport=self._transport,
            timeout=PATIENCE,
        )

    async def _checked(self, text: str, nonce: str) -> Mapping[str, Any]:
        """Return the claims of an id token (section 3.1.3.7); with unknown keys the provider's are read anew once."""
        try:
            claims = self._decoded(text, await self._read())
        except JoseError:
            self._known = None
            try:
                claims = self._decoded(text, await self._read())
            except JoseError as error:
                raise FAILED from error
        if not secrets.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise FAILED
        audience = claims.get("aud")
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != self._client:
            raise FAILED
        return claims

    def _decoded(self, text: str, known: _Known) -> Mapping[str, Any]:
        claims: Mapping[str, Any] = jwt.decode(text, known.keys, algorithms=ALGORITHMS).claims
        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": known.metadata["issuer"]},
            aud={"essential": True, "value": self._client},
            exp={"essential": True},
            sub={"essential": True},
        )
        rules.validate(dict(claims))
        return claims

    def _person(self, claims: Mapping[str, Any]) -> Person:
        name = claims.get(self._claim)
        # an address that nobody has checked may be anybody's
        unchecked = self._claim == "email" and claims.get("email_verified") is not True
        if not isinstance(name, str) or not name or unchecked:
            raise UserError(
                "sign_in_failed",
                f"The log-in named nobody: it has no checked {self._claim}.",
                "Tell whoever runs this server; COUNTERSCAN_OIDC_CLAIM chooses another claim.",
            )
        subject = claims["sub"]
        # at most 255 letters of ASCII (section 2)
        if (
            not isinstance(subject, str)
            or not 0 < len(subject) <= 255
            or not (subject.isascii() and subject.isprintable())
        ):
            raise FAILED
        return Person(f"{claims['iss']} {subject}", name)

    async def _read(self) -> _Known:
        if self._known is not None and self._clock() < self._known.until:
            return self._known
        try:
            async with httpx2.AsyncClient(transport=self._transport, timeout=PATIENCE) as session:
                metadata = (await session.get(f"{self._issuer}{DISCOVERY}")).raise_for_status().json()
                if metadata["issuer"].rstrip("/") != self._issuer or not all(
                    is_safe(metadata[name]) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
                ):
                    raise ValueError("the provider gives another name or an unsafe address")
                keys = (await session.get(metadata["jwks_uri"])).raise_for_status().json()
            self._known = _Known(metadata, KeySet.import_key_set(keys), self._clock() + KEPT_SECONDS)
        except (httpx2.HTTPError, ValueError, KeyError, TypeError, AttributeError, JoseError) as error:
            raise UserError(
                "sign_in_failed", "The log-in of your institution does not answer.", "Try again in a while."
            ) from error
        return self._known


def attempt_of(text: str) -> Attempt:
    """Return a log-in under way from its cookie; UserError sign_in_failed."""
    try:
        return Attempt(**{name: str(value) for name, value in json.loads(text).items()})
    except (ValueError, TypeError, AttributeError) as error:
        raise FAILED from error
