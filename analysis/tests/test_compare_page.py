"""The page that holds two unblinded studies against each other."""

import json

import pytest
from django.urls import reverse

from analysis.tests.factories import make_study, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def researcher(client):
    client.force_login(make_user("researcher", "statistician"))
    return client


def compared(client, first: str, second: str, **more):
    return client.get(reverse("analysis:compare"), {"first": first, "second": second, **more})


def test_two_unblinded_studies_are_compared_and_the_page_says_what_differs(researcher):
    make_study("one-study", neurons=20, yes={"baseline": 5, "solu": 12})
    make_study("two-study", neurons=20, yes={"baseline": 6, "solu": 13}, raters=4, rater_kind="human")
    page = compared(researcher, "one-study", "two-study").content.decode().replace("\u00a0", " ")
    for words in ("Did it agree?", "+35.0", "Both point in one direction", "Number of raters", "prediction interval"):
        assert words in page
    assert "No person rated the neurons of one of these studies" in page


def test_the_numbers_are_handed_out_as_json(researcher):
    make_study("one-study", neurons=10, yes={"baseline": 2, "solu": 6})
    make_study("two-study", neurons=10, yes={"baseline": 6, "solu": 2})
    reply = compared(researcher, "one-study", "two-study", format="json")
    told = json.loads(reply.content)
    assert told["main"]["change"]["estimate"] == pytest.approx(-0.8)
    assert told["main"]["same_direction"] is False
    assert reply["Content-Disposition"] == 'attachment; filename="one-study-and-two-study.json"'


def test_a_blinded_study_is_compared_with_nothing_and_not_offered(researcher):
    make_study("done-study", neurons=3, yes={"baseline": 1, "solu": 2})
    make_study("open-study", neurons=3, yes={"baseline": 1, "solu": 2}, unblinded=False)
    for pair in (("done-study", "open-study"), ("open-study", "done-study")):
        reply = compared(researcher, *pair)
        assert reply.status_code == 403
        assert not [word for word in ("baseline", "solu") if word in reply.content.decode()]
    assert "open-study" not in researcher.get(reverse("analysis:compare")).content.decode()


def test_without_two_different_studies_the_page_asks_for_them(researcher):
    make_study("one-study", neurons=3, yes={"baseline": 1, "solu": 2})
    assert "Fewer than two studies are unblinded" in researcher.get(reverse("analysis:compare")).content.decode()
    assert "named twice" in compared(researcher, "one-study", "one-study").content.decode()
    assert compared(researcher, "one-study", "no-study").status_code == 404


def test_evaluators_and_strangers_compare_nothing(client):
    assert client.get(reverse("analysis:compare")).status_code == 302
    client.force_login(make_user("rater", "evaluators"))
    assert client.get(reverse("analysis:compare")).status_code == 404
    assert client.get(reverse("analysis:neurons", args=["any"])).status_code == 404
