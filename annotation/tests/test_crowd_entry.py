"""Participants come in by a link, on a seat of their own, and out by a code."""

import re

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation import services
from annotation.models import ArmGuess, CrowdPerson, CrowdSubmission, Evaluator, Seat
from annotation.services.crowd import crowd_leave
from annotation.services.crowd_ids import crowd_person_erase
from annotation.services.intake import intake_save
from annotation.tests.factories import make_open_study, make_rater, make_user, practise, rate_all
from annotation.tests.prolific_stand_in import (
    HOST,
    StandIn,
    forged_with_the_public_key,
    forged_without_algorithm,
    object_id,
    stand_in_serving,
)

pytestmark = pytest.mark.django_db
WAY_BACK = "https://app.prolific.com/submissions/complete?cc={code}"
CODES = {
    "code_complete": "CDONE",
    "code_screened_out": "CSCREEN",
    "code_no_consent": "CNOPE",
    "code_timed_out": "CLATE",
}


@pytest.fixture
def stand_in(settings):
    cache.clear()
    with stand_in_serving(StandIn()) as running:
        settings.PROLIFIC_API = running.url
        yield running
    cache.clear()


@pytest.fixture
def study():
    return make_open_study(raters=2, guess={"items": 0})


def make_intake(study, stand_in=None, **changes):
    values = {"signed": stand_in is not None, "audience": HOST, "return_url": WAY_BACK, **CODES}
    return intake_save(study=study, **values | {"external_study": stand_in.study if stand_in else ""} | changes)


def plain(**changes):
    return {"PROLIFIC_PID": object_id(), "STUDY_ID": object_id(), "SESSION_ID": object_id()} | changes


def look(client, intake, parameters):
    return client.get(reverse("crowd:enter", args=[intake.token]), parameters)


def come(client, intake, parameters):
    """Open the link and press the button."""
    page = look(client, intake, parameters)
    if page.status_code != 200:
        return page
    sealed = re.search(r'name="arrival" value="([^"]+)"', page.content.decode())[1]
    return client.post(reverse("crowd:enter", args=[intake.token]), {"arrival": sealed})


def finish_all(client, study):
    user_id = int(client.session["_auth_user_id"])
    practise(user_id, study)
    rate_all(user_id, study)


# -- In ----------------------------------------------------------------------------------------------------------------


def test_a_participant_gets_a_seat_and_goes_straight_to_the_study(client, study, stand_in):
    intake = make_intake(study, stand_in)
    reply = come(client, intake, stand_in.signed(stand_in.participant()))
    assert (reply.status_code, reply["Location"]) == (302, reverse("evaluator:next", args=[study.slug]))
    submission = CrowdSubmission.objects.get()
    assert (submission.status, submission.was_signed, submission.seat.number) == ("started", True, 1)
    assert client.get(reply["Location"], follow=True).status_code == 200


def test_looking_at_the_link_takes_no_seat_and_makes_no_account(client, study, stand_in):
    intake = make_intake(study, stand_in)
    assert look(client, intake, stand_in.signed(stand_in.participant())).status_code == 200
    assert not Evaluator.objects.exists()
    assert not CrowdPerson.objects.exists()


def test_plain_parameters_are_taken_only_where_the_intake_says_so_and_are_flagged(client, study):
    intake = make_intake(study)
    assert come(client, intake, plain()).status_code == 302
    assert not CrowdSubmission.objects.get().was_signed


def test_who_comes_back_goes_on_at_the_same_seat_from_any_browser(client, django_client_again, study, stand_in):
    intake, person = make_intake(study, stand_in), stand_in.participant()
    come(client, intake, stand_in.signed(person))
    come(django_client_again, intake, stand_in.signed(person))
    assert client.session["_auth_user_id"] == django_client_again.session["_auth_user_id"]
    assert CrowdSubmission.objects.count() == Seat.objects.filter(evaluator__isnull=False).count() == 1


@pytest.fixture
def django_client_again():
    return Client()


