"""The way back to the provider, to hosts that are allowed and nowhere else."""

import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

CODE = re.compile(r"[A-Za-z0-9_-]{1,60}")
PLACE = "{code}"


def address_problem(template: str, hosts: Iterable[str]) -> str | None:
    """What is wrong with an address to send participants to, or None.

    Examples
    --------
    >>> address_problem("https://app.prolific.com/submissions/complete?cc={code}", ["app.prolific.com"])
    >>> address_problem("https://evil.example/?cc={code}", ["app.prolific.com"])
    'Received the host evil.example; allowed are: app.prolific.com.'
    """
    if re.search(r"[\s\\\x00-\x1f]", template):
        return "Received spaces, backslashes or control characters; give a plain address."
    try:
        parts = urlsplit(template)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return f"Received {template!r}; give an address that starts with https://."
    if parts.scheme != "https" or not host:
        return f"Received {template!r}; give an address that starts with https://."
    if parts.username is not None or port is not None or host not in set(hosts):
        return f"Received the host {parts.netloc}; allowed are: {', '.join(hosts)}."
    if PLACE in parts.netloc:
        return f"Received {template!r}; {PLACE} may stand behind the host only."
    return None


def return_address(template: str, code: str, hosts: Iterable[str]) -> str:
    """Where a participant goes with a code; empty if there is nowhere to go.

    Examples
    --------
    >>> return_address("https://app.prolific.com/submissions/complete?cc={code}", "C1ABC", ["app.prolific.com"])
    'https://app.prolific.com/submissions/complete?cc=C1ABC'
    """
    if not template or (PLACE in template and not code) or address_problem(template, hosts) is not None:
        return ""
    return template.replace(PLACE, quote(code, safe=""))
