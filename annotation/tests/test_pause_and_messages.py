"""Pause and resume, messages to raters, and seats that are handed over: nothing is lost and nothing tells an arm."""

import pytest
from django.http import Http404
from django.test import Client
from django.urls import reverse

from annotation import services
from annotation.blinding import (
    StudyNotOpen,
    StudyPaused,
    blind_draft_save,
    blind_home,
    blind_judgment_submit,
    blind_next,
    blind_notice_read,
    blind_practice_answer,
    blind_undo,
)
from annotation.models import Evaluator, Judgment, MessageRead, RaterMessage
from annotation.services import MessageRefused, StudyWrongState
from annotation.tests.factories import (
    make_answer,
    make_closed_study,
    make_frozen_study,
    make_open_study,
    make_rater,
    make_study,
    make_user,
)

pytestmark = pytest.mark.django_db

JSON = {"headers": {"Accept": "application/json"}, "content_type": "application/json"}


@pytest.fixture
def study():
    return make_open_study(raters=2)


@pytest.fixture
def rater(study) -> int:
    return make_rater(study)


def make_client(user_id: int) -> Client:
    client = Client()
    client.force_login(Evaluator.objects.get(user_id=user_id).user)
    return client


def texts(user_id: int) -> list[str]:
    return [notice.text for notice in blind_home(user_id).notices]


# -- Pause -------------------------------------------------------------------------------------------------------------


def test_a_paused_study_takes_no_answer_and_goes_on_as_it_was(study, rater):
    page = blind_next(rater, study.slug)
    services.study_pause(study=study, reason="A snippet looks odd.")
    for refused in (
        lambda: blind_next(rater, study.slug),
        lambda: blind_judgment_submit(rater, page.assignment, make_answer(), "a-key-of-mine"),
        lambda: blind_undo(rater, study.slug),
        lambda: blind_practice_answer(rater, study.slug, 1, make_answer("no")),
    ):
        with pytest.raises(StudyPaused, match="What you have entered is kept"):
            refused()
    assert not Judgment.objects.exists()
    services.study_resume(study=study)
    assert blind_judgment_submit(rater, page.assignment, make_answer(), "a-key-of-mine").saved


def test_a_draft_is_kept_while_the_study_is_paused(study, rater):
    page = blind_next(rater, study.slug)
    services.study_pause(study=study)
    assert blind_draft_save(rater, page.assignment, make_answer(rule="half a thought"))
    services.study_resume(study=study)
    assert blind_next(rater, study.slug).draft.rule == "half a thought"


def test_an_answer_sent_as_a_form_during_a_pause_comes_back_as_a_draft(study, rater):
    page, client = blind_next(rater, study.slug), make_client(rater)
    services.study_pause(study=study)
    sent = {"verdict": "yes", "confidence": "2", "rule": "names of rivers"}
    reply = client.post(reverse("evaluator:answer", args=[page.assignment]), sent, follow=True)
    assert "is paused" in reply.content.decode()
    services.study_resume(study=study)
    assert blind_next(rater, study.slug).draft.rule == "names of rivers"


def test_a_script_is_told_that_it_is_a_pause_and_tries_again_later(study, rater):
    page, client = blind_next(rater, study.slug), make_client(rater)
    services.study_pause(study=study)
    sent = {"verdict": "no", "confidence": 2, "key": "a-key-of-mine"}
    reply = client.post(reverse("evaluator:answer", args=[page.assignment]), sent, **JSON)
    assert (reply.status_code, reply.json()["field"]) == (409, "paused")


def test_the_raters_page_says_paused_and_offers_no_way_in(study, rater):
    services.study_pause(study=study)
    assert [card.state for card in blind_home(rater).studies] == ["paused"]
    page = make_client(rater).get(reverse("evaluator:home")).content.decode()
    assert "This study is paused." in page
    assert reverse("evaluator:next", args=[study.slug]) not in page


@pytest.mark.parametrize("make", [make_study, make_frozen_study, make_closed_study])
def test_only_an_open_study_pauses_and_resumes(make):
    study = make()
    for step in (services.study_pause, services.study_resume):
        with pytest.raises(StudyWrongState, match="must be open"):
            step(study=study)


def test_pausing_twice_and_resuming_what_runs_are_refused(study):
    with pytest.raises(StudyWrongState, match="is not paused"):
        services.study_resume(study=study)
    services.study_pause(study=study)
    with pytest.raises(StudyWrongState, match="paused already"):
        services.study_pause(study=study)
    assert list(study.events.values_list("action", flat=True))[-1:] == ["paused"]


