"""The API: what a token opens, what it does not, and one form of errors for all of it."""

import json
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from annotation import services
from annotation.models import ApiToken, Judgment, LeakAudit, RaterKind, Study
from annotation.services.tokens import token_create, token_revoke
from annotation.tests.factories import (
    fake_harvests,
    make_design,
    make_open_study,
    make_rater,
    make_study,
    make_unblinded_study,
    make_user,
    rate_all,
)
from evalsite.access import ADMIN, STATISTICIAN
from evalsite.api import api

pytestmark = pytest.mark.django_db
ANSWER = {"verdict": "no", "confidence": 2}
DOCUMENT = api.get_openapi_schema(path_prefix="/api/")


@pytest.fixture(autouse=True)
def _fresh_limits():
    cache.clear()
    yield
    cache.clear()


class Program:
    """A client with a token, and no cookies."""

    def __init__(self, key: str) -> None:
        self.key, self.client = key, Client(raise_request_exception=False)

    def __call__(self, method: str, path: str, body=None, **headers):
        return self.client.generic(
            method,
            f"/api/v1{path}",
            "" if body is None else json.dumps(body),
            "application/json",
            headers={"Authorization": f"Bearer {self.key}", **headers},
        )


@pytest.fixture
def admin():
    return make_user(group=ADMIN)


@pytest.fixture
def study():
    study = make_open_study(raters=2)
    study.seats.filter(number=2).update(kind=RaterKind.MACHINE)
    return study


def program(study, role="admin", by=None, **values) -> Program:
    return Program(token_create(role=role, label="for a test", days=3, study=study, by=by, **values)[1])


@pytest.fixture
def rater(study, admin) -> Program:
    """A declared machine on seat 2."""
    told = program(study, by=admin)("POST", f"/studies/{study.slug}/machines/declare", {"name": "M", "version": "1"})
    assert told.status_code == 201
    return Program(told.json()["token"]["key"])


def ready(rater) -> Program:
    rater("POST", "/rate/instructions")
    while (where := rater("GET", "/rate/status").json()["where"]).startswith("practice:"):
        rater("POST", f"/rate/practice/{where.partition(':')[2]}", ANSWER)
    return rater


# -- Tokens ------------------------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_kept_as_a_hash(study, admin):
    token, key = token_create(role="monitor", label="dashboard", days=3, study=study, by=admin)
    kept = json.dumps(list(ApiToken.objects.values()), default=str) + str(list(study.events.values()))
    assert key not in kept
    assert key[:10] == token.hint


@pytest.mark.parametrize("how", ["no token", "made up", "basic", "expired", "revoked", "maker gone", "maker demoted"])
def test_a_token_that_is_not_good_opens_nothing(study, admin, how):
    token, key = token_create(role="admin", label="x", days=3, study=study, by=admin)
    if how == "expired":
        ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    if how == "revoked":
        token_revoke(token=token, by=admin)
    if how == "maker gone":
        admin.is_active = False
        admin.save()
    if how == "maker demoted":
        admin.groups.clear()
    headers = {"no token": {}, "basic": {"Authorization": f"Basic {key}"}, "made up": {"Authorization": "Bearer bsk_x"}}
    reply = Client().get(f"/api/v1/studies/{study.slug}", headers=headers.get(how, {"Authorization": f"Bearer {key}"}))
    assert reply.status_code == 401
    assert reply.json() == {"error": "Send a valid token: “Authorization: Bearer …”.", "field": ""}
    assert reply["WWW-Authenticate"] == "Bearer"


def test_a_signed_in_browser_opens_nothing_without_a_token(study, admin):
    browser = Client()
    browser.force_login(admin)
    for path, methods in DOCUMENT["paths"].items():
        for method in methods:
            reply = browser.generic(method.upper(), path.replace("{slug}", study.slug))
            assert reply.status_code == 401, (method, path)


def test_the_last_use_of_a_token_is_noted(study, admin):
    watch = program(study, "monitor", admin)
    assert ApiToken.objects.get().used_at is None
    watch("GET", f"/studies/{study.slug}")
    assert ApiToken.objects.get().used_at is not None


