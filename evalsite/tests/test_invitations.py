"""Links that let people in: once per use, also when many come at the same moment."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from annotation.models import Evaluator, Invitation, PersonalLink, Seat, StudyEvent
from annotation.services.errors import InvitationRefused, StudyRefused
from annotation.services.invitations import (
    invitation_accept_anonymously,
    invitation_create,
    invitation_revoke,
    token_sha256,
)
from annotation.tests.factories import make_open_study, make_rater, make_study
from evalsite.access import ADMIN, AUDITOR, EVALUATOR, OWNER, roles_of
from evalsite.tests.test_access import make_user

pytestmark = pytest.mark.django_db
PASSWORD = "quite-a-long-one-7"
CALLERS = 8


@pytest.fixture
def study():
    return make_open_study(raters=3)


def link_of(study, **values):
    made = invitation_create(study=study, **values)
    return made.row, f"/join/{made.token}/"


def start(client, link, **values):
    return client.post(link, {"act": "anonymous", "email": "", **values})


# -- Raters ------------------------------------------------------------------------------------------------------------


def test_looking_at_a_link_uses_nothing_up(client, study):
    row, link = link_of(study)
    for _ in range(3):
        assert study.title in client.get(link).content.decode()
        client.head(link)
    row.refresh_from_db()
    assert (row.uses, Evaluator.objects.count()) == (0, 0)


def test_a_rater_starts_without_an_account_and_comes_back_by_the_personal_link(client, study):
    _, link = link_of(study)
    shown = start(client, link).content.decode()
    personal = re.search(r'id="personal-link" href="http://testserver(/join/me/[^"]+)"', shown)[1]
    evaluator = Evaluator.objects.get()
    assert roles_of(evaluator.user) == {EVALUATOR}
    assert not evaluator.user.has_usable_password()
    assert Seat.objects.get(evaluator=evaluator).number == 1
    assert study.title in client.get("/rate/").content.decode()
    elsewhere = Client()
    assert elsewhere.get(personal).status_code == 200
    assert elsewhere.get("/rate/").status_code == 302
    elsewhere.post(personal)
    assert study.title in elsewhere.get("/rate/").content.decode()


def test_neither_kind_of_token_is_stored(client, study):
    made = invitation_create(study=study)
    personal = re.search(r"/join/me/([^/]+)/", start(client, f"/join/{made.token}/").content.decode())[1]
    assert made.row.token_sha256 == token_sha256(made.token)
    assert PersonalLink.objects.get().token_sha256 == token_sha256(personal)
    logged = "".join(StudyEvent.objects.values_list("record", flat=True))
    assert made.token not in logged
    assert personal not in logged


def test_a_new_personal_link_ends_the_earlier_one(client, study):
    _, link = link_of(study)
    old = re.search(r"/join/me/[^\"]+/", start(client, link).content.decode())[0]
    new = re.search(r"/join/me/[^\"]+/", client.post("/accounts/profile/link/").content.decode())[0]
    assert (Client().get(old).status_code, Client().get(new).status_code) == (404, 200)


def test_a_rater_who_gives_an_address_gets_the_link_by_mail_too(client, study):
    _, link = link_of(study)
    start(client, link, email="rater@example.org")
    assert mail.outbox[0].to == ["rater@example.org"]
    assert "/join/me/" in mail.outbox[0].body
    assert Evaluator.objects.get().user.email == "rater@example.org"


@pytest.mark.parametrize(
    ("given", "usable"), [({"password": PASSWORD}, True), ({"password": "", "email": "e@example.org"}, False)]
)
def test_a_rater_makes_an_account_with_a_password_or_with_an_address(client, study, given, usable):
    _, link = link_of(study)
    client.post(link, {"act": "account", "username": "eva", "email": "", **given})
    user = get_user_model().objects.get(username="eva")
    assert user.has_usable_password() == usable
    assert client.get("/rate/").status_code == 200


@pytest.mark.parametrize(
    "given",
    [
        {"username": "eva", "password": "", "email": ""},
        {"username": "eva", "password": "12345", "email": ""},
        {"username": "", "password": PASSWORD, "email": ""},
        {"username": "taken", "password": PASSWORD, "email": ""},
        {"username": "eva", "password": PASSWORD, "email": "taken@example.org"},
    ],
)
def test_a_refused_account_uses_nothing_up_and_keeps_what_was_typed(client, study, given):
    make_user(ADMIN, name="taken", email="taken@example.org")
    row, link = link_of(study)
    reply = client.post(link, {"act": "account", **given})
    assert reply.status_code == 200
    assert f'value="{given["username"]}"' in reply.content.decode() or not given["username"]
    row.refresh_from_db()
    assert (row.uses, Seat.objects.filter(evaluator__isnull=False).count()) == (0, 0)
    assert get_user_model().objects.count() == 1


def test_a_rater_with_an_account_takes_a_seat_in_one_more_study(client, study):
    client.force_login(get_user_model().objects.get(pk=make_rater(make_open_study(slug="first"))))
    _, link = link_of(study)
    client.post(link, {"act": "as"})
    assert Seat.objects.filter(evaluator__user=client.session["_auth_user_id"]).count() == 2


def test_staff_cannot_become_raters_nor_raters_staff(client, study):
    admin = make_user(ADMIN)
    client.force_login(admin)
    row, link = link_of(study)
    client.post(link, {"act": "as"})
    assert not Evaluator.objects.filter(user=admin).exists()
    rater = Client()
    user = get_user_model().objects.get(pk=make_rater(study))
    rater.force_login(user)
    staff = invitation_create(role=OWNER)
    rater.post(f"/join/{staff.token}/", {"act": "as"})
    assert roles_of(user) == {EVALUATOR}
    for row in Invitation.objects.all():
        assert row.uses == 0


@pytest.mark.parametrize("spoilt", ["used", "expired", "revoked", "never made"])
def test_a_link_that_lets_nobody_in_says_the_same_whatever_became_of_it(client, study, spoilt):
    row, link = link_of(study)
    if spoilt == "used":
        start(Client(), link)
    elif spoilt == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif spoilt == "revoked":
        invitation_revoke(invitation=row)
    else:
        link = "/join/no-such-token/"
    before, nowhere = Evaluator.objects.count(), client.get("/join/another-one/").content
    assert client.get(link).content == nowhere
    assert start(client, link).status_code == 404
    assert Evaluator.objects.count() == before


def test_a_link_for_more_people_than_seats_lets_in_as_many_as_there_are_seats(study):
    _, link = link_of(study, uses=10)
    said = [start(Client(), link).content.decode() for _ in range(5)]
    assert sum("Keep this link" in page for page in said) == 3
    assert "seats" in said[-1]
    assert Invitation.objects.get().uses == 3
    assert Evaluator.objects.count() == 3


def test_raters_are_invited_to_a_study_that_can_seat_them():
    with pytest.raises(InvitationRefused, match="frozen or open"):
        invitation_create(study=make_study())
    with pytest.raises(InvitationRefused, match="one of the two"):
        invitation_create()


@pytest.mark.parametrize("numbers", [{"uses": 0}, {"uses": 501}, {"days": 0}, {"days": 366}])
def test_numbers_out_of_range_are_refused(study, numbers):
    with pytest.raises(InvitationRefused, match="give a number"):
        invitation_create(study=study, **numbers)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("uses", "seats", "let_in"), [(3, 20, 3), (50, 4, 4)])
def test_many_who_come_at_once_get_no_more_places_than_there_are(uses, seats, let_in):
    study = make_open_study(raters=seats, raters_per_neuron=1)
    made, gate = invitation_create(study=study, uses=uses), threading.Barrier(CALLERS)

    def come(_: int) -> bool:
        gate.wait(timeout=30)
        try:
            invitation_accept_anonymously(token=made.token)
        except StudyRefused:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(CALLERS) as pool:
        came = list(pool.map(come, range(CALLERS)))
    taken = Seat.objects.filter(study=study, evaluator__isnull=False)
    assert sum(came) == let_in == taken.count() == Evaluator.objects.count() == Invitation.objects.get().uses
    assert taken.values("evaluator").distinct().count() == let_in


# -- Staff -------------------------------------------------------------------------------------------------------------


def test_the_first_owner_comes_in_by_a_link_from_the_command(client, capsys):
    call_command("staff_invite", "owner", url="http://testserver/")
    link = capsys.readouterr().out.strip()
    client.post(link, {"act": "account", "username": "olga", "password": PASSWORD, "email": ""})
    assert OWNER in roles_of(get_user_model().objects.get(username="olga"))
    assert client.get("/people/").status_code == 200


def test_an_owner_invites_somebody_by_mail_and_can_take_it_back(client):
    client.force_login(make_user(OWNER))
    client.post("/people/invite/", {"role": "auditor", "email": "aud@example.org", "days": "3"})
    assert mail.outbox[0].to == ["aud@example.org"]
    link = re.search(r"http://testserver(/join/\S+)", mail.outbox[0].body)[1]
    client.post(f"/people/invitations/{Invitation.objects.get().public_id}/revoke/")
    assert Client().get(link).status_code == 404
    assert "revoked" in client.get("/people/").content.decode()


def test_one_of_the_staff_takes_one_more_role(client):
    user = make_user(ADMIN)
    client.force_login(user)
    made = invitation_create(role="auditor")
    client.post(f"/join/{made.token}/", {"act": "as"})
    assert roles_of(user) == {ADMIN, AUDITOR}


# -- An owner's pages --------------------------------------------------------------------------------------------------


@pytest.fixture
def owner(client):
    client.force_login(make_user(OWNER, name="olga"))
    return client


def test_an_owner_sees_who_is_there_in_which_roles_and_no_raters(owner, study):
    make_user(ADMIN, AUDITOR, name="anna")
    make_rater(study)
    text = owner.get("/people/").content.decode()
    assert "admin, auditor" in text
    assert "rater-" not in text


def test_roles_are_given_and_taken_and_the_log_remembers_without_a_name(owner):
    anna = make_user(ADMIN, name="anna")
    owner.post(f"/people/{anna.pk}/", {"act": "roles", "roles": ["auditor", "monitor"]})
    assert roles_of(anna) == {"auditor", "monitor"}
    line = StudyEvent.objects.get(action="roles changed")
    assert (line.old, line.new) == (["admin"], ["auditor", "monitor"])
    assert "anna" not in line.record


def test_the_last_owner_stays_an_owner_with_an_open_account(owner):
    olga = get_user_model().objects.get(username="olga")
    said = owner.post(f"/people/{olga.pk}/", {"act": "roles", "roles": []}).content.decode()
    assert "only owner" in said
    owner.post(f"/people/{olga.pk}/", {"act": "close"})
    olga.refresh_from_db()
    assert OWNER in roles_of(olga)


def test_a_closed_account_is_out_at_once_and_can_be_opened_again(owner):
    anna = make_user(ADMIN, name="anna")
    hers = Client()
    hers.force_login(anna)
    owner.post(f"/people/{anna.pk}/", {"act": "close"})
    assert hers.get("/studies/").status_code == 302
    owner.post(f"/people/{anna.pk}/", {"act": "open"})
    hers.force_login(anna)
    assert hers.get("/studies/").status_code == 200


def test_a_raters_account_is_not_reached_by_an_owners_page(owner, study):
    rater = make_rater(study)
    assert owner.get(f"/people/{rater}/").status_code == 404
    assert owner.post(f"/people/{rater}/", {"act": "roles", "roles": ["owner"]}).status_code == 404


def test_an_admin_makes_a_link_for_a_study_and_takes_it_back(client, study):
    client.force_login(make_user(ADMIN))
    address = f"/studies/{study.slug}/invitations/"
    made = client.post(address, {"uses": "2", "days": "5", "anonymous": "on", "kind": "human", "email": ""})
    link = re.search(r"http://testserver(/join/[\w-]+/)", made.content.decode())[1]
    assert Client().get(link).status_code == 200
    assert link not in client.get(address).content.decode()
    client.post(f"{address}{Invitation.objects.get().public_id}/take-back/")
    assert Client().get(link).status_code == 404
