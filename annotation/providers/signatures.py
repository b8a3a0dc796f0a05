"""Messages signed by the provider: HMAC-SHA256 over the time of sending and the body."""

import base64
import hashlib
import hmac

WINDOW = 300  # seconds; an older message is a replay or was under way too long, and the provider sends it again


class MessageForged(ValueError):
    """A message that the provider did not sign, or not just now."""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The signature of a message, as Prolific makes it.

    Notes
    -----
    The value of the example is that of `printf '1700000000{}' | openssl dgst -sha256 -hmac secret -binary | base64`.

    Examples
    --------
    >>> signature("secret", "1700000000", b"{}")
    'RM6OD3UEVWrrFT2bdZ2X/EyvymK1UHHNZgnc1eHXdHk='
    """
    digest = hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def message_check(*, secret: str, timestamp: str, body: bytes, given: str, now: float) -> int:
    """The time of sending, if the message is genuine and fresh.

    Parameters
    ----------
    secret : str
        Shared with the provider; not empty.
    timestamp, given : str
        The headers: seconds since 1970, and the signature.
    body : bytes
        As it came over the wire.
    now : float
        Seconds since 1970.

    Raises
    ------
    MessageForged
    """
    if not secret:
        raise MessageForged("No secret is set, so no message can be told from a forged one.")
    if not hmac.compare_digest(signature(secret, timestamp, body).encode(), given.encode()):
        raise MessageForged("The signature does not belong to this body and time.")
    if not timestamp.isdecimal():
        raise MessageForged(f"The time of sending is {timestamp[:40]!r}, not a number of seconds.")
    if abs(now - int(timestamp)) > WINDOW:
        raise MessageForged(f"The message was signed more than {WINDOW} seconds from now; it may be a replay.")
    return int(timestamp)
