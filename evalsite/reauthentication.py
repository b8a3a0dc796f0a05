"""Acts that ask who is there once more, though somebody is signed in: a screen left open must not be enough."""

from collections.abc import Callable

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.http import HttpResponse


def asks_again(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Ask for the password, passkey or one-time code before a POST, unless it was given in the last minutes.

    What was sent is kept and goes on afterwards.
    """
    wrapped: Callable[..., HttpResponse] = reauthentication_required(
        view, allow_get=True, enabled=lambda request: settings.REAUTHENTICATION
    )
    return wrapped
