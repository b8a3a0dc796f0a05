"""A seat that changes hands: the next rater sees nothing of the earlier one, and no answer is lost or miscounted."""

import pytest
from django.http import Http404

from annotation import services
from annotation.blinding import (
    AnswerRefused,
    DonePage,
    blind_home,
    blind_item,
    blind_judgment_submit,
    blind_next,
    blind_undo,
    blind_where,
)
from annotation.models import Judgment, RaterKind, SeatVacancy
from annotation.services.vacancies import seat_vacate
from annotation.tests.factories import (
    make_answer,
    make_evaluator,
    make_open_study,
    make_rater,
    make_study,
    practise,
    rate_all,
)

pytestmark = pytest.mark.django_db
REASON = "Gave the place back."


@pytest.fixture
def study():
    return make_open_study(raters=1)


def start(study, answers=2):
    """A rater with some answers and a draft of the next item under way."""
    user_id = make_rater(study)
    given = []
    for _ in range(answers):
        page = blind_next(user_id, study.slug)
        blind_judgment_submit(user_id, page.assignment, make_answer(), f"key-{page.assignment}")
        given.append(page.assignment)
    blind_next(user_id, study.slug)
    return user_id, given


def take_over(study, keep):
    services.seat_vacate(seat=study.seats.get(), keep=keep, reason=REASON)
    evaluator = make_evaluator()
    services.seat_take(study=study, evaluator=evaluator)
    return evaluator.user_id


def test_answers_that_are_kept_stand_and_the_next_rater_goes_on_with_the_rest(study):
    start(study)
    total = study.seats.get().assignments.count()
    following = take_over(study, keep=True)
    practise(following, study)
    assert blind_home(following).studies[0].progress.total == total - 2
    assert rate_all(following, study) == total - 2
    assert Judgment.objects.filter(is_current=True).count() == total
    assert isinstance(blind_next(following, study.slug), DonePage)
    assert SeatVacancy.objects.get().answers == 2


def test_answers_that_are_discarded_are_kept_on_record_and_asked_for_again(study):
    start(study)
    total = study.seats.get().assignments.count()
    following = take_over(study, keep=False)
    practise(following, study)
    page = blind_next(following, study.slug)
    assert page.progress.total == total
    assert page.draft is None
    while not isinstance(page, DonePage):
        blind_judgment_submit(following, page.assignment, make_answer("no"), f"other-{page.assignment}")
        page = blind_next(following, study.slug)
    assert Judgment.objects.filter(is_current=True).count() == total
    assert sorted(Judgment.objects.filter(version=2).values_list("is_current", flat=True)) == [True, True]
    assert Judgment.objects.filter(version=1, is_current=False).count() == 2


def test_the_next_rater_reads_and_practises_before_rating(study):
    start(study)
    following = take_over(study, keep=True)
    assert blind_where(following, study.slug) == "instructions"
    practise(following, study)
    assert blind_where(following, study.slug) == "rate"


def test_the_next_rater_cannot_see_or_undo_what_the_earlier_one_answered(study):
    _, given = start(study)
    following = take_over(study, keep=True)
    practise(following, study)
    with pytest.raises(Http404):
        blind_undo(following, study.slug)
    with pytest.raises(Http404):
        blind_item(following, given[0])


def test_a_rater_who_left_has_no_seat_any_more(study):
    left, given = start(study)
    take_over(study, keep=True)
    assert blind_home(left).studies == ()
    with pytest.raises(Http404):
        blind_item(left, given[0])


def test_a_key_that_the_earlier_rater_used_is_refused_instead_of_swallowing_the_answer(study):
    start(study)
    following = take_over(study, keep=False)
    practise(following, study)
    page = blind_next(following, study.slug)
    with pytest.raises(AnswerRefused, match="random"):
        blind_judgment_submit(following, page.assignment, make_answer(), f"key-{page.assignment}")


def test_an_empty_seat_and_a_seat_of_a_closed_study_cannot_be_left(study):
    with pytest.raises(services.SeatRefused, match="Nobody"):
        seat_vacate(seat=study.seats.get(), keep=True, reason=REASON)
    start(study)
    services.study_close(study=study, reason="Enough for today.")
    with pytest.raises(services.StudyWrongState):
        seat_vacate(seat=study.seats.get(), keep=True, reason=REASON)


def test_a_seat_takes_raters_of_its_own_kind_only(study):
    study.seats.update(kind=RaterKind.MACHINE)
    with pytest.raises(services.SeatRefused, match="no seats for such"):
        services.seat_take(study=study, evaluator=make_evaluator())
    undeclared = services.evaluator_create_keyless(kind=RaterKind.MACHINE)
    with pytest.raises(services.SeatRefused, match="nobody declared"):
        services.seat_take(study=study, evaluator=undeclared)
    machine = make_evaluator(kind=RaterKind.MACHINE)
    assert services.seat_take(study=study, evaluator=machine).evaluator == machine
    with pytest.raises(services.SeatsTaken):
        services.seat_take(study=study, evaluator=make_evaluator(kind=RaterKind.MACHINE))


def test_a_draft_study_has_no_seat_to_leave():
    assert make_study().seats.count() == 0
