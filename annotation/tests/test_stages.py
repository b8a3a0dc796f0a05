"""From one rater's rule to another's prediction: who predicts, when it can be read, and what if no rule is written."""

import json

import pytest
from django.db import connection, transaction
from django.http import Http404
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from annotation import services
from annotation.blinding import (
    AnswerRefused,
    DonePage,
    RatePage,
    WaitingPage,
    blind_item,
    blind_judgment_submit,
    blind_next,
    blind_undo,
    blind_where,
)
from annotation.blinding.seats import available_of
from annotation.design import DesignRefused
from annotation.models import Assignment, Evaluator, Item, Judgment
from annotation.randomize import Lists, SeatList, predictions_choose, predictions_listed
from annotation.sealed.models import SealedKey
from annotation.selectors import study_progress
from annotation.tests.factories import (
    fake_harvests,
    make_answer,
    make_frozen_study,
    make_open_study,
    make_rater,
    make_study,
)
from annotation.tests.test_blinding_pages import CSRF_TOKEN, keys_rotated

RULES = {"protocol": "rule_prediction", "raters": 2, "raters_per_neuron": 1, "options": {"firing": 3, "silent": 3}}


def predicted(page, **changes):
    names = [f"snippet_{number}" for number in range(1, len(page.layout["held_out"]) + 1)]
    return make_answer(**{"verdict": "", "confidence": 2, "responses": dict.fromkeys(names, "yes"), **changes})


def send(user, page, answer):
    return blind_judgment_submit(user, page.assignment, answer, f"key-{page.assignment}")


def write_all(user, study, verdict="yes", rule="a rule of mine"):
    """Answer everything that asks for a verdict; what comes then."""
    while isinstance(page := blind_next(user, study.slug), RatePage) and page.task == "first_glance":
        send(user, page, make_answer(verdict, rule=rule if verdict == "yes" else ""))
    return page


# -- Who predicts ------------------------------------------------------------------------------------------------------

seats = st.lists(st.tuples(st.booleans(), st.sets(st.sampled_from("abcdefgh"), min_size=1)), min_size=1, max_size=7)


@given(seats, st.integers(0, 99))
def test_whoever_predicts_never_saw_the_neuron_and_never_predicts_it_twice(drawn, seed):
    lists = Lists(tuple(SeatList(machine, tuple(sorted(items))) for machine, items in drawn), {})
    writing = {f"p{name}": name for name in "abcdefgh"}
    chosen = predictions_choose(seed, "salt", lists, writing)
    assert chosen == predictions_choose(seed, "salt", lists, writing)
    for one in chosen:
        assert writing[one.item] in lists.seats[one.writer - 1].items
        assert writing[one.item] not in lists.seats[one.seat - 1].items
        assert lists.seats[one.writer - 1].machine == lists.seats[one.seat - 1].machine
    assert (
        len({(one.item, one.seat) for one in chosen}) == len({(one.item, one.writer) for one in chosen}) == len(chosen)
    )
    for item, name in writing.items():
        for machine in (False, True):
            kind = [seat.items for seat in lists.seats if seat.machine == machine]
            writers = sum(name in items for items in kind)
            rules = [one for one in chosen if one.item == item and lists.seats[one.seat - 1].machine == machine]
            assert len(rules) == min(writers, len(kind) - writers)
    listed = predictions_listed(seed, "salt", lists, chosen)
    for number, (before, after) in enumerate(zip(lists.seats, listed.seats, strict=True), start=1):
        assert after.items[: len(before.items)] == before.items
        assert sorted(after.items[len(before.items) :]) == sorted(one.item for one in chosen if one.seat == number)


def test_raters_predict_about_equally_often():
    lists = Lists(tuple(SeatList(False, tuple(f"{seat}-{n}" for n in range(20))) for seat in range(6)), {})
    chosen = predictions_choose(1, "salt", lists, {f"p{name}": name for seat in lists.seats for name in seat.items})
    loads = [sum(one.seat == seat for one in chosen) for seat in range(1, 7)]
    assert sum(loads) == 120
    assert max(loads) - min(loads) <= 1


@pytest.mark.django_db
def test_a_study_in_which_everybody_sees_every_neuron_is_refused_with_the_numbers():
    study = make_study(**RULES | {"raters_per_neuron": 2})
    with fake_harvests(), pytest.raises(DesignRefused, match="Received 2 raters, and 2 of them write") as refused:
        services.study_freeze(study=study)
    assert refused.value.field == "raters"


