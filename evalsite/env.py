"""Typed reads of environment variables that fail at start and say what to write instead."""

import os


class BadSetting(ValueError):
    """An environment variable holds something that cannot be used."""


def env_str(name: str, default: str) -> str:
    return os.environ.get(name, default)


def env_bool(name: str, default: bool) -> bool:
    raw = os.environ.get(name)
    if raw is None:
        return default
    if raw not in {"True", "False"}:
        raise BadSetting(f"{name} is {raw!r}; write True or False.")
    return raw == "True"


def env_int(name: str, default: int) -> int:
    raw = os.environ.get(name)
    if raw is None:
        return default
    try:
        return int(raw)
    except ValueError:
        raise BadSetting(f"{name} is {raw!r}; write a whole number.") from None


def env_list(name: str, default: list[str]) -> list[str]:
    raw = os.environ.get(name)
    if raw is None:
        return default
    return [part.strip() for part in raw.split(",") if part.strip()]


def env_secret(name: str, *, insecure_default: str, debug: bool) -> str:
    """A secret has a default only where DEBUG is on: a public site never starts with a known key."""
    raw = os.environ.get(name, "")
    if raw:
        return raw
    if debug:
        return insecure_default
    raise BadSetting(f"{name} is not set; give it a long random value (or set BLINDSCOPE_DEBUG=True on your own machine).")
