"""A report after an erasure: what was set aside counts no more, and nobody else's numbers moved."""

import pytest

from analysis.frames import judgment_frame
from annotation import services
from annotation.blinding import blind_judgment_submit, blind_next
from annotation.models import Seat
from annotation.services.leaving import rater_erase, rater_withdraw
from annotation.tests.factories import make_answer, make_open_study, make_rater, make_unblinded_study, rate_all

pytestmark = pytest.mark.django_db
NUMBERS = ["rater", "item", "verdict", "judgment", "confidence"]


def frames_around_erasure(**consent):
    study = make_unblinded_study(consent={"text": "We ask you to rate.", **consent})
    first, other = (seat.evaluator for seat in Seat.objects.filter(study=study))
    before = judgment_frame(study)
    rater_erase(evaluator=first)
    return before, judgment_frame(study), first.pseudonym, other.pseudonym


def test_answers_that_stand_keep_their_pseudonym_and_every_number():
    before, after, _, _ = frames_around_erasure(withdrawal="keep")
    assert after[NUMBERS].equals(before[NUMBERS])


def test_answers_that_are_set_aside_count_no_more_and_the_others_stay_as_they_were():
    before, after, erased, other = frames_around_erasure(withdrawal="set aside")
    assert before.loc[before["rater"] == erased, "judgment"].notna().all()
    assert after.loc[after["rater"] == erased, "judgment"].isna().all()
    rows = before["rater"] == other
    assert after.loc[rows, NUMBERS].equals(before.loc[rows, NUMBERS])


def test_words_that_are_erased_change_no_verdict():
    before, after, erased, _ = frames_around_erasure(withdrawal="keep", erase_words=True)
    assert after[NUMBERS].equals(before[NUMBERS])
    assert set(after.loc[after["rater"] == erased, "rule"]) <= {"[erased]", ""}


def test_a_seat_that_changed_hands_gives_each_answer_to_who_gave_it():
    study = make_open_study(raters=1, consent={"text": "We ask you to rate.", "withdrawal": "keep"})
    first = make_rater(study)
    evaluator = Seat.objects.get().evaluator
    page = blind_next(first, study.slug)
    blind_judgment_submit(first, page.assignment, make_answer(), "key-of-the-first")
    rater_withdraw(evaluator=evaluator, study=study)
    second = make_rater(study)
    given = rate_all(second, study)
    services.study_close(study=study, reason="All raters are done.")
    services.study_unblind(study=study, reason="All judgments are in.")
    counts = judgment_frame(study)["rater"].value_counts()
    assert counts[evaluator.pseudonym] == 1
    assert counts.sum() == given + 1