def operations():
    for path, methods in DOCUMENT["paths"].items():
        for method, said in methods.items():
            yield said["tags"][0], method.upper(), path.removeprefix("/api/v1")


OPENED = {
    "Rating": {"evaluator"},
    "Making studies": {"creator"},
    "Leading a study": {"admin"},
    "Watching a study": {"admin", "monitor", "auditor", "statistician"},
    "Checking a study": {"admin", "auditor"},
    "Results": {"admin", "statistician"},
}


@pytest.mark.parametrize("role", ["evaluator", "creator", "admin", "monitor", "auditor", "statistician"])
def test_each_role_opens_its_own_operations_and_no_other(study, admin, rater, role):
    if role == "evaluator":
        caller = rater
    else:
        caller = program(None if role == "creator" else study, role, admin)
    seen = set()
    for section, method, path in operations():
        # Of a study that is not there: who may ask is told so with 404, or with 422 about an empty body.
        reply = caller(method, path.replace("{slug}", "no-such-study"))
        assert (reply.status_code == 403) == (role not in OPENED[section]), (method, path, reply.content)
        assert set(reply.json()) == {"error", "field"} or reply.status_code == 200
        seen.add(section)
    assert seen == set(OPENED)


def test_another_study_is_answered_as_one_that_is_not_there(study, admin):
    other, lead = make_study(), program(study, by=admin)
    for _, method, path in operations():
        if "{slug}" in path:
            bodies = {"reason": "long enough a reason", "design": {}, "name": "x", "version": "1", "hint": "x"}
            bodies |= {"seat": 1, "label": "x"}
            wanted = DOCUMENT["paths"][f"/api/v1{path}"][method.lower()].get("requestBody")
            form = wanted and wanted["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            fields = DOCUMENT["components"]["schemas"][form]["properties"] if form else {}
            body = {name: value for name, value in bodies.items() if name in fields} if form else None
            replies = [lead(method, path.replace("{slug}", slug), body) for slug in (other.slug, "no-such-study")]
            assert [reply.status_code for reply in replies] == [404, 404], (method, path, replies[0].content)
            assert replies[0].content == replies[1].content


def test_a_program_may_answer_for_a_person_only_with_a_reason_on_record(study, admin):
    make_rater(study)
    lead, path = program(study, by=admin), f"/studies/{study.slug}/tokens"
    assert lead("POST", path, {"seat": 1, "label": "own screen"}).status_code == 409
    reply = lead("POST", path, {"seat": 1, "label": "own screen", "reason": "She rates in her own reading program."})
    assert reply.status_code == 201
    assert "reading program" in study.events.filter(action="token made").last().reason
    assert Program(reply.json()["key"])("GET", "/rate/status").status_code == 200


def test_a_rater_who_leaves_the_seat_takes_the_token_along(study, rater):
    assert rater("GET", "/rate/status").status_code == 200
    services.seat_vacate(seat=study.seats.get(number=2), keep=True, reason="Replaced by a newer version.")
    assert rater("GET", "/rate/status").status_code == 401


@pytest.mark.parametrize(
    "values",
    [
        {"role": "unblinder"}, {"role": "evaluator"}, {"role": "creator"}, {"days": 0}, {"days": 9_999},
        {"label": " "}, {"label": "x" * 81}, {"role": "monitor", "study": None},
    ],
)  # fmt: skip
def test_a_token_that_makes_no_sense_is_refused(study, values):
    with pytest.raises(services.TokenRefused):
        token_create(**{"role": "monitor", "label": "x", "days": 3, "study": study} | values)


# -- Limits and errors -------------------------------------------------------------------------------------------------


def test_too_many_requests_of_one_token_are_slowed_down_and_others_are_not(study, admin, settings):
    settings.API_RATE = "5/h"
    one, other = program(study, "monitor", admin), program(study, "monitor", admin)
    replies = [one("GET", f"/studies/{study.slug}") for _ in range(7)]
    assert [reply.status_code for reply in replies] == [200] * 5 + [429] * 2
    assert int(replies[-1]["Retry-After"]) > 0
    assert replies[-1].json()["field"] == ""
    assert other("GET", f"/studies/{study.slug}").status_code == 200


def test_who_tries_many_tokens_is_slowed_down(study, monkeypatch):
    monkeypatch.setattr("evalsite.api.FAILED_LOOKUPS", "3/h")
    replies = [Program(f"bsk_{number}")("GET", f"/studies/{study.slug}") for number in range(5)]
    assert [reply.status_code for reply in replies] == [401] * 3 + [429] * 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**ANSWER, "confidence": 7}, "confidence"),
        ({**ANSWER, "verdict": "maybe"}, "verdict"),
        ({**ANSWER, "marks": ["odd"]}, "marks.0"),
        ({**ANSWER, "responses": {"a": "x" * 5_000}}, "responses.a"),
        ({**ANSWER, "active_ms": -1}, "active_ms"),
        ({**ANSWER, "arm": "solu"}, "arm"),
        ([], ""),
    ],
)
def test_an_answer_that_is_not_as_documented_is_refused_with_the_field(rater, body, field):
    item = ready(rater)("GET", "/rate/next").json()["item"]
    reply = rater("POST", f"/rate/items/{item['assignment']}/answer", body, **{"Idempotency-Key": "a-good-key"})
    assert (reply.status_code, reply.json()["field"]) == (422, field)
    assert not Judgment.objects.exists()


