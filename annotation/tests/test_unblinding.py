"""The key opens by two persons, or by one if the protocol says so; each of them shows again who they are."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation import services
from annotation.models import Evaluator, Study, Unblinding, UnblindingRequest
from annotation.sealed.keys import StudyStillBlinded, keys_read
from annotation.services import ReasonMissing, StudyWrongState, UnblindingRefused
from annotation.services.unblinding import request_open
from annotation.tests.factories import PASSWORD, make_closed_study, make_open_study, make_user

pytestmark = pytest.mark.django_db
WHY = "All judgments are in."


@pytest.fixture(autouse=True)
def no_wrong_passwords_of_other_tests():
    cache.clear()


@pytest.fixture
def study() -> Study:
    return make_closed_study(raters=1, blinding={"unblinders": 2})


def person(role: str = "unblinder"):
    return make_user(group=role)


def browser_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_one_person_alone_cannot_open_the_key_of_two(study):
    first = person()
    with pytest.raises(UnblindingRefused, match="asks for two persons"):
        services.study_unblind(study=study, reason=WHY, by=first)
    services.unblinding_request(study=study, reason=WHY, by=first)
    with pytest.raises(UnblindingRefused, match="second person"):
        services.unblinding_confirm(study=study, by=first)
    with pytest.raises(StudyStillBlinded):
        keys_read(study)


def test_a_second_person_confirms_and_both_are_on_record(study):
    first, second = person(), person("owner")
    services.unblinding_request(study=study, reason=WHY, by=first)
    services.unblinding_confirm(study=study, by=second)
    act = Unblinding.objects.get(study=study)
    assert (act.by, act.confirmed_by, act.reason) == (first, second, WHY)
    assert keys_read(study)
    asked, opened = study.events.get(action="unblinding asked for"), study.events.get(action="unblinded")
    assert (asked.actor.user, asked.reason) == (first, WHY)
    assert (opened.actor.user, opened.details["persons"]) == (second, 2)


@pytest.mark.parametrize("role", ["admin", "statistician", "monitor", "auditor", ""])
def test_only_unblinders_and_owners_ask_and_confirm(study, role):
    with pytest.raises(UnblindingRefused, match="may not unblind"):
        services.unblinding_request(study=study, reason=WHY, by=person(role))
    services.unblinding_request(study=study, reason=WHY, by=person())
    with pytest.raises(UnblindingRefused, match="may not unblind"):
        services.unblinding_confirm(study=study, by=person(role))


def test_who_rates_in_a_study_cannot_unblind_it(study):
    rater = Evaluator.objects.get(seats__study=study).user
    rater.is_superuser = True
    rater.save()
    with pytest.raises(UnblindingRefused, match="has a seat"):
        services.unblinding_request(study=study, reason=WHY, by=rater)


def test_a_request_can_be_withdrawn_and_made_again(study):
    first, second = person(), person()
    services.unblinding_request(study=study, reason=WHY, by=first)
    services.unblinding_withdraw(study=study, by=second)
    with pytest.raises(UnblindingRefused, match="no request to confirm"):
        services.unblinding_confirm(study=study, by=second)
    services.unblinding_request(study=study, reason=WHY, by=second)
    services.unblinding_confirm(study=study, by=first)
    assert list(UnblindingRequest.objects.values_list("outcome", flat=True)) == ["withdrawn", "confirmed"]


def test_a_request_that_nobody_confirms_ends_after_a_week(study):
    first, second = person(), person()
    asked = services.unblinding_request(study=study, reason=WHY, by=first)
    with pytest.raises(UnblindingRefused, match="asked already"):
        services.unblinding_request(study=study, reason=WHY, by=second)
    UnblindingRequest.objects.filter(pk=asked.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert request_open(study) is None
    with pytest.raises(UnblindingRefused, match="too old"):
        services.unblinding_confirm(study=study, by=second)
    services.unblinding_request(study=study, reason=WHY, by=second)
    assert list(UnblindingRequest.objects.values_list("outcome", flat=True)) == ["expired", ""]


def test_a_request_needs_a_reason_and_a_closed_study(study):
    with pytest.raises(ReasonMissing):
        services.unblinding_request(study=study, reason="now", by=person())
    with pytest.raises(StudyWrongState, match="must be closed"):
        services.unblinding_request(study=make_open_study(blinding={"unblinders": 2}), reason=WHY, by=person())


def test_a_protocol_of_one_person_takes_no_requests():
    study = make_closed_study(raters=1)
    with pytest.raises(UnblindingRefused, match="one person only"):
        services.unblinding_request(study=study, reason=WHY, by=person())
    services.study_unblind(study=study, reason=WHY, by=person())
    assert Unblinding.objects.get(study=study).confirmed_by is None


# -- Pages -------------------------------------------------------------------------------------------------------------


def sent(study, **changes: str) -> dict[str, str]:
    return {"reason": WHY, "typed_slug": study.slug, "password": PASSWORD} | changes


def test_two_persons_unblind_through_the_pages(study):
    first, second = browser_of(person()), browser_of(person())
    step, confirm = reverse("staff:step", args=[study.slug, "unblind"]), reverse("staff:unblinding", args=[study.slug])
    page = first.get(step).content.decode()
    assert "Ask for the unblinding" in page
    assert "You have asked" in first.post(step, sent(study), follow=True).content.decode()
    assert not Unblinding.objects.exists()
    assert first.get(step).url == confirm
    assert "Somebody else who may unblind has to confirm" in first.get(confirm).content.decode()
    assert "second person" in first.post(confirm, sent(study)).content.decode()
    assert WHY in second.get(reverse("staff:study", args=[study.slug])).content.decode()
    second.post(confirm, sent(study))
    study.refresh_from_db()
    assert study.state == Study.State.UNBLINDED
    assert "(confirmed by" in second.get(reverse("staff:study", args=[study.slug])).content.decode()


@pytest.mark.parametrize(("field", "value"), [("password", "not-my-password"), ("typed_slug", "another")])
def test_the_second_person_types_the_name_of_the_study_and_their_password(study, field, value):
    services.unblinding_request(study=study, reason=WHY, by=person())
    reply = browser_of(person()).post(reverse("staff:unblinding", args=[study.slug]), sent(study, **{field: value}))
    assert set(reply.context["form"].errors) == {field}
    assert not Unblinding.objects.exists()


def test_a_request_is_turned_down_by_a_button(study):
    services.unblinding_request(study=study, reason=WHY, by=person())
    reply = browser_of(person()).post(reverse("staff:unblinding_withdraw", args=[study.slug]), follow=True)
    assert "The key stays closed" in reply.content.decode()
    assert request_open(study) is None


@pytest.mark.parametrize("step", ["freeze", "close", "unblind"])
def test_steps_that_count_ask_for_the_password_again(step):
    from annotation.tests.factories import make_study

    study = {"freeze": make_study, "close": make_open_study, "unblind": make_closed_study}[step]()
    before, client = study.state, browser_of(make_user(group="owner"))
    address = reverse("staff:step", args=[study.slug, step])
    for password in ("", "not-my-password"):
        reply = client.post(address, sent(study, password=password))
        assert set(reply.context["form"].errors) == {"password"}
        assert PASSWORD not in reply.content.decode()
        assert WHY in reply.content.decode()
    study.refresh_from_db()
    assert study.state == before


def test_five_wrong_passwords_are_enough_for_a_while():
    study, owner = make_open_study(), make_user(group="owner")
    client, address = browser_of(owner), reverse("staff:step", args=[study.slug, "close"])
    for _ in range(5):
        client.post(address, sent(study, password="a-guess"))
    reply = client.post(address, sent(study))
    assert "Too many wrong passwords" in reply.content.decode()
    other = browser_of(make_user(group="owner"))
    other.post(address, sent(study))
    study.refresh_from_db()
    assert study.state == Study.State.CLOSED


def test_an_account_without_a_password_shows_its_second_factor_again():
    from allauth.mfa.models import Authenticator

    study, owner = make_open_study(), make_user(group="owner")
    owner.set_unusable_password()
    owner.save()
    Authenticator.objects.create(user=owner, type=Authenticator.Type.TOTP, data={"secret": "x"})
    client, address = browser_of(owner), reverse("staff:step", args=[study.slug, "close"])
    assert "password" not in client.get(address).context["form"].fields
    reply = client.post(address, {"reason": "All raters are done."})
    assert reply.url.startswith(reverse("mfa_reauthenticate"))
    study.refresh_from_db()
    assert study.state == Study.State.OPEN


# -- Command -----------------------------------------------------------------------------------------------------------


def test_on_the_server_two_accounts_take_two_commands(study, monkeypatch):
    first, second = person(), person()
    monkeypatch.setattr("getpass.getpass", lambda prompt: PASSWORD)
    with pytest.raises(CommandError, match="two persons"):
        call_command("study_unblind", study.slug, "--reason", WHY)
    call_command("study_unblind", study.slug, "--reason", WHY, "--as", first.username)
    with pytest.raises(CommandError, match="second person"):
        call_command("study_unblind", study.slug, "--confirm", "--as", first.username)
    monkeypatch.setattr("getpass.getpass", lambda prompt: "a-guess")
    with pytest.raises(CommandError, match="not the password"):
        call_command("study_unblind", study.slug, "--confirm", "--as", second.username)
    monkeypatch.setattr("getpass.getpass", lambda prompt: PASSWORD)
    call_command("study_unblind", study.slug, "--confirm", "--as", second.username)
    assert Unblinding.objects.get(study=study).confirmed_by == second
