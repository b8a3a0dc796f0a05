"""Training: rounds of practice, what passes them, and what happens to those who do not."""

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from annotation.blinding import (
    NotReady,
    blind_home,
    blind_instructions_read,
    blind_next,
    blind_practice,
    blind_practice_answer,
    blind_screened,
    blind_where,
)
from annotation.design import DesignRefused
from annotation.models import Evaluator, PracticeAnswer, Seat
from annotation.protocols.training import AGAIN, GOING, OUT, PASSED, TrainingRule, standing
from annotation.services.vacancies import seat_vacate
from annotation.tests.factories import agree, expected_answer, make_answer, make_design, make_open_study, make_rater
from annotation.tests.test_crowd_entry import come, make_intake, plain

STRICT = {"least_right": 1.0, "rounds": 2, "on_fail": "screen_out"}

answers = st.lists(st.tuples(st.integers(1, 3), st.booleans()), max_size=30)
rules = st.builds(TrainingRule, items=st.just(3), least_right=st.integers(0, 3), rounds=st.integers(0, 3))


@given(answers, rules)
def test_a_rater_out_or_through_stays_so_whatever_comes_later(given_answers, rule):
    whole = standing(given_answers, rule)
    for end in range(len(given_answers)):
        part = standing(given_answers[:end], rule)
        if part.outcome in (PASSED, OUT):
            assert whole == part
            return
        assert part.missing


@given(answers, rules)
def test_nobody_passes_with_too_few_right_and_nobody_is_out_before_the_last_round(given_answers, rule):
    now = standing(given_answers, rule)
    if now.outcome == PASSED:
        assert now.right >= rule.least_right
    if now.outcome == OUT:
        assert (now.round, rule.rounds > 0) == (rule.rounds, True)
    if now.outcome in (AGAIN, OUT):
        assert now.right < rule.least_right


@given(answers)
def test_without_a_rule_answering_everything_once_is_enough(given_answers):
    now = standing(given_answers, TrainingRule(items=3))
    everything = {item for item, _ in given_answers} == {1, 2, 3}
    assert now.outcome == (PASSED if everything else GOING)
    assert now.round == 1


