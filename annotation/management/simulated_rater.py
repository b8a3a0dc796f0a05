"""A simulated rater's browser: signs in, reads, practises and rates over HTTP, through the same pages as a person."""

import http.client
import json
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.urls import reverse

from annotation.protocols.task import Answer

TIMEOUT = 60  # seconds; a loaded machine may be slow, a dead server should not hang us for long
ASSIGNMENT = re.compile(r'data-assignment="([^"]+)"')
WAITING = 'id="waiting"'
GUESSED = re.compile(r'name="assignment" value="([^"]+)"')
FORM_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class PageUnexpected(Exception):
    """The site answered something that a rater's browser could not go on from."""


class SimulatedRater:
    """One signed-in browser session over one kept-alive connection."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise ValueError(f"Received the address {url!r}; give one like http://127.0.0.1:8000.")
        connection = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = connection(parts.netloc, timeout=TIMEOUT)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._cookies: dict[str, str] = {}
        self._token = ""

    def sign_in(self, username: str, password: str) -> None:
        path = reverse("login")
        self._page(path)
        self._form(path, {"username": username, "password": password}, expect=302)

    def prepare(self, study: str, practice: Sequence[Answer]) -> None:
        """Read the instructions and answer the practice items, as a careful rater does."""
        path = reverse("evaluator:instructions", args=[study])
        self._page(path)
        self._form(path, {}, expect=302)
        for number, answer in enumerate(practice, start=1):
            path = reverse("evaluator:practice", args=[study, number])
            self._page(path)
            self._form(path, _fields(answer), expect=200)

    def rate(self, study: str, answer_of: Callable[[str], dict[str, Any]], rated: Callable[[], object]) -> int:
        """Answer one item after the other until none is left but those that wait for others; the number answered."""
        given = 0
        while (assignment := self._next(study)) is not None:
            body = answer_of(assignment) | {"key": secrets.token_hex(16)}
            receipt = self._json(reverse("evaluator:answer", args=[assignment]), body)
            if not receipt.get("saved"):
                raise PageUnexpected(f"The answer to {assignment} was not saved: {receipt}.")
            given += 1
            rated()
        return given

    def guess(self, study: str, guess_of: Callable[[str], dict[str, str]]) -> None:
        """Lock the verdicts and guess the arm of every item that is asked about, if the study asks at all."""
        status, text = self._send("GET", reverse("evaluator:done", args=[study]))
        start = reverse("evaluator:guess_start", args=[study])
        if status != 200 or start not in text:
            return
        self._token_read(text)
        self._form(start, {}, expect=302)
        path = reverse("evaluator:guess", args=[study])
        while found := GUESSED.search(self._guess_page(path)):
            self._form(path, {"assignment": found[1], **guess_of(found[1])}, expect=302)

    def _guess_page(self, path: str) -> str:
        """The page that asks for the next guess, or nothing when the site leads to the end."""
        status, text = self._send("GET", path)
        self._token_read(text)
        return text if status == 200 else ""

    def close(self) -> None:
        """Let the connection go; the next request opens another one in the same session."""
        self._connection.close()

    def _next(self, study: str) -> str | None:
        """Public id on the next page, or None when the site leads to the end or asks to wait for other raters."""
        status, text = self._send("GET", reverse("evaluator:next", args=[study]))
        if status == 302 or (status == 200 and WAITING in text):
            return None
        found = ASSIGNMENT.search(text)
        if status != 200 or found is None:
            raise PageUnexpected(f"The rating page of {study!r} answered {status} without a neuron: {text[:200]!r}.")
        return found[1]

    def _page(self, path: str) -> None:
        status, text = self._send("GET", path)
        if status != 200:
            raise PageUnexpected(f"{path} answered {status} instead of a page: {text[:200]!r}.")
        self._token_read(text)

    def _token_read(self, text: str) -> None:
        found = FORM_TOKEN.search(text)
        self._token = found[1] if found else self._token

    def _form(self, path: str, fields: dict[str, str], *, expect: int) -> None:
        body = urlencode(fields | {"csrfmiddlewaretoken": self._token})
        status, text = self._send("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})
        if status != expect:
            raise PageUnexpected(f"A form sent to {path} was answered with {status}, not {expect}: {text[:200]!r}.")

    def _json(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-CSRFToken": self._cookies.get("csrftoken", ""),
        }
        status, text = self._send("POST", path, json.dumps(body), headers)
        if status != 200:
            raise PageUnexpected(f"{path} answered {status}: {text[:200]!r}.")
        receipt: dict[str, Any] = json.loads(text)
        return receipt

    def _send(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        common = {"Cookie": cookies, "Referer": self._origin + path, "Accept": "text/html"}
        self._connection.request(method, path, body, common | (headers or {}))
        response = self._connection.getresponse()
        text = response.read().decode()
        for header in response.headers.get_all("Set-Cookie", []):
            self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(header).items()}
        return response.status, text


def _fields(answer: Answer) -> dict[str, str]:
    """An answer as the fields of the form."""
    fields = {"verdict": answer.verdict, "confidence": str(answer.confidence or ""), "rule": answer.rule}
    return fields | {f"r_{name}": text for name, text in answer.responses.items()}


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Hundreds of request lines would bury the progress bar."""


@contextmanager
def own_server() -> Iterator[str]:
    """The whole site on a free port of this machine, for as long as the block lasts."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), _QuietHandler)
    server.set_app(WSGIHandler())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
