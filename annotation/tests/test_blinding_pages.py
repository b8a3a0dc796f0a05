"""Blinding on the level of bytes: what reaches a rater's browser depends on nothing that is sealed."""

import dataclasses
import importlib
import pkgutil
import re
import types
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.signals import template_rendered
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from annotation import blinding, evaluator, services
from annotation.evaluator import urls
from annotation.models import Assignment, Evaluator
from annotation.protocols import TASKS
from annotation.sealed.models import SealedKey
from annotation.tests.factories import make_frozen_study, make_open_study, make_rater, make_user

pytestmark = pytest.mark.django_db

JSON = {"headers": {"Accept": "application/json"}, "content_type": "application/json"}
CSRF_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]+"')
UNSTABLE_HEADERS = {"Expires", "Set-Cookie"}  # a clock and the session
YES = {"verdict": "yes", "confidence": 3, "rule": "animals", "marks": ["fits", "", "misfits", "", "fits"]}
CONTEXT_PROCESSORS = {
    "request", "user", "perms", "messages", "DEFAULT_MESSAGE_LEVELS", "csrf_token",
    "is_evaluator", "is_staff_role", "is_owner", "is_admin", "is_statistician", "is_unblinder", "is_monitor",
    "is_auditor", "True", "False", "None",
}  # fmt: skip

# What a rater may be told, field by field. A new field must be thought about here first.
ANSWER = {"verdict", "confidence", "rule", "responses", "marks", "active_ms", "wall_ms"}
RATE = {
    "study", "title", "assignment", "position", "progress", "task", "snippets", "layout", "question", "threshold",
    "rule", "simulated", "draft", "can_undo", "notices",
}  # fmt: skip
DONE = {"study", "title", "progress", "simulated", "can_undo", "contact", "guesses_left", "guessing", "from_crowd"}
WAITING = {"study", "title", "progress", "waiting", "simulated", "can_undo", "contact"}
FIELDS: dict[type, set[str]] = {
    blinding.BlindPiece: {"text", "band"},
    blinding.BlindSnippet: {"pieces"},
    blinding.BlindProgress: {"done", "total"},
    blinding.BlindAnswer: ANSWER,
    blinding.BlindNotice: {"notice", "study", "title", "text", "sent"},
    blinding.BlindStudyCard: {"study", "title", "progress", "state", "simulated", "started", "screened_out"},
    blinding.HomePage: {"studies", "pseudonym", "notices"},
    blinding.InstructionsPage: {
        "study", "title", "paragraphs", "task", "question", "simulated", "minutes_per_neuron", "snippets", "contact",
        "ready", "progress",
    },
    blinding.ConsentAnswer: {"version", "agrees", "conflict", "conflict_text"},
    blinding.ConsentPage: {
        "study", "title", "paragraphs", "promises", "required", "ask_conflicts", "version", "answer", "changed",
        "missing", "contact", "from_crowd", "draft",
    },
    blinding.PracticeFeedback: {"expected", "responses", "agrees", "text", "marks", "answer"},
    blinding.PracticePage: {
        "study", "title", "number", "total", "task", "snippets", "layout", "question", "threshold", "rule",
        "simulated", "training", "feedback", "draft",
    },
    blinding.TrainingPart: {"round", "rounds", "items", "needed", "right", "outcome"},
    blinding.ScreenedPage: {"study", "title", "simulated", "contact", "from_crowd"},
    blinding.RatePage: RATE,
    blinding.DonePage: DONE,
    blinding.WaitingPage: WAITING,
    # The arms are named when the verdicts are locked, the same names for every item and rater.
    blinding.GuessChoice: {"value", "label"},
    blinding.GuessPage: {
        "study", "title", "assignment", "progress", "snippets", "choices", "verdict", "simulated",
    },
    blinding.SaveReceipt: {"saved", "study", "assignment", "version", "duplicate", "next"},
}  # fmt: skip


