"""Who may enter which part of the site: one table, refused by default.

Every page has a door, and every door names the roles that may enter. A page without an entry here can be opened by
nobody, so a new page is closed until somebody decides who it is for. Roles are Django groups.
An account in the group `evaluators` is an evaluator and nothing else, whatever other groups it was put in: a person who
rates must never be able to read the key.

Some pages about neurons may be read by visitors who are not signed in, for networks that an admin made public. Raters
could sign out and look, so two more locks hold there: a network is closed while a study that shows its pair runs, and a
browser in which somebody rated carries a mark and finds nothing.
"""

from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import ResolverMatch
from django.utils.cache import patch_cache_control

from annotation.models import Study
from neurons.models import Network, NetworkPair

EVALUATOR = "evaluators"  # rates, and nothing else
OWNER = "owner"  # everything, and says who has which role
ADMIN = "admin"  # designs, freezes, opens, seats, closes
STATISTICIAN = "statistician"  # plans; reads reports and exports after unblinding
UNBLINDER = "unblinder"  # asks for and confirms unblinding
MONITOR = "monitor"  # sees pooled progress and quality
AUDITOR = "auditor"  # reads logs and protocols, verifies
STAFF = frozenset({OWNER, ADMIN, STATISTICIAN, UNBLINDER, MONITOR, AUDITOR})
ROLES = STAFF | {EVALUATOR}

# Not roles, but who may enter some doors.
ANYONE = frozenset({"anyone"})
SIGNED_IN = frozenset({"signed in"})

# Doors by "namespace:page/step", "namespace:page" or "namespace"; the most exact entry counts. A page's step is its
# argument `name`. An owner may enter wherever another of the staff may.
DOORS: dict[str, frozenset[str]] = {
    # The door, and allauth's pages: ways in, and everybody's own account.
    "home": ANYONE,
    "set_language": ANYONE,
    "login": ANYONE,
    "logout": ANYONE,
    **dict.fromkeys(
        (
            "account_confirm_email",
            "account_confirm_login_code",
            "account_email_verification_sent",
            "account_inactive",
            "account_request_login_code",
            "account_reset_password",
            "account_reset_password_done",
            "account_reset_password_from_key",
            "account_reset_password_from_key_done",
            "account_signup",
            "mfa_authenticate",
            "mfa_login_webauthn",
            "openid_connect_callback",
            "openid_connect_login",
            "socialaccount_login_cancelled",
            "socialaccount_login_error",
            "socialaccount_signup",
        ),
        ANYONE,
    ),
    **dict.fromkeys(
        (
            "account_change_password",
            "account_email",
            "account_reauthenticate",
            "account_set_password",
            "mfa_activate_totp",
            "mfa_add_webauthn",
            "mfa_deactivate_totp",
            "mfa_download_recovery_codes",
            "mfa_edit_webauthn",
            "mfa_generate_recovery_codes",
            "mfa_index",
            "mfa_list_webauthn",
            "mfa_reauthenticate",
            "mfa_reauthenticate_webauthn",
            "mfa_remove_webauthn",
            "mfa_view_recovery_codes",
            "socialaccount_connections",
            "usersessions_list",
        ),
        SIGNED_IN,
    ),
    "people:join": ANYONE,
    "people:personal": ANYONE,
    "people:profile": SIGNED_IN,
    "people": frozenset({OWNER}),
    # Rating, and the way out of it.
    **dict.fromkeys(("people:new_link", "people:leave", "people:erase"), frozenset({EVALUATOR})),
    "evaluator": frozenset({EVALUATOR}),
    # Locks of their own: a provider's signature, a participant's session; a token in every request.
    "crowd": ANYONE,
    "api": ANYONE,
    "api_docs": ANYONE,
    "api_unknown": ANYONE,
    # Leading a study. Looking at one shows pooled progress and never an arm of an item.
    "staff": frozenset({ADMIN}),
    "staff:list": STAFF,
    "staff:study": STAFF,
    "staff:protocol": STAFF,
    "staff:check": frozenset({ADMIN, UNBLINDER, AUDITOR}),
    "staff:progress": frozenset({ADMIN, MONITOR}),
    "staff:messages": frozenset({ADMIN, MONITOR}),
    "staff:message_take_back": frozenset({ADMIN, MONITOR}),
    "staff:step/unblind": frozenset({UNBLINDER}),
    "staff:unblinding": frozenset({UNBLINDER}),
    "staff:unblinding_withdraw": frozenset({UNBLINDER}),
    "staff:version": STAFF,
    "staff:version_file": STAFF,
    "staff:log": frozenset({ADMIN, UNBLINDER, AUDITOR}),
    "staff:log_file": frozenset({ADMIN, UNBLINDER, AUDITOR}),
    "staff:verifier": frozenset({ADMIN, UNBLINDER, AUDITOR}),
    "staff:site_log": frozenset({AUDITOR}),
    "staff:site_log_file": frozenset({AUDITOR}),
    # The hash of a frozen protocol, for whoever has it: no arm, and a title only if the protocol lets it be told.
    "verify": ANYONE,
    # Networks and reports. A report is refused until its study is unblinded, whoever asks.
    "neurons": frozenset({ADMIN, STATISTICIAN}),
    "analysis": frozenset({ADMIN, STATISTICIAN}),
    "plan": frozenset({ADMIN, STATISTICIAN}),
    # Django's own admin, which looks and changes nothing of a study.
    "admin": frozenset({OWNER}),
}

# Pages that visitors who are not signed in may read about public networks. An argument `name` names the network.
PUBLIC_PAGES = frozenset(
    f"neurons:{page}" for page in ("index", "network", "layer", "neuron", "document", "twin", "search")
)

