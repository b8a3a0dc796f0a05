"""The guess of the arm in a browser: by keyboard, after the last neuron, and usable on a phone."""

import os
from pathlib import Path

import pytest

from annotation.models import ArmGuess, Evaluator
from annotation.tests.factories import PASSWORD, make_open_study, make_rater
from evalsite.tests.test_rating_page import press
from evalsite.tests.test_whole_experiment import Person, browser  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LABELS = {"baseline": "an ordinary network (GELU)", "solu": "a SoLU network", "ln_only": "LayerNorm only"}


@pytest.fixture
def rater(browser, live_server):  # noqa: F811
    study = make_open_study(neurons_per_arm=1, guess={"items": 2, "labels": LABELS})
    username = Evaluator.objects.get(user_id=make_rater(study)).user.username
    person = Person(browser, live_server, username, PASSWORD)
    person.study = study
    person.open(f"/rate/{study.slug}/next/")
    yield person
    person.leave()


def rate_all(rater):
    page = rater.page
    for done in range(1, 4):
        page.wait_for_timeout(350)
        press(page, "n", "2", "Enter")
        if done < 3:
            page.wait_for_selector(f"#progress-text:has-text('{done} of 3')")
    page.wait_for_url("**/done/")


def look(page, name):
    """Pictures for whoever wants to see the pages, when a folder is named."""
    if folder := os.environ.get("BLINDSCOPE_TEST_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def test_the_arms_are_guessed_by_keyboard_after_the_verdicts_are_locked(rater):
    rate_all(rater)
    page = rater.page
    assert "Almost done" in page.inner_text("h1")
    assert "GELU" not in page.content()
    look(page, "almost-done")
    page.click("text=Lock my verdicts and begin")
    page.wait_for_url("**/guess/")
    look(page, "guess")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    look(page, "guess-phone")
    press(page, "a", "3", "r")
    page.keyboard.type("a lot of code")
    press(page, "Escape", "Enter")
    page.wait_for_selector("#progress-text:has-text('1 of 2')")
    press(page, "d", "Enter")
    page.wait_for_url("**/done/")
    assert "All 3 neurons are rated" in page.inner_text("h1")
    assert "Undo" not in page.inner_text("#content")
    asked = ArmGuess.objects.filter(shown_at__isnull=False).order_by("position")
    kept = asked.values_list("guess", "certainty", "reason")
    assert list(kept) == [("solu", 3, "a lot of code"), ("dk", None, "")]
