"""The audit in a study's life: run at freeze, kept, logged, held against the limit, overruled with a reason."""

import json
import random
from dataclasses import dataclass
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from annotation import services
from annotation.blinding import blind_next
from annotation.blinding.specimen import blind_specimen
from annotation.models import Item, LeakAudit, ProtocolVersion, StudyEvent
from annotation.services import harvests
from annotation.services import leaks as leak_service
from annotation.services.errors import AmendmentRefused, LeaksTooLarge, ReasonMissing, StudyWrongState
from annotation.tests.factories import (
    FakeHarvest,
    make_frozen_study,
    make_harvest_run,
    make_rater,
    make_study,
    make_user,
)
from neurons.store.pieces import Snippet

pytestmark = pytest.mark.django_db
TWO = [{"size": "tiny", "layers": [0], "arms": {"baseline": "tiny-gelu", "solu": "tiny-solu-ln"}}]
REASON = "This study repeats the shading of the paper, with its known weakness."


@dataclass(frozen=True)
class ArmHarvest(FakeHarvest):
    """Random words; of SoLU fewer tokens are near the maximum, as in real networks."""

    d_mlp: int = 60

    def _snippet(self, neuron: int, rank: int) -> Snippet:
        rng = random.Random(f"{self.network} {neuron} {rank}")
        peak, fade = rng.randrange(20), 6.0 if "solu" in self.network else 1.0
        values = [rng.random() ** fade if place != peak else 1.0 for place in range(20)]
        words = [f" word{rng.randrange(100, 999)}" for _ in range(20)]
        doc = rng.randrange(10**9)
        return Snippet(doc=doc, peak=peak, pieces=tuple(zip(words, values, strict=True)))

    def top_values(self, layer: int, neuron: int) -> list[float]:
        return [1.0] * self.top_count(layer, neuron)


def make_leak_study(display: str, **changes):
    changes = {"pairs": TWO, "neurons_per_arm": 25, "display": display} | changes
    with (
        patch.object(harvests, "harvest_finished", make_harvest_run),
        patch.object(harvests, "harvest_store", lambda run: ArmHarvest(run.network.name)),
    ):
        # The draw is fixed, so that no study is refused here by the chance of one in twenty that the rule allows.
        return services.study_freeze(study=make_study(**changes), salt="a" * 64)


@pytest.fixture
def leaking():
    return make_leak_study("proportional")


def test_freezing_audits_stores_and_logs(leaking):
    (audit,) = LeakAudit.objects.filter(study=leaking)
    assert (audit.passed, audit.limit, audit.rule) == (False, 0.6, "estimate")
    (pair,) = audit.numbers["comparisons"]
    assert (pair["first"], pair["second"], pair["neurons"]) == ("baseline", "solu", [25, 25])
    assert pair["presentation"]["auc"] > 0.95
    (event,) = StudyEvent.objects.filter(study=leaking, action="leaks audited")
    assert (event.details["passed"], event.details["largest_area"]) == (False, pair["presentation"]["auc"])


def test_no_item_leaves_the_audit(leaking):
    told = json.dumps(LeakAudit.objects.get(study=leaking).numbers)
    told += json.dumps([event.details for event in StudyEvent.objects.filter(study=leaking)])
    ids = Item.objects.filter(study=leaking).values_list("public_id", flat=True)
    assert len(ids) == 50
    assert not [public_id for public_id in ids if public_id in told]


def test_a_study_whose_arms_show_opens_only_with_a_reason_that_becomes_part_of_the_protocol(leaking):
    with pytest.raises(LeaksTooLarge, match=r"tells baseline and solu \(AUC .*most by tokens in band"):
        services.study_open(study=leaking)
    with pytest.raises(ReasonMissing):
        services.study_open(study=leaking, overrule="because")
    study = services.study_open(study=leaking, overrule=REASON)
    assert study.state == "open"
    first, second = ProtocolVersion.objects.filter(study=study).order_by("number")
    assert REASON not in first.text
    assert json.loads(second.text)["design"]["blinding"]["leak_overruled"] == REASON
    assert second.reason == REASON
    assert StudyEvent.objects.get(study=study, action="leak limit overruled").reason == REASON
    assert services.study_problems(study) == []


@pytest.mark.parametrize("display", ["peak", "rank", "matched"])
def test_marks_by_rank_hide_what_shading_by_strength_shows(display):
    study = make_leak_study(display)
    assert LeakAudit.objects.get(study=study).passed
    assert services.study_open(study=study).state == "open"


