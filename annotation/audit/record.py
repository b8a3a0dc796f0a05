"""What one line of the log says, as the text that is hashed."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from annotation.design import canonical_json

FORMAT = "blindscope-log-1"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line, before it is hashed.

    Attributes
    ----------
    chain : str
        Public id of the chain, so that no line can be moved into another chain.
    number : int
        Place in the chain, from 1.
    at : datetime
        By the server's clock.
    actor, role : str
        Public id of who acted (empty: a command on the server), and the groups of the account at that time.
    action, reason : str
    object : (str, str)
        Kind and public id of what was acted on.
    old, new, details : JSON values
    previous : str
        sha256 of the line before; 64 zeros before the first.
    """

    chain: str
    number: int
    at: datetime
    actor: str
    role: str
    action: str
    object: tuple[str, str]
    old: Any
    new: Any
    reason: str
    details: dict[str, Any]
    previous: str


def record_text(entry: Entry) -> str:
    """The canonical JSON of a line.

    Examples
    --------
    >>> moment = datetime(2026, 11, 21, 16, 4, tzinfo=UTC)
    >>> entry = Entry("c", 1, moment, "", "command", "opened", ("study", "s"), None, None, "", {}, "0" * 64)
    >>> record_text(entry)[:64]
    '{"action":"opened","actor":"","at":"2026-11-21T16:04:00.000000+0'
    """
    return canonical_json(
        {
            "format": FORMAT,
            "chain": entry.chain,
            "number": entry.number,
            "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "actor": entry.actor,
            "role": entry.role,
            "action": entry.action,
            "object": {"kind": entry.object[0], "id": entry.object[1]},
            "old": entry.old,
            "new": entry.new,
            "reason": entry.reason,
            "details": entry.details,
            "previous": entry.previous,
        }
    )


def record_sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
