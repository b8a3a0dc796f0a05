"""Consent: asked first, kept by version, asked again when the text changes, and never of programs."""

import pytest
from django.http import Http404

from annotation import services
from annotation.blinding import (
    AnswerRefused,
    ConsentAnswer,
    NotReady,
    RatePage,
    blind_consent,
    blind_consent_answer,
    blind_instructions,
    blind_instructions_read,
    blind_judgment_submit,
    blind_next,
    blind_practice,
    blind_where,
)
from annotation.design import DesignRefused
from annotation.models import ConflictDeclaration, ConsentRecord, FrozenRow, RaterKind, Study
from annotation.tests.factories import agree, make_answer, make_design, make_frozen_study, make_open_study, make_rater

pytestmark = pytest.mark.django_db
TEXT = "We ask you to rate neurons.\n\nIt takes an hour."


def make_asking_study(**consent):
    return make_open_study(consent={"text": TEXT, **consent})


def say(user, study, **values):
    version = values.pop("version", blind_consent(user, study.slug).version)
    return blind_consent_answer(user, study.slug, ConsentAnswer(version, **{"agrees": True, **values}))


def text_changed(study: Study, text: str) -> None:
    study.refresh_from_db()
    changes = {"consent": study.design["consent"] | {"text": text}}
    services.study_amend(study=study, changes=changes, reason="The ethics board asked for it.")


def test_a_study_without_a_text_asks_nobody():
    study = make_open_study()
    user = make_rater(study, practised=False)
    assert blind_where(user, study.slug) == "instructions"
    with pytest.raises(Http404):
        blind_consent(user, study.slug)


def test_nothing_of_the_study_is_reached_before_consent():
    study = make_asking_study()
    user = make_rater(study, practised=False)
    assert blind_where(user, study.slug) == "consent"
    for reach in (
        lambda: blind_instructions(user, study.slug),
        lambda: blind_instructions_read(user, study.slug),
        lambda: blind_practice(user, study.slug, 1),
        lambda: blind_next(user, study.slug),
    ):
        with pytest.raises(NotReady) as refusal:
            reach()
        assert refusal.value.where == "consent"


def test_the_page_shows_the_text_and_what_leaving_means():
    study = make_asking_study(withdrawal="set aside")
    page = blind_consent(make_rater(study, practised=False), study.slug)
    assert page.paragraphs == ("We ask you to rate neurons.", "It takes an hour.")
    assert any("set aside" in promise for promise in page.promises)
    assert (page.answer, page.changed, page.missing) == ("", False, True)


def test_consent_is_kept_with_the_version_that_was_read_and_cannot_be_rewritten():
    study = make_asking_study()
    user = make_rater(study, practised=False)
    assert say(user, study).answer == "agreed"
    record = ConsentRecord.objects.get()
    assert record.version == study.rater_text["consent"]["version"]
    assert blind_where(user, study.slug) == "instructions"
    record.answer = "declined"
    with pytest.raises(FrozenRow):
        record.save()


def test_who_does_not_agree_cannot_rate_and_may_change_their_mind():
    study = make_asking_study()
    user = make_rater(study, practised=False)
    assert say(user, study, agrees=False).missing
    assert blind_where(user, study.slug) == "consent"
    say(user, study)
    assert blind_where(user, study.slug) == "instructions"
    assert list(ConsentRecord.objects.values_list("answer", flat=True)) == ["declined", "agreed"]


def test_a_consent_that_is_not_required_is_noted_and_the_rater_goes_on():
    study = make_asking_study(required=False)
    user = make_rater(study, practised=False)
    assert not say(user, study, agrees=False).missing
    assert blind_where(user, study.slug) == "instructions"


def test_a_changed_text_is_asked_again_even_in_the_middle_and_loses_nothing():
    study = make_asking_study()
    user = make_rater(study)
    page = blind_next(user, study.slug)
    assert isinstance(page, RatePage)
    text_changed(study, TEXT + "\n\nIt takes two hours.")
    with pytest.raises(NotReady):
        blind_judgment_submit(user, page.assignment, make_answer(), "key-of-this-answer")
    asked = blind_consent(user, study.slug)
    assert (asked.changed, asked.missing, asked.answer) == (True, True, "")
    say(user, study)
    assert blind_judgment_submit(user, page.assignment, make_answer(), "key-of-this-answer").saved
    assert services.study_problems(study) == []


@pytest.mark.parametrize("promise", [{"withdrawal": "set aside"}, {"erase_words": True}])
def test_what_raters_were_promised_for_leaving_is_never_amended(promise):
    study = make_asking_study()
    changes = {"consent": study.design["consent"] | promise}
    with pytest.raises(services.AmendmentRefused, match="what leaving means"):
        services.study_amend(study=study, changes=changes, reason="It would be more convenient.")


def test_an_answer_to_a_text_that_has_changed_meanwhile_does_not_count():
    study = make_asking_study()
    user = make_rater(study, practised=False)
    read = blind_consent(user, study.slug).version
    text_changed(study, "Another text.")
    with pytest.raises(AnswerRefused, match="has changed"):
        say(user, study, version=read)
    assert not ConsentRecord.objects.exists()


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "conflict"),
        ({"conflict": "perhaps"}, "conflict"),
        ({"conflict": "yes"}, "conflict_text"),
        ({"conflict": "yes", "conflict_text": "x" * 2001}, "conflict_text"),
    ],
)
def test_the_question_about_conflicts_wants_an_answer(said, field):
    study = make_asking_study(ask_conflicts=True)
    user = make_rater(study, practised=False)
    with pytest.raises(AnswerRefused) as refusal:
        say(user, study, **said)
    assert refusal.value.field == field
    assert not ConsentRecord.objects.exists()


def test_a_declared_conflict_is_kept_and_shuts_nobody_out():
    study = make_asking_study(ask_conflicts=True)
    user = make_rater(study, practised=False)
    say(user, study, conflict="yes", conflict_text=" I trained one of them. ")
    declared = ConflictDeclaration.objects.get()
    assert (declared.has_conflict, declared.text) == (True, "I trained one of them.")
    assert blind_where(user, study.slug) == "instructions"


def test_who_declines_is_not_asked_about_conflicts():
    study = make_asking_study(ask_conflicts=True)
    say(make_rater(study, practised=False), study, agrees=False)
    assert not ConflictDeclaration.objects.exists()


def test_programs_agree_to_nothing():
    study = make_asking_study_simulated()
    user = make_rater(study, practised=False)
    assert blind_where(user, study.slug) == "instructions"
    with pytest.raises(Http404):
        blind_consent(user, study.slug)


def make_asking_study_simulated():
    return make_open_study(rater_kind=RaterKind.SIMULATED, consent={"text": TEXT})


def test_the_text_is_part_of_what_is_frozen():
    study = make_frozen_study(consent={"text": TEXT})
    assert study.rater_text["consent"]["version"] in study.protocol


def test_a_question_about_conflicts_needs_a_text_above_it():
    with pytest.raises(DesignRefused, match="conflicts of interest"):
        make_design(consent={"ask_conflicts": True})


def test_another_raters_consent_is_not_mine():
    study = make_asking_study()
    first, second = make_rater(study, practised=False), make_rater(study, practised=False)
    agree(first, study)
    assert (blind_where(first, study.slug), blind_where(second, study.slug)) == ("instructions", "consent")
