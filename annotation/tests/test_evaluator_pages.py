"""The evaluator's pages over HTTP: as forms without JavaScript, and as JSON."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from annotation import services
from annotation.blinding import BlindPiece, BlindSnippet
from annotation.models import Assignment, Draft, Evaluator, Item, Judgment, RaterKind
from annotation.tests.factories import make_evaluator, make_open_study, make_rater, rate_all
from neurons.templatetags.snippets import snippet_rows, visible

pytestmark = pytest.mark.django_db

JSON = {"headers": {"Accept": "application/json"}, "content_type": "application/json"}
YES = {"verdict": "yes", "confidence": "3", "rule": "names of fish"}


@pytest.fixture
def study():
    return make_open_study()


@pytest.fixture
def rater(study) -> int:
    return make_rater(study)


@pytest.fixture
def client(rater) -> Client:
    return signed_in(rater)


def signed_in(user_id: int) -> Client:
    client = Client()
    client.force_login(Evaluator.objects.get(user_id=user_id).user)
    return client


def address(name: str, *args: object) -> str:
    return reverse(f"evaluator:{name}", args=args)


def next_assignment(client: Client, study) -> str:
    return client.get(address("next", study.slug), **JSON).json()["assignment"]


def put_first(rater: int, study, snippets: list) -> None:
    """An item with these snippets at the head of the rater's list."""
    item = Item.objects.create(study=study, snippets=snippets)
    Assignment.objects.create(seat=study.seats.get(evaluator__user_id=rater), item=item, position=0)