def test_the_providers_id_is_kept_hashed_and_stands_in_no_other_table(client, study, stand_in):
    intake, person = make_intake(study, stand_in), stand_in.participant()
    come(client, intake, stand_in.signed(person))
    kept = CrowdPerson.objects.get()
    assert kept.external_id == ""
    assert person["PROLIFIC_PID"] not in kept.id_hash
    assert CrowdSubmission.objects.get().session_id == ""
    evaluator = Evaluator.objects.get()
    said = f"{evaluator.pseudonym} {evaluator.user.username} {[str(event.details) for event in study.events.all()]}"
    assert person["PROLIFIC_PID"] not in said
    assert person["SESSION_ID"] not in said
    assert not evaluator.user.has_usable_password()


def test_ids_are_kept_readable_only_where_the_intake_says_so_and_can_be_erased(client, study):
    intake = make_intake(study, keep_ids=True)
    person = plain()
    assert "for payments" in look(client, intake, person).content.decode()
    come(client, intake, person)
    row = CrowdPerson.objects.get()
    assert row.external_id == person["PROLIFIC_PID"]
    assert CrowdSubmission.objects.get().session_id == person["SESSION_ID"]
    crowd_person_erase(person=row)
    row.refresh_from_db()
    assert (row.external_id, CrowdSubmission.objects.get().session_id) == ("", "")
    client.logout()
    come(client, intake, person)
    assert CrowdPerson.objects.count() == 2  # after erasure nothing tells that it is the same person


def test_a_person_of_an_earlier_study_is_the_same_rater_and_is_sent_away_where_only_newcomers_count(client, study):
    person = plain()
    come(client, make_intake(study), person)
    second, third = make_open_study(raters=1), make_open_study(raters=1)
    come(client, make_intake(second), person)
    assert Evaluator.objects.count() == 1
    reply = come(client, make_intake(third, newcomers_only=True), person)
    assert "earlier study" in reply.content.decode()
    assert "CSCREEN" in reply.content.decode()
    assert not third.seats.filter(evaluator__isnull=False).exists()


def test_a_full_study_says_so_politely_and_takes_the_person_when_a_seat_is_free_again(client, study):
    intake = make_intake(study)
    for _ in range(2):
        client.logout()
        come(client, intake, plain())
    client.logout()
    late = plain()
    reply = come(client, intake, late)
    assert "All places" in reply.content.decode()
    assert "submissions/complete?cc=CSCREEN" in reply.content.decode()
    assert "_auth_user_id" not in client.session
    crowd_leave(submission=CrowdSubmission.objects.filter(status="started").first(), status="returned")
    assert come(client, intake, late).status_code == 302


@pytest.mark.parametrize("state", ["paused", "closed", "intake closed"])
def test_a_study_that_takes_in_nobody_says_so_and_keeps_nothing(client, study, state):
    intake = make_intake(study, is_open=state != "intake closed")
    if state == "closed":
        services.study_close(study=study, reason="Enough for today.")
    if state == "paused":
        study.paused_at = study.opened_at
        study.save()
    reply = come(client, intake, plain())
    assert reply.status_code == 403
    assert "takes in nobody" in reply.content.decode()
    assert not CrowdSubmission.objects.exists()


def test_a_member_of_the_staff_who_tries_the_link_keeps_the_own_session(client, study):
    admin = make_user(group="admin")
    client.force_login(admin)
    assert come(client, make_intake(study), plain()).status_code == 403
    assert client.session["_auth_user_id"] == str(admin.pk)


def test_an_unknown_link_is_not_there(client):
    assert client.get("/enter/no-such-token/").status_code == 404


# -- Forgeries ---------------------------------------------------------------------------------------------------------


def refused(client, intake, parameters) -> bool:
    reply = come(client, intake, parameters)
    return reply.status_code == 403 and not CrowdSubmission.objects.exists() and not Evaluator.objects.exists()


def test_an_entry_without_a_signature_is_refused_where_one_is_asked_for(client, study, stand_in):
    assert refused(client, make_intake(study, stand_in), stand_in.participant())


def test_an_expired_signature_is_refused(client, study, stand_in):
    assert refused(client, make_intake(study, stand_in), stand_in.signed(stand_in.participant(), exp=1_700_000_000))


@pytest.mark.parametrize("aud", ["https://other.example/", "other.example", "testserver.evil.example", [], None])
def test_a_signature_for_another_site_is_refused(client, study, stand_in, aud):
    assert refused(client, make_intake(study, stand_in), stand_in.signed(stand_in.participant(), aud=aud))