@pytest.mark.django_db
def test_each_neuron_makes_two_items_and_each_rule_one_prediction_by_another_seat():
    study = make_frozen_study(**RULES)
    tasks = [item.layout.get("task", study.rater_text["task"]) for item in Item.objects.filter(study=study)]
    assert (tasks.count("first_glance"), tasks.count("rule_prediction")) == (12, 12)
    predictions = Assignment.objects.filter(seat__study=study, rule_from__isnull=False).select_related("rule_from")
    assert len(predictions) == 12
    keys = {key.item_id: (key.arm, key.layer, key.neuron) for key in SealedKey.objects.filter(study=study)}
    for row in predictions:
        assert row.seat_id != row.rule_from.seat_id
        assert keys[row.item_id] == keys[row.rule_from.item_id]
        assert "kinds" not in row.item.layout
    assert services.study_problems(study) == []


@pytest.mark.django_db
def test_who_predicts_from_whose_rule_stands_in_the_protocol_and_a_change_is_found():
    study = make_frozen_study(**RULES)
    frozen = json.loads(study.protocol)["predictions"]
    assert {frozenset(one) for one in frozen} == {frozenset({"item", "seat", "rule_of_seat"})}
    row = Assignment.objects.filter(seat__study=study, rule_from__isnull=False).first()
    Assignment.objects.filter(pk=row.pk).update(rule_from=None)
    assert services.study_problems(study) == ["Who predicts from whose rule differs from the protocol."]


# -- When it can be read -----------------------------------------------------------------------------------------------


@pytest.fixture
def study(db):
    return make_open_study(**RULES)


@pytest.fixture
def raters(study):
    return make_rater(study), make_rater(study)


def test_a_prediction_waits_for_its_rule_and_then_shows_it(study, raters):
    first, second = raters
    waiting = write_all(first, study)
    assert isinstance(waiting, WaitingPage)
    assert (waiting.waiting, waiting.progress.done, waiting.progress.total) == (6, 6, 12)
    assert blind_where(first, study.slug) == "waiting"
    write_all(second, study, rule="  numbers <b>and</b> units ")
    page = blind_next(first, study.slug)
    assert (page.task, page.rule, page.question) == (
        "rule_prediction",
        "numbers <b>and</b> units",
        "Does the neuron fire here, if the rule is right?",
    )
    assert all(piece.band == 0 for snippet in page.snippets for piece in snippet.pieces)
    assert blind_where(first, study.slug) == "rate"


def test_a_rule_that_comes_opens_only_its_own_prediction_and_the_order_of_the_list_is_kept(study, raters):
    first, second = raters
    write_all(first, study)
    page = blind_next(second, study.slug)
    send(second, page, make_answer("yes", rule="the first rule"))
    row = Assignment.objects.get(public_id=page.assignment).predictions.get()
    assert blind_next(first, study.slug).assignment == row.public_id
    others = Assignment.objects.filter(seat=row.seat, rule_from__isnull=False).exclude(pk=row.pk)
    for other in others:
        with pytest.raises(Http404):
            blind_item(first, other.public_id)


def test_everything_predicted_is_done_and_the_answers_are_kept(study, raters):
    for user in raters:
        write_all(user, study)
    for user in raters:
        while isinstance(page := blind_next(user, study.slug), RatePage):
            send(user, page, predicted(page))
        assert isinstance(page, DonePage)
        assert (page.progress.done, page.progress.total) == (12, 12)
    answers = Judgment.objects.filter(assignment__rule_from__isnull=False)
    assert answers.count() == 12
    assert {(row.verdict, row.confidence, len(row.responses)) for row in answers} == {("", 2, 6)}


def test_a_rule_that_cannot_be_used_is_an_answer(study, raters):
    for user in raters:
        write_all(user, study)
    page = blind_next(raters[0], study.slug)
    with pytest.raises(AnswerRefused, match="Snippet 1"):
        send(raters[0], page, predicted(page, responses={}))
    send(raters[0], page, predicted(page, verdict="cannot"))
    stored = Judgment.objects.latest("pk")
    assert (stored.verdict, stored.confidence, stored.responses) == ("cannot", None, {})


# -- Rules never written -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", ["no", "cannot"])
def test_without_a_rule_the_prediction_falls_away_and_counts_neither_as_done_nor_as_left(study, raters, verdict):
    first, second = raters
    write_all(first, study, verdict)
    write_all(second, study, verdict)
    page = blind_next(first, study.slug)
    assert isinstance(page, DonePage)
    assert (page.progress.done, page.progress.total) == (6, 6)
    retired = Assignment.objects.filter(seat__evaluator__user_id=first, retired_at__isnull=False)
    assert retired.count() == 6
    assert not retired.filter(shown_at__isnull=False).exists()
    assert blind_undo(first, study.slug).task == "first_glance"


