"""The provider's list of submissions, read over its web API: page by page, slower when it asks for that."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

PAGE = 100  # submissions asked for at once
MOST_PAGES = 10_000  # a list that never ends is no list
TRIES = 7
FIRST_WAIT = 1.0  # seconds, doubled at each try
LONGEST_WAIT = 120.0  # seconds, whatever the provider asks for
TIMEOUT = 30  # seconds for one reply
LARGEST_REPLY = 20_000_000  # bytes


class ProviderFailed(Exception):
    """The provider's web API cannot be reached, or answers something else than documented."""


class _NoRedirect(HTTPRedirectHandler):
    """A token must not travel to where a redirect points."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class RemoteSubmission:
    """One submission as the provider has it."""

    session: str
    person: str
    status: str  # as the provider writes it, in capitals with spaces: "AWAITING REVIEW"
    code: str  # that the participant entered or was sent with; empty: none yet


@dataclass(frozen=True, slots=True)
class ProviderApi:
    """Prolific's web API, or a server that speaks like it.

    Attributes
    ----------
    url : str
        "https://api.prolific.com".
    token : str
        A researcher's key; carries full rights, so it is never shown or logged.
    sleep : callable
        Waits some seconds.
    """

    url: str
    token: str = field(default="", repr=False)
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise ProviderFailed(f"The provider's address is {self.url!r}; give one that starts with https://.")

    def keys(self, tries: int = TRIES) -> dict[str, Any]:
        """The public keys that entries are signed with."""
        return self._get("/.well-known/study/jwks.json", signed_in=False, tries=tries)

    def submissions(self, study: str) -> Iterator[RemoteSubmission]:
        """All submissions of a study.

        Raises
        ------
        ProviderFailed
        """
        seen: set[str] = set()
        for page in range(1, MOST_PAGES):
            query = urlencode({"study": study, "page": page, "page_size": PAGE})
            reply = self._get(f"/api/v1/submissions/?{query}")
            rows = reply.get("results")
            if not isinstance(rows, list):
                raise ProviderFailed("The provider's list of submissions has no “results”.")
            new = [found for row in rows if (found := _submission(row)).session not in seen]
            yield from new
            seen.update(found.session for found in new)
            if not new or not _follows(reply, len(seen)):
                return

    def _get(self, path: str, signed_in: bool = True, tries: int = TRIES) -> dict[str, Any]:
        """A JSON object; tried again after a wait while the provider is busy or away."""
        headers = {"Accept": "application/json"}
        if signed_in:
            headers["Authorization"] = f"Token {self.token}"
        request = Request(self.url.rstrip("/") + path, headers=headers)  # noqa: S310  # the scheme is checked above
        for number in range(tries):
            try:
                return _read(build_opener(_NoRedirect), request)
            except HTTPError as error:
                if error.code != 429 and error.code < 500:
                    raise ProviderFailed(f"The provider answered {error.code} to {path.partition('?')[0]}.") from None
                wait, said = _wait(number, error.headers.get("Retry-After", "")), f"answered {error.code}"
            except (URLError, HTTPException, TimeoutError, OSError) as error:
                wait, said = _wait(number, ""), f"cannot be reached ({type(error).__name__})"
            if number < tries - 1:
                self.sleep(wait)
        raise ProviderFailed(f"The provider {said}, {tries} times in a row; try again later.")


def _read(opener: OpenerDirector, request: Request) -> dict[str, Any]:
    with opener.open(request, timeout=TIMEOUT) as reply:
        body = reply.read(LARGEST_REPLY)
    try:
        data = json.loads(body)
    except ValueError:
        raise ProviderFailed("The provider's reply is not JSON.") from None
    if not isinstance(data, dict):
        raise ProviderFailed("The provider's reply is not a JSON object.")
    return data


def _wait(number: int, asked: str) -> float:
    """Seconds before the next try: what the provider asks for, or twice as long as before.

    Examples
    --------
    >>> _wait(0, ""), _wait(3, ""), _wait(0, "17"), _wait(0, "86400")
    (1.0, 8.0, 17.0, 120.0)
    """
    return min(float(asked) if asked.isdecimal() else FIRST_WAIT * 2**number, LONGEST_WAIT)


def _follows(reply: dict[str, Any], seen: int) -> bool:
    """Whether there is another page: by the link, by the count, or because nothing says that there is none."""
    links, meta = reply.get("_links"), reply.get("meta")
    if isinstance(links, dict) and "next" in links:
        following = links["next"]
        return bool(following.get("href") if isinstance(following, dict) else following)
    count = meta.get("count") if isinstance(meta, dict) else None
    return seen < count if isinstance(count, int) else True


def _submission(row: Any) -> RemoteSubmission:
    if not isinstance(row, dict) or not row.get("id"):
        raise ProviderFailed("A row of the provider's list of submissions has no “id”.")
    return RemoteSubmission(
        session=str(row["id"]),
        person=str(row.get("participant_id") or row.get("participant") or ""),
        status=status_name(str(row.get("status") or "")),
        code=str(row.get("study_code") or row.get("entered_code") or ""),
    )


def status_name(text: str) -> str:
    """A status in one spelling; the provider writes it with spaces, hyphens and underscores.

    Examples
    --------
    >>> status_name("TIMED-OUT"), status_name("awaiting_review")
    ('TIMED OUT', 'AWAITING REVIEW')
    """
    return " ".join(text.upper().replace("-", " ").replace("_", " ").split())[:24]
