"""Progress by rater and day, and the raters' checks, on one page without an arm."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.blinding import BlindAnswer, DonePage, blind_judgment_submit, blind_next
from annotation.models import Evaluator
from annotation.selectors import answers_by_day
from annotation.tests.factories import ARMS, make_open_study, make_rater, make_user

pytestmark = pytest.mark.django_db
QUALITY = {"pooled_catches": 2, "least_catches_right": 0.8, "least_seconds": 3, "most_seconds": 60}


@pytest.fixture
def study():
    return make_open_study(quality=QUALITY)


def rate_all(rater, study, verdict):
    rule = "words" if verdict == "yes" else ""
    while not isinstance(page := blind_next(rater, study.slug), DonePage):
        answer = BlindAnswer(verdict=verdict, confidence=2, rule=rule, active_ms=5_000)
        blind_judgment_submit(rater, page.assignment, answer, f"key-{page.assignment}")


def page_of(study):
    client = Client()
    client.force_login(make_user(group="admin"))
    return client.get(reverse("staff:progress", args=[study.slug])).content.decode()


def test_answers_are_counted_by_day_and_seat(study):
    rater = make_rater(study)
    rate_all(rater, study, "no")
    ((day, seat, answers),) = answers_by_day(study)
    assert answers == study.seats.get(number=seat).assignments.count()
    assert day == timezone.now().date()


def test_a_careless_rater_is_shown_with_the_reason_and_no_arm_is_named(study):
    for verdict in ("yes", "no"):
        rate_all(make_rater(study), study, verdict)
    page = page_of(study)
    assert "0 / 2" in page
    assert "0 of 2 catch trials right, fewer than 80 %" in page
    assert page.count("<td>counts</td>") == 1
    assert all(rater.pseudonym in page for rater in Evaluator.objects.all())
    assert not any(arm in page for arm in ("ln_only", *ARMS.values()))


def test_an_empty_study_says_so(study):
    page = page_of(study)
    assert "No answer has been given yet." in page
    assert "Nobody has taken a seat yet." in page
