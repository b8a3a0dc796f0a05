"""Every page by the rules of WCAG 2.2 AA that a program can check, in light and dark, and on a phone 360 px wide.

axe-core looks for text that is too pale, controls without a name, scrolled regions that no keyboard reaches, headings
that skip a level and targets that are too small. What it cannot see, the browser tests of the pages themselves try.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client

from annotation import services
from annotation.blinding import blind_guess_start, blind_instructions_read
from annotation.models import Study
from annotation.protocols import TASKS
from annotation.services.crowd import Arrival, crowd_enter
from annotation.services.invitations import invitation_create
from annotation.tests.factories import (
    fake_harvests,
    make_closed_study,
    make_harvest_run,
    make_open_study,
    make_rater,
    make_study,
    make_unblinded_study,
    make_user,
    rate_all,
)
from annotation.tests.test_crowd_entry import make_intake
from evalsite.access import OWNER
from evalsite.tests.test_whole_experiment import find_chromium

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
CHECKS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    # Off unless they are asked for: the first is new in WCAG 2.2, the second is good practice and no rule of WCAG.
    "rules": {"target-size": {"enabled": True}, "heading-order": {"enabled": True}},
    "resultTypes": ["violations"],
}
# What a narrow screen changes: tables that need to be scrolled, and rows that wrap.
CHECKS_OF_SIZE = {
    "runOnly": {"type": "rule", "values": ["scrollable-region-focusable", "target-size"]},
    "resultTypes": ["violations"],
}
LIGHT, BOTH = ("light",), ("light", "dark")
DESIGNS = {
    "first_glance": {"display": "proportional"},  # every band of shading
    "spectrum": {"snippets_per_neuron": 10},
    "rule_prediction": {
        "pairs": [{"size": "tiny", "layers": [0], "arms": {"baseline": "tiny-gelu", "solu": "tiny-solu-ln"}}],
        "raters_per_neuron": 1,
        "neurons_per_arm": 1,
        "options": {"firing": 2, "silent": 2},
    },
}


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright's own event loop lives in this thread; Django would take it for asynchronous code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


class Inspector:
    """Somebody who opens pages and writes down every fault of theirs."""

    def __init__(self, chromium, address, user=None):
        # A colour that is still on its way to another would be measured half-way.
        self.context = chromium.new_context(viewport=DESKTOP, reduced_motion="reduce")
        self.page, self.address, self.faults = self.context.new_page(), address, []
        if user is not None:
            self.sign_in(user)

    def sign_in(self, user):
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        self.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": self.address}])

    def look(self, path, schemes=LIGHT):
        """Open the page as it is at a desk and on a phone; it must be the page that was asked for."""
        reply = self.page.goto(self.address + path)
        assert (reply.status, reply.url) == (200, self.address + path)
        for scheme in schemes:
            self.page.emulate_media(color_scheme=scheme)
            found = Axe().run(self.page, options=CHECKS).response["violations"]
            self.faults += [(path, scheme, fault["id"], where(fault)) for fault in found]
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size(PHONE)
        found = Axe().run(self.page, options=CHECKS_OF_SIZE).response["violations"]
        self.faults += [(path, "phone", fault["id"], where(fault)) for fault in found]
        width = self.page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            self.faults.append((path, "phone", f"{width} px wide"))
        self.page.set_viewport_size(DESKTOP)


def where(fault):
    return [f"{node['target']}: {node['failureSummary']}" for node in fault["nodes"]]


@pytest.fixture
def inspect(chromium, live_server):
    """An inspector for a user; when the test ends, nobody may have found a fault."""
    inspectors = []

    def begin(user=None):
        inspectors.append(Inspector(chromium, live_server.url, user))
        return inspectors[-1]

    with fake_harvests():
        yield begin
    for inspector in inspectors:
        inspector.context.close()
    assert [fault for inspector in inspectors for fault in inspector.faults] == []


def account(user_id):
    return get_user_model().objects.get(pk=user_id)


def test_the_door_is_open_to_everybody(inspect):
    inspect().look("/accounts/login/", BOTH)


@pytest.mark.parametrize("task", TASKS)
def test_a_rater_can_learn_and_do_every_task(inspect, task):
    study = make_open_study(protocol=task, **DESIGNS.get(task, {}))
    newcomer = make_rater(study, practised=False)
    learner = inspect(account(newcomer))
    learner.look(f"/rate/{study.slug}/")
    blind_instructions_read(newcomer, study.slug)
    learner.look(f"/rate/{study.slug}/practice/1/")
    inspect(account(make_rater(study))).look(f"/rate/{study.slug}/next/", BOTH)


def test_a_rater_can_predict_from_anothers_rule_and_wait_for_one(inspect):
    study = make_open_study(protocol="rule_prediction", **DESIGNS["rule_prediction"])
    one, other = make_rater(study), make_rater(study)
    rater = inspect(account(one))
    rate_all(one, study, "no")
    rater.look(f"/rate/{study.slug}/next/")
    assert "Waiting" in rater.page.inner_text("h1")
    rate_all(other, study)
    rater.look(f"/rate/{study.slug}/next/", BOTH)
    assert rater.page.locator(".rule-shown").count() == 1


def test_a_rater_can_finish_and_guess(inspect):
    study = make_open_study(guess={"items": 1})
    user_id = make_rater(study)
    rate_all(user_id, study)
    rater = inspect(account(user_id))
    rater.look("/rate/")
    rater.look(f"/rate/{study.slug}/done/")
    blind_guess_start(user_id, study.slug)
    rater.look(f"/rate/{study.slug}/guess/", BOTH)


def test_a_snippet_too_long_for_its_box_can_be_scrolled_with_the_keyboard(inspect):
    with fake_harvests(pieces=240):
        study = services.study_open(study=services.study_freeze(study=make_study()))
    rater = inspect(account(make_rater(study)))
    rater.look(f"/rate/{study.slug}/next/")
    assert rater.page.locator(".snippet-text[tabindex='0']").count() == study.design["snippets_per_neuron"]


@pytest.fixture
def owner():
    return make_user(group=OWNER)


def make_busy_study(owner) -> Study:
    """Open, with a rater at work, a machine's seat, an invitation, a message, a token and somebody from the crowd."""
    study = make_open_study(raters=3, assignment={"machine_raters": 1})
    rate_all(make_rater(study), study)
    invitation_create(study=study, by=owner)
    services.message_send(study=study, text="Please finish by Friday.", by=owner)
    services.token_create(role="monitor", label="dashboard", days=3, study=study, by=owner)
    crowd_enter(intake=make_intake(study), arrival=Arrival("p1", "s", "x1", signed=False))
    return study