class Inputs(HTMLParser):
    """Inputs of a page as (name, value, checked), and the text of its textareas."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, bool]] = []
        self.text = ""
        self._inside = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self._inside = tag == "textarea"
        if tag == "input":
            self.found.append((values.get("name", ""), values.get("value", ""), "checked" in values))

    def handle_endtag(self, tag):
        self._inside = False

    def handle_data(self, data):
        if self._inside:
            self.text += data

    def chosen(self) -> dict[str, str]:
        return {name: value for name, value, checked in self.found if checked and name}


def page_inputs(client: Client, study) -> Inputs:
    return Inputs(client.get(address("next", study.slug)).content.decode())


# -- The way through ---------------------------------------------------------------------------------------------------


def test_a_rater_goes_from_home_to_the_last_neuron_with_forms_alone(study):
    client = signed_in(make_rater(study, practised=False))
    assert address("instructions", study.slug) in client.get(address("home")).content.decode()
    assert client.get(address("next", study.slug))["Location"] == address("instructions", study.slug)
    assert client.post(address("instructions", study.slug))["Location"] == address("practice", study.slug, 1)
    for number in (1, 2):
        reply = client.post(address("practice", study.slug, number), {"verdict": "no", "confidence": "2"})
        assert "careful rater" in reply.content.decode()
    answered = 0
    while (reply := client.get(address("next", study.slug))).status_code == 200:
        action = re.search(r'action="(/rate/a/[^"]+/answer/)"', reply.content.decode())[1]
        assert client.post(action, YES)["Location"] == address("next", study.slug)
        answered += 1
    assert answered == study.items.count() == Judgment.objects.count()
    assert reply["Location"] == address("done", study.slug)
    assert f"All {answered} neurons are rated" in client.get(reply["Location"]).content.decode()


def test_nothing_is_preselected_on_a_fresh_item(client, study):
    inputs = page_inputs(client, study)
    assert {"verdict", "confidence", "rule", "mark_1", "mark_5"} - {name for name, *_ in inputs.found} == {"rule"}
    assert inputs.chosen() == {}
    assert inputs.text == ""


def test_a_refused_form_comes_back_with_everything_that_was_typed(client, study):
    assignment = next_assignment(client, study)
    data = {
        "verdict": "yes",
        "rule": "half a <thought>",
        "mark_1": "fits",
        "mark_2": "",
        "mark_3": "misfits",
        "mark_5": "",
    }
    reply = client.post(address("answer", assignment), data, follow=True)
    assert "Say how sure you are" in reply.content.decode()
    inputs = page_inputs(client, study)
    assert inputs.chosen() == {"verdict": "yes", "mark_1": "fits", "mark_3": "misfits"}
    assert inputs.text == "half a <thought>"
    assert not Judgment.objects.exists()


def test_a_refused_practice_answer_comes_back_with_everything_that_was_typed(client, study):
    data = {"verdict": "yes", "confidence": "2", "rule": "  ", "mark_2": "fits", "mark_10": ""}
    html = client.post(address("practice", study.slug, 1), data).content.decode()
    assert "a Yes needs one" in html
    assert Inputs(html).chosen() == {"verdict": "yes", "confidence": "2", "mark_2": "fits"}


def test_marks_of_a_form_are_stored_snippet_by_snippet(client, study):
    assignment = next_assignment(client, study)
    data = YES | {"mark_1": ["", "fits"], "mark_2": "", "mark_3": ["", "misfits"], "mark_4": "", "mark_5": ""}
    client.post(address("answer", assignment), data)
    assert Judgment.objects.get().marks == ["fits", "", "misfits", "", ""]


def test_a_form_sent_twice_makes_one_judgment(client, study):
    assignment = next_assignment(client, study)
    for verdict in ("no", "cannot"):
        reply = client.post(address("answer", assignment), YES | {"verdict": verdict}, follow=True)
    assert "the first answer stands" in reply.content.decode()
    assert Judgment.objects.get().verdict == "no"


def test_undo_brings_the_last_answer_back_into_the_form(client, study):
    assignment = next_assignment(client, study)
    client.post(address("answer", assignment), YES)
    assert client.post(address("undo", study.slug))["Location"] == address("next", study.slug)
    inputs = page_inputs(client, study)
    assert (inputs.chosen(), inputs.text) == ({"verdict": "yes", "confidence": "3"}, "names of fish")
    client.post(address("answer", assignment), YES | {"rule": "names of sharks"})
    assert list(Judgment.objects.values_list("version", "is_current", "rule")) == [
        (1, False, "names of fish"),
        (2, True, "names of sharks"),
    ]


def test_a_closed_study_sends_the_rater_home_with_the_reason(client, study):
    assignment = next_assignment(client, study)
    services.study_close(study=study, reason="enough")
    reply = client.post(address("answer", assignment), YES, follow=True)
    assert reply.redirect_chain == [(address("home"), 302)]
    assert "is not open for rating" in reply.content.decode()
    assert client.get(address("instructions", study.slug)).status_code == 200


def test_progress_is_shown_in_words_and_as_a_bar(client, study, rater):
    client.post(address("answer", next_assignment(client, study)), YES)
    html = client.get(address("next", study.slug)).content.decode()
    assert "1 of 12 done" in html
    assert '<progress class="bar" value="1" max="12"' in html


def test_every_page_of_a_simulated_study_says_so():
    study = make_open_study(rater_kind=RaterKind.SIMULATED)
    rater = make_rater(study, practised=False)
    client = signed_in(rater)
    pages = [client.get(address("home")), client.get(address("instructions", study.slug))]
    client.post(address("instructions", study.slug))
    pages += [client.get(address("practice", study.slug, 1))]
    for number in (1, 2):
        pages += [client.post(address("practice", study.slug, number), {"verdict": "no", "confidence": "1"})]
    pages += [client.get(address("next", study.slug))]
    rate_all(rater, study)
    pages += [client.get(address("done", study.slug))]
    for page in pages:
        assert page.status_code == 200
        assert "simulated raters" in page.content.decode().lower()


def test_a_rater_without_a_seat_reads_what_happens_next():
    html = signed_in(make_evaluator().user_id).get(address("home")).content.decode()
    assert "No study has a place for you yet" in html


def test_no_page_is_kept_by_a_cache(client, study):
    for page in (address("home"), address("instructions", study.slug), address("next", study.slug)):
        assert "no-store" in client.get(page)["Cache-Control"]


# -- JSON --------------------------------------------------------------------------------------------------------------


def test_a_script_rates_a_study_with_json_alone(client, study):
    while "done" not in (page := client.get(address("next", study.slug), **JSON).json()):
        marks = ["fits"] * len(page["snippets"])
        data = {"verdict": "no", "confidence": 1, "marks": marks, "key": f"key-{page['assignment']}", "active_ms": 9}
        receipt = client.post(address("answer", page["assignment"]), data, **JSON).json()
        assert receipt["saved"] is True
        assert receipt["assignment"] == page["assignment"]
    assert receipt["next"] is None
    assert page["progress"] == {"done": 12, "total": 12}
    assert Judgment.objects.filter(is_current=True, active_ms=9).count() == 12


def test_the_same_key_gives_the_same_receipt_and_one_judgment(client, study):
    assignment = next_assignment(client, study)
    first, again = (
        client.post(address("answer", assignment), YES | {"key": "one-answer"}, **JSON).json() for _ in "ab"
    )
    assert (first.pop("duplicate"), again.pop("duplicate")) == (False, True)
    assert first == again
    assert Judgment.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"verdict": ""}, "verdict"),
        ({"verdict": "maybe"}, "verdict"),
        ({"confidence": None}, "confidence"),
        ({"confidence": 4}, "confidence"),
        ({"confidence": True}, "confidence"),
        ({"rule": " \n"}, "rule"),
        ({"rule": ["a"]}, "rule"),
        ({"rule": "x" * 2_001}, "rule"),
        ({"marks": ["fits"]}, "marks"),
        ({"marks": ["maybe"] * 5}, "marks"),
        ({"marks": "fits"}, "marks"),
        ({"marks": [1, 2, 3, 4, 5]}, "marks"),
        ({"key": "short"}, "idempotency_key"),
    ],
)
def test_an_answer_that_cannot_count_is_refused_with_the_field_to_correct(client, study, changes, field):
    reply = client.post(
        address("answer", next_assignment(client, study)), YES | {"key": "a-good-key"} | changes, **JSON
    )
    assert reply.status_code == 400
    assert reply.json()["field"] == field
    assert len(reply.json()["error"]) > 20
    assert not Judgment.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "{", "null", "[" * 100_000, '"text"', b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(client, study, body):
    reply = client.generic("POST", address("answer", next_assignment(client, study)), body, **JSON)
    assert reply.status_code == 400


@pytest.mark.parametrize("odd", [-5, "soon", None, 1e30, float("inf"), [], 2**70])
def test_an_odd_clock_never_costs_the_answer(client, study, odd):
    data = YES | {"key": "a-good-key", "active_ms": odd, "wall_ms": odd}
    assert client.post(address("answer", next_assignment(client, study)), data, **JSON).status_code == 200
    assert 0 <= Judgment.objects.get().active_ms <= 2_147_483_647


def test_a_draft_is_kept_and_shown_again_and_goes_with_the_answer(client, study):
    assignment = next_assignment(client, study)
    reply = client.post(address("draft", assignment), {"verdict": "yes", "rule": "half", "active_ms": 700}, **JSON)
    assert reply.json() == {"saved": True}
    assert page_inputs(client, study).text == "half"
    assert 'data-active-ms="700"' in client.get(address("next", study.slug)).content.decode()
    client.post(address("answer", assignment), YES | {"key": "a-good-key"}, **JSON)
    assert not Draft.objects.exists()
    assert client.post(address("draft", assignment), {"rule": "late"}, **JSON).json() == {"saved": False}


def test_a_closed_study_and_an_early_rater_are_told_in_json(client, study):
    assignment = next_assignment(client, study)
    early = signed_in(make_rater(study, practised=False))
    reply = early.get(address("next", study.slug), **JSON)
    assert (reply.status_code, reply.json()["field"]) == (409, "instructions")
    services.study_close(study=study, reason="enough")
    reply = client.post(address("answer", assignment), YES | {"key": "a-good-key"}, **JSON)
    assert (reply.status_code, reply.json()["field"]) == (409, "")


def test_opening_the_next_item_twice_shows_the_same_item_and_notes_the_first_time(client, study):
    first = next_assignment(client, study)
    shown_at = Assignment.objects.get(public_id=first).shown_at
    assert next_assignment(client, study) == first
    assert Assignment.objects.get(public_id=first).shown_at == shown_at
    assert Assignment.objects.filter(shown_at__isnull=False).count() == 1


# -- Snippets ----------------------------------------------------------------------------------------------------------


def test_snippet_text_is_text_and_never_markup(client, rater, study):
    hostile = "<script>alert('x')</script><img src=x onerror=y>&amp;\u202eevil"
    put_first(rater, study, [[[hostile, 0], [hostile, 2]]] * 5)
    html = client.get(address("next", study.slug)).content.decode()
    assert "<script>alert" not in html
    assert "<img" not in html
    assert "\u202e" not in html
    assert html.count("&lt;script&gt;alert") == 10


def test_whitespace_is_visible_and_stays_whitespace():
    assert visible("one two") == "one two"
    assert visible("a  b").count('<span class="sp"> </span>') == 2
    assert visible("x\n\ny") == 'x<span class="nl"></span><span class="nl"></span>\ny'
    assert visible("a\r\nb") == 'a<span class="nl"></span>\nb'
    assert visible("\tx") == '<span class="tab">\t</span>x'
    assert visible(" the", every_space=True) == '<span class="sp"> </span>the'
    assert visible("\x00\x1b\x7f\u200b") == "␀␛␡◌"


def test_the_strongest_band_of_an_item_gets_the_strongest_shade():
    peak_mode = BlindSnippet((BlindPiece("a", 0), BlindPiece("b", 1), BlindPiece("c", 2)))
    assert snippet_rows([peak_mode])[0].html == 'a<mark class="b3">b</mark><mark class="b5">c</mark>'
    shaded = BlindSnippet(tuple(BlindPiece("x", band) for band in range(6)))
    assert re.findall(r"b(\d)", snippet_rows([shaded])[0].html) == ["1", "2", "3", "4", "5"]


def test_snippets_show_no_number_of_their_own(client, rater, study):
    put_first(rater, study, [[["some ", 0], ["text", 2], [" here\n", 1]]] * 5)
    html = client.get(address("next", study.slug)).content.decode()
    snippets = re.search(r'<ul class="snippets">.*?</ul>', html, re.DOTALL)[0]
    assert "some" in snippets
    assert not re.search(r"\d", re.sub(r"<[^>]+>", "", snippets))


def test_the_rating_page_with_everything_it_loads_stays_under_100_kb(client, rater, study):
    words = [[f"{'some words of a snippet ' * 3}", 0], [" peak", 2], [" next", 1]] * 2
    put_first(rater, study, [words] * 20)
    html = client.get(address("next", study.slug)).content
    names = set(re.findall(r'(?:href|src)="/static/([^"]+)"', html.decode()))
    names |= {f"rate/{name}.js" for name in ("keys", "item", "outbox", "server", "status", "store", "answer", "clock")}
    files = [Path(finders.find(name)) for name in sorted(names)]
    assert len(files) >= 11
    loaded = len(html) + sum(path.stat().st_size for path in files)
    assert loaded <= 100_000
    assert not re.search(r'(?:href|src)="(?:https?:)?//', html.decode())
