"""The blinding tests of the raters' pages, played over every address that raters reach without them: API and entry."""

import json
import re
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotation import blinding
from annotation.evaluator import api as rating
from annotation.models import ApiToken, Evaluator, RaterKind
from annotation.services.crowd import WayBack
from annotation.services.intake import intake_save
from annotation.services.tokens import machine_declare
from annotation.tests.factories import make_open_study, practise, rate_all
from annotation.tests.test_blinding_pages import FIELDS, UNSTABLE_HEADERS, keys_rotated
from evalsite.api import api

pytestmark = pytest.mark.django_db
YES = {"verdict": "yes", "confidence": 3, "rule": "animals", "marks": ["fits", "", "misfits", "", "fits"]}
NO = {"verdict": "no", "confidence": 1}
DOCUMENT = api.get_openapi_schema(path_prefix="/api/")
OPERATIONS = {
    (method.upper(), path)
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if path.startswith("/api/v1/rate/")
}
# What the API adds to the gate's dataclasses.
ADDED = {
    rating.StatusOut: {"card", "where"},
    rating.NextOut: {"kind", "item", "waiting", "done"},
    rating.GuessOut: {"kind", "guess", "done"},
    rating.DraftOut: {"saved"},
}
TAKEN = {"AnswerIn", "ConsentIn", "GuessIn"}
# Form tokens and the random names of new accounts.
CHANCE = re.compile(rb'value="[^"]+"|human-[0-9a-f]{16}')


class Session:
    """A machine rater's whole work over the API, every reply kept."""

    def __init__(self, key: str) -> None:
        self.client, self.key = Client(), key
        self.replies: list[tuple[str, str, Any]] = []

    def call(self, method: str, path: str, body: Any = None, key: str = "", **values: str) -> Any:
        address = path
        for name, value in values.items():
            address = address.replace("{" + name + "}", value)
        headers = {"Authorization": f"Bearer {self.key}"} | ({"Idempotency-Key": key} if key else {})
        data = "" if body is None else json.dumps(body)
        reply = self.client.generic(method, f"/api/v1/rate{address}", data, "application/json", headers=headers)
        self.replies.append((method, f"/api/v1/rate{path}", reply))
        return reply.json()

    def play(self) -> "Session":
        self.call("GET", "/studies")
        self.call("GET", "/next")
        self.call("GET", "/consent")
        self.call("POST", "/consent", {"version": "x", "agrees": True})
        self.call("GET", "/screened")
        self.call("POST", "/notices/{notice}/read", notice="none")
        self.call("GET", "/instructions")
        self.call("POST", "/instructions")
        while (where := self.call("GET", "/status")["where"]).startswith("practice:"):
            number = where.partition(":")[2]
            self.call("GET", "/practice/{number}", number=number)
            self.call("POST", "/practice/{number}", {"verdict": "yes"}, number=number)
            self.call("POST", "/practice/{number}", {**NO, "confidence": 2}, number=number)
        self._rate()
        self._guess()
        return self

    def _rate(self) -> None:
        while (page := self.call("GET", "/next"))["kind"] == "item":
            item = page["item"]["assignment"]
            self.call("GET", "/items/{assignment}", assignment=item)
            self.call("PUT", "/items/{assignment}/draft", {**YES, "rule": ""}, assignment=item)
            for body in ({**YES, "rule": ""}, {**YES, "confidence": 9}, {**YES, "marks": ["fits"]}):
                self.call("POST", "/items/{assignment}/answer", body, key=f"wrong-{item}", assignment=item)
            for key in (f"one-{item}", f"one-{item}", f"two-{item}"):
                self.call("POST", "/items/{assignment}/answer", YES, key=key, assignment=item)
        self.call("POST", "/undo")
        self.call("GET", "/items/{assignment}", assignment="none")
        last = self.call("GET", "/next")["item"]["assignment"]
        self.call("POST", "/items/{assignment}/answer", NO, key=f"three-{last}", assignment=last)

    def _guess(self) -> None:
        page = self.call("POST", "/guess/start")
        while page.get("kind") == "guess":
            body = {"assignment": page["guess"]["assignment"], "guess": "dk"}
            self.call("POST", "/guess", {**body, "guess": "odd"})
            self.call("POST", "/guess", body)
            page = self.call("GET", "/guess")
        self.call("GET", "/guess")
        self.call("POST", "/guess", {"assignment": "none", "guess": "dk"})
        self.call("GET", "/next")
        self.call("POST", "/undo")

    def bytes(self) -> list[Any]:
        return [
            (method, path, reply.status_code, headers_of(reply), reply.content) for method, path, reply in self.replies
        ]


