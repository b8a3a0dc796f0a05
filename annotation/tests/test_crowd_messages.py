"""What a provider's server says: believed when signed and fresh, acted on once, and compared with its own list."""

import json
import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from annotation.models import CrowdEvent, CrowdIntake, CrowdSubmission
from annotation.providers.prolific_api import ProviderApi, ProviderFailed
from annotation.services.crowd import Arrival, crowd_enter, crowd_finish
from annotation.services.crowd_ids import crowd_person_erase
from annotation.services.reconcile import crowd_reconcile
from annotation.tests.factories import make_open_study, practise, rate_all
from annotation.tests.prolific_stand_in import SECRET, TOKEN, StandIn, stand_in_serving
from annotation.tests.test_crowd_entry import make_intake

pytestmark = pytest.mark.django_db
HOOK = "/enter/-/hooks/prolific/"


@pytest.fixture
def study():
    return make_open_study(raters=2, guess={"items": 0}, crowd={"on_return": "discard", "on_timeout": "keep"})


@pytest.fixture
def stand_in(settings):
    settings.PROLIFIC_WEBHOOK_SECRET, settings.PROLIFIC_TOKEN = SECRET, TOKEN
    with stand_in_serving(StandIn()) as running:
        settings.PROLIFIC_API = running.url
        yield running


@pytest.fixture
def at_work(study, stand_in):
    """A participant at work, as the provider's parameters."""
    return entered(study, stand_in)


def entered(study, stand_in):
    values = stand_in.participant()
    intake = CrowdIntake.objects.filter(study=study).first() or make_intake(study, stand_in)
    arrival = Arrival(values["PROLIFIC_PID"], values["STUDY_ID"], values["SESSION_ID"], signed=True)
    return values | {"submission": crowd_enter(intake=intake, arrival=arrival)}


def finished(study, stand_in):
    values = entered(study, stand_in)
    user_id = values["submission"].person.evaluator.user_id
    practise(user_id, study)
    rate_all(user_id, study)
    return values | {"submission": crowd_finish(submission=values["submission"])}


def free_seats(study):
    return study.seats.filter(evaluator__isnull=True).count()


# -- Webhooks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "ours"), [("RETURNED", "returned"), ("TIMED-OUT", "timed_out")])
def test_who_leaves_at_the_provider_frees_the_seat(client, study, stand_in, at_work, status, ours):
    assert client.post(HOOK, **stand_in.message(at_work["SESSION_ID"], status)).status_code == 200
    submission = CrowdSubmission.objects.get()
    assert submission.status == ours
    assert free_seats(study) == 2
    assert CrowdEvent.objects.get().outcome == f"started → {ours}"


@pytest.mark.parametrize("status", ["ACTIVE", "AWAITING REVIEW", "APPROVED", "REJECTED"])
def test_other_news_of_a_submission_is_kept_and_changes_no_seat(client, study, stand_in, at_work, status):
    client.post(HOOK, **stand_in.message(at_work["SESSION_ID"], status))
    submission = CrowdSubmission.objects.get()
    assert (submission.status, submission.provider_status) == ("started", status)
    assert free_seats(study) == 1


def test_the_same_message_again_is_acknowledged_and_changes_nothing(client, study, stand_in, at_work):
    message = stand_in.message(at_work["SESSION_ID"], "RETURNED")
    client.post(HOOK, **message)
    entered(study, stand_in)
    assert client.post(HOOK, **message).status_code == 200
    assert free_seats(study) == 1
    assert CrowdEvent.objects.count() == 1


def test_older_news_that_comes_late_changes_nothing(client, study, stand_in, at_work):
    now = time.time()
    client.post(HOOK, **stand_in.message(at_work["SESSION_ID"], "APPROVED", at=now))
    client.post(HOOK, **stand_in.message(at_work["SESSION_ID"], "RETURNED", at=now - 60))
    submission = CrowdSubmission.objects.get()
    assert (submission.status, submission.provider_status) == ("started", "APPROVED")


