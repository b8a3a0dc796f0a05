"""The table of doors: every URL is behind one, and each role enters where it may and nowhere else."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Group
from django.urls import URLPattern, URLResolver, get_resolver

from annotation.services import evaluator_create
from evalsite.access import ADMIN, DOORS, EVALUATOR, RESEARCHER, roles_of

ENTRANCES = {
    "evaluator": "/rate/",
    "staff": "/studies/",
    "neurons": "/neurons/",
    "analysis": "/reports/",
    "admin": "/admin/",
}


def make_user(*groups, name="somebody", **flags):
    user = get_user_model().objects.create_user(username=name, password="a-long-password-1", **flags)
    user.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
    return user


def make_rater():
    return evaluator_create(username="rater", password="a-long-password-1").user


def namespaces(resolver) -> set[str]:
    found = set()
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            found.add(entry.namespace or "")
        elif isinstance(entry, URLPattern):
            found.add("")
    return found


def test_every_namespace_has_a_door():
    assert namespaces(get_resolver()) == set(DOORS)


@pytest.mark.django_db
@pytest.mark.parametrize("namespace", sorted(ENTRANCES))
@pytest.mark.parametrize("role", [EVALUATOR, ADMIN, RESEARCHER])
def test_a_role_enters_its_own_doors_and_no_other(client, role, namespace):
    account = make_rater() if role == EVALUATOR else make_user(role, is_staff=role == ADMIN)
    client.force_login(account)
    status = client.get(ENTRANCES[namespace]).status_code
    if role in DOORS[namespace]:
        assert status in (200, 302)
    else:
        assert status == 404


@pytest.mark.django_db
@pytest.mark.parametrize("namespace", sorted(ENTRANCES))
def test_a_stranger_is_sent_to_the_sign_in_page(client, namespace):
    answer = client.get(ENTRANCES[namespace])
    assert answer.status_code == 302
    assert answer.url.startswith("/accounts/login/?next=")


@pytest.mark.django_db
def test_an_evaluator_stays_an_evaluator_whatever_else_the_account_is():
    both = make_user(EVALUATOR, ADMIN, RESEARCHER, is_staff=True, is_superuser=True)
    assert roles_of(both) == {EVALUATOR}


@pytest.mark.django_db
def test_a_blocked_account_has_no_role():
    assert roles_of(make_user(ADMIN, is_active=False)) == frozenset()
    assert roles_of(AnonymousUser()) == frozenset()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "page"), [(EVALUATOR, "/rate/"), (ADMIN, "/studies/"), (RESEARCHER, "/reports/")]
)
def test_home_leads_everyone_to_their_work(client, role, page):
    client.force_login(make_user(role))
    assert client.get("/").url == page


@pytest.mark.django_db
def test_an_account_without_a_role_is_told_whom_to_ask(client):
    client.force_login(make_user())
    answer = client.get("/")
    assert answer.status_code == 403
    assert "evaluators, admins, researchers" in answer.content.decode()


@pytest.mark.django_db
def test_logins_are_printed_on_a_demo_site_only(client, settings):
    assert b"rate-neurons-1" not in client.get("/accounts/login/").content
    settings.DEMO_SITE = True
    assert b"rate-neurons-1" in client.get("/accounts/login/").content