def test_a_verdict_that_is_changed_brings_the_prediction_back_or_takes_it_away(study, raters):
    first, second = raters
    write_all(first, study)
    row = lambda: Assignment.objects.get(public_id=page.assignment).predictions.get()  # noqa: E731 -- read anew each time
    page = blind_next(second, study.slug)
    send(second, page, make_answer("no"))
    assert row().retired_at is not None
    blind_undo(second, study.slug)
    blind_judgment_submit(second, page.assignment, make_answer("yes", rule="found one"), "another-key")
    assert (row().retired_at, row().done_at) == (None, None)
    blind_undo(second, study.slug)
    assert isinstance(blind_next(first, study.slug), WaitingPage)
    blind_judgment_submit(second, page.assignment, make_answer("cannot"), "a-third-key")
    assert row().retired_at is not None


def test_a_rule_on_another_raters_screen_stands(study, raters):
    first, second = raters
    write_all(first, study)
    send(second, blind_next(second, study.slug), make_answer("yes", rule="the rule"))
    assert blind_next(first, study.slug).rule == "the rule"
    with pytest.raises(AnswerRefused, match="another rater works with your rule"):
        blind_undo(second, study.slug)
    assert blind_next(first, study.slug).rule == "the rule"


def test_a_seat_that_is_left_and_started_anew_leaves_retired_predictions_retired(study, raters):
    first, second = raters
    write_all(second, study, "no")
    seat = Evaluator.objects.get(user_id=first).seats.get()
    services.seat_vacate(seat=seat, keep=False, reason="ill")
    assert Assignment.objects.filter(seat=seat, retired_at__isnull=False, done_at__isnull=False).count() == 6
    third = make_rater(study)
    assert isinstance(write_all(third, study), DonePage)


def test_staff_see_predictions_without_a_rule_neither_as_done_nor_as_left(study, raters):
    write_all(raters[1], study, "no")
    write_all(raters[0], study)
    assert {(seat.done, seat.total) for seat in study_progress(study)} == {(6, 6), (6, 12)}


def test_the_next_item_is_still_one_look_up_in_the_index(study, raters):
    seat = Evaluator.objects.get(user_id=raters[0]).seats.get()
    plan = available_of(seat).explain()
    assert "next_assignment" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan


# -- Blind ------------------------------------------------------------------------------------------------------------


def pages_of(study, users):
    """Every page and reply of two raters, who wait for each other's rules; without the form's token."""
    clients = {user: Client() for user in users}
    for user, client in clients.items():
        client.force_login(Evaluator.objects.get(user_id=user).user)
    address, seen = reverse("evaluator:next", args=[study.slug]), []
    for user in (*users, *users):
        while True:
            html = clients[user].get(address)
            reply = clients[user].get(address, headers={"Accept": "application/json"})
            seen += [CSRF_TOKEN.sub(b"", html.content), reply.content]
            page = reply.json()
            if "assignment" not in page:
                break
            predicts = "held_out" in page["layout"]
            names = [f"snippet_{number + 1}" for number in page["layout"].get("held_out", ())]
            answer = {"confidence": 2, "responses": dict.fromkeys(names, "yes"), "key": "k" * 9}
            answer |= {} if predicts else {"verdict": "yes", "rule": "a rule"}
            path = reverse("evaluator:answer", args=[page["assignment"]])
            sent = clients[user].post(path, answer, "application/json", headers={"Accept": "application/json"})
            seen.append(sent.content)
    return seen


def test_exchanging_all_arms_and_neurons_leaves_waiting_pages_and_predictions_byte_identical(study, raters):
    before = transaction.savepoint()
    first = pages_of(study, raters)
    transaction.savepoint_rollback(before)
    keys_rotated(study)
    assert pages_of(study, raters) == first
    assert len(first) > 70
    assert sum(b"Waiting for other raters" in page for page in first) == 1
    assert sum(b"rule-shown" in page for page in first) == 12


def test_no_page_of_a_rule_study_asks_a_sealed_table(study, raters):
    with CaptureQueriesContext(connection) as captured:
        pages_of(study, raters)
    assert len(captured.captured_queries) > 100
    assert [query for query in captured.captured_queries if "sealed_" in query["sql"]] == []