def test_the_staff_can_run_a_study(inspect, owner):
    study, lead = make_busy_study(owner), inspect(owner)
    lead.look(f"/studies/{study.slug}/", BOTH)
    for page in ("progress", "seats", "invitations", "messages", "log", "crowd", "tokens", "preview", "amend"):
        lead.look(f"/studies/{study.slug}/{page}/")


@pytest.mark.parametrize("make", [make_study, make_closed_study, make_unblinded_study])
def test_the_staff_can_read_a_study_in_every_state(inspect, owner, make):
    study = make()
    inspect(owner).look(f"/studies/{study.slug}/", BOTH)


def test_the_staff_can_launch_plan_and_report(inspect, owner):
    for network in ("tiny-gelu", "tiny-solu-ln"):
        make_harvest_run(network)
    study, lead = make_unblinded_study(), inspect(owner)
    lead.look("/studies/-/new/", BOTH)
    for page in ("/studies/", "/studies/-/new/toml/", "/studies/-/log/", "/studies/-/tokens/", "/studies/-/raters/"):
        lead.look(page)
    for page in ("/plan/", "/reports/", f"/reports/{study.slug}/"):
        lead.look(page)


def test_people_can_be_managed_and_see_their_own_account(inspect, owner):
    lead = inspect(owner)
    for page in ("/people/", f"/people/{owner.pk}/", "/accounts/profile/", "/verify/"):
        lead.look(page)