def headers_of(reply: Any) -> dict[str, str]:
    return {name: value for name, value in reply.items() if name not in UNSTABLE_HEADERS}


@pytest.fixture(autouse=True)
def _fresh_limits():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def study():
    study = make_open_study(raters=1, guess={"items": 2})
    study.seats.update(kind=RaterKind.MACHINE)
    return study


@pytest.fixture
def key(study) -> str:
    return machine_declare(study=study, name="M", version="1", days=1)[2]


def test_exchanging_all_arms_and_neurons_leaves_every_reply_of_the_api_byte_identical(study, key):
    before = transaction.savepoint()
    first = Session(key).play().bytes()
    transaction.savepoint_rollback(before)
    keys_rotated(study)
    second = Session(key).play().bytes()
    assert len(first) == len(second) > 60
    for one, other in zip(first, second, strict=True):
        assert one == other


def test_no_operation_for_raters_asks_a_sealed_or_a_neuron_table(key):
    tables = {model._meta.db_table for app in ("sealed", "neurons") for model in apps.get_app_config(app).get_models()}
    with CaptureQueriesContext(connection) as captured:
        played = Session(key).play()
    assert {(method, path) for method, path, _ in played.replies} == OPERATIONS
    sql = [query["sql"] for query in captured.captured_queries]
    assert len(sql) > 100
    assert [query for query in sql if any(table in query for table in tables)] == []


def named_in(value: Any) -> set[str]:
    """Names of the forms that a part of the document refers to."""
    if isinstance(value, dict):
        return {str(value["$ref"]).rpartition("/")[2]} if "$ref" in value else named_in(list(value.values()))
    return {name for part in value for name in named_in(part)} if isinstance(value, list) else set()


def reached(names: set[str]) -> set[str]:
    """These forms and all that stand inside them."""
    forms = DOCUMENT["components"]["schemas"]
    inside = {name for found in names for name in named_in(forms[found])} - names
    return reached(names | inside) if inside else names


def test_the_document_tells_raters_exactly_the_declared_fields():
    forms = DOCUMENT["components"]["schemas"]
    replies = [DOCUMENT["paths"][path][method.lower()]["responses"] for method, path in OPERATIONS]
    told = reached({name for reply in replies for name in named_in(reply)})
    declared = {kind.__name__: fields for kind, fields in (FIELDS | ADDED).items()}
    assert told <= set(declared)
    assert {kind.__name__ for kind in ADDED} <= told
    for name in told:
        assert set(forms[name]["properties"]) == declared[name], name


def test_every_reply_holds_exactly_what_the_document_says(key):
    """Field by field, down to the pieces of a snippet; a refusal is “error” and “field”."""
    for method, path, reply in Session(key).play().replies:
        body = reply.json()
        if reply.status_code != 200:
            assert set(body) == {"error", "field"}, (method, path)
            continue
        schema = DOCUMENT["paths"][path][method.lower()]["responses"][200]["content"]["application/json"]["schema"]
        check(body, schema)


def check(value: Any, schema: dict[str, Any]) -> None:
    forms = DOCUMENT["components"]["schemas"]
    if "anyOf" in schema:
        named = [part for part in schema["anyOf"] if "$ref" in part]
        return check(value, named[0]) if value is not None and named else None
    if "$ref" in schema:
        properties = forms[schema["$ref"].rpartition("/")[2]]["properties"]
        assert set(value) == set(properties)
        for name, part in properties.items():
            check(value[name], part)
    elif schema.get("type") == "array":
        for part in value:
            check(part, schema.get("items", {}))
    return None