@pytest.mark.parametrize("seconds", [-301, 301, -86_400])
def test_a_message_that_was_not_signed_just_now_is_a_replay(client, study, stand_in, at_work, seconds):
    reply = client.post(HOOK, **stand_in.message(at_work["SESSION_ID"], "RETURNED", at=time.time() + seconds))
    assert reply.status_code == 401
    assert not CrowdEvent.objects.exists()
    assert free_seats(study) == 1


def forgeries(good):
    headers = good["headers"]
    later = str(int(headers["X-Prolific-Request-Timestamp"]) + 1)
    yield {**good, "data": good["data"].replace(b"RETURNED", b"APPROVED")}
    yield {**good, "headers": headers | {"X-Prolific-Request-Timestamp": later}}
    yield {**good, "headers": headers | {"X-Prolific-Request-Signature": "AAAA"}}
    yield {**good, "headers": headers | {"X-Prolific-Request-Signature": "ü"}}
    for name in ("X-Prolific-Request-Signature", "X-Prolific-Request-Timestamp"):
        yield {**good, "headers": {key: value for key, value in headers.items() if key != name}}


def test_a_message_that_the_provider_did_not_sign_is_refused(client, study, stand_in, at_work):
    for message in forgeries(stand_in.message(at_work["SESSION_ID"], "RETURNED")):
        assert client.post(HOOK, **message).status_code == 401
    assert not CrowdEvent.objects.exists()
    assert free_seats(study) == 1


def test_without_a_secret_no_message_is_taken(client, stand_in, settings):
    settings.PROLIFIC_WEBHOOK_SECRET = ""
    assert client.post(HOOK, **stand_in.message("x", "RETURNED")).status_code == 404


def test_a_genuine_message_that_is_no_object_or_has_no_number_is_refused_as_such(client, stand_in):
    assert client.post(HOOK, **stand_in.sent(["RETURNED"])).status_code == 400
    message = stand_in.message("x", "RETURNED")
    del message["headers"]["X-Event-Id"]
    assert client.post(HOOK, **message).status_code == 400


def test_news_of_a_submission_that_is_not_ours_and_of_studies_is_kept_and_acknowledged(client, study, stand_in):
    assert client.post(HOOK, **stand_in.message("not-ours", "RETURNED")).status_code == 200
    assert client.post(HOOK, **stand_in.sent({"event_type": "study.progress.change"})).status_code == 200
    assert list(CrowdEvent.objects.values_list("outcome", flat=True)) == ["unknown submission", "noted"]


def test_what_is_kept_of_a_message_names_nobody(client, study, stand_in, at_work):
    client.post(HOOK, **stand_in.message(at_work["SESSION_ID"], "RETURNED", participant_id=at_work["PROLIFIC_PID"]))
    kept = json.dumps(list(CrowdEvent.objects.values()), default=str)
    assert at_work["PROLIFIC_PID"] not in kept
    assert at_work["SESSION_ID"] not in kept


def test_complete_work_stands_when_the_time_runs_out_and_goes_when_it_is_given_back(client, study, stand_in):
    values = finished(study, stand_in)
    client.post(HOOK, **stand_in.message(values["SESSION_ID"], "TIMED-OUT"))
    assert (CrowdSubmission.objects.get().status, free_seats(study)) == ("complete", 1)
    client.post(HOOK, **stand_in.message(values["SESSION_ID"], "RETURNED", at=time.time() + 1))
    assert (CrowdSubmission.objects.get().status, free_seats(study)) == ("returned", 2)


def test_a_form_token_is_not_asked_of_a_provider(stand_in):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(HOOK, **stand_in.message("x", "ACTIVE")).status_code == 200


# -- The provider's list -----------------------------------------------------------------------------------------------


def test_a_long_list_is_read_page_by_page_and_slower_when_the_provider_asks_for_it(stand_in):
    for _ in range(45):
        stand_in.participant()
    stand_in.refusals = 3
    waits = []
    found = list(ProviderApi(stand_in.url, TOKEN, waits.append).submissions(stand_in.study))
    assert [row.session for row in found] == [row["id"] for row in stand_in.submissions]
    assert waits == [2.0, 2.0, 2.0]
    assert len(stand_in.requests) == 6


