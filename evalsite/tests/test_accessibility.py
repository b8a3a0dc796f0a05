"""Every page by the rules of WCAG 2.2 AA that a program can check, in light and dark, and on a phone 360 px wide.

axe-core looks for text that is too pale, controls without a name, scrolled regions that no keyboard reaches, headings
that skip a level and targets that are too small. What it cannot see, the browser tests of the pages themselves try.

Every test says with `looks_at` which pages it opens; a page of the site that none opens fails the last test.
"""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone

from analysis.tests.factories import make_study as make_reported_study
from annotation import services
from annotation.blinding import blind_guess_start, blind_instructions_read
from annotation.models import CrowdSubmission, Seat, Study
from annotation.protocols import TASKS
from annotation.services.crowd import Arrival, crowd_enter
from annotation.services.invitations import invitation_create, personal_link_make
from annotation.tests.factories import (
    PASSWORD,
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
from annotation.tests.test_leaving import evaluator_of
from evalsite.access import OWNER
from evalsite.tests.test_access import PAGES, STEPS, entry_of
from evalsite.tests.test_whole_experiment import find_chromium
from neurons.tests.indexed import make_rows

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
        self.page, self.address, self.faults, self.paths = self.context.new_page(), address, [], []
        if user is not None:
            self.sign_in(user)

    def sign_in(self, user):
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        self.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": self.address}])

    def look(self, path, schemes=LIGHT, status=200):
        """Open the page as it is at a desk and on a phone; it must be the page that was asked for."""
        reply = self.page.goto(self.address + path)
        assert (reply.status, reply.url) == (status, self.address + path)
        self.paths.append(path)
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

    def names(self):
        return {name_of(path) for path in self.paths}


def name_of(path):
    """The page's name as the table of doors has it."""
    match = resolve(path.partition("?")[0])
    return f"{match.view_name}/{match.kwargs['name']}" if match.view_name in STEPS else match.view_name


def where(fault):
    return [f"{node['target']}: {node['failureSummary']}" for node in fault["nodes"]]


@pytest.fixture
def inspect(request, chromium, live_server):
    """An inspector for a user; when the test ends, nobody may have found a fault, and all pages were opened."""
    inspectors = []

    def begin(user=None):
        inspectors.append(Inspector(chromium, live_server.url, user))
        return inspectors[-1]

    with fake_harvests():
        yield begin
    for inspector in inspectors:
        inspector.context.close()
    assert [fault for inspector in inspectors for fault in inspector.faults] == []
    opened = set().union(*(inspector.names() for inspector in inspectors))
    assert opened == set(request.node.get_closest_marker("looks_at").args)


def account(user_id):
    return get_user_model().objects.get(pk=user_id)


@pytest.mark.looks_at("login")
def test_the_door_is_open_to_everybody(inspect):
    inspect().look("/accounts/login/", BOTH)


@pytest.mark.looks_at("evaluator:instructions", "evaluator:practice", "evaluator:next")
@pytest.mark.parametrize("task", TASKS)
def test_a_rater_can_learn_and_do_every_task(inspect, task):
    study = make_open_study(protocol=task, **DESIGNS.get(task, {}))
    newcomer = make_rater(study, practised=False)
    learner = inspect(account(newcomer))
    learner.look(f"/rate/{study.slug}/")
    blind_instructions_read(newcomer, study.slug)
    learner.look(f"/rate/{study.slug}/practice/1/")
    inspect(account(make_rater(study))).look(f"/rate/{study.slug}/next/", BOTH)


@pytest.mark.looks_at("evaluator:next")
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


@pytest.mark.looks_at("evaluator:home", "evaluator:done", "evaluator:guess")
def test_a_rater_can_finish_and_guess(inspect):
    study = make_open_study(guess={"items": 1})
    user_id = make_rater(study)
    rate_all(user_id, study)
    rater = inspect(account(user_id))
    rater.look("/rate/")
    rater.look(f"/rate/{study.slug}/done/")
    blind_guess_start(user_id, study.slug)
    rater.look(f"/rate/{study.slug}/guess/", BOTH)


@pytest.mark.looks_at("evaluator:next")
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


RUNNING = ("progress", "seats", "invitations", "messages", "log", "crowd", "tokens", "preview", "amend")


@pytest.mark.looks_at("staff:study", *(f"staff:{page}" for page in RUNNING))
def test_the_staff_can_run_a_study(inspect, owner):
    study, lead = make_busy_study(owner), inspect(owner)
    lead.look(f"/studies/{study.slug}/", BOTH)
    for page in RUNNING:
        lead.look(f"/studies/{study.slug}/{page}/")


@pytest.mark.looks_at("staff:study")
@pytest.mark.parametrize("make", [make_study, make_closed_study, make_unblinded_study])
def test_the_staff_can_read_a_study_in_every_state(inspect, owner, make):
    study = make()
    inspect(owner).look(f"/studies/{study.slug}/", BOTH)


@pytest.mark.looks_at(
    "staff:create", "staff:list", "staff:create_toml", "staff:site_log", "staff:site_tokens", "staff:raters", "plan",
    "analysis:list", "analysis:report",
)  # fmt: skip
def test_the_staff_can_launch_plan_and_report(inspect, owner):
    for network in ("tiny-gelu", "tiny-solu-ln"):
        make_harvest_run(network)
    study, lead = make_unblinded_study(), inspect(owner)
    lead.look("/studies/-/new/", BOTH)
    for page in ("/studies/", "/studies/-/new/toml/", "/studies/-/log/", "/studies/-/tokens/", "/studies/-/raters/"):
        lead.look(page)
    for page in ("/plan/", "/reports/", f"/reports/{study.slug}/"):
        lead.look(page)


@pytest.mark.looks_at("analysis:report", "analysis:neurons", "analysis:compare")
def test_the_staff_can_read_every_neuron_and_compare_two_studies(inspect, owner):
    lead = inspect(owner)
    for name in ("first-study", "second-study"):
        make_reported_study(name, neurons=30, sizes=("1L-256", "2L-256"))
    lead.look("/reports/first-study/", BOTH)
    lead.look("/reports/first-study/neurons/", BOTH)
    lead.look("/reports/first-study/neurons/?arm=solu&verdict=yes&sort=-share&page=2")
    lead.look("/reports/-/compare/?first=first-study&second=second-study", BOTH)
    lead.look("/reports/-/compare/")


@pytest.mark.looks_at("people:accounts", "people:account", "people:profile", "verify:ask")
def test_people_can_be_managed_and_see_their_own_account(inspect, owner):
    lead = inspect(owner)
    for page in ("/people/", f"/people/{owner.pk}/", "/accounts/profile/", "/verify/"):
        lead.look(page)


@pytest.mark.looks_at("evaluator:consent", "people:leave", "people:erase", "people:personal")
def test_a_rater_can_be_asked_leave_and_be_forgotten(inspect):
    study = make_open_study(consent={"text": "We ask you to rate neurons.", "ask_conflicts": True})
    user_id = make_rater(study, practised=False)
    rater = inspect(account(user_id))
    rater.look(f"/rate/{study.slug}/consent/", BOTH)
    rater.look(f"/accounts/leave/{study.slug}/")
    rater.look("/accounts/erase/")
    link = personal_link_make(evaluator=evaluator_of(user_id))
    inspect().look(f"/join/me/{link.token}/")


@pytest.mark.looks_at("evaluator:screened")
def test_a_rater_can_read_why_it_ends(inspect):
    study = make_open_study(training={"least_right": 1.0, "rounds": 1, "on_fail": "screen_out"})
    user_id = make_rater(study, practised=False)
    Seat.objects.filter(evaluator__user_id=user_id).update(screened_out_at=timezone.now())
    inspect(account(user_id)).look(f"/rate/{study.slug}/screened/")


@pytest.mark.looks_at("crowd:enter", "crowd:finish", "people:join")
def test_people_can_come_in_by_a_link(inspect):
    study = make_open_study(raters=3)
    intake = make_intake(study)
    inspect().look(f"{reverse('crowd:enter', args=[intake.token])}?PROLIFIC_PID=p1&STUDY_ID=s&SESSION_ID=x1", BOTH)
    user = crowd_enter(intake=intake, arrival=Arrival("p2", "s", "x2", signed=False)).person.evaluator.user
    CrowdSubmission.objects.update(status="complete")
    inspect(user).look(reverse("crowd:finish", args=[study.slug]))
    inspect().look(f"/join/{invitation_create(study=study).token}/", BOTH)


@pytest.mark.looks_at(
    "staff:edit", "staff:step/freeze", "staff:step/open", "staff:step/close", "staff:version", "staff:hand_over",
    "staff:erase", "staff:harvest_start", "verify:known",
)  # fmt: skip
def test_the_staff_can_take_every_step(inspect, owner):
    lead, study = inspect(owner), make_study()
    lead.look(f"/studies/{study.slug}/design/")
    lead.look(f"/studies/{study.slug}/step/freeze/")
    study = services.study_freeze(study=study)
    lead.look(f"/studies/{study.slug}/step/open/")
    study = services.study_open(study=study)
    rater = evaluator_of(make_rater(study))
    lead.look(f"/studies/{study.slug}/step/close/")
    lead.look(f"/studies/{study.slug}/seats/1/hand-over/")
    lead.look(f"/studies/-/raters/{rater.pseudonym}/erase/")
    lead.look("/studies/-/harvests/new/")
    services.study_amend(study=study, changes={"contact": "Ask at the desk."}, reason="The old address is gone.")
    lead.look(f"/studies/{study.slug}/versions/2/")
    study.refresh_from_db()
    inspect().look(f"/verify/{study.protocol_sha256}/")


@pytest.mark.looks_at("staff:step/unblind", "staff:unblinding")
def test_two_persons_can_open_the_key(inspect, owner):
    study = make_closed_study(blinding={"unblinders": 2})
    inspect(owner).look(f"/studies/{study.slug}/step/unblind/")
    services.unblinding_request(study=study, reason="The last answer is in.", by=owner)
    inspect(make_user("second", OWNER)).look(f"/studies/{study.slug}/unblinding/")


@pytest.mark.looks_at(*(f"neurons:{name}" for name in (
    "index", "corpus", "network", "run", "search", "layer", "neuron", "reverse", "document", "twin", "own_text",
)))  # fmt: skip
def test_neurons_can_be_read_and_searched(inspect, owner):
    run, reader = make_rows()["net-gelu"], inspect(owner)
    reader.look("/neurons/", BOTH)
    for page in ("corpora/words/", "networks/net-gelu/", f"runs/{run.pk}/", "networks/net-gelu/0/"):
        reader.look(f"/neurons/{page}")
    neuron = "/neurons/networks/net-gelu/0/3/"
    reader.look(neuron, BOTH)
    reader.look(f"{neuron}beside/net-solu-ln/0/3/")
    reader.look(f"{neuron}text/")
    reader.page.goto(f"{reader.address}{neuron}")
    reader.look(first_document(reader.page))
    reader.look("/neurons/search/?network=net-gelu&text=ba")
    reader.look("/neurons/networks/net-gelu/reverse/")


def first_document(page):
    links = page.eval_on_selector_all("a", "links => links.map((link) => link.getAttribute('href'))")
    return next(link.partition("#")[0] for link in links if re.search(r"/text/\d+/", link or ""))


ACCOUNT_PAGES = {
    "account_email": "email", "account_change_password": "password/change", "usersessions_list": "sessions",
    "socialaccount_connections": "3rdparty", "mfa_index": "2fa", "mfa_activate_totp": "2fa/totp/activate",
    "mfa_list_webauthn": "2fa/webauthn", "mfa_add_webauthn": "2fa/webauthn/add", "logout": "logout",
}  # fmt: skip


@pytest.mark.looks_at("account_reauthenticate", *ACCOUNT_PAGES)
def test_people_can_look_after_their_account(inspect, owner):
    cache.clear()
    person = inspect()
    person.page.goto(f"{person.address}/accounts/login/")
    person.page.fill("input[name=username]", owner.username)
    person.page.fill("input[name=password]", PASSWORD)
    person.page.click("main button[type=submit]")
    person.look("/accounts/reauthenticate/")
    person.page.fill("input[name=password]", PASSWORD)
    person.page.click("main button[type=submit]")
    for path in ACCOUNT_PAGES.values():
        person.look(f"/accounts/{path}/")


ENTRANCES = {
    "account_request_login_code": "login/code", "account_reset_password": "password/reset",
    "account_reset_password_done": "password/reset/done", "account_inactive": "inactive",
    "account_email_verification_sent": "confirm-email", "socialaccount_login_cancelled": "3rdparty/login/cancelled",
    "socialaccount_login_error": "3rdparty/login/error", "account_signup": "signup",
}  # fmt: skip


@pytest.mark.looks_at("account_confirm_login_code")
def test_a_code_by_mail_can_be_entered(inspect):
    cache.clear()
    stranger = inspect()
    stranger.page.goto(f"{stranger.address}/accounts/login/code/")
    stranger.page.fill("main input[name=email]", "somebody@example.org")
    stranger.page.click("main button[type=submit]")
    stranger.look("/accounts/login/code/confirm/", BOTH)


@pytest.mark.looks_at(*ENTRANCES)
def test_who_cannot_come_in_is_told_why(inspect):
    stranger = inspect()
    for name, path in ENTRANCES.items():
        stranger.look(f"/accounts/{path}/", status=401 if name == "socialaccount_login_error" else 200)


# Pages that are nothing to look at, or not ours; the reason behind each.
ANSWERS_TO_A_BUTTON = "changes something and leads on to another page"
FOR_PROGRAMS = "data for a program or a file to keep"
ONE_TIME = "shown in the middle of signing in or of a change, by the same templates as the pages beside it"
OTHERS = "made by Django or by the API's library"
NOT_LOOKED_AT = {
    "home": "leads on", "set_language": ANSWERS_TO_A_BUTTON, "admin:*": OTHERS, "api:*": FOR_PROGRAMS,
    "api_docs": OTHERS, "api_unknown": FOR_PROGRAMS, "openid_connect_login": "leads to another organisation",
    "openid_connect_callback": "comes from another organisation",
    **dict.fromkeys((
        "account_confirm_email", "account_reset_password_from_key",
        "account_reset_password_from_key_done", "account_set_password", "socialaccount_signup", "mfa_authenticate",
        "mfa_login_webauthn", "mfa_deactivate_totp", "mfa_edit_webauthn", "mfa_generate_recovery_codes",
        "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_remove_webauthn", "mfa_view_recovery_codes",
    ), ONE_TIME),
    **dict.fromkeys((
        "people:new_link", "people:invite", "people:revoke", "evaluator:notice_read", "evaluator:answer",
        "evaluator:draft", "evaluator:guess_start", "evaluator:undo", "staff:design_preview", "staff:token_revoke",
        "staff:invitation_take_back", "staff:harvest_cancel", "staff:harvest_send", "staff:check",
        "staff:unblinding_withdraw", "staff:pause", "staff:message_take_back",
    ), ANSWERS_TO_A_BUTTON),
    **dict.fromkeys((
        "mfa_download_recovery_codes", "crowd:prolific_hook", "staff:protocol", "staff:version_file", "staff:log_file",
        "staff:verifier", "staff:site_log_file", "analysis:download",
    ), FOR_PROGRAMS),
}  # fmt: skip


def test_every_page_of_the_site_is_looked_at_or_there_is_a_reason():
    tests = [value for name, value in globals().items() if name.startswith("test_")]
    marks = [mark for test in tests for mark in getattr(test, "pytestmark", []) if mark.name == "looks_at"]
    looked_at = {name for mark in marks for name in mark.args}
    assert looked_at.isdisjoint(NOT_LOOKED_AT)
    assert looked_at | set(NOT_LOOKED_AT) == {entry_of(name) for name, _ in PAGES}
