"""A study is paused while somebody rates: the answer waits in the browser and arrives by itself when it goes on."""

import pytest

from annotation import services
from annotation.models import Judgment, Study
from annotation.tests.factories import make_user
from evalsite.tests.test_rating_page import current, press, rater, said, settled  # noqa: F401
from evalsite.tests.test_whole_experiment import browser  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_answer_that_meets_a_pause_waits_and_is_stored_once_when_it_goes_on(rater):  # noqa: F811
    study, first = Study.objects.get(), current(rater)
    services.study_pause(study=study)
    press(rater.page, "n", "2", "Enter")
    said(rater.page, "The study is paused. 1 answer is kept in this browser")
    assert not Judgment.objects.exists()
    assert current(rater) == first
    services.study_resume(study=study)
    settled(rater, first)
    judgment = Judgment.objects.get()
    assert (judgment.assignment.public_id, judgment.verdict, judgment.version) == (first, "no", 1)


def test_a_message_is_read_without_losing_what_was_entered(rater):  # noqa: F811
    page, first = rater.page, current(rater)
    services.message_send(study=Study.objects.get(), text="The server rests on Tuesday.", by=make_user())
    press(page, "y", "3", "r")
    page.keyboard.type("names of rivers")
    rater.open(rater.next)
    page.wait_for_selector("text=The server rests on Tuesday.")
    page.click("button:has-text('I have read this')")
    page.wait_for_selector("text=The server rests on Tuesday.", state="detached")
    assert (current(rater), page.input_value("#rule")) == (first, "names of rivers")