def test_a_provider_that_stays_busy_or_refuses_the_token_is_given_up_without_showing_the_token(stand_in):
    stand_in.refusals = 99
    waits = []
    with pytest.raises(ProviderFailed, match="429, 7 times"):
        list(ProviderApi(stand_in.url, TOKEN, waits.append).submissions(stand_in.study))
    assert len(waits) == 6
    stand_in.refusals = 0
    with pytest.raises(ProviderFailed, match="401") as failure:
        list(ProviderApi(stand_in.url, "secret-token", waits.append).submissions(stand_in.study))
    assert "secret-token" not in str(failure.value)
    assert "secret-token" not in repr(ProviderApi(stand_in.url, "secret-token"))
    assert len(waits) == 6


@pytest.mark.parametrize("url", ["http://api.example", "file:///etc/passwd", "ftp://127.0.0.1", ""])
def test_the_token_is_sent_over_https_only(url):
    with pytest.raises(ProviderFailed, match="https"):
        ProviderApi(url, TOKEN)


def reconciled(study, **options):
    out = StringIO()
    call_command("crowd_reconcile", study.slug, stdout=out, **options)
    return out.getvalue()


def test_a_study_that_agrees_with_the_provider_has_no_difference(study, stand_in, at_work, client):
    client.post(HOOK, **stand_in.message(at_work["SESSION_ID"], "ACTIVE"))
    assert "1 submissions at the provider, 0 differences" in reconciled(study)


def test_differences_are_listed_and_kept_for_the_staff_and_nothing_is_changed_without_repair(study, stand_in, at_work):
    stand_in.status(at_work["SESSION_ID"], "RETURNED")
    stand_in.participant()
    said = reconciled(study)
    assert "2 differences" in said
    assert "never came in here" in said
    assert CrowdSubmission.objects.get().status == "started"
    intake = CrowdIntake.objects.get()
    assert len(intake.differences) == 2
    assert intake.reconciled_at is not None


def test_with_repair_a_lost_message_is_made_up_for(study, stand_in, at_work):
    stand_in.status(at_work["SESSION_ID"], "RETURNED")
    assert "Settled." in reconciled(study, repair=True)
    assert (CrowdSubmission.objects.get().status, free_seats(study)) == ("returned", 2)
    assert CrowdIntake.objects.get().differences == []
    assert "0 differences" in reconciled(study, repair=True)


def test_a_submission_that_the_provider_does_not_know_may_be_forged(study, stand_in):
    intake = make_intake(study, external_study=stand_in.study)
    crowd_enter(intake=intake, arrival=Arrival("made-up", stand_in.study, "made-up", signed=False))
    assert "may be forged" in reconciled(study)


def test_codes_and_ends_that_do_not_fit_are_for_a_person_to_look_at(study, stand_in):
    done, early = finished(study, stand_in), entered(study, stand_in)
    stand_in.status(done["SESSION_ID"], "AWAITING REVIEW", "OTHER")
    stand_in.status(early["SESSION_ID"], "AWAITING REVIEW", "CDONE")
    said = reconciled(study, repair=True)
    assert "handed in with another code" in said
    assert "Handed in at the provider, but not complete here" in said
    assert "Handed in with the code for complete work" in said
    stand_in.status(done["SESSION_ID"], "TIMED-OUT", "CDONE")
    assert "Complete here, but the provider says that the participant left" in reconciled(study)


def test_the_command_says_what_is_missing(study, stand_in, settings):
    with pytest.raises(CommandError, match="id there is not set"):
        reconciled(study)
    make_intake(study, stand_in)
    settings.PROLIFIC_TOKEN = ""
    with pytest.raises(CommandError, match="PROLIFIC_TOKEN"):
        reconciled(study)
    settings.PROLIFIC_TOKEN = "wrong"
    with pytest.raises(CommandError, match="401"):
        reconciled(study)


def test_an_erased_person_is_no_difference(study, stand_in, at_work):
    crowd_person_erase(person=at_work["submission"].person)
    found = crowd_reconcile(intake=CrowdIntake.objects.get(), remote=[], repair=False)
    assert found == []
