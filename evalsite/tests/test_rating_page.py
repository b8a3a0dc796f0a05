"""The rating page in a browser: an answer is stored once and never lost, and keys do what is printed on them."""

import pytest

from annotation.models import Draft, Evaluator, Judgment
from annotation.tests.factories import PASSWORD, make_open_study, make_rater
from evalsite.tests.test_whole_experiment import Person, browser, current, wait_for_next  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SETTLED_MS = 350  # a new neuron is deaf to keys for 300 ms


@pytest.fixture
def rater(browser, live_server):  # noqa: F811
    study = make_open_study()
    user = Evaluator.objects.get(user_id=make_rater(study)).user
    person = Person(browser, live_server, user.username, PASSWORD)
    person.username, person.next = user.username, f"/rate/{study.slug}/next/"
    person.open(person.next)
    person.page.wait_for_selector("html.js")
    yield person
    person.leave()


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def said(page, text):
    # A machine that does much else at once has taken longer than the usual 15 seconds to lose an answer.
    page.wait_for_selector(f"#rate-status:has-text('{text}')", timeout=60_000)


def checked(page, name):
    return page.evaluate("name => document.querySelector(`input[name=${name}]:checked`)?.value ?? null", name)


def settled(rater, last):
    wait_for_next(rater, last)
    rater.page.wait_for_timeout(SETTLED_MS)


def test_keys_answer_undo_and_pause_as_printed(rater):
    page, first = rater.page, current(rater)
    press(page, "f", "m", "f", "f", "k", "f", "y", "3", "r")
    page.keyboard.type("u n y 1 z p h")
    assert page.input_value("#rule") == "u n y 1 z p h"
    assert "2 of 3 marked snippets fit: under 80 %" in page.inner_text("#tally-text")
    press(page, "Escape", "Enter")
    settled(rater, first)
    judgment = Judgment.objects.get()
    assert (judgment.verdict, judgment.confidence, judgment.marks) == ("yes", 3, ["fits", "misfits", "fits", "", ""])
    assert 0 < judgment.active_ms <= judgment.wall_ms
    second = current(rater)
    press(page, "z")
    settled(rater, second)
    assert (current(rater), checked(page, "verdict"), page.input_value("#rule")) == (first, "yes", "u n y 1 z p h")
    press(page, "p", "n")
    assert not page.is_visible("#answer")
    press(page, "p", "n", "Enter")
    settled(rater, first)
    assert list(Judgment.objects.values_list("version", "verdict", "is_current")) == [
        (1, "yes", False),
        (2, "no", True),
    ]


def test_keys_can_be_switched_off_and_stay_off(rater):
    page = rater.page
    page.uncheck("#keys-on")
    rater.open(rater.next)
    page.wait_for_selector("html.keys-off")
    press(page, "y", "2")
    assert (checked(page, "verdict"), checked(page, "confidence")) == (None, None)


def test_a_held_key_and_a_hasty_second_enter_make_one_judgment(rater):
    page, first = rater.page, current(rater)
    press(page, "n", "1", "Enter", "Enter")
    page.keyboard.down("Enter")
    page.keyboard.down("Enter")
    settled(rater, first)
    assert Judgment.objects.count() == 1
    assert not page.is_visible("#form-error")


@pytest.mark.parametrize("loss", ["request", "reply", "server"])
def test_a_lost_request_a_lost_reply_and_a_broken_server_end_in_one_judgment(rater, loss):
    page, first = rater.page, current(rater)

    def lose(route):
        if loss == "server":
            route.fulfill(status=503, body="down")
            return
        if loss == "reply":
            route.fetch()
        route.abort()

    page.route("**/answer/", lose)
    press(page, "n", "2", "Enter")
    said(page, "1 answer is waiting")
    assert Judgment.objects.count() == (1 if loss == "reply" else 0)
    page.unroute("**/answer/")
    settled(rater, first)
    assert Judgment.objects.get().verdict == "no"