@pytest.mark.parametrize("aud", [HOST, f"https://{HOST}/enter/x/?PROLIFIC_PID=1", ["other.example", HOST]])
def test_a_signature_for_this_site_counts_whether_it_names_the_host_or_an_address(client, study, stand_in, aud):
    parameters = stand_in.signed(stand_in.participant(), aud=aud)
    assert come(client, make_intake(study, stand_in), parameters).status_code == 302


def test_a_token_that_asks_for_no_algorithm_is_refused(client, study, stand_in):
    person = stand_in.participant()
    token = forged_without_algorithm(stand_in.token(person))
    assert refused(client, make_intake(study, stand_in), {**person, "prolific_token": token})


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(client, study, stand_in):
    person = stand_in.participant()
    token = forged_with_the_public_key(stand_in, stand_in.token(person))
    assert refused(client, make_intake(study, stand_in), {**person, "prolific_token": token})


def test_a_token_signed_with_a_strangers_key_is_refused(client, study, stand_in):
    stranger = StandIn(study=stand_in.study, kid=stand_in.kid)
    assert refused(client, make_intake(study, stand_in), stranger.signed(stand_in.participant()))


def test_a_token_whose_claims_were_changed_is_refused(client, study, stand_in):
    person = stand_in.participant()
    head, claims, mac = stand_in.token(person).split(".")
    other = stand_in.token(stand_in.participant()).split(".")[1]
    assert refused(client, make_intake(study, stand_in), {**person, "prolific_token": f"{head}.{other}.{mac}"})
    assert claims != other


def test_the_id_of_another_participant_beside_a_good_signature_is_refused(client, study, stand_in):
    parameters = stand_in.signed(stand_in.participant()) | {"PROLIFIC_PID": object_id()}
    assert refused(client, make_intake(study, stand_in), parameters)


def test_a_signature_for_another_study_of_the_provider_is_refused(client, study, stand_in):
    parameters = stand_in.signed(stand_in.participant(STUDY_ID=object_id()))
    assert refused(client, make_intake(study, stand_in), parameters)


def test_a_signature_that_names_nobody_is_refused(client, study, stand_in):
    person = stand_in.participant()
    assert refused(client, make_intake(study, stand_in), {"prolific_token": stand_in.token(person, prolific={})})
    assert refused(client, make_intake(study, stand_in), {"prolific_token": stand_in.token(person, prolific="x")})


def test_a_placeholder_that_nobody_filled_in_is_refused(client, study):
    assert refused(client, make_intake(study), plain(PROLIFIC_PID="{{%PROLIFIC_PID%}}"))


def test_the_hidden_field_cannot_be_made_up_or_carried_to_another_study(client, study):
    intake, other = make_intake(study), make_intake(make_open_study())
    page = look(client, intake, plain()).content.decode()
    sealed = re.search(r'name="arrival" value="([^"]+)"', page)[1]
    for field in ("", "made-up", sealed):
        assert client.post(reverse("crowd:enter", args=[other.token]), {"arrival": field}).status_code == 403
    assert not CrowdSubmission.objects.exists()


def test_a_new_key_of_the_provider_is_asked_for_once_and_a_made_up_one_not_again(client, study, stand_in):
    intake = make_intake(study, stand_in)
    come(client, intake, stand_in.signed(stand_in.participant()))
    client.logout()
    stand_in.kid = "a-newer-key"
    del stand_in.key
    assert come(client, intake, stand_in.signed(stand_in.participant())).status_code == 302
    client.logout()
    for number in range(5):
        stranger = StandIn(study=stand_in.study, kid=f"made-up-{number}")
        assert look(client, intake, stranger.signed(stranger.participant())).status_code == 403
    assert stand_in.requests.count("/.well-known/study/jwks.json") == 2


def test_while_the_providers_keys_cannot_be_had_people_are_asked_to_wait(client, study, stand_in, settings):
    intake = make_intake(study, stand_in)
    settings.PROLIFIC_API = "http://127.0.0.1:9"
    reply = look(client, intake, stand_in.signed(stand_in.participant()))
    assert reply.status_code == 503
    assert "in a minute" in reply.content.decode()