def test_an_answer_without_a_key_is_refused(rater):
    item = ready(rater)("GET", "/rate/next").json()["item"]
    path = f"/rate/items/{item['assignment']}/answer"
    assert rater("POST", path, ANSWER).json()["field"] == "Idempotency-Key"
    assert rater("POST", path, ANSWER, **{"Idempotency-Key": "short"}).status_code == 422


def test_what_breaks_is_told_without_saying_what_is_inside(rater, monkeypatch):
    def broken(*_):
        raise RuntimeError("arm solu, neuron 17")

    monkeypatch.setattr("annotation.evaluator.api.blind_home", broken)
    reply = rater("GET", "/rate/studies")
    assert reply.status_code == 500
    assert set(reply.json()) == {"error", "field"}
    assert "solu" not in reply.content.decode()


# -- Rating ------------------------------------------------------------------------------------------------------------


def test_a_machine_reads_practises_rates_and_is_done(study, rater):
    assert rater("GET", "/rate/next").json()["field"] == "instructions"
    ready(rater)
    answered = 0
    while (page := rater("GET", "/rate/next").json())["kind"] == "item":
        path = f"/rate/items/{page['item']['assignment']}"
        assert rater("PUT", f"{path}/draft", {"verdict": "no"}).json() == {"saved": True}
        assert rater("GET", path).json()["draft"]["verdict"] == "no"
        receipt = rater("POST", f"{path}/answer", ANSWER, **{"Idempotency-Key": f"key-{answered}-of-mine"}).json()
        assert (receipt["saved"], receipt["duplicate"]) == (True, False)
        answered += 1
    assert page["kind"] == "done"
    assert page["done"]["progress"] == {"done": answered, "total": answered}
    assert Judgment.objects.filter(assignment__seat__kind=RaterKind.MACHINE).count() == answered


def test_the_same_key_again_gives_the_same_receipt_and_stores_nothing(rater):
    item = ready(rater)("GET", "/rate/next").json()["item"]
    send = [
        rater("POST", f"/rate/items/{item['assignment']}/answer", ANSWER, **{"Idempotency-Key": "the-same-key"}).json()
        for _ in range(3)
    ]
    assert [receipt["duplicate"] for receipt in send] == [False, True, True]
    assert Judgment.objects.count() == 1


def test_the_last_answer_can_be_opened_again(rater):
    item = ready(rater)("GET", "/rate/next").json()["item"]
    path = f"/rate/items/{item['assignment']}/answer"
    rater("POST", path, ANSWER, **{"Idempotency-Key": "the-first-key"})
    page = rater("POST", "/rate/undo").json()
    assert (page["assignment"], page["draft"]["verdict"]) == (item["assignment"], "no")
    assert rater("POST", path, ANSWER, **{"Idempotency-Key": "the-second-key"}).json()["version"] == 2


