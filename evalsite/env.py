"""Typed reads of environment variables that fail at start and say what to write instead."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit


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


@dataclass(frozen=True)
class Mail:
    """How mail leaves the site."""

    backend: str
    host: str = "localhost"
    port: int = 25
    user: str = ""
    password: str = ""
    use_tls: bool = False
    use_ssl: bool = False


MAIL_SCHEMES = {
    "file": "django.core.mail.backends.filebased.EmailBackend",
    "console": "django.core.mail.backends.console.EmailBackend",
    "smtp": "django.core.mail.backends.smtp.EmailBackend",
    "smtp+tls": "django.core.mail.backends.smtp.EmailBackend",
    "smtp+ssl": "django.core.mail.backends.smtp.EmailBackend",
}
SMTP_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}


def mail_settings(url: str) -> Mail:
    """`file:` (a folder), `console:`, or a mail server as `smtp+tls://user:password@host:587`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in MAIL_SCHEMES or (parts.scheme in SMTP_PORTS) != bool(parts.hostname):
        # The address may hold a password, so it is not repeated.
        raise BadSetting(
            "BLINDSCOPE_EMAIL_URL cannot be used; write file:, console: or smtp+tls://user:password@host:587."
        )
    return Mail(
        backend=MAIL_SCHEMES[parts.scheme],
        host=parts.hostname or "localhost",
        port=port or SMTP_PORTS.get(parts.scheme, 25),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        use_tls=parts.scheme == "smtp+tls",
        use_ssl=parts.scheme == "smtp+ssl",
    )


def oidc_provider(*, name: str, server_url: str, client_id: str, secret: str) -> dict[str, Any]:
    """Settings of the one OpenID Connect provider; nothing if none of its values is given."""
    values = {"NAME": name, "SERVER_URL": server_url, "CLIENT_ID": client_id, "SECRET": secret}
    if not any(values.values()):
        return {}
    missing = [f"BLINDSCOPE_OIDC_{part}" for part, value in values.items() if not value]
    if missing:
        raise BadSetting(f"Signing in by OpenID Connect needs {' and '.join(missing)} too.")
    app = {"provider_id": "site", "name": name, "client_id": client_id, "secret": secret}
    return {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app | {"settings": {"server_url": server_url}}]}}