# -- Out ---------------------------------------------------------------------------------------------------------------


def test_the_code_comes_when_every_answer_is_stored_and_not_before(client, study, stand_in):
    come(client, make_intake(study, stand_in), stand_in.signed(stand_in.participant()))
    finish = reverse("crowd:finish", args=[study.slug])
    for reply in (client.get(finish), client.post(finish)):
        assert (reply.status_code, reply["Location"]) == (302, reverse("evaluator:next", args=[study.slug]))
    finish_all(client, study)
    assert client.get(finish)["Location"] == reverse("evaluator:next", args=[study.slug])  # a look changes nothing
    assert client.post(finish)["Location"] == finish
    page = client.get(finish).content.decode()
    assert 'href="https://app.prolific.com/submissions/complete?cc=CDONE"' in page
    assert CrowdSubmission.objects.get().code_shown == "CDONE"


def test_who_comes_back_after_the_end_finds_the_code_again(client, study, stand_in):
    intake, person = make_intake(study, stand_in), stand_in.participant()
    come(client, intake, stand_in.signed(person))
    finish_all(client, study)
    client.post(reverse("crowd:finish", args=[study.slug]))
    client.logout()
    reply = come(client, intake, stand_in.signed(person))
    assert "CDONE" in client.get(reply["Location"]).content.decode()


def test_nobody_sees_the_code_of_a_study_in_which_they_do_not_take_part(client, study):
    make_intake(study)
    finish = reverse("crowd:finish", args=[study.slug])
    assert client.get(finish).status_code == client.post(finish).status_code == 404
    client.force_login(make_user(group="evaluators"))
    assert client.get(finish).status_code == client.post(finish).status_code == 404


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        ("screened_out", "not a good match", "CSCREEN"),
        ("no_consent", "did not consent", "CNOPE"),
        ("timed_out", "ran out", "CLATE"),
        ("returned", "gave your place back", None),
    ],
)
def test_each_end_has_its_own_words_and_its_own_code(client, study, status, said, code):
    intake, person = make_intake(study), plain()
    come(client, intake, person)
    crowd_leave(submission=CrowdSubmission.objects.get(), status=status)
    assert not study.seats.filter(evaluator__isnull=False).exists()
    page = come(client, intake, person).content.decode()
    assert said in page
    assert {found for found in (*CODES.values(),) if found in page} == ({code} if code else set())


@pytest.mark.parametrize("policy", ["keep", "discard"])
def test_the_frozen_policy_says_what_becomes_of_answers_when_the_place_is_given_back(client, policy):
    study = make_open_study(raters=1, crowd={"on_return": policy})
    come(client, make_intake(study), plain())
    user_id = int(client.session["_auth_user_id"])
    practise(user_id, study)
    rate_all(user_id, study)
    crowd_leave(submission=CrowdSubmission.objects.get(), status="returned")
    kept = study.seats.get().assignments.filter(judgments__is_current=True).count()
    assert kept == (study.seats.get().assignments.count() if policy == "keep" else 0)


# -- Settings of an intake ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/?cc={code}", "http://app.prolific.com/?cc={code}", "//app.prolific.com/{code}",
        "https://app.prolific.com@evil.example/{code}", "https://app.prolific.com.evil.example/{code}",
        "javascript:alert(1)", "https://app.prolific.com\\@evil.example/", "https://evil.example/#app.prolific.com",
        "https://app.prolific.com:8443/{code}", "https://{code}.evil.example/",
    ],
)  # fmt: skip
def test_participants_cannot_be_sent_to_a_host_that_is_not_allowed(study, address):
    with pytest.raises(services.IntakeRefused) as refusal:
        make_intake(study, return_url=address)
    assert refusal.value.field == "return_url"


