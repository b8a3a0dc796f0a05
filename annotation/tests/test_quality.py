"""Catch trials and checks: drawn with the study, alike for all, sealed, stored per judgment, never applied silently."""

import pytest

from annotation.blinding import BlindAnswer, DonePage, blind_judgment_submit, blind_next
from annotation.design import DesignRefused
from annotation.design.quality import QualityDesign
from annotation.models import Assignment, Item, Judgment, JudgmentCheck, Study
from annotation.protocols.checks import Check, rater_quality
from annotation.sealed.models import SealedCatch, SealedKey
from annotation.services import study_problems
from annotation.services.quality import checks_write, study_quality
from annotation.tests.factories import make_design, make_frozen_study, make_open_study, make_rater

pytestmark = pytest.mark.django_db

POOLED = {"pooled_catches": 2, "least_catches_right": 0.8, "least_seconds": 3, "most_seconds": 60}


def rate_all(rater: int, study: Study, verdict: str = "no", active_ms: int = 5_000) -> None:
    rule = "words" if verdict == "yes" else ""
    while not isinstance(page := blind_next(rater, study.slug), DonePage):
        answer = BlindAnswer(verdict=verdict, confidence=2, rule=rule, active_ms=active_ms)
        blind_judgment_submit(rater, page.assignment, answer, f"key-{page.assignment}")


def test_catch_trials_are_on_every_list_once_and_have_no_key():
    study = make_frozen_study(quality=POOLED)
    catches = list(SealedCatch.objects.filter(study=study))
    assert [(catch.kind, catch.expected) for catch in catches] == [("pooled", "no")] * 2
    for catch in catches:
        assert Assignment.objects.filter(item=catch.item).count() == study.seats.count()
        assert not SealedKey.objects.filter(item=catch.item).exists()
    assert study_problems(study) == []


def test_a_catch_trial_looks_like_any_other_item():
    study = make_frozen_study(quality=POOLED)
    catches = set(SealedCatch.objects.filter(study=study).values_list("item_id", flat=True))
    shapes = {
        (item.pk in catches, len(item.snippets), sum(band > 0 for snippet in item.snippets for _, band in snippet))
        for item in Item.objects.filter(study=study)
    }
    assert {shape[1:] for shape in shapes if shape[0]} == {shape[1:] for shape in shapes if not shape[0]}
    ids = list(Item.objects.filter(study=study).order_by("pk").values_list("public_id", flat=True))
    assert ids == sorted(ids)


def test_a_pooled_catch_trial_shows_different_texts():
    study = make_frozen_study(quality=POOLED)
    for catch in SealedCatch.objects.filter(study=study).select_related("item"):
        texts = ["".join(text for text, _ in snippet) for snippet in catch.item.snippets]
        assert len(set(texts)) == len(texts)


def test_checks_are_stored_once_per_judgment_with_their_values():
    study = make_open_study(quality=POOLED)
    rate_all(make_rater(study), study, active_ms=2_000)
    judgments = Judgment.objects.filter(assignment__seat__study=study).count()
    assert checks_write(study=study) == judgments
    assert checks_write(study=study) == 0
    fast = JudgmentCheck.objects.filter(name="too_fast")
    assert set(fast.values_list("value", "passed")) == {(2.0, False)}
    assert fast.count() == judgments
    assert set(JudgmentCheck.objects.filter(name="catch").values_list("value", "passed")) == {(1.0, True)}


def test_a_rater_who_fails_the_catch_trials_is_named_with_the_reason_and_stays_in_the_tables():
    study = make_open_study(quality=POOLED)
    rate_all(make_rater(study), study, verdict="yes")
    rate_all(make_rater(study), study, verdict="no")
    careless, careful = study_quality(study)
    assert careless.reasons == ("0 of 2 catch trials right, fewer than 80 %",)
    assert careful.reasons == ()
    assert study_quality(study, QualityDesign())[0].reasons == ()


def test_an_unmeasured_time_is_neither_passed_nor_failed():
    study = make_open_study(quality=POOLED)
    rate_all(make_rater(study), study, active_ms=0)
    (seat,) = study_quality(study)
    assert (seat.quality.timed, seat.quality.beyond_share) == (0, None)


def test_shares_are_counted_over_what_could_be_checked():
    checks = [
        Check("catch", 1.0, True),
        Check("catch", None, None),
        Check("too_fast", 9.0, True),
        Check("too_slow", 9.0, False),
    ]
    quality = rater_quality(checks)
    assert (quality.catch_share, quality.timed, quality.beyond_share) == (1.0, 1, 1.0)


@pytest.mark.parametrize(
    ("quality", "field"),
    [
        ({"least_catches_right": 0.8}, "quality.least_catches_right"),
        ({"least_seconds": 90, "most_seconds": 60}, "quality.least_seconds"),
        ({"pooled_catches": -1}, "quality.pooled_catches"),
        ({"exclude_beyond_times": "yes"}, "quality.exclude_beyond_times"),
        ({"colour": 1}, "quality.colour"),
    ],
)
def test_thresholds_that_mean_nothing_are_refused_at_their_field(quality, field):
    with pytest.raises(DesignRefused) as refused:
        make_design(quality=quality)
    assert refused.value.field == field