class Transcript:
    """One rater's session over every URL of the evaluator's pages, with every reply kept."""

    def __init__(self, user_id: int, slug: str) -> None:
        self.client = Client()
        self.client.force_login(Evaluator.objects.get(user_id=user_id).user)
        self.slug = slug
        self.replies: list[tuple[str, HttpResponse]] = []

    def get(self, name: str, *args: object, **extra: Any) -> HttpResponse:
        return self._keep(name, self.client.get(reverse(f"evaluator:{name}", args=args), **extra))

    def post(self, name: str, *args: object, data: Any = None, **extra: Any) -> HttpResponse:
        return self._keep(name, self.client.post(reverse(f"evaluator:{name}", args=args), data or {}, **extra))

    def _keep(self, name: str, reply: HttpResponse) -> HttpResponse:
        self.replies.append((name, reply))
        return reply

    def play(self) -> "Transcript":
        self.get("home")
        self.get("next", self.slug)
        self.get("next", self.slug, **JSON)
        self._agree()
        self._learn()
        self._read_notices()
        self._rate_by_script()
        self._rate_by_form()
        self._finish()
        self.get("home")
        return self

    def _agree(self) -> None:
        version = self.get("consent", self.slug).context["page"].version
        for said in ({"version": "old", "agrees": "yes"}, {"agrees": "yes"}, {"agrees": "no"}):
            self.post("consent", self.slug, data={"version": version, **said})
        self.get("instructions", self.slug)
        self.get("practice", self.slug, 1)
        for conflict in ({}, {"conflict_text": "I trained one of them."}):
            self.post("consent", self.slug, data={"version": version, "agrees": "yes", "conflict": "yes", **conflict})
        self.get("consent", self.slug)

    def _learn(self) -> None:
        self.get("instructions", self.slug)
        self.post("instructions", self.slug)
        self.get("screened", self.slug)
        for number in (1, 2):
            self.get("practice", self.slug, number)
            self.post("practice", self.slug, number, data={"verdict": "yes"})
            self.post("practice", self.slug, number, data={"verdict": "no", "confidence": "2"})

    def _read_notices(self) -> None:
        first, second = (notice["notice"] for notice in self.get("next", self.slug, **JSON).json()["notices"])
        self.get("next", self.slug)
        self.post("notice_read", first, data={"back": "rate"})
        self.post("notice_read", second, **JSON)
        self.post("notice_read", second, data={"back": "home"})
        self.post("notice_read", "no-such-notice")

    def _rate_by_script(self) -> None:
        page = self.get("next", self.slug, **JSON).json()
        self.get("next", self.slug)
        self.post("draft", page["assignment"], data={**YES, "rule": ""}, **JSON)
        self.get("next", self.slug)
        for changes in ({"rule": ""}, {"confidence": 9}, {"marks": ["fits"]}, {"key": ""}):
            self.post("answer", page["assignment"], data={**YES, "key": "the-same-key", **changes}, **JSON)
        for key in ("the-same-key", "the-same-key", "another-key"):
            self.post("answer", page["assignment"], data={**YES, "key": key}, **JSON)
        self.post("undo", self.slug, **JSON)
        self.post("answer", "no-such-item", data={**YES, "key": "the-same-key"}, **JSON)

    def _rate_by_form(self) -> None:
        assignment = self.get("next", self.slug, **JSON).json()["assignment"]
        self.post("answer", assignment, data={"verdict": "yes", "confidence": "1"})
        self.get("next", self.slug)
        self.post("answer", assignment, data={"verdict": "no", "confidence": "1", "mark_2": "fits", "mark_5": ""})
        self.get("next", self.slug)
        self.post("undo", self.slug)
        self.get("done", self.slug)

    def _finish(self) -> None:
        while "done" not in (page := self.get("next", self.slug, **JSON).json()):
            self.get("next", self.slug)
            self.post("answer", page["assignment"], data={"verdict": "cannot", "key": page["assignment"]}, **JSON)
        self.get("next", self.slug)
        self.get("done", self.slug)
        self._guess()

    def _guess(self) -> None:
        self.get("guess", self.slug)
        self.post("guess_start", self.slug)
        self.post("undo", self.slug, **JSON)
        guess = {"guess": "baseline"}
        for answer in ({"guess": "dk"}, guess, {**guess, "certainty": "2", "reason": "code"}):
            page = self.get("guess", self.slug).context["page"]
            self.post("guess", self.slug, data={"assignment": page.assignment, **answer})
        self.get("guess", self.slug)
        self.get("done", self.slug)

    def bytes(self) -> list[tuple[str, int, dict[str, str], bytes]]:
        return [
            (
                name,
                reply.status_code,
                {header: value for header, value in reply.items() if header not in UNSTABLE_HEADERS},
                CSRF_TOKEN.sub(b"", reply.content),
            )
            for name, reply in self.replies
        ]


def keys_rotated(study: Any) -> None:
    """Give every item the arm and the neuron of an item of another arm."""
    keys = list(SealedKey.objects.filter(study=study).order_by("arm", "id"))
    sealed = [(key.arm, key.layer, key.neuron, key.harvest_id) for key in keys]
    per_arm = len(keys) // len({key.arm for key in keys})
    for key, (arm, layer, neuron, harvest) in zip(keys, sealed[per_arm:] + sealed[:per_arm], strict=True):
        assert key.arm != arm
        key.arm, key.layer, key.neuron, key.harvest_id = arm, layer, neuron, harvest
        key.save()


