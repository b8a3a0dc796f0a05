"""Amendments: new versions of a frozen protocol, with a reason; the first stays byte for byte."""

import hashlib
import itertools
import json
from datetime import timedelta

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse

from annotation import audit, services
from annotation.audit.protect import protection_lifted
from annotation.blinding import blind_instructions, blind_judgment_submit, blind_next
from annotation.design import DesignRefused, canonical_json
from annotation.models import Judgment, ProtocolVersion, Study
from annotation.selectors import version_at
from annotation.services import AmendmentRefused, ReasonMissing, StudyWrongState, study_problems
from annotation.services.versions import version_changes
from annotation.tests.factories import (
    PASSWORD,
    make_answer,
    make_closed_study,
    make_frozen_study,
    make_open_study,
    make_rater,
    make_study,
    make_unblinded_study,
    make_user,
)

pytestmark = pytest.mark.django_db
WHY = "Raters asked what a rule is."


@pytest.fixture
def study() -> Study:
    return make_open_study(raters=1)


def amend(study: Study, by=None, **changes):
    return services.study_amend(study=study, changes=changes, reason=WHY, by=by)


def test_freezing_writes_down_the_first_version(study):
    version = ProtocolVersion.objects.get(study=study)
    assert (version.number, version.text, version.sha256) == (1, study.protocol, study.protocol_sha256)
    assert version.at == study.frozen_at


def test_an_amendment_is_a_new_version_and_leaves_the_first_byte_for_byte(study):
    before = study.protocol
    version = amend(study, instructions="Read slowly.\n\nThen judge.", contact="ask Grace")
    study.refresh_from_db()
    assert study.protocol == ProtocolVersion.objects.get(study=study, number=1).text == before
    told = json.loads(version.text)
    assert hashlib.sha256(version.text.encode()).hexdigest() == version.sha256
    assert told["amendment"] == {
        "version": 2, "previous_sha256": study.protocol_sha256, "reason": WHY, "judgments_before": 0,
    }  # fmt: skip
    first = json.loads(before)
    same = set(first) - {"design", "shown_to_raters"}
    assert {name: told[name] for name in same} == {name: first[name] for name in same}
    assert study_problems(study) == []


def test_raters_read_the_amended_text_from_then_on(study):
    rater = make_rater(study)
    amend(study, instructions="Read slowly.", contact="ask Grace")
    page = blind_instructions(rater, study.slug)
    assert (page.paragraphs, page.contact) == (("Read slowly.",), "ask Grace")


def test_versions_are_counted_and_each_names_the_one_before(study):
    for contact in ("ask Ada", "ask Grace", "ask Emmy"):
        amend(study, contact=contact)
        study.refresh_from_db()
    versions = list(ProtocolVersion.objects.filter(study=study))
    assert [version.number for version in versions] == [1, 2, 3, 4]
    for before, after in itertools.pairwise(versions):
        assert json.loads(after.text)["amendment"]["previous_sha256"] == before.sha256
    assert study_problems(study) == []


def test_each_answer_can_be_told_the_version_it_was_given_under(study):
    rater = make_rater(study)
    answers = []
    for contact in ("ask Ada", "ask Grace"):
        page = blind_next(rater, study.slug)
        blind_judgment_submit(rater, page.assignment, make_answer(), f"key-{page.assignment}")
        answers.append(Judgment.objects.latest("pk"))
        amend(study, contact=contact)
        study.refresh_from_db()
    assert [version_at(study, answer.submitted_at) for answer in answers] == [1, 2]
    assert version_at(study, study.frozen_at - timedelta(seconds=1)) == 0
    assert ProtocolVersion.objects.get(study=study, number=3).judgments_before == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 8},
        {"title": "Another title"},
        {"neurons_per_arm": 5},
        {"display": "proportional"},
        {"raters": 3},
        {"pairs": [{"size": "tiny", "layers": [0], "arms": {"baseline": "tiny-gelu", "solu": "tiny-gelu-ln"}}]},
        {"blinding": {"unblinders": 2}},
        {"sampling": {"reserve": 2}},
    ],
)
def test_items_arms_key_and_blinding_are_never_amended(study, changes):
    with pytest.raises(AmendmentRefused, match="cannot be amended after freeze"):
        amend(study, **changes)
    assert ProtocolVersion.objects.filter(study=study).count() == 1


def test_thresholds_change_before_the_first_answer_only(study):
    rater = make_rater(study)
    amend(study, quality={"least_seconds": 5})
    study.refresh_from_db()
    assert study.design["quality"]["least_seconds"] == 5
    page = blind_next(rater, study.slug)
    blind_judgment_submit(rater, page.assignment, make_answer(), "a-key-of-mine")
    with pytest.raises(AmendmentRefused, match="1 answers are given"):
        amend(study, quality={"least_seconds": 9})
    amend(study, contact="ask Grace")


def test_catch_trials_are_on_the_lists_and_cannot_be_amended(study):
    with pytest.raises(AmendmentRefused, match="on the raters' lists since freeze"):
        amend(study, quality={"planted_catches": 2})


