"""A passkey in a real browser: made after the password was asked once more, and then enough to come in."""

import pytest
from allauth.mfa.models import Authenticator

from evalsite.access import OWNER
from evalsite.tests.test_whole_experiment import PASSWORD, Person, browser, make_user  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def with_security_chip(person):
    """Give the browser a virtual authenticator that checks its user, as a telephone or a laptop does."""
    protocol = person.context.new_cdp_session(person.page)
    protocol.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    protocol.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_is_a_second_factor_and_signs_in_by_itself(browser, live_server, settings):  # noqa: F811
    settings.STAFF_MFA = True
    make_user("olga", OWNER)
    olga = Person(browser, live_server, "olga")
    page = olga.page
    with_security_chip(olga)
    page.wait_for_url("**/accounts/profile/")
    olga.open("/accounts/2fa/webauthn/add/")
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.check("input[name=passwordless]")
    page.click("#mfa_webauthn_add")
    page.wait_for_url("**/accounts/2fa/recovery-codes/")
    assert Authenticator.objects.filter(type=Authenticator.Type.WEBAUTHN).count() == 1
    assert olga.open("/people/").status == 200

    page.click("form.sign-out button")
    olga.open("/accounts/login/")
    page.click("#passkey_login")
    page.wait_for_url("**/studies/")
    assert "olga" in page.inner_text("header")
    olga.leave()