def test_an_answer_that_is_incomplete_is_refused_by_the_task(rater):
    item = ready(rater)("GET", "/rate/next").json()["item"]
    reply = rater(
        "POST", f"/rate/items/{item['assignment']}/answer", {"verdict": "yes", "confidence": 3},
        **{"Idempotency-Key": "a-good-key"},
    )  # fmt: skip
    assert (reply.status_code, reply.json()["field"]) == (400, "rule")


def test_a_token_reaches_the_items_of_its_own_study_only(study, rater, admin):
    """A program may sit in two studies; each token opens one of them."""
    second = make_open_study(raters=1)
    second.seats.update(kind=RaterKind.MACHINE)
    machine = study.seats.get(number=2).evaluator
    seat = services.seat_take(study=second, evaluator=machine)
    other = ready(program(second, "evaluator", admin, seat=seat))
    item = other("GET", "/rate/next").json()["item"]["assignment"]
    ready(rater)
    for method, path in (("GET", ""), ("PUT", "/draft"), ("POST", "/answer")):
        body = ANSWER if method != "GET" else None
        reply = rater(method, f"/rate/items/{item}{path}", body, **{"Idempotency-Key": "a-good-key"})
        missing = rater(method, f"/rate/items/none{path}", body, **{"Idempotency-Key": "a-good-key"})
        assert reply.status_code == missing.status_code == 404
        assert reply.content == missing.content
    assert [card["study"] for card in rater("GET", "/rate/studies").json()["studies"]] == [study.slug]


def test_a_paused_study_takes_no_answer_and_says_so(study, rater, admin):
    item = ready(rater)("GET", "/rate/next").json()["item"]["assignment"]
    lead = program(study, by=admin)
    assert lead("POST", f"/studies/{study.slug}/pause", {"reason": "A fault was found."}).json()["paused"] is True
    reply = rater("POST", f"/rate/items/{item}/answer", ANSWER, **{"Idempotency-Key": "a-good-key"})
    assert reply.status_code == 409
    assert lead("POST", f"/studies/{study.slug}/resume").json()["paused"] is False
    reply = rater("POST", f"/rate/items/{item}/answer", ANSWER, **{"Idempotency-Key": "a-good-key"})
    assert reply.status_code == 200


# -- Leading -----------------------------------------------------------------------------------------------------------


def test_a_study_is_made_frozen_opened_and_closed_by_a_program(admin):
    maker, design = program(None, "creator", admin), services.studies.design_to_dict(make_design(slug="by-program"))
    made = maker("POST", "/studies", {"design": design})
    assert made.status_code == 201
    lead = Program(made.json()["token"]["key"])
    changed = lead("PUT", "/studies/by-program/design", {"design": {**design, "title": "Changed", "slug": "other"}})
    assert (changed.json()["title"], changed.json()["slug"]) == ("Changed", "by-program")
    with fake_harvests():
        assert lead("POST", "/studies/by-program/freeze").json()["state"] == "frozen"
    assert lead("POST", "/studies/by-program/freeze").status_code == 409
    assert lead("POST", "/studies/by-program/open").json()["state"] == "open"
    assert lead("POST", "/studies/by-program/close", {"reason": "short"}).status_code == 422
    assert lead("POST", "/studies/by-program/close", {"reason": "All raters are done."}).json()["state"] == "closed"
    study = Study.objects.get(slug="by-program")
    assert lead("GET", "/studies/by-program/protocol").content == study.protocol.encode()
    assert lead("GET", "/studies/by-program/check").json() == {"problems": []}
    actions = [event["action"] for event in lead("GET", "/studies/by-program/log").json()]
    steps = ("created", "design changed", "frozen", "opened", "closed")
    assert tuple(action for action in actions if action in steps) == steps


def test_a_design_with_a_fault_is_refused_with_the_field(admin):
    design = services.studies.design_to_dict(make_design()) | {"display": "neon"}
    reply = program(None, "creator", admin)("POST", "/studies", {"design": design})
    assert (reply.status_code, reply.json()["field"]) == (400, "display")