def test_the_plan_changes_until_unblinding_and_says_how_many_answers_were_there():
    closed = make_closed_study(raters=1)
    version = amend(closed, plan={"closing_rule": "", "analysis": "Compare by confidence too."})
    assert version.judgments_before == 12
    assert closed.events.get(action="amended").details["judgments_before"] == 12
    closed.refresh_from_db()
    with pytest.raises(AmendmentRefused, match="Rating is over"):
        amend(closed, contact="ask Grace")
    with pytest.raises(StudyWrongState):
        amend(make_unblinded_study(raters=1), plan={"analysis": "Now that we know."})
    with pytest.raises(StudyWrongState):
        amend(make_study(), contact="ask Grace")


def test_an_amendment_needs_a_reason_a_change_and_values_that_a_design_may_have(study):
    with pytest.raises(ReasonMissing):
        services.study_amend(study=study, changes={"contact": "ask Grace"}, reason="so")
    with pytest.raises(AmendmentRefused, match="Nothing is changed"):
        amend(study, contact=study.design["contact"])
    with pytest.raises(DesignRefused, match="most 400"):
        amend(study, contact="x" * 401)


def test_the_log_names_the_fields_and_both_hashes_and_none_of_the_words(study):
    admin = make_user(group="admin")
    version = amend(study, by=admin, contact="ask Grace Hopper")
    line = study.events.get(action="amended")
    assert (line.old, line.new) == (study.protocol_sha256, version.sha256)
    assert (line.details["fields"], line.object_id, line.reason) == (["contact"], "version 2", WHY)
    assert "Hopper" not in line.record
    assert audit.chain_problems(audit.chain_of(study)) == []


# -- Verification ------------------------------------------------------------------------------------------------------


def forge(version: ProtocolVersion, **changes: object) -> None:
    with protection_lifted():
        QuerySet.update(ProtocolVersion.objects.filter(pk=version.pk), **changes)


def test_a_version_that_changes_more_than_it_may_is_found(study):
    version = amend(study, contact="ask Grace")
    told = json.loads(version.text)
    told["design"]["seed"] = 99
    text = canonical_json(told)
    forge(version, text=text, sha256=hashlib.sha256(text.encode()).hexdigest())
    study.refresh_from_db()
    assert "Version 2 of the protocol changes what no amendment may change." in study_problems(study)


def test_a_version_whose_text_was_changed_is_found(study):
    version = amend(study, contact="ask Grace")
    forge(version, text=version.text.replace("Grace", "Gauss"))
    assert any("Version 2 of the protocol does not match its sha256" in found for found in study_problems(study))


def test_what_raters_read_must_be_the_newest_version(study):
    amend(study, contact="ask Grace")
    study.refresh_from_db()
    Study.objects.filter(pk=study.pk).update(rater_text=study.rater_text | {"contact": "ask me"})
    assert study_problems(study) == ["What raters read differs from the protocol."]


# -- Pages -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(make_user(group="admin"))
    return client


def typed(study: Study, **changes: object) -> dict[str, object]:
    design = study.design
    values = {
        "instructions": design["instructions"], "contact": design["contact"], "reason": WHY, "password": PASSWORD,
        **{name: value for name, value in design["quality"].items() if not isinstance(value, bool)}, **design["plan"],
    }  # fmt: skip
    return values | changes


def test_an_admin_amends_on_a_page_and_sees_what_changed(study, admin):
    amend(study, instructions="Read the snippets fast. Judge then.")
    study.refresh_from_db()
    reply = admin.post(
        reverse("staff:amend", args=[study.slug]),
        typed(study, instructions="Read the snippets slowly. Judge then."),
        follow=True,
    )
    page = reply.content.decode()
    assert "<del>fast. </del>" in page
    assert "<ins>slowly. </ins>" in page
    assert WHY in page
    study.refresh_from_db()
    assert ProtocolVersion.objects.filter(study=study).count() == 3


def test_a_refused_amendment_keeps_what_was_typed_and_says_why(study, admin):
    reply = admin.post(reverse("staff:amend", args=[study.slug]), typed(study))
    assert "Nothing is changed by this amendment" in reply.content.decode()
    reply = admin.post(reverse("staff:amend", args=[study.slug]), typed(study, contact="ask Grace", password="a-guess"))
    assert set(reply.context["form"].errors) == {"password"}
    assert 'value="ask Grace"' in reply.content.decode()
    assert ProtocolVersion.objects.filter(study=study).count() == 1


def test_every_version_can_be_downloaded_byte_for_byte(study, admin):
    amend(study, contact="ask Grace")
    for version in ProtocolVersion.objects.filter(study=study):
        sent = admin.get(reverse("staff:version_file", args=[study.slug, version.number])).content
        assert hashlib.sha256(sent).hexdigest() == version.sha256
        page = admin.get(reverse("staff:version", args=[study.slug, version.number])).content.decode()
        assert version.sha256 in page
    assert admin.get(reverse("staff:version", args=[study.slug, 9])).status_code == 404


def test_a_draft_has_nothing_to_amend(admin):
    assert admin.get(reverse("staff:amend", args=[make_study().slug])).status_code == 404


def test_changes_are_told_field_by_field():
    study = make_frozen_study()
    version = amend(study, contact="ask Grace", plan={"closing_rule": "After two weeks.", "analysis": ""})
    told = {change.field: (change.old, change.new) for change in version_changes(version)}
    assert told == {"contact": ("", "ask Grace"), "plan.closing_rule": ("", "After two weeks.")}