def test_a_paused_study_can_be_closed_and_is_then_closed(study, rater):
    services.study_pause(study=study)
    closed = services.study_close(study=study, reason="The time is over.")
    assert closed.paused_at is None
    with pytest.raises(StudyNotOpen, match="not open"):
        blind_next(rater, study.slug)


# -- Messages ----------------------------------------------------------------------------------------------------------


def test_a_message_to_all_is_shown_to_each_rater_until_read(study, rater):
    other = make_rater(study)
    message = services.message_send(study=study, text="The server rests on Tuesday.")
    assert texts(rater) == texts(other) == ["The server rests on Tuesday."]
    assert [notice.text for notice in blind_next(rater, study.slug).notices] == ["The server rests on Tuesday."]
    for _ in range(2):
        assert blind_notice_read(rater, message.public_id) == study.slug
    assert (texts(rater), texts(other)) == ([], ["The server rests on Tuesday."])
    assert blind_next(rater, study.slug).notices == ()
    assert MessageRead.objects.count() == 1


def test_a_message_to_one_seat_is_shown_to_who_sits_there_and_to_nobody_else(study, rater):
    other = make_rater(study)
    message = services.message_send(study=study, text="Are you well?", seat=study.seats.get(number=1))
    assert (texts(rater), texts(other)) == (["Are you well?"], [])
    with pytest.raises(Http404):
        blind_notice_read(other, message.public_id)


def test_a_message_of_another_study_is_not_there(study, rater):
    message = services.message_send(study=make_open_study(), text="Somewhere else.")
    assert texts(rater) == []
    with pytest.raises(Http404):
        blind_notice_read(rater, message.public_id)


def test_who_gets_a_seat_later_reads_what_was_said_to_all_and_not_what_was_said_to_another(study, rater):
    services.message_send(study=study, text="To all.")
    services.message_send(study=study, text="To the first.", seat=study.seats.get(number=1))
    services.seat_vacate(seat=study.seats.get(number=1), keep=True, reason="The rater has left.")
    newcomer = make_rater(study)
    assert texts(newcomer) == ["To all."]
    assert texts(rater) == []


def test_a_message_can_be_taken_back(study, rater):
    message = services.message_send(study=study, text="A mistake.")
    services.message_take_back(message=message)
    assert texts(rater) == []
    with pytest.raises(Http404):
        blind_notice_read(rater, message.public_id)


def test_the_log_says_that_a_message_was_sent_and_keeps_its_hash_only(study, rater):
    admin = make_user(group="admin")
    message = services.message_send(
        study=study, text="Dear Ada, are you well?", seat=study.seats.get(number=1), by=admin
    )
    line = study.events.get(action="message sent")
    assert (line.object_id, line.details["to"], line.actor.user) == (message.public_id, "seat 1", admin)
    assert "Ada" not in line.record


@pytest.mark.parametrize("text", ["", "   ", "x" * 2_001])
def test_an_empty_and_an_endless_message_are_refused(study, text):
    with pytest.raises(MessageRefused, match="characters"):
        services.message_send(study=study, text=text)
    assert not RaterMessage.objects.exists()


def test_nobody_is_written_to_on_a_free_seat_or_after_the_end(study):
    with pytest.raises(MessageRefused, match="Nobody sits on seat 2"):
        services.message_send(study=study, text="Hello?", seat=study.seats.get(number=2))
    with pytest.raises(StudyWrongState):
        services.message_send(study=make_closed_study(), text="Hello?")


def test_a_message_is_read_without_a_script_and_without_losing_the_neuron(study, rater):
    services.message_send(study=study, text="Read\n\nme <b>now</b>.")
    client, shown = make_client(rater), blind_next(rater, study.slug).assignment
    page = client.get(reverse("evaluator:next", args=[study.slug])).content.decode()
    assert "me &lt;b&gt;now&lt;/b&gt;." in page
    notice = RaterMessage.objects.get().public_id
    reply = client.post(reverse("evaluator:notice_read", args=[notice]), {"back": "rate"}, follow=True)
    assert shown in reply.content.decode()
    assert "I have read this" not in reply.content.decode()


def test_there_is_no_way_to_write_to_some_raters_by_what_they_rate():
    import inspect

    assert set(inspect.signature(services.message_send).parameters) == {"study", "text", "seat", "by"}
    assert {field.name for field in RaterMessage._meta.get_fields() if field.is_relation} == {
        "study", "evaluator", "sent_by", "read_by",
    }  # fmt: skip
