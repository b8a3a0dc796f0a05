"""Staff pages of a running study: pause, messages, what needs a look, seats that change hands, and the log."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation import audit, services
from annotation.audit.protect import protection_lifted
from annotation.blinding import blind_draft_save, blind_home, blind_judgment_submit, blind_next
from annotation.models import Assignment, Evaluator, RaterMessage, Seat, Study, StudyEvent
from annotation.selectors import seats_needing_attention
from annotation.services import ReasonMissing
from annotation.tests.factories import (
    make_answer,
    make_evaluator,
    make_open_study,
    make_rater,
    make_study,
    make_user,
    rate_all,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    return make_open_study(raters=2)


@pytest.fixture
def admin() -> Client:
    return browser("admin")


def browser(role: str) -> Client:
    client = Client()
    client.force_login(make_user(group=role))
    return client


def address(name: str, study: Study, *rest: object) -> str:
    return reverse(f"staff:{name}", args=[study.slug, *rest])


def page_of(client: Client, study: Study) -> str:
    return client.get(address("study", study)).content.decode()


# -- Pause -------------------------------------------------------------------------------------------------------------


def test_one_click_pauses_and_one_click_goes_on(study, admin):
    assert "Pause the study" in page_of(admin, study)
    reply = admin.post(address("pause", study), {"act": "pause"}, follow=True).content.decode()
    assert "Paused since" in reply
    assert "Let the study go on" in reply
    admin.post(address("pause", study), {"act": "resume"})
    assert "Paused since" not in page_of(admin, study)
    assert list(study.events.values_list("action", flat=True))[-2:] == ["paused", "resumed"]


def test_a_second_click_does_nothing_and_says_so(study, admin):
    admin.post(address("pause", study), {"act": "pause"})
    assert "paused already" in admin.post(address("pause", study), {"act": "pause"}, follow=True).content.decode()
    assert study.events.filter(action="paused").count() == 1


@pytest.mark.parametrize("role", ["auditor", "unblinder", "statistician"])
def test_who_only_looks_is_offered_no_button(study, role):
    page = page_of(browser(role), study)
    assert "Pause the study" not in page
    assert "Write to raters" not in page


# -- Messages ----------------------------------------------------------------------------------------------------------


def test_an_admin_writes_to_all_and_to_one_and_takes_a_message_back(study, admin):
    first, second = make_rater(study), make_rater(study)
    admin.post(address("messages", study), {"to": "all", "text": "The server rests on Tuesday."})
    admin.post(address("messages", study), {"to": "2", "text": "Are you well?"})
    assert [notice.text for notice in blind_home(first).notices] == ["The server rests on Tuesday."]
    assert [notice.text for notice in blind_home(second).notices] == ["The server rests on Tuesday.", "Are you well?"]
    message = RaterMessage.objects.get(evaluator=None)
    admin.post(address("message_take_back", study, message.public_id))
    assert blind_home(first).notices == ()
    assert "taken back" in admin.get(address("messages", study)).content.decode()


@pytest.mark.parametrize(("to", "text"), [("all", " "), ("7", "Hello?"), ("", "Hello?")])
def test_a_message_to_nobody_or_about_nothing_is_refused_and_kept(study, admin, to, text):
    reply = admin.post(address("messages", study), {"to": to, "text": text})
    assert reply.context["form"].errors
    assert not RaterMessage.objects.exists()


def test_a_message_of_another_study_cannot_be_taken_back_here(study, admin):
    message = services.message_send(study=make_open_study(), text="Somewhere else.")
    assert admin.post(address("message_take_back", study, message.public_id)).status_code == 404


# -- What needs a look -------------------------------------------------------------------------------------------------


def silent_for(study: Study, **time: int) -> None:
    """As if everything on the study's seats had happened so long ago."""
    ago = timezone.now() - timedelta(**time)
    Study.objects.filter(pk=study.pk).update(opened_at=ago)
    Seat.objects.filter(study=study).update(seated_at=ago, instructions_read_at=ago, practice_done_at=ago)
    shown = Assignment.objects.filter(seat__study=study, shown_at__isnull=False)
    shown.update(shown_at=ago)
    shown.filter(done_at__isnull=False).update(done_at=ago)
    study.refresh_from_db()


def test_a_neuron_left_on_the_screen_and_a_rater_who_stays_away_are_seen(study, admin):
    rater = make_rater(study)
    blind_next(rater, study.slug)
    assert seats_needing_attention(study, timezone.now()) == []
    silent_for(study, hours=25)
    (seat,) = seats_needing_attention(study, timezone.now())
    assert (seat.number, seat.stuck, seat.silent_days, seat.left) == (1, 1, 0, 12)
    silent_for(study, days=4)
    (seat,) = seats_needing_attention(study, timezone.now())
    assert (seat.stuck, seat.silent_days) == (1, 4)
    page = page_of(admin, study)
    assert "Needs a look" in page
    assert "nothing for 4 days, 12 left" in page
    assert address("hand_over", study, 1) in page


def test_who_is_through_and_who_never_sat_down_need_no_look(study):
    rate_all(make_rater(study), study)
    silent_for(study, days=9)
    assert seats_needing_attention(study, timezone.now()) == []


