from typing import Any

from django.apps import AppConfig
from django.http import HttpRequest


class EvalsiteConfig(AppConfig):
    name = "evalsite"

    def ready(self) -> None:
        """Addresses and browsers of sessions are kept for the staff, who may want to look; never for raters."""
        from allauth.account.signals import user_logged_in
        from allauth.usersessions.signals import on_user_logged_in

        user_logged_in.disconnect(receiver=on_user_logged_in)
        user_logged_in.connect(_session_noted, dispatch_uid="sessions_of_staff")


def _session_noted(sender: Any, request: HttpRequest, **arguments: Any) -> None:
    from allauth.usersessions.signals import on_user_logged_in

    from evalsite.access import EVALUATOR, roles_of

    if EVALUATOR not in roles_of(request.user):
        on_user_logged_in(sender, request=request, **arguments)
