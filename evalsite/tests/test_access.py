"""The table of doors: every URL of the site is behind one, and each role enters where it may and nowhere else.

`WHO` says it a second time, page by page and in other words, so that a slip in `evalsite.access.DOORS` shows. A new
page fails the first test until somebody has decided here who may open it.
"""

import re
from collections.abc import Iterator
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Group
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from annotation.services import evaluator_create
from evalsite import urls
from evalsite.access import ADMIN, AUDITOR, EVALUATOR, MONITOR, OWNER, ROLES, STATISTICIAN, UNBLINDER, roles_of

NOBODY = "nobody"  # signed in, without a role
STRANGER = "stranger"  # not signed in
EVERYBODY = {*ROLES, NOBODY, STRANGER}
ACCOUNTS = {*ROLES, NOBODY}
RATERS, OWNERS, ADMINS, READERS = {EVALUATOR}, {OWNER}, {OWNER, ADMIN}, {OWNER, ADMIN, STATISTICIAN}
STAFF = {OWNER, ADMIN, STATISTICIAN, UNBLINDER, MONITOR, AUDITOR}

# Who may open a page, by its name; "name/step" where one address has steps; "admin:*" for all of Django's own admin,
# "api:*" for all of the API, which asks a token of everybody (test_api.py).
WHO: dict[str, set[str]] = {
    "home": EVERYBODY,
    "set_language": EVERYBODY,
    "login": EVERYBODY,
    "logout": EVERYBODY,
    "account_confirm_email": EVERYBODY,
    "account_confirm_login_code": EVERYBODY,
    "account_email_verification_sent": EVERYBODY,
    "account_inactive": EVERYBODY,
    "account_request_login_code": EVERYBODY,
    "account_reset_password": EVERYBODY,
    "account_reset_password_done": EVERYBODY,
    "account_reset_password_from_key": EVERYBODY,
    "account_reset_password_from_key_done": EVERYBODY,
    "account_signup": EVERYBODY,
    "mfa_authenticate": EVERYBODY,
    "mfa_login_webauthn": EVERYBODY,
    "openid_connect_callback": EVERYBODY,
    "openid_connect_login": EVERYBODY,
    "socialaccount_login_cancelled": EVERYBODY,
    "socialaccount_login_error": EVERYBODY,
    "socialaccount_signup": EVERYBODY,
    "account_change_password": ACCOUNTS,
    "account_email": ACCOUNTS,
    "account_reauthenticate": ACCOUNTS,
    "account_set_password": ACCOUNTS,
    "mfa_activate_totp": ACCOUNTS,
    "mfa_add_webauthn": ACCOUNTS,
    "mfa_deactivate_totp": ACCOUNTS,
    "mfa_download_recovery_codes": ACCOUNTS,
    "mfa_edit_webauthn": ACCOUNTS,
    "mfa_generate_recovery_codes": ACCOUNTS,
    "mfa_index": ACCOUNTS,
    "mfa_list_webauthn": ACCOUNTS,
    "mfa_reauthenticate": ACCOUNTS,
    "mfa_reauthenticate_webauthn": ACCOUNTS,
    "mfa_remove_webauthn": ACCOUNTS,
    "mfa_view_recovery_codes": ACCOUNTS,
    "socialaccount_connections": ACCOUNTS,
    "usersessions_list": ACCOUNTS,
    "people:join": EVERYBODY,
    "people:personal": EVERYBODY,
    "people:profile": ACCOUNTS,
    "people:new_link": RATERS,
    "people:leave": RATERS,
    "people:erase": RATERS,
    "people:accounts": OWNERS,
    "people:account": OWNERS,
    "people:invite": OWNERS,
    "people:revoke": OWNERS,
    "evaluator:consent": RATERS,
    "evaluator:notice_read": RATERS,
    "evaluator:screened": RATERS,
    "admin:*": OWNERS,
    "api:*": EVERYBODY,
    "api_docs": EVERYBODY,
    "api_unknown": EVERYBODY,
    "crowd:enter": EVERYBODY,
    "crowd:finish": EVERYBODY,
    "crowd:prolific_hook": EVERYBODY,
    "evaluator:home": RATERS,
    "evaluator:answer": RATERS,
    "evaluator:draft": RATERS,
    "evaluator:instructions": RATERS,
    "evaluator:practice": RATERS,
    "evaluator:next": RATERS,
    "evaluator:done": RATERS,
    "evaluator:guess": RATERS,
    "evaluator:guess_start": RATERS,
    "evaluator:undo": RATERS,
    "staff:list": STAFF,
    "staff:study": STAFF,
    "staff:create": ADMINS,
    "staff:design_preview": ADMINS,
    "staff:create_toml": ADMINS,
    "staff:edit": ADMINS,
    "staff:preview": ADMINS,
    "staff:seats": ADMINS,
    "staff:crowd": ADMINS,
    "staff:tokens": ADMINS,
    "staff:site_tokens": ADMINS,
    "staff:token_revoke": ADMINS,
    "staff:invitations": ADMINS,
    "staff:invitation_take_back": ADMINS,
    "staff:raters": ADMINS,
    "staff:erase": ADMINS,
    "staff:harvest_start": ADMINS,
    "staff:harvest_cancel": ADMINS,
    "staff:harvest_send": ADMINS,
    "staff:protocol": STAFF,
    "staff:check": {OWNER, ADMIN, UNBLINDER, AUDITOR},
    "staff:step/freeze": ADMINS,
    "staff:step/open": ADMINS,
    "staff:step/close": ADMINS,
    "staff:step/unblind": {OWNER, UNBLINDER},
    "staff:unblinding": {OWNER, UNBLINDER},
    "staff:unblinding_withdraw": {OWNER, UNBLINDER},
    "staff:version": STAFF,
    "staff:version_file": STAFF,
    "staff:amend": ADMINS,
    "staff:pause": ADMINS,
    "staff:messages": {OWNER, ADMIN, MONITOR},
    "staff:progress": {OWNER, ADMIN, MONITOR},
    "staff:message_take_back": {OWNER, ADMIN, MONITOR},
    "staff:hand_over": ADMINS,
    "staff:log": {OWNER, ADMIN, UNBLINDER, AUDITOR},
    "staff:log_file": {OWNER, ADMIN, UNBLINDER, AUDITOR},
    "staff:verifier": {OWNER, ADMIN, UNBLINDER, AUDITOR},
    "staff:site_log": {OWNER, AUDITOR},
    "staff:site_log_file": {OWNER, AUDITOR},
    "verify:ask": EVERYBODY,
    "verify:known": EVERYBODY,
    "plan": READERS,
    "analysis:list": READERS,
    "analysis:report": READERS,
    "analysis:download": READERS,
    "analysis:neurons": READERS,
    "analysis:compare": READERS,
    "neurons:index": READERS,
    "neurons:corpus": READERS,
    "neurons:network": READERS,
    "neurons:run": READERS,
    "neurons:search": READERS,
    "neurons:layer": READERS,
    "neurons:neuron": READERS,
    "neurons:reverse": READERS,
    "neurons:own_text": READERS,
    "neurons:document": READERS,
    "neurons:twin": READERS,
}
STEPS = {"staff:step": ("freeze", "open", "close", "unblind")}
# An argument of each sort of which addresses are made.
SAMPLES = {"int": "1", "slug": "x", "str": "x", "path": "x", "sha256": "0" * 64}