def test_a_draft_is_a_sign_of_life(study):
    rater = make_rater(study)
    page = blind_next(rater, study.slug)
    silent_for(study, days=9)
    blind_draft_save(rater, page.assignment, make_answer(rule="half"))
    (seat,) = seats_needing_attention(study, timezone.now())
    assert seat.silent_days == 0


def test_a_reminder_is_a_message_that_is_filled_in_already(study, admin):
    make_rater(study)
    page = admin.get(address("messages", study) + "?seat=1").content.decode()
    assert "There are neurons left on your list." in page
    assert '<option value="1" selected>' in page


# -- Seats that change hands -------------------------------------------------------------------------------------------


def hand_over(client: Client, study: Study, **changes: object):
    sent = {"reason": "The rater fell ill.", "answers": "keep", "to": ""} | changes
    return client.post(address("hand_over", study, 1), sent, follow=True)


def test_a_seat_is_handed_over_with_its_answers_and_its_order(study, admin):
    first, other = make_rater(study), make_evaluator()
    before = list(Assignment.objects.filter(seat__study=study).order_by("pk").values_list("seat", "item", "position"))
    for _ in range(3):
        page = blind_next(first, study.slug)
        blind_judgment_submit(first, page.assignment, make_answer(), f"key-{page.assignment}")
    reply = hand_over(admin, study, to=other.pk)
    assert "Seat 1 is handed over." in reply.content.decode()
    seat = Seat.objects.get(study=study, number=1)
    assert seat.evaluator == other
    assert seat.assignments.filter(done_at__isnull=False).count() == 3
    after = list(Assignment.objects.filter(seat__study=study).order_by("pk").values_list("seat", "item", "position"))
    assert after == before
    line = study.events.get(action="seat handed over")
    assert (line.object_id, line.old, line.new) == (
        "1", Evaluator.objects.get(user_id=first).pseudonym, other.pseudonym,
    )  # fmt: skip
    assert services.study_problems(study) == []


def test_a_seat_that_is_freed_waits_for_the_next_rater(study, admin):
    make_rater(study)
    hand_over(admin, study)
    assert Seat.objects.get(study=study, number=1).evaluator is None
    assert study.events.get(action="seat handed over").new is None


def test_a_named_seat_is_given_even_if_an_earlier_one_is_free():
    study = make_open_study(raters=3)
    for _ in range(2):
        make_rater(study)
    services.seat_vacate(seat=study.seats.get(number=1), keep=True, reason="The rater has left.")
    other = make_evaluator()
    services.seat_hand_over(seat=study.seats.get(number=2), keep=True, reason="The rater fell ill.", to=other)
    assert Seat.objects.get(study=study, evaluator=other).number == 2


def test_handing_over_needs_a_reason_and_somebody_on_the_seat(study, admin):
    make_rater(study)
    assert hand_over(admin, study, reason="ill").context["form"].errors["reason"]
    with pytest.raises(ReasonMissing):
        services.seat_hand_over(seat=study.seats.get(number=1), keep=True, reason="ill")
    assert "Nobody sits on this seat." in admin.get(address("hand_over", study, 2)).content.decode()
    assert admin.get(address("hand_over", study, 9)).status_code == 404


def test_a_refused_hand_over_changes_nothing(study, admin):
    make_rater(study)
    second = Evaluator.objects.get(user_id=make_rater(study))
    reply = hand_over(admin, study, to=second.pk)
    assert reply.context["form"].errors
    assert not study.events.filter(action="seat left").exists()


# -- The log -----------------------------------------------------------------------------------------------------------


def test_the_log_page_shows_every_line_and_says_that_they_hold(study, admin):
    page = admin.get(address("log", study)).content.decode()
    assert "lines are as they were written" in page
    for line in study.events.all():
        assert line.sha256[:12] in page
    assert audit.anchor(audit.chain_of(study)) in page


def test_a_changed_line_is_said_on_the_page(study, admin):
    line = study.events.get(action="opened")
    with protection_lifted():
        QuerySet.update(StudyEvent.objects.filter(pk=line.pk), reason="another")
    assert "reason differ from what was hashed" in admin.get(address("log", study)).content.decode()


def test_the_downloaded_log_passes_the_downloaded_script(study, admin, tmp_path):
    (tmp_path / "log.jsonl").write_bytes(admin.get(address("log_file", study)).content)
    (tmp_path / "verify_log.py").write_bytes(admin.get(reverse("staff:verifier")).content)
    anchor = audit.anchor(audit.chain_of(study))
    done = subprocess.run(
        [sys.executable, "-I", "verify_log.py", "log.jsonl", f"--anchor={anchor}"], cwd=tmp_path, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_sites_own_log_is_for_owners_and_auditors(admin):
    for role, status in (("owner", 200), ("auditor", 200), ("admin", 404), ("unblinder", 404)):
        client = browser(role)
        assert client.get(reverse("staff:site_log")).status_code == status, role
        assert client.get(reverse("staff:site_log_file")).status_code == status, role
    lines = browser("auditor").get(reverse("staff:site_log_file")).content.decode().splitlines()
    assert {json.loads(line)["action"] for line in lines} >= {"signed in"}


def test_a_draft_has_a_log_already(admin):
    study = make_study()
    assert "created" in admin.get(address("log", study)).content.decode()
