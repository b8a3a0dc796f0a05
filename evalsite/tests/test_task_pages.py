"""Each task's page in a browser: answered with the keys that are printed on it, and usable on a phone."""

import pytest

from annotation.models import Evaluator, Judgment
from annotation.tests.factories import PASSWORD, make_open_study, make_rater
from evalsite.tests.test_rating_page import checked, press, settled
from evalsite.tests.test_whole_experiment import Person, browser, current  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def rating(browser, live_server):  # noqa: F811
    """A rater at the first item of a new study of this task."""
    people = []

    def sit_down(**design):
        study = make_open_study(**design)
        username = Evaluator.objects.get(user_id=make_rater(study)).user.username
        person = Person(browser, live_server, username, PASSWORD)
        person.next = f"/rate/{study.slug}/next/"
        person.open(person.next)
        person.page.wait_for_selector("html.js")
        people.append(person)
        return person

    yield sit_down
    for person in people:
        person.leave()


def fits_a_phone(page):
    page.set_viewport_size(PHONE)
    return page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_spectrum_is_judged_group_by_group_with_the_keyboard(rating):
    rater = rating(protocol="spectrum", snippets_per_neuron=10)
    page, first = rater.page, current(rater)
    press(page, "f", "m", "c", "k", "m", "y", "2", "r")
    page.keyboard.type("words with numbers")
    press(page, "Escape", "Enter")
    assert "Group 4" in page.inner_text("#form-error")
    assert page.evaluate("document.querySelector('.snippet-group.current h3').textContent") == "Group 4"
    press(page, "m", "m", "m", "f", "Enter")
    settled(rater, first)
    judgment = Judgment.objects.get()
    groups = dict(zip([f"group_{n}" for n in range(1, 6)], ["yes", "no", "no", "no", "yes"], strict=True))
    assert (judgment.verdict, judgment.rule, judgment.responses) == ("yes", "words with numbers", groups)
    press(page, "z")
    settled(rater, current(rater))
    assert [checked(page, f"r_group_{number}") for number in range(1, 6)] == list(groups.values())
    assert fits_a_phone(page)


def test_a_rubric_is_scored_with_the_keyboard_and_the_server_adds_up(rating):
    rater = rating(protocol="rubric")
    page, first = rater.page, current(rater)
    press(page, "2", "5", "1", "k", "3", "3", "Enter")
    assert "Write your explanation" in page.inner_text("#form-error")
    page.keyboard.type("words with numbers")
    press(page, "Escape", "Enter")
    settled(rater, first)
    judgment = Judgment.objects.get()
    scores = {"confidence": "2", "activations": "3", "specificity": "3", "points": "8"}
    assert (judgment.verdict, judgment.rule, judgment.responses) == ("yes", "words with numbers", scores)
    second = current(rater)
    press(page, "u", "Enter")
    settled(rater, second)
    assert Judgment.objects.latest("pk").verdict == "cannot"
    assert fits_a_phone(page)
