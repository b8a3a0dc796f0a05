"""Leaks that other tools are documented to have, each tried on ours; and replies that weigh and cost the same.

Delphi's annotation pages show the feature's number, colour activations by sign, take examples in an order without a
seed, and keep the key in the file that the rater opens. Potato replaces the names of models and leaves their ids in the
page's elements. Others number items one after the other, arm by arm, or start a slider at a value.
"""

import json
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from scipy.stats import mannwhitneyu

from annotation import services
from annotation.models import Assignment, Evaluator, Item
from annotation.protocols.display import mark_matched, mark_peak, mark_rank
from annotation.sealed.models import SealedDraw, SealedKey, SealedSalt
from annotation.services import harvests
from annotation.services.draw import study_draw
from annotation.services.harvests import strata_open
from annotation.tests.factories import (
    ACTIVATIONS,
    ARMS,
    FakeHarvest,
    make_design,
    make_frozen_study,
    make_harvest_run,
    make_open_study,
    make_rater,
    make_study,
    rate_all,
)
from neurons.store.pieces import Snippet

JSON = {"headers": {"Accept": "application/json"}, "content_type": "application/json"}
pytestmark = pytest.mark.django_db


def client_of(user_id: int) -> Client:
    client = Client()
    client.force_login(Evaluator.objects.get(user_id=user_id).user)
    return client


def shown(client: Client, slug: str, **extra: Any) -> HttpResponse:
    return client.get(reverse("evaluator:next", args=[slug]), **extra)


def answered(client: Client, assignment: str) -> None:
    body = {"verdict": "no", "confidence": 1, "key": f"key-{assignment}"}
    client.post(reverse("evaluator:answer", args=[assignment]), body, **JSON)


def whole_list(client: Client, slug: str) -> Iterator[tuple[dict[str, Any], HttpResponse]]:
    """Every item of a rater's list, as reply and as page."""
    while "done" not in (reply := shown(client, slug, **JSON).json()):
        yield reply, shown(client, slug)
        answered(client, reply["assignment"])


@dataclass(frozen=True)
class SameShape(FakeHarvest):
    """Every snippet has the same number of letters and the same place of the peak; the letters differ."""

    d_mlp: int = 60

    def _snippet(self, neuron: int, rank: int) -> Snippet:
        rng = random.Random(f"{self.network} {neuron} {rank}")
        words = [" " + "".join(rng.choices("abcdefghij", k=5)) for _ in range(9)]
        values = [9.0 if place == 4 else rng.random() for place in range(9)]
        values[1], values[2] = 2.0, 3.0  # the other two marks
        return Snippet(doc=rng.randrange(10**9), peak=4, pieces=tuple(zip(words, values, strict=True)))


def make_same_shape_study(**changes: Any) -> Any:
    with (
        patch.object(harvests, "harvest_finished", make_harvest_run),
        patch.object(harvests, "harvest_store", lambda run: SameShape(run.network.name)),
    ):
        return services.study_open(study=services.study_freeze(study=make_study(**changes)))


def arm_of_assignment() -> dict[str, str]:
    arms = dict(SealedKey.objects.values_list("item_id", "arm"))
    return {public_id: arms[item] for public_id, item in Assignment.objects.values_list("public_id", "item_id")}


# -- Delphi: the feature's number is on the page -----------------------------------------------------------------------


def test_no_reply_names_an_arm_a_network_an_activation_a_harvest_or_a_neuron():
    study = make_same_shape_study()
    client = client_of(make_rater(study))
    neurons = {f"{key.layer}:{key.neuron}" for key in SealedKey.objects.filter(study=study)}
    names = {*ARMS, *ARMS.values(), *ACTIVATIONS.values(), "neuron_", "layer", "harvest", "hook_", "post_act", *neurons}
    seen = 0
    for reply, page in whole_list(client, study.slug):
        for text in (json.dumps(reply), page.content.decode()):
            assert {name for name in names if re.search(rf"\b{name}", text)} == set()
        assert {name for name in names if name in " ".join(f"{k}={v}" for k, v in page.items())} == set()
        seen += 1
    assert seen == Item.objects.filter(study=study).count()


def test_a_page_is_the_same_whatever_number_the_neuron_has():
    """The same text under another neuron's number gives the same page, as no number takes part."""
    study = make_open_study()
    client = client_of(make_rater(study))
    before = shown(client, study.slug, **JSON).content
    SealedKey.objects.filter(study=study).update(neuron=31_337, layer=17)
    assert shown(client, study.slug, **JSON).content == before


# -- Delphi: colours tell the sign -------------------------------------------------------------------------------------


def test_marks_tell_no_sign_and_no_size():
    pieces = [("a", -4.0), ("b", 9.0), ("c", -0.1), ("d", 0.2), ("e", -7.0), ("f", 0.1), ("g", 0.3), ("h", -1.0)]
    clipped = [(text, max(value, 0.001 * number)) for number, (text, value) in enumerate(pieces)]
    for marked in (mark_peak(pieces, 1, 3), mark_rank(pieces, 1), mark_matched([(pieces, 1)])[0]):
        assert {band for _, band in marked} <= {0, 1, 2, 3}
    assert mark_peak(pieces, 1, 3) == mark_peak(clipped, 1, 3)