def make_user(*groups, name="somebody", **flags):
    user = get_user_model().objects.create_user(username=name, password="a-long-password-1", **flags)
    user.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
    return user


def make_account(role: str):
    if role == EVALUATOR:
        return evaluator_create(username="rater", password="a-long-password-1").user
    return make_user(*({role} - {NOBODY}))


def client_of(role: str) -> Client:
    client = Client()
    if role != STRANGER:
        client.force_login(make_account(role))
    return client


# -- Every page --------------------------------------------------------------------------------------------------------


def addresses(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    """An address of every page of the site, with made-up arguments."""
    for entry in resolver.url_patterns:
        route = prefix + address_of(str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from addresses(entry, route)
        elif isinstance(entry, URLPattern):
            yield route


def pages() -> Iterator[tuple[str, str]]:
    """Name and address of every page, by what the site really finds there."""
    for address in addresses(get_resolver()):
        match = get_resolver().resolve(address)
        yield from steps_of(match.view_name or f"admin:{match.route}", address)


def address_of(pattern: str) -> str:
    if "(?P" not in pattern:
        return re.sub(r"<(?:(\w+):)?\w+>", lambda found: SAMPLES[found[1] or "str"], pattern).strip("^$")
    return re.sub(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)", "x", pattern).strip("^$")


def steps_of(name: str, address: str) -> Iterator[tuple[str, str]]:
    """A page with steps is as many pages; its last argument is the step."""
    if name not in STEPS:
        yield name, address
    for step in STEPS.get(name, ()):
        yield f"{name}/{step}", re.sub(r"[^/]+/$", f"{step}/", address)


def entry_of(name: str) -> str:
    """Where a page stands in `WHO`."""
    whole = f"{name.partition(':')[0]}:*"
    return whole if whole in WHO else name


def expected_of(name: str) -> set[str]:
    return WHO.get(entry_of(name), set())


PAGES = sorted(set(pages()))


class Inside:
    """The innermost middleware: whoever comes so far has passed the door, and no view is run."""

    PASSED = 299

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        return HttpResponse(status=self.PASSED)


@pytest.fixture
def views_replaced(settings, monkeypatch):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.Inside"]
    monkeypatch.setattr(urls, "handler404", lambda request, exception: HttpResponse(status=404), raising=False)


def test_somebody_has_decided_about_every_page_and_only_about_pages_that_there_are():
    assert {entry_of(name) for name, _ in PAGES} == set(WHO)


@pytest.mark.django_db
@pytest.mark.parametrize("role", sorted(EVERYBODY))
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_role_opens_its_own_pages_and_no_other(views_replaced, role, method):
    client = client_of(role)
    refused = 302 if role == STRANGER else 404
    found = {name: getattr(client, method)(address).status_code for name, address in PAGES}
    assert found == {name: Inside.PASSED if role in expected_of(name) else refused for name, _ in PAGES}


@pytest.mark.django_db
@pytest.mark.parametrize("role", [EVALUATOR, MONITOR])
def test_a_page_that_is_not_yours_and_a_page_that_is_not_there_are_answered_alike(role):
    client = client_of(role)
    client.handler.enforce_csrf_checks = True
    token = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]+"')
    for method in (client.get, client.post):
        not_there = token.sub(b"", method("/no-such-page/").content)
        for name, address in PAGES:
            if role not in expected_of(name):
                assert token.sub(b"", method(address).content) == not_there, address


@pytest.mark.django_db
def test_a_stranger_is_sent_to_the_sign_in_page_and_then_on(client):
    for name, address in PAGES:
        if STRANGER not in expected_of(name):
            assert client.get(address).url == f"/accounts/login/?next={address}"


# -- Roles -------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_evaluator_stays_an_evaluator_whatever_else_the_account_is():
    both = make_user(*ROLES, is_staff=True, is_superuser=True)
    assert roles_of(both) == {EVALUATOR}


@pytest.mark.django_db
def test_an_owner_has_every_role_of_the_staff_and_so_has_a_superuser():
    assert roles_of(make_user(OWNER)) == STAFF
    assert roles_of(make_user(name="root", is_superuser=True)) == STAFF


@pytest.mark.django_db
def test_a_blocked_account_has_no_role():
    assert roles_of(make_user(ADMIN, is_active=False)) == frozenset()
    assert roles_of(AnonymousUser()) == frozenset()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "page"),
    [(EVALUATOR, "/rate/"), (ADMIN, "/studies/"), (STATISTICIAN, "/reports/"), (AUDITOR, "/studies/")],
)
def test_home_leads_everyone_to_their_work(client, role, page):
    client.force_login(make_user(role))
    assert client.get("/").url == page


@pytest.mark.django_db
def test_an_account_without_a_role_is_told_whom_to_ask(client):
    client.force_login(make_user())
    answer = client.get("/")
    assert answer.status_code == 403
    assert "admin, auditor, evaluators, monitor, owner, statistician, unblinder" in answer.content.decode()


@pytest.mark.django_db
def test_the_migrations_make_a_group_for_every_role_and_leave_none_of_former_names():
    Group.objects.all().delete()  # whether or not a test with transactions of its own has emptied the database before
    import_module("annotation.migrations.0002_groups").create_groups(apps, None)
    import_module("annotation.migrations.0009_roles").roles_make(apps, None)
    assert set(Group.objects.values_list("name", flat=True)) == ROLES


@pytest.mark.django_db
def test_logins_are_printed_on_a_demo_site_only(client, settings):
    assert b"rate-neurons-1" not in client.get("/accounts/login/").content
    settings.DEMO_SITE = True
    assert b"rate-neurons-1" in client.get("/accounts/login/").content
