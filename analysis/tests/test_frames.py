"""The long tables: what stands in them, and that they stay closed."""

import pytest
from django.utils import timezone

from analysis.frames import (
    StudyStillBlinded,
    draws_frame,
    judgment_frame,
    neuron_frame,
    strata_frame,
    study_disclosure,
    study_frames,
)
from analysis.tests.factories import make_study
from annotation.audit.protect import protection_lifted
from annotation.models import Assignment, Judgment

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "read", [judgment_frame, neuron_frame, draws_frame, strata_frame, study_frames, study_disclosure]
)
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
    with protection_lifted():
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
    with protection_lifted():
        Judgment.objects.update(active_ms=0, wall_ms=0)
    assert judgment_frame(study)[["seconds", "active_seconds"]].isna().all(axis=None)


def test_the_hash_of_the_tables_changes_with_an_answer_and_only_then():
    study = make_study(yes={"baseline": 1, "solu": 1}, neurons=2)
    before = study_frames(study).sha256
    assert study_frames(study).sha256 == before
    with protection_lifted():
        Judgment.objects.filter(verdict="yes").first().assignment.judgments.update(verdict="no")
    assert study_frames(study).sha256 != before


def test_a_repeat_and_a_machine_are_marked_and_an_item_on_no_list_is_no_neuron_of_the_study():
    study = make_study(yes={"baseline": 1, "solu": 1}, neurons=2, raters=2, answered=False)
    study.seats.filter(number=2).update(kind="machine")
    lists = Assignment.objects.filter(seat__study=study)
    lists.update(shown_at=timezone.now())
    first, alone = lists.filter(seat__number=1)[:2]
    Assignment.objects.create(seat=first.seat, item=first.item, position=9, repeat_of=first, shown_at=timezone.now())
    lists.filter(item=alone.item).delete()
    frame, neurons = judgment_frame(study), neuron_frame(study)
    assert frame[frame["repeat"]]["order"].tolist() == [9]
    assert frame.groupby("rater_kind").size().to_dict() == {"simulated": 4, "machine": 3}
    assert set(neurons["assigned"]) == {1}
    assert alone.item.public_id not in set(neurons["item"])


def test_the_strata_tell_how_many_neurons_a_layer_has():
    frame = strata_frame(make_study(yes={"baseline": 1, "solu": 1}, neurons=2))
    assert frame[["size", "arm", "neurons", "dead", "sampled"]].to_numpy().tolist() == [
        ["1L-256", "baseline", 1024, 24, 2],
        ["1L-256", "solu", 1024, 24, 2],
    ]
