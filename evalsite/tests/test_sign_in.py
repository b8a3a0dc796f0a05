"""Ways in: password, code by e-mail, second factor, another organisation; and none that nobody was invited to."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value
from allauth.usersessions.models import UserSession
from django.contrib.auth import get_user_model
from django.core import mail
from django.core.cache import cache
from django.test import Client

from annotation.services import evaluator_create
from evalsite.access import ADMIN, EVALUATOR, OWNER
from evalsite.tests.test_access import make_user

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password-1"
SIGN_IN = "/accounts/login/"


@pytest.fixture(autouse=True)
def fresh_cache():
    cache.clear()


def signed_in(client) -> bool:
    return "_auth_user_id" in client.session


def sign_in(client, name="somebody", password=PASSWORD, **more):
    return client.post(SIGN_IN, {"username": name, "password": password, **more})


# -- Password and code -------------------------------------------------------------------------------------------------


def test_a_user_name_or_an_address_with_the_password_opens_the_door_and_leads_on(client):
    make_user(ADMIN, email="somebody@example.org")
    assert sign_in(client, next="/studies/").url == "/studies/"
    client.post("/accounts/logout/")
    sign_in(client, "somebody@example.org")
    assert signed_in(client)


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(client):
    make_user(ADMIN)
    token = re.compile(rb'(name="csrfmiddlewaretoken" value="[^"]+")|(value="\w+" autocomplete="username")')
    wrong, unknown = sign_in(client, password="not-this-one"), sign_in(client, name="nobody")
    assert token.sub(b"", wrong.content) == token.sub(b"", unknown.content)
    assert not signed_in(client)


def test_the_way_on_never_leads_to_another_site(client):
    make_user(ADMIN)
    assert sign_in(client, next="https://elsewhere.example/").url == "/"


def test_guessing_a_password_is_stopped_after_five_tries(client, settings):
    settings.ACCOUNT_RATE_LIMITS = {}
    make_user(ADMIN)
    for _ in range(5):
        assert sign_in(client, password="not-this-one").status_code == 200
    said = sign_in(client).content.decode()
    assert "Too many failed login attempts" in said
    assert not signed_in(client)


def test_a_code_sent_by_mail_opens_the_door_once(client):
    make_user(ADMIN, email="somebody@example.org")
    client.post("/accounts/login/code/", {"email": "somebody@example.org"})
    code = re.search(r"^\s*([A-Z0-9-]{6,12})\s*$", mail.outbox[0].body, re.MULTILINE)[1]
    client.post("/accounts/login/code/confirm/", {"code": code})
    assert signed_in(client)
    other = Client()
    other.post("/accounts/login/code/confirm/", {"code": code})
    assert not signed_in(other)


def test_no_mail_goes_to_an_address_without_an_account_and_the_page_does_not_tell(client):
    make_user(ADMIN, email="somebody@example.org")
    known = client.post("/accounts/login/code/", {"email": "somebody@example.org"})
    unknown = Client().post("/accounts/login/code/", {"email": "nobody@example.org"})
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    assert [message.to for message in mail.outbox] == [["somebody@example.org"]]


def test_nobody_makes_an_account_on_their_own(client):
    assert "by invitation" in client.get("/accounts/signup/").content.decode()
    client.post(
        "/accounts/signup/",
        {"username": "stranger", "password1": PASSWORD, "password2": PASSWORD, "email": "stranger@example.org"},
    )
    assert not get_user_model().objects.exists()


def test_a_closed_account_is_not_opened_by_its_password(client):
    make_user(ADMIN, is_active=False)
    sign_in(client)
    assert not signed_in(client)


def test_where_staff_are_signed_in_is_kept_for_them_and_raters_leave_no_address(client):
    make_user(ADMIN)
    sign_in(client)
    assert UserSession.objects.get().user.username == "somebody"
    evaluator_create(username="rater", password=PASSWORD)
    rater = Client()
    sign_in(rater, "rater")
    assert signed_in(rater)
    assert UserSession.objects.count() == 1


# -- Second factor -----------------------------------------------------------------------------------------------------


@pytest.fixture
def staff_mfa(settings):
    settings.STAFF_MFA = True


def totp_code(secret: str) -> str:
    return f"{hotp_value(secret, int(time.time()) // 30):06}"


def test_staff_without_a_second_factor_reach_their_account_and_nothing_else(client, staff_mfa):
    client.force_login(make_user(OWNER))
    for page in ("/studies/", "/reports/", "/neurons/", "/people/", "/admin/"):
        assert client.get(page).url == "/accounts/profile/"
        assert client.post(page).url == "/accounts/profile/"
    assert "need a second factor" in client.get("/accounts/profile/").content.decode()
    assert client.get("/accounts/2fa/").status_code == 200


def test_raters_need_no_second_factor(client, staff_mfa):
    client.force_login(evaluator_create(username="rater", password=PASSWORD).user)
    assert client.get("/rate/").status_code == 200


def test_a_second_factor_is_set_up_after_the_password_was_asked_once_more(client, staff_mfa):
    make_user(OWNER)
    sign_in(client)
    assert client.get("/accounts/2fa/totp/activate/").url.startswith("/accounts/reauthenticate/")
    client.post("/accounts/reauthenticate/?next=/accounts/2fa/totp/activate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    secret = re.search(r'id="authenticator_secret"[^>]*value="(\w+)"', page)[1]
    client.post("/accounts/2fa/totp/activate/", {"code": totp_code(secret)})
    assert client.get("/people/").status_code == 200
    kinds = set(Authenticator.objects.values_list("type", flat=True))
    assert kinds == {Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES}


def test_a_password_alone_does_not_open_an_account_with_a_second_factor(client):
    user, secret = make_user(OWNER), generate_totp_secret()
    TOTP.activate(user, secret)
    assert sign_in(client).url == "/accounts/2fa/authenticate/"
    assert not signed_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert not signed_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": totp_code(secret)})
    assert signed_in(client)


def test_a_recovery_code_is_no_second_factor_of_its_own(client, staff_mfa):
    user = make_user(OWNER)
    RecoveryCodes.activate(user)
    client.force_login(user)
    assert client.get("/people/").url == "/accounts/profile/"


# -- Once more ---------------------------------------------------------------------------------------------------------


def test_changing_roles_asks_for_the_password_and_then_goes_on_with_what_was_sent(client, settings):
    settings.REAUTHENTICATION = True
    make_user(OWNER)
    other = make_user(ADMIN, name="other")
    sign_in(client)
    asked = client.post(f"/people/{other.pk}/", {"act": "roles", "roles": ["auditor"]})
    assert asked.url.startswith("/accounts/reauthenticate/")
    assert [group.name for group in other.groups.all()] == [ADMIN]
    client.post(asked.url, {"password": "wrong-password"})
    assert [group.name for group in other.groups.all()] == [ADMIN]
    client.post(asked.url, {"password": PASSWORD})
    assert [group.name for group in other.groups.all()] == ["auditor"]


# -- Another organisation ----------------------------------------------------------------------------------------------


def test_the_page_offers_another_organisation_only_where_one_is_configured(client, settings):
    assert "Example University" not in client.get(SIGN_IN).content.decode()
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {"APPS": [{"provider_id": "site", "name": "Example University", "client_id": "b"}]}
    }
    assert "Sign in with Example University" in client.get(SIGN_IN).content.decode()


def test_every_account_page_is_drawn_in_the_look_of_the_site_without_inline_scripts(client):
    make_user(OWNER)
    sign_in(client)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    pages = "profile/ email/ password/change/ 2fa/ 2fa/totp/activate/ 2fa/webauthn/add/ 2fa/webauthn/ sessions/ 3rdparty/"
    for path in pages.split():
        reply = client.get(f"/accounts/{path}")
        assert reply.status_code == 200, (path, reply.url)
        text = reply.content.decode()
        assert 'class="site-header"' in text, path
        scripts = re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", text)
        assert scripts == [], path
        assert not re.search(r'(src|href)="https?://', text), path


def test_the_group_of_raters_is_called_as_the_door_expects():
    assert evaluator_create(username="rater", password=PASSWORD).user.groups.get().name == EVALUATOR
