"""The provider's public keys: kept for a day, asked for again when a token names a new one."""

from typing import Any

from django.conf import settings
from django.core.cache import cache

from annotation.providers.prolific_api import ProviderApi, ProviderFailed

CACHED_AS = "crowd-provider-keys"
ASKED_AS = "crowd-provider-keys-asked"
KEPT = 24 * 3600  # seconds; the provider asks for a refresh at least daily
ASK_EVERY = 60  # seconds between two requests, whatever tokens people make up


def provider_keys(*, fresh: bool = False) -> dict[str, Any]:
    """The provider's JSON Web Key Set; with `fresh`, asked for anew unless that was done in the last minute.

    Raises `ProviderFailed` if there are none and the provider cannot be reached.
    """
    kept: dict[str, Any] | None = cache.get(CACHED_AS)
    if kept is not None and not (fresh and cache.add(ASKED_AS, True, ASK_EVERY)):
        return kept
    try:
        # Somebody waits at the door: no second try here, they reload the page.
        keys = ProviderApi(settings.PROLIFIC_API).keys(tries=1)
    except ProviderFailed:
        if kept is None:
            raise
        return kept
    cache.set(CACHED_AS, keys, KEPT)
    return keys