def test_an_answer_waiting_in_the_browser_survives_a_reload(rater):
    page, first = rater.page, current(rater)
    page.route("**/answer/", lambda route: route.abort())
    press(page, "n", "2", "Enter")
    said(page, "1 answer is waiting")
    page.unroute("**/answer/")
    rater.open(rater.next)
    settled(rater, first)
    assert Judgment.objects.count() == 1


def test_an_expired_session_keeps_the_answer_until_the_rater_signs_in_again(rater):
    page, first = rater.page, current(rater)
    rater.context.clear_cookies(name="sessionid")
    press(page, "n", "2", "Enter")
    said(page, "You are signed out")
    assert not Judgment.objects.exists()
    with page.expect_popup() as opened:
        page.click("text=Sign in again")
    opened.value.fill("input[name=username]", rater.username)
    opened.value.fill("input[name=password]", PASSWORD)
    opened.value.click("main button[type=submit]")
    settled(rater, first)
    assert Judgment.objects.count() == 1


def test_two_tabs_on_one_neuron_make_one_judgment_and_the_first_stands(rater):
    page, first = rater.page, current(rater)
    other = rater.context.new_page()
    other.goto(rater.address + rater.next)
    other.wait_for_selector("html.js")
    press(other, "u", "Enter")
    other.wait_for_function("first => document.querySelector('#answer').dataset.assignment !== first", arg=first)
    page.bring_to_front()
    press(page, "n", "3", "Enter")
    said(page, "the first answer stands")
    settled(rater, first)
    assert Judgment.objects.get().verdict == "cannot"


def test_a_draft_is_saved_by_itself_and_comes_back_on_another_browser(rater, browser, live_server):  # noqa: F811
    page, first = rater.page, current(rater)
    with page.expect_response("**/draft/"):
        press(page, "y", "f", "r")
        page.keyboard.type("half a rule")
    page.wait_for_timeout(200)
    assert Draft.objects.get().answer["rule"] == "half a rule"
    elsewhere = Person(browser, live_server, rater.username, PASSWORD)
    elsewhere.open(rater.next)
    assert (current(elsewhere), elsewhere.page.input_value("#rule")) == (first, "half a rule")
    assert (checked(elsewhere.page, "verdict"), checked(elsewhere.page, "mark_1")) == ("yes", "fits")
    elsewhere.leave()


def test_what_was_typed_without_a_connection_is_there_after_a_reload(rater):
    page = rater.page
    page.route("**/draft/", lambda route: route.abort())
    press(page, "y", "r")
    page.keyboard.type("typed offline")
    page.wait_for_timeout(1_300)
    assert not Draft.objects.exists()
    page.unroute("**/draft/")
    with page.expect_response("**/draft/"):
        rater.open(rater.next)
    assert page.input_value("#rule") == "typed offline"


def choose_keys(page, **chosen):
    press(page, "h")
    page.click("#help .keys-change")
    for says, key in chosen.items():
        page.fill(f"#keys-rows tr:has-text('{says.replace('_', ' ')}') input", key)
    page.click("#keys-form button[value=save]")


def test_a_rater_changes_keys_and_they_stay_changed_and_printed(rater):
    page = rater.page
    page.wait_for_timeout(SETTLED_MS)
    choose_keys(page, Yes="q", No="y", Cannot_judge="")
    press(page, "Escape")
    rater.open(rater.next)
    page.wait_for_selector(".pick:has-text('Yes') kbd:text-is('Q')")
    page.wait_for_timeout(SETTLED_MS)
    for key, verdict in (("q", "yes"), ("y", "no"), ("n", "no"), ("u", "no")):
        press(page, key)
        assert checked(page, "verdict") == verdict
    press(page, "h")
    page.click("#help .keys-change")
    page.click("#keys-reset")
    page.click("#keys-form button[value=save]")
    press(page, "Escape", "y")
    assert checked(page, "verdict") == "yes"


def test_one_key_cannot_stand_for_two_things(rater):
    page = rater.page
    page.wait_for_timeout(SETTLED_MS)
    choose_keys(page, Yes="n")
    assert "“N” stands for" in page.inner_text("#keys-error")
    page.click("#keys-form button[value=cancel]")
    press(page, "Escape", "n")
    assert checked(page, "verdict") == "no"
