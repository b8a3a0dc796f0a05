"""The guess of the arm: asked when the verdicts are locked, about items fixed at freeze, the same way in every arm."""

from collections import Counter

import pytest
from django.http import Http404

from annotation.blinding import (
    AnswerRefused,
    BlindAnswer,
    DonePage,
    GuessPage,
    NotReady,
    blind_guess,
    blind_guess_answer,
    blind_guess_start,
    blind_judgment_submit,
    blind_next,
    blind_undo,
    blind_where,
)
from annotation.design import DesignRefused
from annotation.models import ArmGuess, Evaluator, Study
from annotation.sealed.models import SealedKey
from annotation.services import study_problems
from annotation.tests.factories import make_design, make_frozen_study, make_open_study, make_rater

pytestmark = pytest.mark.django_db


def rate_all(rater: int, study: Study) -> None:
    while not isinstance(page := blind_next(rater, study.slug), DonePage):
        blind_judgment_submit(rater, page.assignment, BlindAnswer(verdict="no", confidence=2), f"key-{page.assignment}")


def test_items_to_guess_are_spread_evenly_over_the_arms_and_differ_between_seats():
    study = make_frozen_study(guess={"items": 6}, neurons_per_arm=6)
    arms = dict(SealedKey.objects.filter(study=study).values_list("item_id", "arm"))
    seats = {}
    for guess in ArmGuess.objects.filter(assignment__seat__study=study).select_related("assignment__seat"):
        seats.setdefault(guess.assignment.seat.number, []).append(guess.assignment.item_id)
    for items in seats.values():
        assert sorted(Counter(arms[item] for item in items).values()) == [2, 2, 2]
        assert len(set(items)) == 6
    assert seats[1] != seats[2]


def test_the_frozen_items_to_guess_are_checked_against_the_protocol():
    study = make_frozen_study(guess={"items": 3})
    assert study_problems(study) == []
    first, second = ArmGuess.objects.filter(assignment__seat__study=study, assignment__seat__number=1)[:2]
    ArmGuess.objects.filter(pk=first.pk).update(position=99)
    assert study_problems(study) == ["The items whose arm is guessed differ from the protocol."]
    assert second.pk != first.pk


def test_no_arm_is_named_before_the_verdicts_are_locked_and_no_verdict_changes_after():
    study = make_open_study(guess={"items": 2})
    rater = make_rater(study)
    with pytest.raises(NotReady):
        blind_guess_start(rater, study.slug)
    rate_all(rater, study)
    done = blind_guess(rater, study.slug)
    assert isinstance(done, DonePage)
    assert (done.guesses_left, done.guessing, done.can_undo) == (2, False, True)
    blind_guess_start(rater, study.slug)
    assert isinstance(blind_guess(rater, study.slug), GuessPage)
    assert blind_where(rater, study.slug) == "guess"
    with pytest.raises(AnswerRefused, match="locked"):
        blind_undo(rater, study.slug)


def test_the_first_guess_stands_and_dont_know_has_no_certainty():
    study = make_open_study(guess={"items": 2, "labels": {"solu": "SoLU network"}})
    rater = make_rater(study)
    rate_all(rater, study)
    blind_guess_start(rater, study.slug)
    page = blind_guess(rater, study.slug)
    assert [choice.label for choice in page.choices] == ["baseline", "ln only", "SoLU network"]
    for guess, certainty in (("nobody", 2), ("solu", None), ("solu", 9)):
        with pytest.raises(AnswerRefused):
            blind_guess_answer(rater, study.slug, page.assignment, guess=guess, certainty=certainty, reason="")
    for guess in ("dk", "solu"):
        blind_guess_answer(rater, study.slug, page.assignment, guess=guess, certainty=3, reason="code")
    kept = ArmGuess.objects.get(assignment__public_id=page.assignment)
    assert (kept.guess, kept.certainty, kept.reason) == ("dk", None, "code")
    assert blind_guess(rater, study.slug).assignment != page.assignment


def test_an_item_that_was_not_shown_for_a_guess_and_anothers_item_are_not_there():
    study = make_open_study(guess={"items": 2})
    rater, other = make_rater(study), make_rater(study)
    for person in (rater, other):
        rate_all(person, study)
        blind_guess_start(person, study.slug)
    page = blind_guess(rater, study.slug)
    unseen = ArmGuess.objects.filter(assignment__seat__evaluator__user_id=rater, shown_at=None).get()
    for person, assignment in ((other, page.assignment), (rater, unseen.assignment.public_id)):
        with pytest.raises(Http404):
            blind_guess_answer(person, study.slug, assignment, guess="dk", certainty=None, reason="")
    assert Evaluator.objects.count() == 2


def test_a_label_for_an_arm_that_the_study_has_not_is_refused():
    with pytest.raises(DesignRefused, match="label for 'sulo'; the arms are baseline, ln_only, solu"):
        make_design(guess={"labels": {"sulo": "SoLU"}})