def test_pages_hold_no_colour_and_no_number_but_the_shade():
    study = make_open_study()
    page = shown(client_of(make_rater(study)), study.slug).content.decode()
    assert "style=" not in page
    assert set(re.findall(r"<mark ([^>]*)>", page)) <= {f'class="b{shade}"' for shade in range(1, 6)}


# -- Delphi: an order without a seed -----------------------------------------------------------------------------------


def drawn(salt: str) -> tuple[tuple[str, ...], ...]:
    """Each seat's list."""
    design = make_design()
    with (
        patch.object(harvests, "harvest_finished", make_harvest_run),
        patch.object(harvests, "harvest_store", lambda run: SameShape(run.network.name)),
    ):
        return tuple(seat.items for seat in study_draw(design, strata_open(design), salt).lists.seats)


def test_orders_follow_from_seed_and_salt_alone_and_differ_between_raters():
    assert drawn("one") == drawn("one") != drawn("other")
    first, second = drawn("one")
    assert sorted(first) == sorted(second)
    assert first != second


# -- Delphi: the key is in the file or the session that the rater opens ------------------------------------------------


def test_what_a_rater_holds_has_no_key():
    study = make_open_study()
    client = client_of(make_rater(study))
    shown(client, study.slug)
    session = Session.objects.get(session_key=client.session.session_key).get_decoded()
    assert all(name.startswith(("_auth", "account", "_")) for name in session)
    held = json.dumps(session) + json.dumps({name: cookie.value for name, cookie in client.cookies.items()})
    for row in SealedKey.objects.filter(study=study):
        assert row.arm not in held
        assert str(row.item.public_id) not in held


def test_the_protocol_that_anybody_may_read_joins_no_item_to_an_arm():
    study = make_frozen_study()
    protocol = json.loads(study.protocol)
    items = {item["id"]: item for item in protocol["items"]}
    assert {frozenset(item) for item in items.values()} == {frozenset({"id", "shown_sha256"})}
    parts = [json.dumps(part) for part in protocol.values()]
    naming_items = [part for part in parts if any(public_id in part for public_id in items)]
    assert len(naming_items) == 2  # the items themselves, and the lists of seats
    assert not [arm for arm in ARMS for part in naming_items if arm in part]
    assert SealedSalt.objects.get(study=study).salt not in study.protocol


# -- Potato: ids in the page's elements --------------------------------------------------------------------------------


class Attributes(HTMLParser):
    """Every attribute of a page, by name."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found += [(name, value or "") for name, value in attrs]


def test_no_element_holds_an_id_that_another_rater_or_table_would_know():
    """The item's own id would let raters compare notes; row numbers would tell the order of writing."""
    study = make_open_study()
    client = client_of(make_rater(study))
    page = shown(client, study.slug).content.decode()
    assignment = Assignment.objects.get(public_id=shown(client, study.slug, **JSON).json()["assignment"])
    values = [value for _, value in Attributes(page).found]
    assert assignment.item.public_id not in page
    keys = ("data-key", "data-kbd")  # of the keyboard
    numbers = {
        value
        for name, value in Attributes(page).found
        if name.startswith("data-") and value.isdigit() and name not in keys
    }
    assert numbers <= {"0", str(len(assignment.item.snippets))}
    assert [value for value in values if assignment.public_id in value] != []


def test_two_raters_get_different_ids_for_the_same_item():
    study = make_open_study()
    ids = Assignment.objects.filter(seat__study=study).values_list("public_id", flat=True)
    assert len(set(ids)) == len(ids) == 2 * Item.objects.filter(study=study).count()


# -- Sequential ids and order by id ------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["pk", "public_id"])
def test_neither_row_numbers_nor_public_ids_sort_items_by_arm(key):
    """A rank test at one in a million: the draw is fixed by its salt, so it cannot fail by chance from run to run."""
    with (
        patch.object(harvests, "harvest_finished", make_harvest_run),
        patch.object(harvests, "harvest_store", lambda run: SameShape(run.network.name)),
    ):
        study = services.study_freeze(study=make_study(neurons_per_arm=30), salt="c" * 64)
    arms = dict(SealedKey.objects.filter(study=study).values_list("item_id", "arm"))
    ranked = [arms[item.pk] for item in Item.objects.filter(study=study).order_by(key)]
    places = {arm: [place for place, other in enumerate(ranked) if other == arm] for arm in ARMS}
    for arm in ARMS:
        rest = [place for other in ARMS if other != arm for place in places[other]]
        assert mannwhitneyu(places[arm], rest).pvalue > 1e-6