def test_a_host_that_is_allowed_no_longer_gets_nobody(client, study, settings):
    intake = make_intake(study)
    come(client, intake, plain())
    finish_all(client, study)
    client.post(reverse("crowd:finish", args=[study.slug]))
    settings.CROWD_RETURN_HOSTS = ["other.example"]
    page = client.get(reverse("crowd:finish", args=[study.slug])).content.decode()
    assert "app.prolific.com" not in page
    assert "CDONE" in page


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code_screened_out": "CDONE"}, "code_screened_out"),
        ({"code_complete": "<b>"}, "code_complete"),
        ({"person_parameter": ""}, "person_parameter"),
        ({"person_parameter": "a b"}, "person_parameter"),
        ({"session_parameter": "PROLIFIC_PID"}, "person_parameter"),
        ({"signed": True, "audience": ""}, "audience"),
        ({"signed": True, "provider": "generic"}, "signed"),
        ({"reward": -1}, "reward"),
        ({"currency": "pounds"}, "currency"),
    ],
)
def test_an_intake_that_cannot_work_is_refused_with_the_field_to_correct(study, changes, field):
    with pytest.raises(services.IntakeRefused) as refusal:
        make_intake(study, **changes)
    assert refusal.value.field == field


def test_a_provider_of_any_kind_can_be_used_by_the_names_of_its_parameters(client, study):
    intake = make_intake(
        study, provider="generic", person_parameter="workerId", study_parameter="", session_parameter="", return_url=""
    )
    assert come(client, intake, {"workerId": "A1"}).status_code == 302
    finish_all(client, study)
    client.post(reverse("crowd:finish", args=[study.slug]))
    assert "CDONE" in client.get(reverse("crowd:finish", args=[study.slug])).content.decode()


# -- Other ends --------------------------------------------------------------------------------------------------------


def finish(client, study):
    """Press the button on the last page and read what comes."""
    return client.post(reverse("crowd:finish", args=[study.slug]), follow=True).content.decode()


def test_the_last_page_leads_back_to_the_provider_and_only_for_who_came_from_there(client, study):
    come(client, make_intake(study), plain())
    finish_all(client, study)
    done = reverse("evaluator:next", args=[study.slug])
    button = f'action="{reverse("crowd:finish", args=[study.slug])}"'
    ArmGuess.objects.update(guess="dk", answered_at=timezone.now())
    assert button in client.get(done, follow=True).content.decode()
    other = Client()
    other.force_login(Evaluator.objects.get(user_id=make_rater(study)).user)
    rate_all(int(other.session["_auth_user_id"]), study)
    assert button not in other.get(done, follow=True).content.decode()


def test_the_code_waits_for_the_last_questions_too(client):
    study = make_open_study(raters=1, guess={"items": 1})
    come(client, make_intake(study), plain())
    finish_all(client, study)
    assert "CDONE" not in finish(client, study)
    assert CrowdSubmission.objects.get().status == "started"
    ArmGuess.objects.update(guess="dk", answered_at=timezone.now())
    assert "CDONE" in finish(client, study)


def test_who_does_not_pass_the_training_gets_the_code_of_the_screened_out_and_the_seat_is_free(client, study):
    come(client, make_intake(study), plain())
    assert "CSCREEN" not in finish(client, study)
    study.seats.filter(evaluator__isnull=False).update(screened_out_at=timezone.now())
    page = client.get(reverse("evaluator:screened", args=[study.slug])).content.decode()
    assert reverse("crowd:finish", args=[study.slug]) in page
    assert "CSCREEN" in finish(client, study)
    assert study.seats.filter(evaluator__isnull=True).count() == 2


def test_who_does_not_consent_gets_the_code_for_that_and_nothing_is_kept_of_them(client):
    study = make_open_study(raters=1, consent={"text": "We ask you to read."})
    come(client, make_intake(study), plain())
    version = study.rater_text["consent"]["version"]
    page = client.post(
        reverse("evaluator:consent", args=[study.slug]), {"version": version, "agrees": "no"}, follow=True
    )
    assert page.status_code == 200
    assert "CNOPE" in finish(client, study)
    assert CrowdSubmission.objects.get().status == "no_consent"
    assert study.seats.get().evaluator is None


def test_whose_seat_was_given_to_somebody_else_is_told_so(client, study):
    intake, person = make_intake(study), plain()
    come(client, intake, person)
    services.seat_vacate(seat=study.seats.get(evaluator__isnull=False), keep=True, reason="No answer for a week.")
    assert "given up" in finish(client, study)
    assert "given up" in come(client, intake, person).content.decode()
    assert CrowdSubmission.objects.get().status == "left"