def test_progress_is_pooled_and_says_of_each_seat_for_whom_it_is(study, admin, rater):
    rate_all(make_rater(study), study)
    watch = program(study, "monitor", admin)
    half = study.seats.first().assignments.count()
    assert watch("GET", f"/studies/{study.slug}/progress").json() == {
        "done": half, "total": 2 * half, "seats": 2, "seats_taken": 2,
    }  # fmt: skip
    seats = watch("GET", f"/studies/{study.slug}/seats").json()
    assert [(seat["kind"], seat["done"]) for seat in seats] == [("human", half), ("machine", 0)]
    assert watch("GET", f"/studies/{study.slug}/machines").json()[0]["name"] == "M"


def test_a_link_for_raters_is_made_and_works(study, admin, client):
    body = {"uses": 1, "days": 2}
    reply = program(study, by=admin)("POST", f"/studies/{study.slug}/invitations", body)
    assert reply.status_code == 201
    assert client.get(reply.json()["link"]).status_code == 200


def test_what_leak_audits_found_is_told_over_whole_arms(study, admin):
    LeakAudit.objects.create(study=study, limit=0.6, rule="auc", passed=True, numbers={"auc": 0.51}, seconds=1.0)
    (audit,) = program(study, "auditor", admin)("GET", f"/studies/{study.slug}/leaks").json()[-1:]
    assert (audit["limit"], audit["passed"], audit["numbers"]) == (0.6, True, {"auc": 0.51})


def test_no_seat_for_machines_means_no_machine(admin):
    study = make_open_study(raters=2)
    body = {"name": "M", "version": "1"}
    reply = program(study, by=admin)("POST", f"/studies/{study.slug}/machines/declare", body)
    assert reply.status_code == 409
    assert "machine" in reply.json()["error"]
    assert ApiToken.objects.filter(role="evaluator").count() == 0


def test_a_report_is_refused_until_the_key_is_open_and_then_given_with_its_files(admin, study):
    reader = program(study, STATISTICIAN, admin)
    for path in ("report", "files", "files/judgments.csv", "files/all.zip"):
        reply = reader("GET", f"/studies/{study.slug}/{path}")
        assert reply.status_code == 409
        assert "blinded" in reply.json()["error"]
    study = make_unblinded_study()
    reader = program(study, STATISTICIAN, admin)
    assert reader("GET", f"/studies/{study.slug}/report").json()["numbers"]
    names = [file["name"] for file in reader("GET", f"/studies/{study.slug}/files").json()]
    assert {"judgments.csv", "protocol.json", "all.zip"} <= set(names)
    assert reader("GET", f"/studies/{study.slug}/files/judgments.csv").content.startswith(b"study,")
    assert reader("GET", f"/studies/{study.slug}/files/all.zip").content.startswith(b"PK")
    assert reader("GET", f"/studies/{study.slug}/files/secrets.txt").status_code == 404


def test_no_operation_opens_the_key():
    assert not [path for path in DOCUMENT["paths"] if "blind" in path or "key" in path]


# -- The document ------------------------------------------------------------------------------------------------------


def test_the_document_names_every_operation_once_and_asks_a_token_of_each(client):
    document = client.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.")
    names = [said["operationId"] for methods in document["paths"].values() for said in methods.values()]
    assert len(names) == len(set(names)) > 30
    assert all(
        said["security"] == [{"Bearer": []}] for methods in document["paths"].values() for said in methods.values()
    )
    assert all(said["description"] for methods in document["paths"].values() for said in methods.values())


def test_every_operation_of_the_document_can_be_reached(study, admin):
    """Two routers at one address would hide one of them."""
    for _, method, path in operations():
        assert Program("none")(method, path.replace("{slug}", study.slug)).status_code == 401, (method, path)
    reply = Program("none")("GET", "/no-such-thing")
    assert (reply.status_code, reply.json()["error"]) == (404, "There is no such thing here.")


def test_the_reference_page_needs_nothing_from_elsewhere(client):
    page = client.get("/api/docs/").content.decode()
    assert len(page) < 100_000
    assert "/api/v1/rate/items/{assignment}/answer" in page
    assert "<script" not in page
    assert not re.search(r"(src|href|action)=\"(https?:)?//", page)