@pytest.fixture
def study():
    consent = {"text": "Rate with care.\n\nNothing is paid.", "ask_conflicts": True}
    study = make_open_study(guess={"items": 2}, training={"least_right": 0.5}, consent=consent)
    for text in ("The server rests on Tuesday.", "Please write short rules."):
        services.message_send(study=study, text=text)
    return study


@pytest.fixture
def rater(study) -> int:
    return make_rater(study, practised=False)


def test_exchanging_all_arms_and_neurons_leaves_every_page_and_reply_byte_identical(study, rater):
    before = transaction.savepoint()
    first = Transcript(rater, study.slug).play().bytes()
    transaction.savepoint_rollback(before)
    keys_rotated(study)
    second = Transcript(rater, study.slug).play().bytes()
    assert len(first) == len(second) > 60
    for one, other in zip(first, second, strict=True):
        assert one == other


@pytest.mark.parametrize("task", TASKS)
def test_in_every_task_exchanging_all_arms_and_neurons_leaves_the_pages_byte_identical(task):
    options = {"firing": 2, "silent": 2} if task == "rule_prediction" else {}
    study = make_open_study(protocol=task, snippets_per_neuron=5, raters_per_neuron=1, options=options)
    user = make_rater(study)
    before = transaction.savepoint()

    def pages() -> list[Any]:
        session = Transcript(user, study.slug)
        session.get("instructions", study.slug)
        session.get("practice", study.slug, 1)
        session.get("next", study.slug)
        session.get("next", study.slug, **JSON)
        return session.bytes()

    first = pages()
    assert [status for _, status, _, _ in first] == [200] * 4
    transaction.savepoint_rollback(before)
    keys_rotated(study)
    assert pages() == first


def test_no_evaluator_url_asks_a_sealed_or_a_neuron_table(study, rater):
    tables = {model._meta.db_table for app in ("sealed", "neurons") for model in apps.get_app_config(app).get_models()}
    assert {"sealed_sealedkey", "neurons_network"} <= tables
    with CaptureQueriesContext(connection) as captured:
        played = Transcript(rater, study.slug).play()
    assert {name for name, _ in played.replies} == {pattern.name for pattern in urls.urlpatterns}
    sql = [query["sql"] for query in captured.captured_queries]
    assert len(sql) > 100
    assert [query for query in sql if any(table in query for table in tables)] == []


def evaluator_modules() -> list[types.ModuleType]:
    names = [info.name for info in pkgutil.walk_packages(evaluator.__path__, "annotation.evaluator.")]
    return [importlib.import_module(name) for name in names]


@pytest.mark.parametrize("module", evaluator_modules(), ids=lambda module: module.__name__)
def test_no_evaluator_module_holds_a_model_or_a_module_that_does(module):
    for name, value in vars(module).items():
        kind = value if isinstance(value, type) else type(value)
        assert not issubclass(kind, models.Model | models.Manager | models.QuerySet), name
        if isinstance(value, types.ModuleType) and re.match("annotation|neurons|analysis|evalsite", value.__name__):
            assert value.__name__.startswith("annotation.evaluator"), name


@pytest.mark.parametrize("kind", FIELDS, ids=lambda kind: kind.__name__)
def test_a_gate_dataclass_has_exactly_the_declared_fields_and_room_for_no_other(kind):
    assert {field.name for field in dataclasses.fields(kind)} == FIELDS[kind]
    assert set(kind.__slots__) == FIELDS[kind]


def test_every_gate_dataclass_is_declared_here():
    defined = {
        value
        for value in vars(blinding).values()
        if isinstance(value, type)
        and dataclasses.is_dataclass(value)
        and value.__module__.startswith((blinding.__name__, "annotation.protocols"))
    }
    assert defined == set(FIELDS)