def test_a_reason_that_stands_in_the_design_from_the_start_is_enough():
    study = make_leak_study("proportional", blinding={"unblinders": 1, "leak_overruled": REASON})
    assert services.study_open(study=study).state == "open"


def test_a_limit_of_one_lets_everything_through_and_the_strict_rule_asks_for_proof():
    assert LeakAudit.objects.get(study=make_leak_study("proportional", blinding={"leak_limit": 1.0})).passed
    strict = make_frozen_study(blinding={"leak_rule": "upper"})
    with pytest.raises(LeaksTooLarge, match="not measured, too few neurons"):
        services.study_open(study=strict)


def test_nobody_moves_the_limit_after_freeze(leaking):
    with pytest.raises(AmendmentRefused, match="how the blind is held"):
        services.study_amend(
            study=leaking, changes={"blinding": {"unblinders": 1, "leak_limit": 1.0}}, reason="It is too strict."
        )


def test_a_study_frozen_before_there_were_audits_is_audited_first():
    study = make_frozen_study()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM annotation_leakaudit WHERE study_id = %s", [study.pk])
    with pytest.raises(LeaksTooLarge, match="study_leaks"):
        services.study_open(study=study)
    services.study_leaks(study=study)
    assert services.study_open(study=study).state == "open"


def test_repeating_the_audit_gives_the_same_numbers_and_is_on_record(leaking, capsys):
    first = LeakAudit.objects.get(study=leaking)
    call_command("study_leaks", leaking.slug)
    again = LeakAudit.objects.filter(study=leaking).last()
    for stored in (first, again):
        stored.numbers["comparisons"][0].pop("drawing_time")  # a clock
    assert again.pk != first.pk
    assert again.numbers == first.numbers
    told = capsys.readouterr().out
    assert "baseline or solu: AUC " in told
    assert "above the limit of 0.6: the largest area is " in told
    assert StudyEvent.objects.filter(study=leaking, action="key read for the leak audit").count() == 1


def test_a_draft_has_nothing_to_audit():
    with pytest.raises(StudyWrongState, match="freeze it first"):
        services.study_leaks(study=make_study())


def test_the_command_opens_with_a_reason(leaking):
    with pytest.raises(CommandError, match="stays closed"):
        call_command("study_open", leaking.slug)
    call_command("study_open", leaking.slug, overrule=REASON)


def test_a_specimen_is_the_page_that_a_rater_gets():
    """But for what belongs to the rater: place, progress and the assignment's id."""
    study = services.study_open(study=make_frozen_study())
    page = blind_next(make_rater(study), study.slug)
    item = Item.objects.get(assignments__public_id=page.assignment)
    specimen = blind_specimen(study, item.snippets, item.layout)
    same = {"study", "title", "task", "snippets", "layout", "question", "threshold", "rule", "simulated", "draft"}
    assert {name for name in page.__slots__ if getattr(page, name) == getattr(specimen, name)} >= same


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_classifiers_are_trained():
    inside = []

    def watch(*args, **kwargs):
        inside.append(connection.in_atomic_block)
        return measure(*args, **kwargs)

    measure = leak_service.leaks_measure
    with patch.object(leak_service, "leaks_measure", watch):
        study = make_frozen_study()
        services.study_leaks(study=study)
    assert inside == [False, False]


# -- Staff pages -------------------------------------------------------------------------------------------------------


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(make_user(group="admin"))
    return client


def test_staff_see_areas_and_features_and_no_item(leaking, admin):
    page = admin.get(reverse("staff:study", args=[leaking.slug])).content.decode()
    assert "Can the arms be told from how items are shown?" in page
    assert "Yes, above the limit of 0.6" in page
    assert "baseline, solu" in page


def test_the_open_page_asks_for_a_reason_only_where_it_is_needed(leaking, admin):
    address = reverse("staff:step", args=[leaking.slug, "open"])
    assert "although its arms can be told" in admin.get(address).content.decode()
    assert admin.post(address).status_code == 200
    leaking.refresh_from_db()
    assert leaking.state == "frozen"
    admin.post(address, {"reason": REASON})
    leaking.refresh_from_db()
    assert leaking.state == "open"
    clean = make_frozen_study()
    address = reverse("staff:step", args=[clean.slug, "open"])
    assert "although its arms can be told" not in admin.get(address).content.decode()
    assert "Not measured" in admin.get(reverse("staff:study", args=[clean.slug])).content.decode()
    admin.post(address)
    clean.refresh_from_db()
    assert clean.state == "open"
