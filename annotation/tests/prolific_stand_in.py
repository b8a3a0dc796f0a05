"""A local server that behaves as Prolific's public API reference says: keys, signed entry, submissions, webhooks."""

import base64
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from annotation.providers.signatures import signature

TOKEN = "stand-in-token"
SECRET = "stand-in-webhook-secret"
HOST = "testserver"
PAGE = 20  # submissions on a page, whatever is asked for


def object_id() -> str:
    """An id as Prolific makes them: 24 hexadecimal digits."""
    return secrets.token_hex(12)


@dataclass
class StandIn:
    """Its state, and what it would send."""

    study: str = field(default_factory=object_id)
    submissions: list[dict[str, Any]] = field(default_factory=list)
    refusals: int = 0  # requests still to be answered with 429
    requests: list[str] = field(default_factory=list)
    kid: str = field(default_factory=lambda: secrets.token_hex(8))
    url: str = ""

    @cached_property
    def key(self) -> RSAPrivateKey:
        return generate_private_key(public_exponent=65537, key_size=2048)

    def jwks(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": self.kid, "alg": "RS256", "use": "sig", "key_ops": ["verify"]}]}

    def participant(self, **changes: Any) -> dict[str, str]:
        """Somebody who reserved a place, as the parameters of the address; also in the list of submissions."""
        values = {"PROLIFIC_PID": object_id(), "STUDY_ID": self.study, "SESSION_ID": object_id()} | changes
        self.submissions.append(
            {
                "id": values["SESSION_ID"],
                "participant_id": values["PROLIFIC_PID"],
                "status": "ACTIVE",
                "study_code": None,
                "started_at": "2026-11-21T12:00:00Z",
            }
        )
        return values

    def token(self, values: dict[str, str], **changes: Any) -> str:
        """The signature of an entry."""
        claims = {
            "iss": "https://www.prolific.com",
            "sub": values["SESSION_ID"],
            "aud": f"https://{HOST}/",
            "exp": int(time.time()) + 600,
            "iat": int(time.time()),
            "prolific": {**values, "workspace_id": object_id()},
        }
        return jwt.encode(claims | changes, self.key, algorithm="RS256", headers={"kid": self.kid})

    def signed(self, values: dict[str, str], **changes: Any) -> dict[str, str]:
        return {**values, "prolific_token": self.token(values, **changes)}

    def status(self, session: str, status: str, code: str | None = None) -> None:
        for row in self.submissions:
            if row["id"] == session:
                row["status"], row["study_code"] = status, code or row["study_code"]

    def message(self, session: str, status: str, *, at: float | None = None, **changes: Any) -> dict[str, Any]:
        """A webhook as keyword arguments of the test client's `post`."""
        body = {"resource_id": session, "event_type": "submission.status.change", "participant_id": "x"}
        return self.sent({**body, "status": status} | changes, at=at)

    def sent(self, body: Any, *, at: float | None = None, event_id: str = "") -> dict[str, Any]:
        raw, stamp = json.dumps(body).encode(), str(int(at or time.time()))
        return {
            "data": raw,
            "content_type": "application/json",
            "headers": {
                "X-Prolific-Request-Timestamp": stamp,
                "X-Prolific-Request-Signature": signature(SECRET, stamp, raw),
                "X-Event-Id": event_id or secrets.token_hex(8),
            },
        }


@contextmanager
def stand_in_serving(stand_in: StandIn) -> Iterator[StandIn]:
    """The server, on a port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(stand_in))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    stand_in.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            stand_in.requests.append(self.path)
            if stand_in.refusals:
                stand_in.refusals -= 1
                return self._reply(429, {"error": "slow down"}, {"Retry-After": "2"})
            parts = urlsplit(self.path)
            if parts.path == "/.well-known/study/jwks.json":
                return self._reply(200, stand_in.jwks())
            if self.headers.get("Authorization") != f"Token {TOKEN}":
                return self._reply(401, {"error": "no token"})
            if parts.path == "/api/v1/submissions/":
                return self._reply(200, self._listed(parse_qs(parts.query)))
            return self._reply(404, {})

        def _listed(self, query: dict[str, list[str]]) -> dict[str, Any]:
            rows = stand_in.submissions if query["study"] == [stand_in.study] else []
            first = (int(query["page"][0]) - 1) * PAGE
            more = first + PAGE < len(rows)
            following = {"href": f"{stand_in.url}{self.path}" if more else None}
            return {
                "results": rows[first : first + PAGE],
                "_links": {"next": following},
                "meta": {"count": len(rows)},
            }

        def _reply(self, status: int, data: Any, headers: dict[str, str] | None = None) -> None:
            body = json.dumps(data).encode()
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Say nothing on the terminal."""

    return Handler


def forged_without_algorithm(token: str) -> str:
    """The same claims, "signed" with none."""
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=").decode()
    return f"{header}.{token.split('.')[1]}."


def forged_with_the_public_key(stand_in: StandIn, token: str) -> str:
    """The same claims, signed with the public key as if it were a shared secret."""
    header = {"alg": "HS256", "typ": "JWT", "kid": stand_in.kid}
    encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    unsigned = f"{encoded}.{token.split('.')[1]}"
    mac = hmac.new(json.dumps(stand_in.jwks()["keys"][0]).encode(), unsigned.encode(), "sha256").digest()
    return f"{unsigned}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
