"""The gate: what a rater sees, in which order, and that an answer is stored once."""

import dataclasses

import pytest
from django.http import Http404

from annotation import services
from annotation.blinding import (
    AnswerRefused,
    BlindAnswer,
    DonePage,
    NotReady,
    RatePage,
    StudyNotOpen,
    blind_draft_save,
    blind_home,
    blind_instructions,
    blind_instructions_read,
    blind_item,
    blind_judgment_submit,
    blind_next,
    blind_practice,
    blind_practice_answer,
    blind_undo,
    blind_where,
)
from annotation.models import Assignment, Judgment, PracticeAnswer
from annotation.tests.factories import (
    make_answer,
    make_evaluator,
    make_frozen_study,
    make_open_study,
    make_rater,
    make_user,
    practise,
    rate_all,
)

pytestmark = pytest.mark.django_db
KEY, OTHER_KEY = "first-key", "second-key"


@pytest.fixture
def study():
    return make_open_study()


@pytest.fixture
def rater(study):
    return make_rater(study)


def current(user_id, study) -> RatePage:
    page = blind_next(user_id, study.slug)
    assert isinstance(page, RatePage)
    return page


def test_a_rater_is_led_from_instructions_over_practice_to_rating_and_done(study):
    user = make_rater(study, practised=False)
    assert blind_where(user, study.slug) == "instructions"
    blind_instructions_read(user, study.slug)
    assert blind_where(user, study.slug) == "practice:1"
    blind_practice_answer(user, study.slug, 1, make_answer("yes"))
    assert blind_where(user, study.slug) == "practice:2"
    blind_practice_answer(user, study.slug, 2, make_answer("no"))
    assert blind_where(user, study.slug) == "rate"
    assert rate_all(user, study) == 12
    assert blind_where(user, study.slug) == "done"
    page = blind_next(user, study.slug)
    assert isinstance(page, DonePage)
    assert (page.progress.done, page.progress.total, page.can_undo) == (12, 12, True)


def test_rating_before_the_practice_is_refused_with_the_way_there(study):
    user = make_rater(study, practised=False)
    with pytest.raises(NotReady) as refused:
        blind_next(user, study.slug)
    assert refused.value.where == "instructions"
    assert not Assignment.objects.filter(shown_at__isnull=False).exists()


def test_practice_gives_feedback_keeps_the_answer_and_counts_nothing(study):
    user = make_rater(study, practised=False)
    assert blind_practice(user, study.slug, 1).feedback is None
    agreed = blind_practice_answer(user, study.slug, 1, make_answer("yes"))
    differed = blind_practice_answer(user, study.slug, 2, make_answer("yes"))
    assert (agreed.feedback.agrees, differed.feedback.agrees) == (True, False)
    assert differed.feedback.expected == "no"
    assert PracticeAnswer.objects.count() == 2
    assert not Judgment.objects.exists()


@pytest.mark.parametrize("number", [0, 3, -1])
def test_a_practice_item_that_does_not_exist_is_not_there(study, rater, number):
    with pytest.raises(Http404):
        blind_practice(rater, study.slug, number)


def test_home_shows_the_raters_own_studies(study, rater):
    make_open_study()
    rate_all(rater, study)
    (card,) = blind_home(rater).studies
    assert (card.study, card.state, card.started, card.simulated) == (study.slug, "open", True, False)
    assert (card.progress.done, card.progress.total) == (12, 12)


def test_home_is_not_there_for_an_account_that_is_no_evaluator():
    with pytest.raises(Http404):
        blind_home(make_user(group="admin").pk)


def test_items_come_in_the_seats_frozen_order(study, rater):
    order = list(
        Assignment.objects.filter(seat__evaluator__user_id=rater)
        .order_by("position")
        .values_list("public_id", flat=True)
    )
    seen = []
    while isinstance(page := blind_next(rater, study.slug), RatePage):
        seen.append(page.assignment)
        blind_judgment_submit(rater, page.assignment, make_answer("no"), f"key-{page.assignment}")
    assert seen == order


def test_resuming_shows_the_same_item_and_the_draft(study, rater):
    page = current(rater, study)
    draft = BlindAnswer(verdict="yes", rule="half a thought", marks=("fits", "", "", "", "misfits"))
    assert blind_draft_save(rater, page.assignment, draft)
    again = current(rater, study)
    assert again.assignment == page.assignment
    assert again.draft == draft
    assert again.snippets == page.snippets


