"""Typed reads of environment variables that fail at start and say what to write instead."""

import os
import secrets
from pathlib import Path


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


def env_secret(name: str, *, own_file: Path | None) -> str:
    """A secret from the environment, or one that this installation made for itself and keeps in `own_file`.

    Without `own_file` (a public site) a missing secret stops the start: no key is ever known beforehand.
    """
    if raw := os.environ.get(name, ""):
        return raw
    if own_file is None:
        raise BadSetting(f"{name} is not set; give it a long random value.")
    if not own_file.exists():
        own_file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(own_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(secrets.token_urlsafe(48))
    return own_file.read_text()