def test_ids_are_not_numbers_that_count_up():
    study = make_open_study()
    ids = [*Item.objects.filter(study=study).values_list("public_id", flat=True)]
    ids += Assignment.objects.filter(seat__study=study).values_list("public_id", flat=True)
    assert all(len(public_id) >= 16 and not public_id.isdigit() for public_id in ids)


# -- A default that answers for the rater ------------------------------------------------------------------------------


def test_a_fresh_page_has_no_answer_chosen_and_no_slider():
    study = make_open_study()
    client = client_of(make_rater(study))
    for _, page in whole_list(client, study.slug):
        form = page.content.decode().partition('id="answer"')[2].partition("</form>")[0]
        assert " checked" not in form.replace('id="keys-on" checked', "")
        assert " selected" not in form
        assert 'type="range"' not in form
        assert re.search(r"<textarea[^>]*></textarea>", form)


# -- Bytes and time ----------------------------------------------------------------------------------------------------


def test_pages_of_one_shape_have_one_length_whatever_the_arm():
    study = make_same_shape_study(neurons_per_arm=8)
    client, arms = client_of(make_rater(study)), arm_of_assignment()
    reply_lengths: dict[str, set[int]] = {arm: set() for arm in ARMS}
    page_lengths: dict[str, set[int]] = {arm: set() for arm in ARMS}
    for reply, page in whole_list(client, study.slug):
        arm = arms[reply["assignment"]]
        counted = {**reply, "progress": None, "position": 0, "can_undo": None}  # the rater's place in the list
        reply_lengths[arm].add(len(json.dumps(counted)))
        page_lengths[arm].add(len(_without_place(page.content.decode())))
    assert len(set.union(*reply_lengths.values())) == 1
    assert len(set.union(*page_lengths.values())) == 1


def _without_place(page: str) -> str:
    """The page without what tells how far the rater is, and without the token that changes at every request."""
    page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)
    page = re.sub(r'<span id="progress-text">.*?</progress>', "", page, flags=re.DOTALL)
    return re.sub(r'<button[^>]*form="undo-form">.*?</button>', "", page, flags=re.DOTALL)


def test_an_answer_is_received_in_as_many_bytes_whatever_the_arm():
    study = make_same_shape_study(neurons_per_arm=4)
    client, arms = client_of(make_rater(study)), arm_of_assignment()
    lengths: dict[str, set[int]] = {arm: set() for arm in ARMS}
    while "done" not in (page := shown(client, study.slug, **JSON).json()):
        body = {"verdict": "no", "confidence": 1, "key": "12345678"}
        address = reverse("evaluator:answer", args=[page["assignment"]])
        reply = client.post(address, body, **JSON).json()
        if reply["next"]:  # the last receipt names no next item
            lengths[arms[page["assignment"]]].add(len(json.dumps(reply)))
    assert len(set.union(*lengths.values())) == 1


def test_every_item_takes_the_same_queries_whatever_the_arm():
    """Work is the cause of latency: the same statements, in the same order, for each item of each arm."""
    study = make_same_shape_study()
    client, arms = client_of(make_rater(study)), arm_of_assignment()
    shown(client, study.slug)
    answered(client, shown(client, study.slug, **JSON).json()["assignment"])  # afterwards all pages offer an undo
    statements: dict[str, set[tuple[str, ...]]] = {arm: set() for arm in ARMS}
    while "done" not in (page := shown(client, study.slug, **JSON).json()):
        with CaptureQueriesContext(connection) as captured:
            shown(client, study.slug)
            answered(client, page["assignment"])
        statements[arms[page["assignment"]]].add(tuple(_shape(query["sql"]) for query in captured.captured_queries))
    assert len(set.union(*statements.values())) == 1


def _shape(sql: str) -> str:
    """A statement without its values and the names of savepoints."""
    return re.sub(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b|\"s[0-9a-f]+_x[0-9a-f]+\"", "?", re.sub(r'"s\d+_x\d+"', "?", sql))


def test_drawing_a_page_takes_no_longer_for_one_arm():
    """Processor time of pages of one shape, the arms in turn: a rank test that calls only a gross difference."""
    study = make_same_shape_study(neurons_per_arm=12)
    client, arms = client_of(make_rater(study)), arm_of_assignment()
    times: dict[str, list[float]] = {arm: [] for arm in ARMS}
    while "done" not in (page := shown(client, study.slug, **JSON).json()):
        begun = time.thread_time()
        shown(client, study.slug)
        times[arms[page["assignment"]]].append(time.thread_time() - begun)
        answered(client, page["assignment"])
    for arm in ARMS:
        rest = [taken for other in ARMS if other != arm for taken in times[other]]
        assert mannwhitneyu(times[arm], rest).pvalue > 1e-6


def test_no_sealed_row_is_touched_while_raters_work():
    study = make_open_study()
    with CaptureQueriesContext(connection) as captured:
        rate_all(make_rater(study), study, "no")
    tables = {model._meta.db_table for model in (SealedKey, SealedDraw, SealedSalt)}
    assert not [query["sql"] for query in captured.captured_queries if any(table in query["sql"] for table in tables)]