def test_a_submitted_answer_removes_the_draft_and_a_late_autosave_does_not_bring_it_back(study, rater):
    page = current(rater, study)
    blind_draft_save(rater, page.assignment, make_answer())
    blind_judgment_submit(rater, page.assignment, make_answer(), KEY)
    assert not blind_draft_save(rater, page.assignment, make_answer())
    assert blind_item(rater, page.assignment).draft is None


def test_a_double_submit_makes_one_judgment_and_the_same_receipt(study, rater):
    page = current(rater, study)
    first = blind_judgment_submit(rater, page.assignment, make_answer(), KEY)
    second = blind_judgment_submit(rater, page.assignment, make_answer(), KEY)
    assert (first.duplicate, second.duplicate) == (False, True)
    assert dataclasses.replace(second, duplicate=False) == first
    assert Judgment.objects.count() == 1


def test_two_tabs_make_one_judgment_and_the_first_answer_stands(study, rater):
    page = current(rater, study)
    blind_judgment_submit(rater, page.assignment, make_answer("yes"), KEY)
    receipt = blind_judgment_submit(rater, page.assignment, make_answer("no"), OTHER_KEY)
    assert receipt.duplicate
    assert list(Judgment.objects.values_list("verdict", flat=True)) == ["yes"]


def test_two_raters_may_send_the_same_key(study, rater):
    other = make_rater(study)
    for user in (rater, other):
        assert not blind_judgment_submit(user, current(user, study).assignment, make_answer(), KEY).duplicate
    assert Judgment.objects.count() == 2


def test_undo_opens_the_last_answer_as_draft_and_the_next_submit_replaces_it(study, rater):
    page = current(rater, study)
    blind_judgment_submit(rater, page.assignment, make_answer("yes"), KEY)
    undone = blind_undo(rater, study.slug)
    assert undone.assignment == page.assignment
    assert undone.draft == make_answer("yes")
    assert Judgment.objects.get().is_current  # the old answer stands until a new one comes
    receipt = blind_judgment_submit(rater, page.assignment, make_answer("no"), OTHER_KEY)
    assert (receipt.version, receipt.duplicate) == (2, False)
    assert list(Judgment.objects.values_list("verdict", "version", "is_current")) == [
        ("yes", 1, False),
        ("no", 2, True),
    ]


def test_a_retry_of_the_old_answer_after_an_undo_changes_nothing(study, rater):
    page = current(rater, study)
    blind_judgment_submit(rater, page.assignment, make_answer("yes"), KEY)
    blind_undo(rater, study.slug)
    receipt = blind_judgment_submit(rater, page.assignment, make_answer("yes"), KEY)
    assert receipt.duplicate
    assert receipt.next == page.assignment
    assert Judgment.objects.count() == 1


def test_undo_goes_back_one_answer_at_a_time(study, rater):
    pages = []
    for _ in range(2):
        pages.append(current(rater, study))
        blind_judgment_submit(rater, pages[-1].assignment, make_answer(), f"key-{pages[-1].assignment}")
    assert blind_undo(rater, study.slug).assignment == pages[1].assignment
    assert blind_undo(rater, study.slug).assignment == pages[0].assignment
    with pytest.raises(Http404):
        blind_undo(rater, study.slug)
    assert current(rater, study).assignment == pages[0].assignment


def test_not_yours_and_not_there_are_the_same(study, rater):
    other = make_rater(study)
    theirs = current(other, study).assignment
    for assignment in (theirs, "no-such-item"):
        for call in (
            lambda a: blind_item(rater, a),
            lambda a: blind_draft_save(rater, a, make_answer()),
            lambda a: blind_judgment_submit(rater, a, make_answer(), KEY),
        ):
            with pytest.raises(Http404) as refused:
                call(assignment)
            assert str(refused.value) == ""


def test_a_study_without_a_seat_is_not_there(study):
    stranger = make_evaluator().user_id
    for call in (blind_instructions, blind_next, blind_where, blind_undo, blind_instructions_read):
        with pytest.raises(Http404):
            call(stranger, study.slug)