@pytest.mark.parametrize(
    ("training", "field"),
    [
        ({"least_right": 1.5}, "training.least_right"),
        ({"rounds": 0}, "training.rounds"),
        ({"on_fail": "x"}, "training.on_fail"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(training, field):
    with pytest.raises(DesignRefused) as refused:
        make_design(training=training)
    assert refused.value.field == field


# -- Behind the gate ---------------------------------------------------------------------------------------------------


@pytest.fixture
def study(db):
    return make_open_study(training=STRICT)


@pytest.fixture
def learner(study) -> int:
    user = make_rater(study, practised=False)
    agree(user, study)
    blind_instructions_read(user, study.slug)
    return user


def right(study, number):
    return expected_answer(study.rater_text["practice"][number - 1])


def answer(user, study, number, good):
    given_answer = right(study, number) if good else make_answer("cannot")
    return blind_practice_answer(user, study.slug, number, given_answer)


def test_a_round_with_enough_right_answers_opens_the_study(study, learner):
    page = blind_practice(learner, study.slug, 1)
    assert (page.training.round, page.training.rounds, page.training.needed) == (1, 2, 2)
    assert answer(learner, study, 1, True).training.outcome == "going"
    assert answer(learner, study, 2, True).training.outcome == "passed"
    assert blind_where(learner, study.slug) == "rate"


def test_after_a_failed_round_comes_another_and_only_first_answers_count(study, learner):
    answer(learner, study, 1, False)
    assert answer(learner, study, 1, True).training.right == 0
    assert answer(learner, study, 2, True).training.outcome == "again"
    assert blind_where(learner, study.slug) == "practice:1"
    assert blind_practice(learner, study.slug, 1).training.round == 2
    answer(learner, study, 1, True)
    answer(learner, study, 2, True)
    assert blind_where(learner, study.slug) == "rate"
    kept = PracticeAnswer.objects.order_by("id").values_list("round", "number", "agrees")
    assert list(kept) == [(1, 1, False), (1, 1, True), (1, 2, True), (2, 1, True), (2, 2, True)]


def test_who_fails_the_last_round_is_screened_out_and_told_so_calmly(study, learner):
    for _ in range(2):
        answer(learner, study, 1, False)
        page = answer(learner, study, 2, True)
    assert (page.training.outcome, page.training.right) == ("out", 1)
    assert blind_where(learner, study.slug) == "screened"
    for refused in (
        lambda: blind_next(learner, study.slug),
        lambda: blind_practice(learner, study.slug, 1),
        lambda: answer(learner, study, 1, True),
    ):
        with pytest.raises(NotReady, match="screened"):
            refused()
    assert blind_screened(learner, study.slug).title == study.title
    assert blind_home(learner).studies[0].screened_out
    assert Seat.objects.get(evaluator__user_id=learner).screened_out_at is not None


def test_pages_lead_a_failed_rater_through_and_out(study, learner):
    client = Client()
    client.force_login(Evaluator.objects.get(user_id=learner).user)
    practice = [reverse("evaluator:practice", args=[study.slug, number]) for number in (1, 2)]
    assert "Round 1 of 2" in client.get(practice[0]).content.decode()
    client.post(practice[0], {"verdict": "cannot"})
    again = client.post(practice[1], {"verdict": "cannot"}).content.decode()
    assert "Practise again" in again
    assert "Try again" not in again
    assert "Round 2 of 2" in client.get(practice[0]).content.decode()
    client.post(practice[0], {"verdict": "cannot"})
    assert "It was the last round" in client.post(practice[1], {"verdict": "cannot"}).content.decode()
    end = client.get(reverse("evaluator:next", args=[study.slug]), follow=True)
    assert end.redirect_chain[-1][0] == reverse("evaluator:screened", args=[study.slug])
    assert "The study ends here for you" in end.content.decode()
    assert "Ended after the practice" in client.get(reverse("evaluator:home")).content.decode()


@pytest.mark.django_db
def test_where_failing_repeats_rounds_have_no_end():
    study = make_open_study(training={"least_right": 1.0, "rounds": 1, "on_fail": "repeat"})
    user = make_rater(study, practised=False)
    agree(user, study)
    blind_instructions_read(user, study.slug)
    for _ in range(4):
        answer(user, study, 1, False)
        assert answer(user, study, 2, True).training.outcome == "again"
    answer(user, study, 1, True)
    assert answer(user, study, 2, True).training.outcome == "passed"


def test_the_screened_page_is_not_there_for_others(study, learner, client):
    client.force_login(Evaluator.objects.get(user_id=learner).user)
    assert client.get(reverse("evaluator:screened", args=[study.slug])).status_code == 404


def test_a_seat_that_is_freed_starts_the_training_anew(study, learner):
    for _ in range(2):
        answer(learner, study, 1, False)
        answer(learner, study, 2, False)
    seat = seat_vacate(seat=Seat.objects.get(evaluator__user_id=learner), keep=False, reason="Screened out.").seat
    seat.refresh_from_db()
    assert seat.screened_out_at is None
    other = make_rater(study, practised=False)
    agree(other, study)
    blind_instructions_read(other, study.slug)
    assert blind_where(other, study.slug) == "practice:1"
    assert blind_practice(other, study.slug, 1).training.round == 1


def test_a_participant_of_a_provider_who_is_screened_out_gets_the_code_for_that_and_frees_the_seat(study, client):
    come(client, make_intake(study), plain())
    user = int(client.session["_auth_user_id"])
    agree(user, study)
    blind_instructions_read(user, study.slug)
    for _ in range(2):
        answer(user, study, 1, False)
        answer(user, study, 2, False)
    screened, finish = (reverse(name, args=[study.slug]) for name in ("evaluator:screened", "crowd:finish"))
    assert finish in client.get(screened).content.decode()
    page = client.post(finish, follow=True).content.decode()
    assert "CSCREEN" in page
    assert not Seat.objects.filter(study=study, evaluator__isnull=False).exists()
