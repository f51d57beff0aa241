"""An OpenID Connect provider of a test's own: it gives whatever claims it is set to."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fastapi import FastAPI, Form, Response
from fastapi.responses import JSONResponse
from joserfc import jwt
from joserfc.jwk import Key, OctKey, RSAKey

ISSUER = "https://id.example.org"
CLIENT, SECRET = "counterscan", "secret"


class FakeProvider:
    """Hands out codes and id tokens; ``claims`` are added to those that every token has, None takes one away.

    signing: the key that signs them; shown: the one that others check them with.
    """

    def __init__(self, key: RSAKey) -> None:
        self.signing = self.shown = key
        self.claims: dict[str, Any] = {"email": "ada@example.org", "email_verified": True}
        self.metadata: dict[str, Any] = {}
        self.algorithm = "RS256"
        self.codes: dict[str, dict[str, str]] = {}
        self.app = FastAPI()
        self.app.get("/.well-known/openid-configuration")(self._discovery)
        self.app.get("/keys")(self._keys)
        self.app.post("/token")(self._token)

    def authorize(self, address: str, nonce: str | None = None) -> dict[str, str]:
        """Let somebody log in who was sent to ``address``, and return the query with which they come back."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(f"{ISSUER}/authorize?") and query["response_type"] == "code"
        assert (query["client_id"], query["code_challenge_method"]) == (CLIENT, "S256")
        code = secrets.token_hex(8)
        self.codes[code] = {**query, "nonce": nonce or query["nonce"]}
        return {"code": code, "state": query["state"]}

    def _discovery(self) -> dict[str, Any]:
        addresses = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return {"issuer": ISSUER, **{name: f"{ISSUER}/{path}" for name, path in addresses.items()}, **self.metadata}

    def _keys(self) -> dict[str, Any]:
        return {"keys": [self.shown.as_dict(private=False)]}

    def _key(self) -> Key:
        # what a careless reader would check such a signature with
        return OctKey.import_key(self.shown.as_pem(private=False)) if self.algorithm == "HS256" else self.signing

    def _token(self, code: str = Form(), code_verifier: str = Form(), redirect_uri: str = Form()) -> Response:
        asked = self.codes.pop(code, None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != redirect_uri:
            return JSONResponse({"error": "invalid_grant"}, 400)
        usual = {"iss": ISSUER, "aud": CLIENT, "sub": "1", "exp": int(time.time()) + 60, "nonce": asked["nonce"]}
        claims = {name: value for name, value in {**usual, **self.claims}.items() if value is not None}
        token = jwt.encode({"alg": self.algorithm, "kid": "one"}, claims, self._key(), algorithms=[self.algorithm])
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": token})
