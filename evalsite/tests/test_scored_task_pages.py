"""The pages of tasks with right answers: answered with the keys that are printed on them, and usable on a phone."""

import pytest

from annotation.models import Assignment, Evaluator, Judgment
from annotation.tests.factories import PASSWORD, make_open_study, make_rater
from evalsite.tests.test_rating_page import checked, press, said, settled
from evalsite.tests.test_task_pages import fits_a_phone
from evalsite.tests.test_whole_experiment import Person, browser, current  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def sit_down(browser, live_server):  # noqa: F811
    """A rater of a study at the first item, or at the first practice item."""
    people = []

    def seated(study, practised=True):
        username = Evaluator.objects.get(user_id=make_rater(study, practised=practised)).user.username
        person = Person(browser, live_server, username, PASSWORD)
        person.next = f"/rate/{study.slug}/next/"
        person.open(person.next)
        person.page.wait_for_selector("html.js")
        people.append(person)
        return person

    yield seated
    for person in people:
        person.leave()


def current_question(page):
    return page.evaluate("document.querySelector('.trial.current h3').textContent")


def test_a_forced_choice_is_made_with_the_keyboard_and_nothing_is_preselected(sit_down):
    rater = sit_down(make_open_study(protocol="forced_choice"))
    page, first = rater.page, current(rater)
    assert page.locator("input:checked:not(#keys-on)").count() == 0
    assert page.locator(".beside-trials .snippet").count() == 5
    press(page, "b", "2")
    assert current_question(page) == "Question 2"
    press(page, "a", "Enter")
    assert "Question 2: say how sure you are" in page.inner_text("#form-error")
    press(page, "1", "b", "3", "k", "k", "a", "Enter")
    settled(rater, first)
    judgment = Judgment.objects.get()
    chosen = {"trial_1": "a", "trial_2": "a", "trial_3": "b"}
    sure = {"trial_1_confidence": "2", "trial_2_confidence": "1", "trial_3_confidence": "3"}
    assert (judgment.verdict, judgment.confidence, judgment.responses) == ("", None, chosen | sure)
    press(page, "z")
    settled(rater, current(rater))
    assert [checked(page, f"r_trial_{number}") for number in (1, 2, 3)] == ["a", "a", "b"]
    assert fits_a_phone(page)


def test_an_intruder_is_found_with_the_keyboard(sit_down):
    study = make_open_study(protocol="intruder", snippets_per_neuron=8, options={"snippets_per_trial": 4})
    rater = sit_down(study)
    page, first = rater.page, current(rater)
    press(page, "d", "3", "Enter")
    assert "Question 2: choose the snippet" in page.inner_text("#form-error")
    press(page, "c", "1", "Enter")
    settled(rater, first)
    answer = {"trial_1": "d", "trial_1_confidence": "3", "trial_2": "c", "trial_2_confidence": "1"}
    assert Judgment.objects.get().responses == answer
    assert fits_a_phone(page)


RULES = {"raters": 2, "raters_per_neuron": 1, "neurons_per_arm": 1, "options": {"firing": 2, "silent": 2}}
ARMS = {"baseline": "tiny-gelu", "solu": "tiny-solu-ln"}


def write(rater, *keys, rule=""):
    first = current(rater)
    press(rater.page, *keys)
    if rule:
        press(rater.page, "r")
        rater.page.keyboard.type(rule)
        press(rater.page, "Escape")
    press(rater.page, "Enter")
    return first


def test_a_rule_goes_to_another_rater_who_waits_for_it_and_predicts_with_the_keyboard(sit_down):
    pairs = [{"size": "tiny", "layers": [0], "arms": ARMS}]
    study = make_open_study(protocol="rule_prediction", pairs=pairs, **RULES)
    one, other = sit_down(study), sit_down(study)
    write(one, "n", "2")
    one.page.wait_for_selector("h1:has-text('Waiting for other raters')")
    assert fits_a_phone(one.page)
    write(other, "y", "3", rule="<i>units</i> & numbers")
    other.page.wait_for_selector("h1:has-text('neurons are rated'), h1:has-text('neuron is rated')")
    one.page.click("text=Look again")
    page = one.page
    page.wait_for_selector("html.js #answer")
    assert page.inner_text(".rule-shown blockquote") == "<i>units</i> & numbers"
    first = current(one)
    page.wait_for_timeout(350)
    press(page, "y", "n", "n", "Enter")
    assert "Snippet 4" in page.inner_text("#form-error")
    press(page, "y", "2", "Enter")
    page.wait_for_selector("h1:has-text('rated')")
    judgment = Judgment.objects.get(assignment__public_id=first)
    answers = {"snippet_1": "yes", "snippet_2": "no", "snippet_3": "no", "snippet_4": "yes"}
    assert (judgment.verdict, judgment.confidence, judgment.responses) == ("", 2, answers)
    assert Assignment.objects.filter(retired_at__isnull=False).count() == 1


def test_a_rule_that_another_rater_reads_cannot_be_opened_again_and_the_page_says_why(sit_down):
    study = make_open_study(protocol="rule_prediction", **RULES | {"neurons_per_arm": 2})
    one, other = sit_down(study), sit_down(study)
    for _ in range(2):
        settled(one, write(one, "n", "2"))
    write(one, "n", "2")
    one.page.wait_for_selector("h1:has-text('Waiting')")
    settled(other, write(other, "y", "3", rule="units"))
    one.page.click("text=Look again")
    one.page.wait_for_selector(".rule-shown")
    press(other.page, "z")
    said(other.page, "another rater works with your rule")


@pytest.mark.parametrize(
    ("task", "keys"), [("forced_choice", "a2b1"), ("intruder", "d3"), ("rule_prediction", "ynynny2")]
)
def test_practice_is_answered_with_the_keyboard_and_explained(sit_down, task, keys):
    design = RULES if task == "rule_prediction" else {}
    study = make_open_study(protocol=task, **design)
    rater = sit_down(study, practised=False)
    rater.page.click("main form button[type=submit]")
    number = 3 if task == "rule_prediction" else 1
    rater.open(f"/rate/{study.slug}/practice/{number}/")
    rater.page.wait_for_selector("html.js #answer")
    rater.page.wait_for_timeout(350)
    press(rater.page, *keys, "Enter")
    rater.page.wait_for_selector("#go-on")
    assert "A careful rater would say the same." in rater.page.inner_text("#panel")
    assert fits_a_phone(rater.page)