RUNNING = (Study.State.FROZEN, Study.State.OPEN)
RATER_MARK = "blindscope_rater"  # cookie: somebody rated in this browser
RATER_MARK_SECONDS = 400 * 24 * 3600  # as long as browsers keep a cookie; renewed at each visit after a day
RATER_MARK_RENEWED = 24 * 3600


def roles_of(user: object) -> frozenset[str]:
    """Roles of a user; an evaluator has that one role only, and an owner has all roles of the staff."""
    if not getattr(user, "is_authenticated", False) or not getattr(user, "is_active", False):
        return frozenset()
    groups = frozenset(user.groups.values_list("name", flat=True))  # type: ignore[attr-defined]
    if EVALUATOR in groups:
        return frozenset({EVALUATOR})
    if OWNER in groups or getattr(user, "is_superuser", False):
        return STAFF
    return groups & STAFF


def door_of(match: ResolverMatch | None) -> frozenset[str]:
    """Who may enter a page, by the most exact entry of the table; nobody if there is none."""
    if match is None:
        return frozenset()
    namespace = match.namespaces[0] if match.namespaces else ""
    for place in (f"{match.view_name}/{match.kwargs.get('name')}", match.view_name, namespace):
        if place in DOORS:
            return DOORS[place]
    return frozenset()


def roles_in(request: Any) -> frozenset[str]:
    """Roles of who sends a request, asked of the database once; signing in during the request counts."""
    user = getattr(request, "user", None)
    known = getattr(request, "known_roles", None)
    if known is None or known[0] != getattr(user, "pk", None):
        known = request.known_roles = (getattr(user, "pk", None), roles_of(user))
    roles: frozenset[str] = known[1]
    return roles


def lacks_second_factor(request: Any) -> bool:
    """Whether somebody of the staff has only one way to prove who they are, where the site asks for two."""
    if not settings.STAFF_MFA or EVALUATOR in roles_in(request):
        return False
    return not is_mfa_enabled(request.user, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN])


def public_networks() -> QuerySet[Network]:
    """Networks whose neurons strangers may look at now: made public, and in no pair that a running study shows."""
    return Network.objects.filter(is_public=True).exclude(pair__in=_pairs_in_running_studies())


def _pairs_in_running_studies() -> QuerySet[NetworkPair]:
    """Pairs of which a study that is frozen or open shows a network: the others of the pair are its contrast."""
    designs = Study.objects.filter(state__in=RUNNING).values_list("design", flat=True)
    shown = {arm["network"] for design in designs for pair in design["pairs"] for arm in pair["arms"]}
    return NetworkPair.objects.filter(networks__name__in=shown)


class RoleGateMiddleware:
    """Answers 404 to a signed-in user at a door that is not theirs, and sends strangers to the sign-in page.

    Every request is told what it may see of the networks: `request.visible_networks`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if _wants_mark(request):
            _mark(response)
        if getattr(request, "reads_as_visitor", False):
            patch_cache_control(response, private=True, no_cache=True)
        return response

    def process_view(
        self, request: Any, view_func: object, view_args: object, view_kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        request.visible_networks = Network.objects.none()
        match, admitted = request.resolver_match, door_of(request.resolver_match)
        namespace = match.namespaces[0] if match is not None and match.namespaces else ""
        if admitted == ANYONE:
            return None
        if not request.user.is_authenticated:
            return self._visitor(request, namespace, view_kwargs)
        if admitted == SIGNED_IN:
            return None
        if roles_in(request) & admitted:
            if lacks_second_factor(request):
                return redirect("people:profile")
            if namespace == "neurons":
                request.visible_networks = Network.objects.all()
            return None
        raise _not_here(request)

    @staticmethod
    def _visitor(request: Any, namespace: str, arguments: dict[str, Any]) -> HttpResponse | None:
        """Let somebody who is not signed in read what is public, and send them to the sign-in page for all else."""
        if namespace == "neurons" and is_marked(request):
            raise _not_here(request)
        if request.resolver_match.view_name in PUBLIC_PAGES:
            open_now = public_networks()
            asked = open_now.filter(name=arguments["name"]) if "name" in arguments else open_now
            if asked.exists():
                request.visible_networks, request.reads_as_visitor = open_now, True
                return None
        return redirect(f"/accounts/login/?next={request.path}")


def _not_here(request: HttpRequest) -> Http404:
    """The answer of an address that does not exist; the page must not tell otherwise by marking where one is."""
    request.resolver_match = None
    return Http404()


def is_marked(request: HttpRequest, longest: int = RATER_MARK_SECONDS) -> bool:
    """Whether somebody rated in this browser, as far as it tells, and was marked so many seconds ago at most."""
    return request.get_signed_cookie(RATER_MARK, default="", salt=RATER_MARK, max_age=longest) == "1"


def _wants_mark(request: HttpRequest) -> bool:
    """Whether an evaluator is signed in, also since this very request, in a browser without a fresh mark."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or is_marked(request, RATER_MARK_RENEWED):
        return False
    return EVALUATOR in roles_in(request)


def _mark(response: HttpResponse) -> None:
    response.set_signed_cookie(
        RATER_MARK,
        "1",
        salt=RATER_MARK,
        max_age=RATER_MARK_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def role_context(request: HttpRequest) -> dict[str, object]:
    """What base.html needs to draw the navigation."""
    roles = roles_in(request)
    return {
        "is_evaluator": EVALUATOR in roles,
        "is_staff_role": bool(roles & STAFF),
        "is_owner": OWNER in roles,
        "is_admin": ADMIN in roles,
        "is_statistician": STATISTICIAN in roles,
        "is_unblinder": UNBLINDER in roles,
        "is_monitor": MONITOR in roles,
        "is_auditor": AUDITOR in roles,
    }