def test_an_item_that_is_not_due_yet_can_be_neither_seen_nor_answered(study, rater):
    current(rater, study)
    later = Assignment.objects.filter(seat__evaluator__user_id=rater, position=5).get().public_id
    with pytest.raises(Http404):
        blind_item(rater, later)
    with pytest.raises(Http404):
        blind_judgment_submit(rater, later, make_answer(), KEY)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"verdict": ""}, "verdict"),
        ({"verdict": "maybe"}, "verdict"),
        ({"confidence": None}, "confidence"),
        ({"confidence": 4}, "confidence"),
        ({"rule": "  \x00 "}, "rule"),
        ({"rule": "x" * 2_001}, "rule"),
        ({"marks": ("fits",)}, "marks"),
        ({"marks": ("good",) * 5}, "marks"),
    ],
)
def test_an_incomplete_answer_is_refused_at_its_field_and_stores_nothing(study, rater, changes, field):
    page = current(rater, study)
    with pytest.raises(AnswerRefused) as refused:
        blind_judgment_submit(rater, page.assignment, dataclasses.replace(make_answer(), **changes), KEY)
    assert refused.value.field == field
    assert not Judgment.objects.exists()


@pytest.mark.parametrize("key", ["", "short", "x" * 65])
def test_an_answer_without_a_usable_key_is_refused(study, rater, key):
    with pytest.raises(AnswerRefused) as refused:
        blind_judgment_submit(rater, current(rater, study).assignment, make_answer(), key)
    assert refused.value.field == "idempotency_key"


def test_cannot_judge_needs_no_confidence_and_stores_none(study, rater):
    page = current(rater, study)
    blind_judgment_submit(rater, page.assignment, make_answer("cannot", confidence=3), KEY)
    assert Judgment.objects.get().confidence is None


def test_times_beyond_the_column_are_clipped(study, rater):
    page = current(rater, study)
    blind_judgment_submit(rater, page.assignment, make_answer("no", active_ms=-5, wall_ms=2**40), KEY)
    judgment = Judgment.objects.get()
    assert (judgment.active_ms, judgment.wall_ms) == (0, 2**31 - 1)


def test_a_closed_study_takes_no_answer_no_draft_and_no_undo_and_shows_no_item(study, rater):
    page = current(rater, study)
    blind_judgment_submit(rater, page.assignment, make_answer(), KEY)
    page = current(rater, study)
    services.study_close(study=study, reason="The time is over.")
    for call in (
        lambda: blind_next(rater, study.slug),
        lambda: blind_item(rater, page.assignment),
        lambda: blind_draft_save(rater, page.assignment, make_answer()),
        lambda: blind_judgment_submit(rater, page.assignment, make_answer(), OTHER_KEY),
        lambda: blind_undo(rater, study.slug),
    ):
        with pytest.raises(StudyNotOpen):
            call()
    assert blind_home(rater).studies[0].state == "closed"
    assert Judgment.objects.count() == 1


def test_a_frozen_study_waits_and_shows_no_item():
    study = make_frozen_study()
    evaluator = make_evaluator()
    services.seat_take(study=study, evaluator=evaluator)
    assert blind_home(evaluator.user_id).studies[0].state == "waiting"
    for call in (blind_next, blind_instructions_read):
        with pytest.raises(StudyNotOpen):
            call(evaluator.user_id, study.slug)


def test_shown_at_is_the_first_time_on_a_screen(study, rater):
    page = current(rater, study)
    first = Assignment.objects.get(public_id=page.assignment).shown_at
    current(rater, study)
    blind_judgment_submit(rater, page.assignment, make_answer(), KEY)
    assert Judgment.objects.get().shown_at == first


def test_no_query_of_the_gate_reads_the_design_the_protocol_or_a_sealed_or_neuron_table(
    study, rater, django_assert_max_num_queries
):
    with django_assert_max_num_queries(200) as captured:
        blind_home(rater)
        blind_instructions(rater, study.slug)
        practise(rater, study)
        page = current(rater, study)
        blind_draft_save(rater, page.assignment, make_answer())
        blind_judgment_submit(rater, page.assignment, make_answer(), KEY)
        blind_undo(rater, study.slug)
    statements = " ".join(query["sql"] for query in captured.captured_queries)
    for forbidden in ("sealed_", "neurons_", '"design"', '"protocol"'):
        assert forbidden not in statements


def test_next_reads_a_fixed_number_of_queries_however_far_the_rater_is(study, rater, django_assert_num_queries):
    with django_assert_num_queries(5):  # seat, assignment, its first showing, progress, messages
        current(rater, study)
    for _ in range(8):
        blind_judgment_submit(rater, current(rater, study).assignment, make_answer("no"), KEY)
    with django_assert_num_queries(5):
        current(rater, study)