def parts(value: object) -> Iterator[object]:
    yield value
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from parts(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for part in value:
            yield from parts(part)
    elif isinstance(value, dict):  # a layout or responses
        yield from parts([*value, *value.values()])


def test_the_context_of_every_page_is_one_gate_dataclass_made_of_plain_values(study, rater):
    contexts: dict[str, list[dict[str, Any]]] = {}

    def keep(*, template: Any, context: Any, **_: Any) -> None:
        if template.name and re.fullmatch(r"annotation/evaluator/[a-z]\w*\.html", template.name):
            contexts.setdefault(template.name.split("/")[-1], []).append(context.flatten())

    template_rendered.connect(keep)
    try:
        Transcript(rater, study.slug).play()
    finally:
        template_rendered.disconnect(keep)
    pages = {"home", "consent", "instructions", "practice", "rate", "guess", "done"}
    assert set(contexts) == {f"{page}.html" for page in pages}
    for context in (context for rendered in contexts.values() for context in rendered):
        assert set(context) - CONTEXT_PROCESSORS == {"page"}
        for part in parts(context["page"]):
            assert type(part) in {*FIELDS, str, int, float, bool, tuple, dict, list, type(None)}


def test_every_json_reply_has_exactly_the_declared_fields(study, rater):
    shapes = [{"error", "field"}, {"saved"}, FIELDS[blinding.SaveReceipt], RATE, DONE | {"done"}]
    seen = []
    for _, reply in Transcript(rater, study.slug).play().replies:
        if reply["Content-Type"] == "application/json":
            body = reply.json()
            assert set(body) in shapes
            seen.append(shapes.index(set(body)))
            for snippet in body.get("snippets", ()):
                assert set(snippet) == {"pieces"}
                assert {field for piece in snippet["pieces"] for field in piece} == {"text", "band"}
    assert set(seen) == set(range(len(shapes)))


# -- Doors -------------------------------------------------------------------------------------------------------------


def addresses(patterns: Any, prefix: str = "/") -> Iterator[str]:
    """An address for every URL pattern, with made-up arguments."""
    samples = {"int": "1", "slug": "x", "uuid": "00000000-0000-0000-0000-000000000000"}
    for pattern in patterns:
        route = re.sub(r"<(?:(\w+):)?\w+>", lambda found: samples.get(found[1], "x"), str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, prefix + route)
        elif isinstance(pattern, URLPattern) and "(?" not in route:
            yield prefix + route


def foreign_addresses() -> list[str]:
    found = addresses(get_resolver().url_patterns)
    # What anybody may look up tells no arm; the API and the crowd's door have their own test_blinding_api.
    own = ("/rate/", "/accounts/", "/verify/", "/api/", "/enter/")
    return [address for address in found if address != "/" and not address.startswith(own)]


def test_an_evaluator_account_opens_nothing_but_the_evaluators_pages(study, rater):
    client = Client()
    client.force_login(Evaluator.objects.get(user_id=rater).user)
    found = foreign_addresses()
    assert {address.split("/")[1] for address in found} >= {"studies", "reports", "neurons", "admin"}
    assert {address: client.get(address).status_code for address in found} == dict.fromkeys(found, 404)
    assert {address: client.post(address).status_code for address in found} == dict.fromkeys(found, 404)


def test_an_evaluator_with_staff_rights_by_mistake_is_still_only_an_evaluator(study, rater):
    user = Evaluator.objects.get(user_id=rater).user
    user.is_staff = user.is_superuser = True
    user.save()
    user.groups.add(*make_user(group="admin").groups.all(), *make_user(group="statistician").groups.all())
    client = Client()
    client.force_login(user)
    found = foreign_addresses()
    assert {address: client.get(address).status_code for address in found} == dict.fromkeys(found, 404)
    assert client.get("/rate/").status_code == 200


def own_addresses() -> list[str]:
    return [address for address in addresses(get_resolver().url_patterns) if address.startswith("/rate/")]


def test_strangers_are_sent_to_the_sign_in_page(client):
    assert len(own_addresses()) == len(urls.urlpatterns)
    for address in own_addresses():
        for reply in (client.get(address), client.post(address)):
            assert (reply.status_code, reply["Location"]) == (302, f"/accounts/login/?next={address}")


@pytest.mark.parametrize("group", ["admin", "statistician", ""])
def test_nobody_but_evaluators_opens_the_evaluators_pages(client, group):
    client.force_login(make_user(group=group))
    for address in own_addresses():
        assert client.get(address).status_code == 404


def test_another_raters_item_and_an_item_that_is_not_there_are_answered_alike(study, rater):
    Transcript(rater, study.slug).play()
    other = Transcript(make_rater(study), study.slug)
    foreign = Assignment.objects.filter(seat__evaluator__user_id=rater).first()
    for name in ("answer", "draft"):
        for extra in (JSON, {}):
            data = {**YES, "key": "a-key-of-mine"}
            there = other.post(name, foreign.public_id, data=data, **extra)
            not_there = other.post(name, "no-such-item", data=data, **extra)
            assert there.status_code == not_there.status_code == 404
            assert CSRF_TOKEN.sub(b"", there.content) == CSRF_TOKEN.sub(b"", not_there.content)


def test_a_study_without_a_seat_and_a_study_that_is_not_there_are_answered_alike(study, rater):
    mine = Transcript(rater, study.slug)
    without_seat = make_frozen_study(slug="not-mine")
    for name, args in (("instructions", ()), ("practice", (1,)), ("next", ()), ("done", ())):
        replies = [mine.get(name, slug, *args) for slug in (without_seat.slug, "no-such-study")]
        assert [reply.status_code for reply in replies] == [404, 404]
        assert CSRF_TOKEN.sub(b"", replies[0].content) == CSRF_TOKEN.sub(b"", replies[1].content)
