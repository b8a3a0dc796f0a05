"""The whole experiment through a browser: launch, seat, rate by keyboard, lose the connection, close, unblind, read."""

import os
import re
import shutil

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from annotation.models import Judgment, Study
from evalsite.access import OWNER, STATISTICIAN, UNBLINDER
from evalsite.tests.tiny import make_harvested_pair

PASSWORD = "a-long-enough-password"
NEURONS_PER_ARM, SNIPPETS, RATERS = 3, 4, 2


def find_chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise AssertionError("the browser test needs Chromium and found none; install the package chromium")


@pytest.fixture
def browser(monkeypatch):
    from playwright.sync_api import sync_playwright

    # Playwright's own event loop lives in this thread; Django would take it for asynchronous code.
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


class Person:
    """Somebody at a browser of their own. A script error or a failed request of a page fails the test."""

    def __init__(self, browser, live_server, username, password=PASSWORD):
        self.context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.address = live_server.url
        self.page.goto(self.address + "/")
        self.page.fill("input[name=username]", username)
        self.page.fill("input[name=password]", password)
        self.page.click("main button[type=submit]")

    def open(self, path):
        return self.page.goto(self.address + path)

    def leave(self):
        assert self.errors == []
        self.context.close()


def make_user(username, group):
    user = get_user_model().objects.create_user(username=username, password=PASSWORD)
    user.groups.add(Group.objects.get_or_create(name=group)[0])


def launch_study(admin) -> str:
    """Fill the form, freeze; returns the study's short name."""
    page = admin.page
    admin.open("/studies/-/new/")
    page.fill("[name=title]", "Made-up words")
    page.press("[name=title]", "Enter")  # on to the next step
    page.wait_for_selector("#task:visible")
    page.click("text=What raters see")
    page.wait_for_selector("#preview-pane:has(.snippet-text)")
    page.click("text=All steps on one page")
    for name, value in {"neurons_per_arm": NEURONS_PER_ARM, "snippets_per_neuron": SNIPPETS, "raters": RATERS}.items():
        page.fill(f"[name={name}]", str(value))
    page.fill("[name=raters_per_neuron]", str(RATERS))
    page.click("text=Create the draft")
    page.wait_for_url(re.compile("/studies/made-up-words/$"))
    take_step(admin, "freeze", reason="The pilot is over.", password=PASSWORD)
    return "made-up-words"


def take_step(admin, name, **fields):
    page = admin.page
    admin.open(f"/studies/made-up-words/step/{name}/")
    for field, value in fields.items():
        page.fill(f"[name={field}]", value)
    page.click("main form button[type=submit]")
    page.wait_for_url(re.compile("/studies/made-up-words/$"))


def seat_new_rater(admin, username) -> str:
    """Make an account with a seat; returns the password that the page shows once."""
    page = admin.page
    admin.open("/studies/made-up-words/seats/")
    page.fill("[name=username]", username)
    page.click("button[value=new]")
    return page.locator("dt:has-text('Password') + dd").inner_text().strip()


def practise(rater):
    page = rater.page
    rater.open("/rate/made-up-words/")
    page.click("main form button[type=submit]")
    for _ in range(2):
        page.wait_for_selector("#answer")
        page.wait_for_timeout(350)
        page.keyboard.press("n")
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        page.wait_for_selector("#go-on")
        page.keyboard.press("Enter")
    page.wait_for_selector("form[data-mode=rate]")


def current(rater) -> str:
    return rater.page.get_attribute("form[data-mode=rate]", "data-assignment")


def press_answer(rater, number):
    """A verdict by keyboard: every third Yes with a rule and two marks, the others No, the fourth cannot be judged."""
    page = rater.page
    page.wait_for_timeout(350)  # the page is deaf to keys for a moment, so that none meant for the last neuron counts
    if number % 3 == 0:
        page.keyboard.press("y")
        page.keyboard.press("3")
        page.keyboard.press("r")
        page.keyboard.type("made-up words with an x")
        page.keyboard.press("Escape")
        for key in ("j", "f", "j", "m"):
            page.keyboard.press(key)
    elif number == 4:
        page.keyboard.press("u")
    else:
        page.keyboard.press("n")
        page.keyboard.press("1")
    page.keyboard.press("Enter")


def wait_for_next(rater, last):
    rater.page.wait_for_function(
        """last => { const form = document.querySelector("form[data-mode=rate]");
        return !form || form.dataset.assignment !== last; }""",
        arg=last,
    )


def rate_all(rater, *, lose_connection_at=None):
    total = 2 * NEURONS_PER_ARM
    for number in range(total):
        before = current(rater)
        stored = Judgment.objects.count()
        if number == lose_connection_at:
            rater.context.set_offline(True)
            press_answer(rater, number)
            rater.page.wait_for_selector("text=/waiting in this browser/")
            assert Judgment.objects.count() == stored
            assert current(rater) == before
            rater.context.set_offline(False)
        else:
            press_answer(rater, number)
        wait_for_next(rater, before)
        assert Judgment.objects.count() == stored + 1
    rater.page.wait_for_selector("text=/neurons are rated/")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_whole_experiment_through_a_browser(browser, live_server):
    make_harvested_pair()
    make_user("anna", OWNER)
    make_user("otto", UNBLINDER)
    make_user("rita", STATISTICIAN)
    admin = Person(browser, live_server, "anna")
    slug = launch_study(admin)
    passwords = {name: seat_new_rater(admin, name) for name in ("eva", "emil")}
    take_step(admin, "open")

    for name, offline_at in (("eva", 2), ("emil", None)):
        rater = Person(browser, live_server, name, passwords[name])
        assert rater.open("/reports/").status == 404
        practise(rater)
        rate_all(rater, lose_connection_at=offline_at)
        rater.leave()
    study = Study.objects.get(slug=slug)
    current_ones = Judgment.objects.filter(assignment__seat__study=study, is_current=True)
    assert current_ones.count() == 2 * NEURONS_PER_ARM * RATERS
    assert Judgment.objects.filter(verdict="yes", rule="made-up words with an x").count() == 2 * RATERS

    researcher = Person(browser, live_server, "rita")
    researcher.open(f"/reports/{slug}/")
    assert "blind" in researcher.page.inner_text("main").lower()
    assert "solu" not in researcher.page.content().lower()

    take_step(admin, "close", reason="Both raters are through.", password=PASSWORD)
    take_step(admin, "unblind", reason="All judgments are in.", typed_slug=slug, password=PASSWORD)
    second = Person(browser, live_server, "otto")
    second.open(f"/studies/{slug}/unblinding/")
    second.page.fill("[name=typed_slug]", slug)
    second.page.fill("[name=password]", PASSWORD)
    second.page.click("main form button.danger")
    second.page.wait_for_url(re.compile("/studies/made-up-words/$"))
    second.leave()
    admin.leave()

    researcher.open(f"/reports/{slug}/")
    text = researcher.page.inner_text("main")
    assert "baseline" in text
    assert "solu" in text
    assert researcher.page.locator("svg[role=img]").count() >= 2
    with researcher.page.expect_download() as download:
        researcher.page.click("a[href$='judgments.csv']")
    rows = download.value.path().read_text().splitlines()
    assert len([row for row in rows if not row.startswith("#")]) == 1 + 2 * NEURONS_PER_ARM * RATERS
    researcher.leave()
