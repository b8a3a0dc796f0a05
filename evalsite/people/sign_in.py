"""The sign-in page."""

from typing import Any

from allauth.account.forms import LoginForm
from allauth.account.views import LoginView
from django.conf import settings

# The accounts that `manage.py demo` makes: (role, user name, password). They exist on a demo site only.
DEMO_LOGINS = (
    ("evaluator", "demo-evaluator", "rate-neurons-1"),
    ("admin", "demo-admin", "launch-studies-1"),
    ("statistician", "demo-statistician", "read-reports-1"),
    ("unblinder", "demo-unblinder", "open-the-key-1"),
    ("owner", "demo-owner", "appoint-people-1"),
)


class SignInForm(LoginForm):  # type: ignore[misc]
    """allauth's form, whose first field is sent as `username`, as browsers' password stores know it."""

    def add_prefix(self, field_name: str) -> str:
        return "username" if field_name == "login" else str(super().add_prefix(field_name))


class SignIn(LoginView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "demo_logins": DEMO_LOGINS if settings.DEMO_SITE else (),
            "oidc": settings.SOCIALACCOUNT_PROVIDERS.get("openid_connect", {}).get("APPS", ()),
        }
