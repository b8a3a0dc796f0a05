"""The long tables: what stands in them, and that they stay closed."""

import pytest

from analysis.frames import (
    StudyStillBlinded,
    draws_frame,
    judgment_frame,
    neuron_frame,
    study_disclosure,
    study_frames,
)
from analysis.tests.factories import make_study
from annotation.models import Assignment, Judgment

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("read", [judgment_frame, neuron_frame, draws_frame, study_frames, study_disclosure])
def test_no_table_opens_before_unblinding(read):
    study = make_study(neurons=1, yes={"baseline": 1, "solu": 1}, unblinded=False)
    with pytest.raises(StudyStillBlinded, match="unblinded"):
        read(study)


def test_answers_meet_their_arm():
    study = make_study(yes={"baseline": 3, "solu": 7}, neurons=10)
    frame = judgment_frame(study)
    assert len(frame) == 60
    assert frame.groupby("arm")["judgment"].sum().to_dict() == {"baseline": 9, "solu": 21}
    assert frame["seconds"].gt(frame["active_seconds"]).all()
    assert set(frame["list_length"]) == {20}


def test_what_was_not_shown_is_no_row_and_what_was_not_answered_has_no_judgment():
    study = make_study(yes={"baseline": 3, "solu": 7}, neurons=10)
    first, second = Assignment.objects.filter(seat__study=study)[:2]
    Judgment.objects.filter(assignment__in=[first, second]).delete()
    Assignment.objects.filter(pk=first.pk).update(shown_at=None, done_at=None)
    frame = judgment_frame(study)
    assert len(frame) == 59
    unanswered = frame[frame["verdict"] == ""]
    assert len(unanswered) == 1
    assert unanswered["judgment"].isna().all()


def test_only_the_current_version_of_an_answer_counts():
    study = make_study(yes={"baseline": 1, "solu": 1}, neurons=1, raters=1)
    old = Judgment.objects.filter(assignment__seat__study=study).first()
    Judgment.objects.filter(pk=old.pk).update(is_current=False)
    Judgment.objects.create(
        assignment=old.assignment, version=2, idempotency_key="again", verdict="cannot", shown_at=old.shown_at
    )
    frame = judgment_frame(study)
    assert len(frame) == 2
    assert sorted(frame["verdict"]) == ["cannot", "yes"]
    assert frame["judgment"].isna().sum() == 1


def test_a_time_of_zero_is_a_time_that_was_not_measured():
    study = make_study(yes={"baseline": 1, "solu": 1}, neurons=1, raters=1)
    Judgment.objects.update(active_ms=0, wall_ms=0)
    assert judgment_frame(study)[["seconds", "active_seconds"]].isna().all(axis=None)


def test_the_hash_of_the_tables_changes_with_an_answer_and_only_then():
    study = make_study(yes={"baseline": 1, "solu": 1}, neurons=2)
    before = study_frames(study).sha256
    assert study_frames(study).sha256 == before
    Judgment.objects.filter(verdict="yes").first().assignment.judgments.update(verdict="no")
    assert study_frames(study).sha256 != before
