"""Who may enter which part of the site: one table, refused by default.

Every URL belongs to a namespace, and every namespace names the roles that may enter. A URL without an entry here can be
opened by nobody but a superuser, so a new page is closed until somebody decides who it is for. Roles are Django groups.
An account in the group `evaluators` is an evaluator and nothing else, whatever other groups it was put in: a person who
rates must never be able to read the key.
"""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

EVALUATOR, ADMIN, RESEARCHER = "evaluators", "admins", "researchers"
ANYONE = "anyone"

# URL namespace -> roles that may enter. "" holds the pages without namespace (home, sign-in, sign-out).
DOORS: dict[str, frozenset[str]] = {
    "": frozenset({ANYONE}),
    "evaluator": frozenset({EVALUATOR}),
    "staff": frozenset({ADMIN}),
    "neurons": frozenset({ADMIN, RESEARCHER}),
    "analysis": frozenset({ADMIN, RESEARCHER}),
    "admin": frozenset({ADMIN}),
}


def roles_of(user: object) -> frozenset[str]:
    """Roles of a user; an evaluator has that one role only."""
    if not getattr(user, "is_authenticated", False) or not getattr(user, "is_active", False):
        return frozenset()
    groups = frozenset(user.groups.values_list("name", flat=True))  # type: ignore[attr-defined]
    if EVALUATOR in groups:
        return frozenset({EVALUATOR})
    if getattr(user, "is_superuser", False):
        return groups | {ADMIN, RESEARCHER}
    return groups & {ADMIN, RESEARCHER}


class RoleGateMiddleware:
    """Answers 404 to a signed-in user at a door that is not theirs, and sends strangers to the sign-in page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view_func: object, view_args: object, view_kwargs: object
    ) -> HttpResponse | None:
        match = request.resolver_match
        namespace = match.namespaces[0] if match is not None and match.namespaces else ""
        admitted = DOORS.get(namespace, frozenset())
        if ANYONE in admitted:
            return None
        if not request.user.is_authenticated:
            return redirect(f"/accounts/login/?next={request.path}")
        if roles_of(request.user) & admitted:
            return None
        raise Http404


def role_context(request: HttpRequest) -> dict[str, object]:
    """What base.html needs to draw the navigation."""
    user = getattr(request, "user", None)
    roles = roles_of(user)
    return {
        "is_evaluator": EVALUATOR in roles,
        "is_admin": ADMIN in roles,
        "is_researcher": RESEARCHER in roles,
    }
