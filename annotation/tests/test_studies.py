"""The steps of a study, each in its state and on record; seats and raters."""

import pytest

from annotation import selectors, services
from annotation.design import DesignRefused
from annotation.models import Study, StudyEvent, Unblinding
from annotation.services import EvaluatorRefused, ReasonMissing, SeatRefused, StudyWrongState
from annotation.tests.factories import (
    PASSWORD,
    make_answer,
    make_closed_study,
    make_design,
    make_evaluator,
    make_frozen_study,
    make_open_study,
    make_rater,
    make_study,
    make_unblinded_study,
    make_user,
    rate_all,
)

pytestmark = pytest.mark.django_db


def test_a_whole_life_is_logged_step_by_step():
    study = make_unblinded_study(raters=1)
    actions = [event.action for event in selectors.event_list(study)]
    assert actions == ["created", "frozen", "leaks audited", "opened", "seat taken", "closed", "unblinded"]


def test_two_studies_cannot_share_a_slug():
    study = make_study()
    with pytest.raises(DesignRefused) as refused:
        services.study_create(design=make_design(slug=study.slug))
    assert refused.value.field == "slug"


def test_a_draft_can_be_changed_to_another_design():
    study = make_study()
    changed = services.study_update_design(study=study, design=make_design(slug=study.slug, neurons_per_arm=9))
    assert changed.design["neurons_per_arm"] == 9


@pytest.mark.parametrize("make", [make_study, make_open_study, make_closed_study, make_unblinded_study])
def test_only_a_frozen_study_opens(make):
    with pytest.raises(StudyWrongState, match="must be frozen"):
        services.study_open(study=make())


@pytest.mark.parametrize("make", [make_study, make_frozen_study, make_closed_study])
def test_only_an_open_study_closes(make):
    with pytest.raises(StudyWrongState, match="must be open"):
        services.study_close(study=make(), reason="All raters are done.")


@pytest.mark.parametrize("make", [make_study, make_frozen_study, make_open_study, make_unblinded_study])
def test_only_a_closed_study_is_unblinded(make):
    with pytest.raises(StudyWrongState, match="must be closed"):
        services.study_unblind(study=make(), reason="All judgments are in.")


def test_unblinding_asks_for_a_reason_and_is_recorded_with_the_hash_of_the_judgments():
    study, admin = make_closed_study(), make_user(group="admin")
    with pytest.raises(ReasonMissing, match="Received 4 characters"):
        services.study_unblind(study=study, reason="why?      ", by=admin)
    services.study_unblind(study=study, reason="All judgments are in.", by=admin)
    unblinding = Unblinding.objects.get(study=study)
    assert unblinding.by == admin
    assert unblinding.judgments_sha256 == selectors.judgments_sha256(study)
    assert StudyEvent.objects.get(study=study, action="unblinded").reason == "All judgments are in."


def test_an_evaluator_is_in_the_group_of_evaluators_alone():
    evaluator = make_evaluator()
    assert [group.name for group in evaluator.user.groups.all()] == ["evaluators"]
    assert not evaluator.user.is_staff


def test_an_account_of_another_role_cannot_become_a_rater():
    admin = make_user(group="admin")
    with pytest.raises(EvaluatorRefused, match="account"):
        services.evaluator_create(username=admin.username, password=PASSWORD)


def test_weak_passwords_and_taken_pseudonyms_are_refused():
    with pytest.raises(EvaluatorRefused, match="password"):
        services.evaluator_create(username="weak", password="12345")
    services.evaluator_create(username="first", password=PASSWORD, pseudonym="rater-a")
    with pytest.raises(EvaluatorRefused, match="rater-a"):
        services.evaluator_create(username="second", password=PASSWORD, pseudonym="rater-a")


def test_seats_are_taken_in_order_and_end():
    study = make_frozen_study(raters=2)
    seats = [services.seat_take(study=study, evaluator=make_evaluator()).number for _ in range(2)]
    assert seats == [1, 2]
    with pytest.raises(SeatRefused, match="All seats"):
        services.seat_take(study=study, evaluator=make_evaluator())


def test_nobody_sits_twice_in_one_study():
    study, evaluator = make_frozen_study(), make_evaluator()
    services.seat_take(study=study, evaluator=evaluator)
    with pytest.raises(SeatRefused, match="already"):
        services.seat_take(study=study, evaluator=evaluator)


@pytest.mark.parametrize(("study_kind", "rater_kind"), [("human", "simulated"), ("simulated", "human")])
def test_people_and_simulated_raters_never_share_a_study(study_kind, rater_kind):
    study = make_frozen_study(rater_kind=study_kind)
    with pytest.raises(SeatRefused, match="raters"):
        services.seat_take(study=study, evaluator=make_evaluator(kind=rater_kind))


def test_a_draft_has_no_seats_and_a_closed_study_takes_nobody():
    for study in (make_study(), make_closed_study()):
        with pytest.raises(StudyWrongState):
            services.seat_take(study=study, evaluator=make_evaluator())


def test_progress_counts_by_seat():
    study = make_open_study(raters=2)
    user = make_rater(study)
    rate_all(user, study)
    first, second = selectors.study_progress(study)
    assert (first.done, first.total, second.done, second.total) == (12, 12, 0, 12)
    assert second.pseudonym == ""
    assert first.last_activity is not None
    listed = selectors.study_list().get(pk=study.pk)
    assert (listed.seats_taken, listed.seats_total, listed.done, listed.total) == (1, 2, 12, 24)


def test_a_state_past_draft_without_a_protocol_is_refused_by_the_database():
    from django.db import IntegrityError

    study = make_study()
    with pytest.raises(IntegrityError):
        Study.objects.filter(pk=study.pk).update(state=Study.State.OPEN)


def test_the_hash_of_the_judgments_moves_with_every_answer():
    study = make_open_study(raters=1)
    user = make_rater(study)
    before = selectors.judgments_sha256(study)
    from annotation.blinding import blind_judgment_submit, blind_next

    page = blind_next(user, study.slug)
    blind_judgment_submit(user, page.assignment, make_answer(), "a-key-of-my-own")
    assert selectors.judgments_sha256(study) != before
