"""The two pages that belong to no app: the door and the sign-in."""

from typing import Any

from django.conf import settings
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from evalsite.access import EVALUATOR, ROLES, STATISTICIAN, roles_of

# The accounts that `manage.py demo` makes: (role, user name, password). They exist on a demo site only.
DEMO_LOGINS = (
    ("evaluator", "demo-evaluator", "rate-neurons-1"),
    ("admin", "demo-admin", "launch-studies-1"),
    ("statistician", "demo-statistician", "read-reports-1"),
    ("unblinder", "demo-unblinder", "open-the-key-1"),
    ("owner", "demo-owner", "appoint-people-1"),
)


class SignIn(LoginView):
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(demo_logins=DEMO_LOGINS if settings.DEMO_SITE else (), **kwargs)


def home(request: HttpRequest) -> HttpResponse:
    """Everyone goes straight to where their work is."""
    if not request.user.is_authenticated:
        return redirect("login")
    roles = roles_of(request.user)
    if EVALUATOR in roles:
        return redirect("evaluator:home")
    if roles == {STATISTICIAN}:
        return redirect("analysis:list")
    if roles:
        return redirect("staff:list")
    return render(request, "no_role.html", {"roles": sorted(ROLES)}, status=403)
