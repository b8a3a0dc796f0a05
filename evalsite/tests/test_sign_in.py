"""Ways in: password, code by e-mail, second factor, another organisation; and none that nobody was invited to."""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

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
from evalsite.env import BadSetting, mail_settings, oidc_provider
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


# -- The look ----------------------------------------------------------------------------------------------------------


def test_every_account_page_is_drawn_in_the_look_of_the_site_without_inline_scripts(client):
    make_user(OWNER)
    sign_in(client)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    pages = "profile email password/change sessions 3rdparty 2fa 2fa/totp/activate 2fa/webauthn 2fa/webauthn/add"
    for path in pages.split():
        reply = client.get(f"/accounts/{path}/")
        assert reply.status_code == 200, (path, reply.url)
        text = reply.content.decode()
        assert 'class="site-header"' in text, path
        scripts = re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", text)
        assert scripts == [], path
        assert not re.search(r'(src|href)="https?://', text), path


def test_the_group_of_raters_is_called_as_the_door_expects():
    assert evaluator_create(username="rater", password=PASSWORD).user.groups.get().name == EVALUATOR


# -- Another organisation ----------------------------------------------------------------------------------------------


class Provider(BaseHTTPRequestHandler):
    """A stand-in for an OpenID Connect provider: its description, and one person's token and claims."""

    claims: ClassVar[dict[str, object]] = {}
    asked: ClassVar[list[str]] = []

    def log_message(self, *args):
        pass

    def do_GET(self):
        base = f"http://127.0.0.1:{self.server.server_port}"
        self.asked.append(self.path)
        if self.path == "/.well-known/openid-configuration":
            self.reply(
                {
                    "issuer": base,
                    "authorization_endpoint": f"{base}/authorize",
                    "token_endpoint": f"{base}/token",
                    "userinfo_endpoint": f"{base}/userinfo",
                    "jwks_uri": f"{base}/keys",
                    "token_endpoint_auth_methods_supported": ["client_secret_post"],
                }
            )
        else:
            self.reply(self.claims)

    def do_POST(self):
        self.asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.reply({"access_token": "one", "token_type": "Bearer"})

    def reply(self, data):
        body = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def provider(settings):
    with ThreadingHTTPServer(("127.0.0.1", 0), Provider) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        Provider.asked = []
        settings.SOCIALACCOUNT_PROVIDERS = oidc_provider(
            name="Example University",
            server_url=f"http://127.0.0.1:{server.server_port}",
            client_id="blindscope",
            secret="quiet",
        )
        yield Provider
        server.shutdown()


def come_back(client, **claims):
    """Go to the provider and come back as the person of these claims."""
    Provider.claims = {"sub": "person-1", **claims}
    there = parse_qs(urlsplit(client.post("/accounts/oidc/site/login/").url).query)
    assert there["redirect_uri"] == ["http://testserver/accounts/oidc/site/login/callback/"]
    return client.get("/accounts/oidc/site/login/callback/", {"code": "c", "state": there["state"][0]})


def test_the_page_offers_another_organisation_only_where_one_is_configured(client, provider, settings):
    assert "Sign in with Example University" in client.get(SIGN_IN).content.decode()
    settings.SOCIALACCOUNT_PROVIDERS = {}
    assert "Example University" not in client.get(SIGN_IN).content.decode()
    assert client.post("/accounts/oidc/site/login/").status_code == 404


def test_an_address_that_the_organisation_vouches_for_opens_the_account_that_has_it(client, provider):
    user = make_user(ADMIN, email="anna@example.edu")
    come_back(client, email="anna@example.edu", email_verified=True)
    assert client.session["_auth_user_id"] == str(user.pk)
    assert "code_verifier" in next(sent for sent in provider.asked if "grant_type" in sent)


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "anna@example.edu", "email_verified": False},
        {"email": "stranger@example.edu", "email_verified": True},
        {},
    ],
)
def test_the_organisation_opens_no_other_account_and_makes_none(client, provider, claims):
    make_user(ADMIN, email="anna@example.edu")
    reply = come_back(client, **claims)
    while reply.status_code == 302:
        reply = client.get(reply.url)
    assert not signed_in(client)
    assert get_user_model().objects.count() == 1


def test_an_answer_that_was_not_asked_for_opens_nothing(client, provider):
    make_user(ADMIN, email="anna@example.edu")
    provider.claims = {"sub": "person-1", "email": "anna@example.edu", "email_verified": True}
    client.get("/accounts/oidc/site/login/callback/", {"code": "c", "state": "made-up"})
    assert not signed_in(client)


def test_the_second_factor_is_asked_after_the_organisation_too(client, provider):
    user = make_user(OWNER, email="olga@example.edu")
    TOTP.activate(user, generate_totp_secret())
    assert come_back(client, email="olga@example.edu", email_verified=True).url == "/accounts/2fa/authenticate/"
    assert not signed_in(client)


@pytest.mark.parametrize("missing", ["name", "server_url", "client_id", "secret"])
def test_half_a_provider_stops_the_start(missing):
    values = dict.fromkeys(("name", "server_url", "client_id", "secret"), "x") | {missing: ""}
    with pytest.raises(BadSetting, match=f"BLINDSCOPE_OIDC_{missing.upper()}"):
        oidc_provider(**values)


# -- Mail --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("smtp+tls://me:a%40b@mail.example.org", "mail.example.org", 587, True),
        ("smtp://localhost:2525", "localhost", 2525, False),
    ],
)
def test_a_mail_server_is_read_from_its_address(url, host, port, tls):
    found = mail_settings(url)
    assert (found.host, found.port, found.use_tls) == (host, port, tls)
    assert found.password in {"a@b", ""}


@pytest.mark.parametrize(
    "url", ["", "mail.example.org", "smtp://", "http://x", "file://x", "smtp://me:secret@host:many"]
)
def test_a_mail_address_that_cannot_be_used_stops_the_start_and_repeats_no_password(url):
    with pytest.raises(BadSetting) as refusal:
        mail_settings(url)
    assert "secret" not in str(refusal.value)