def test_what_raters_may_send_is_declared_too():
    bodies = [DOCUMENT["paths"][path][method.lower()].get("requestBody") for method, path in OPERATIONS]
    assert named_in([body for body in bodies if body]) == TAKEN
    forms = DOCUMENT["components"]["schemas"]
    assert set(forms["AnswerIn"]["properties"]) == FIELDS[blinding.BlindAnswer]


def test_a_raters_token_never_reaches_more_than_rating(study, key):
    """Not even with the account of the rater made staff by mistake."""
    user = Evaluator.objects.get(tokens=ApiToken.objects.get()).user
    user.is_staff = user.is_superuser = True
    user.save()
    for path, methods in DOCUMENT["paths"].items():
        for method in methods:
            if (method.upper(), path) not in OPERATIONS:
                reply = Client().generic(
                    method, path.replace("{slug}", study.slug), headers={"Authorization": f"Bearer {key}"}
                )
                assert reply.status_code == 403, (method, path)


# -- The crowd's door --------------------------------------------------------------------------------------------------


def crowd_session(study, intake) -> list[Any]:
    client, replies = Client(), []
    address = f"/enter/{intake.token}/"
    page = client.get(address, {"PROLIFIC_PID": "p", "STUDY_ID": "s", "SESSION_ID": "x"})
    replies += [page, client.get(address), client.get("/enter/none/"), client.post(address, {"arrival": "odd"})]
    sealed = re.search(r'name="arrival" value="([^"]+)"', page.content.decode())[1]
    replies.append(client.post(address, {"arrival": sealed}))
    replies += [client.get(f"/enter/-/finish/{study.slug}/"), client.post(f"/enter/-/finish/{study.slug}/")]
    replies.append(client.post("/enter/-/hooks/prolific/"))
    user_id = int(client.session["_auth_user_id"])
    practise(user_id, study)
    rate_all(user_id, study)
    replies += [client.post(f"/enter/-/finish/{study.slug}/"), client.get(f"/enter/-/finish/{study.slug}/")]
    return [(reply.status_code, headers_of(reply), CHANCE.sub(b"", reply.content)) for reply in replies]


def test_the_crowds_pages_are_drawn_from_plain_words(client):
    """No row is within reach of a template: from a study's row one comes to its design, which names the arms."""
    study = make_open_study(raters=1)
    intake = intake_save(study=study, signed=False, code_complete="CDONE")
    told = {"title", "contact", "provider", "keeps_ids"}
    shown = {"enter": told | {"entry", "sealed"}, "outcome": told | {"outcome", "back"}}
    entered = client.get(f"/enter/{intake.token}/", {"PROLIFIC_PID": "p"})
    for name, page in (("enter", entered), ("outcome", client.get(f"/enter/{intake.token}/"))):
        own = {
            key: value
            for part in page.context
            for layer in part.dicts
            for key, value in layer.items()
            if key in shown[name]
        }
        assert set(own) == shown[name]
        assert {type(value) for value in own.values()} <= {str, WayBack}
        assert "study" not in page.context
        assert "intake" not in page.context


def test_the_crowds_door_is_the_same_whatever_is_sealed_and_asks_no_sealed_table():
    study = make_open_study(raters=1)
    intake = intake_save(study=study, signed=False, code_complete="CDONE")
    before = transaction.savepoint()
    tables = {model._meta.db_table for app in ("sealed", "neurons") for model in apps.get_app_config(app).get_models()}
    with CaptureQueriesContext(connection) as captured:
        first = crowd_session(study, intake)
    sql = [query["sql"] for query in captured.captured_queries]
    assert [query for query in sql if any(table in query for table in tables)] == []
    transaction.savepoint_rollback(before)
    keys_rotated(study)
    assert crowd_session(study, intake) == first
    assert b"CDONE" in first[-1][2]
