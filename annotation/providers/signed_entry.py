"""Entry signed by the provider: a JSON Web Token in the address, checked against the provider's public keys."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import jwt

ALGORITHM = "RS256"  # what Prolific publishes; no other is ever tried, least of all the one a token asks for
LEEWAY = 30  # seconds that the provider's clock may differ from ours


class EntryForged(ValueError):
    """A token that the provider did not sign for this site and this moment."""


class KeyUnknown(EntryForged):
    """The token names a key that is not among those given; the provider may have a new one."""


def key_id(token: str) -> str:
    """Name of the key that a token says it is signed with.

    Raises
    ------
    EntryForged
        If the token is no token, or is not signed with `ALGORITHM`.
    """
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError as error:
        raise EntryForged(f"The entry token cannot be read: {error}.") from None
    if header.get("alg") != ALGORITHM:
        raise EntryForged(f"The entry token is signed with {header.get('alg')!r}; only {ALGORITHM} is accepted.")
    return str(header.get("kid", ""))


def entry_claims(token: str, keys: Mapping[str, Any], audience: str) -> dict[str, str]:
    """What the provider vouches for about who comes in.

    Parameters
    ----------
    token : str
        The token of the address.
    keys : mapping
        The provider's JSON Web Key Set.
    audience : str
        Our host name. The provider signs for a host name or for an address on it.

    Returns
    -------
    dict of str to str
        The claim `prolific`: the parameters of the address as the provider filled them in, and `workspace_id`.

    Raises
    ------
    KeyUnknown
        If the token's key is not in `keys`.
    EntryForged
        If the signature, the time or the audience is wrong.
    """
    try:
        claims = jwt.decode(
            token,
            _key(keys, key_id(token)),
            algorithms=[ALGORITHM],
            options={"require": ["exp", "aud"], "verify_aud": False},  # it may be an address; see below
            leeway=LEEWAY,
        )
    except jwt.InvalidTokenError as error:
        raise EntryForged(f"The entry token is not valid: {error}.") from None
    named = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if not audience or audience.lower() not in {_host(str(name)) for name in named}:
        raise EntryForged(f"The entry token is for {', '.join(map(str, named))}, not for {audience!r}.")
    payload = claims.get("prolific")
    if not isinstance(payload, dict):
        raise EntryForged("The entry token says nothing about the participant: the claim “prolific” is missing.")
    return {str(name): str(value) for name, value in payload.items()}


def _key(keys: Mapping[str, Any], wanted: str) -> jwt.PyJWK:
    found = [key for key in keys.get("keys", ()) if wanted and key.get("kid") == wanted]
    if not found:
        raise KeyUnknown(f"The entry token names the key {wanted!r}, which the provider does not publish.")
    try:
        return jwt.PyJWK.from_dict(found[0], algorithm=ALGORITHM)
    except jwt.PyJWTError as error:
        raise EntryForged(f"The provider's key {wanted!r} cannot be used: {error}.") from None


def _host(name: str) -> str:
    """Host of an address, or the name itself.

    Examples
    --------
    >>> _host("https://study.example.org/enter/abc/?PROLIFIC_PID=1"), _host("Study.example.org")
    ('study.example.org', 'study.example.org')
    """
    return (urlsplit(name).hostname or "" if "://" in name else name).lower()
