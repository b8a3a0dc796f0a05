"""Freeze: drawn again it is the same, and afterwards nothing changes."""

import json

import pytest

from annotation import services
from annotation.design import canonical_json, design_from_dict
from annotation.models import Assignment, FrozenRow, Item, Seat, Study, StudyEvent
from annotation.sealed.models import SealedDraw, SealedKey
from annotation.services import NotEnoughNeurons, StudyWrongState
from annotation.services.draw import study_draw
from annotation.services.harvests import strata_open
from annotation.services.protocol import protocol_text, sha256
from annotation.tests.factories import fake_harvests, make_design, make_frozen_study, make_study, make_unblinded_study

pytestmark = pytest.mark.django_db


def test_the_same_design_and_salt_give_the_same_study_and_another_salt_gives_another():
    design = make_design()
    with fake_harvests():
        strata = strata_open(design)
        first, second, other = (study_draw(design, strata, salt, None) for salt in ("salt", "salt", "pepper"))
    assert first == second
    assert protocol_text(design, strata, first, "salt") == protocol_text(design, strata, second, "salt")
    assert {item.public_id for item in first.items}.isdisjoint(item.public_id for item in other.items)
    assert first.lists != other.lists


def test_a_frozen_study_can_be_drawn_again_from_what_unblinding_publishes():
    study = make_unblinded_study()
    from annotation.sealed.keys import salt_read

    design = design_from_dict(json.loads(study.protocol)["design"])
    with fake_harvests():
        strata = strata_open(design)
        again = study_draw(design, strata, salt_read(study))
    assert protocol_text(design, strata, again, salt_read(study)) == study.protocol


def test_the_protocol_is_canonical_json_with_its_own_sha256():
    study = make_frozen_study()
    assert sha256(study.protocol) == study.protocol_sha256
    assert canonical_json(json.loads(study.protocol)) == study.protocol
    assert services.study_problems(study) == []


def test_the_protocol_tells_neither_arm_nor_salt_of_an_item():
    study = make_frozen_study()
    protocol = json.loads(study.protocol)
    assert {frozenset(item) for item in protocol["items"]} == {frozenset({"id", "shown_sha256"})}
    assert "salt" not in protocol
    assert protocol["salt_sha256"] != ""


def test_items_are_stored_in_the_order_of_their_public_ids_so_row_numbers_tell_no_arm():
    study = make_frozen_study()
    ids = list(Item.objects.filter(study=study).order_by("id").values_list("public_id", flat=True))
    assert ids == sorted(ids)
    key_items = SealedKey.objects.filter(study=study).order_by("id").values_list("item__public_id", flat=True)
    assert list(key_items) == ids


def test_every_arm_has_its_neurons_and_every_seat_its_items():
    study = make_frozen_study(raters=3, raters_per_neuron=2)
    arms = list(SealedKey.objects.filter(study=study).values_list("arm", flat=True))
    assert {arm: arms.count(arm) for arm in arms} == {"baseline": 4, "solu": 4, "ln_only": 4}
    loads = [seat.assignments.count() for seat in Seat.objects.filter(study=study)]
    assert loads == [8, 8, 8]


def test_rejected_draws_are_logged_with_their_reasons():
    study = make_frozen_study(neurons_per_arm=38)  # all but the dead neuron and the one with a single snippet
    rejected = SealedDraw.objects.filter(study=study, accepted=False)
    reasons = set(rejected.values_list("neuron", "reason"))
    assert reasons <= {
        (0, "dead: never above 0 on the harvested text"),
        (1, "1 of 5 snippets: too few different texts make it fire"),
    }
    assert SealedDraw.objects.filter(study=study, accepted=True).count() == 3 * 38


def test_every_snippet_of_every_item_has_the_same_number_of_marks():
    study = make_frozen_study(marked_per_snippet=3)
    for item in Item.objects.filter(study=study):
        assert len(item.snippets) == 5
        for snippet in item.snippets:
            assert sorted(band for _, band in snippet if band) == [1, 1, 2]


def test_the_proportional_display_shades_the_strongest_peak_in_the_highest_band():
    study = make_frozen_study(display="proportional", bands=4)
    for item in Item.objects.filter(study=study):
        assert max(band for snippet in item.snippets for _, band in snippet) == 4


def test_too_few_neurons_are_refused_and_leave_the_draft_a_draft():
    study = make_study(neurons_per_arm=39)
    with fake_harvests(), pytest.raises(NotEnoughNeurons, match="38 of 40 neurons can be shown and 39 are wanted"):
        services.study_freeze(study=study)
    study.refresh_from_db()
    assert study.state == Study.State.DRAFT
    assert not Item.objects.filter(study=study).exists()


def test_snippets_too_short_to_mark_reject_the_neuron():
    study = make_study(marked_per_snippet=5)
    with fake_harvests(pieces=4), pytest.raises(NotEnoughNeurons, match="0 of 40 neurons"):
        services.study_freeze(study=study)


def test_progress_is_reported_up_to_the_last_item():
    seen = []
    with fake_harvests():
        services.study_freeze(study=make_study(), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 12) for done in range(1, 13)]


def test_a_frozen_study_refuses_another_freeze_and_another_design():
    study = make_frozen_study()
    with pytest.raises(StudyWrongState, match="is frozen"), fake_harvests():
        services.study_freeze(study=study)
    with pytest.raises(StudyWrongState, match="is frozen"):
        services.study_update_design(study=study, design=make_design())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "Another title"),
        ("slug", "another-slug"),
        ("design", {}),
        ("rater_text", {}),
        ("protocol", "{}"),
        ("protocol_sha256", "0" * 64),
        ("rater_kind", "simulated"),
        ("frozen_at", None),
    ],
)
def test_nothing_of_a_frozen_study_can_be_saved_differently(field, value):
    study = make_frozen_study()
    setattr(study, field, value)
    with pytest.raises(FrozenRow, match=field):
        study.save()


def test_items_and_events_are_written_once():
    study = make_frozen_study()
    item, event = Item.objects.first(), StudyEvent.objects.first()
    for row in (item, event):
        with pytest.raises(FrozenRow):
            row.save()
        with pytest.raises(FrozenRow):
            row.delete()
    with pytest.raises(FrozenRow):
        Item.objects.filter(study=study).update(snippets=[])
    with pytest.raises(FrozenRow):
        StudyEvent.objects.all().delete()


def test_verification_names_what_was_changed_behind_our_back():
    study = make_unblinded_study()
    assert services.study_problems(study) == []
    key = SealedKey.objects.filter(study=study).first()
    SealedKey.objects.filter(pk=key.pk).update(arm="solu" if key.arm != "solu" else "baseline")
    first, second = Assignment.objects.filter(seat__study=study, seat__number=1)[:2]
    Assignment.objects.filter(pk=first.pk).update(position=9_999)
    Assignment.objects.filter(pk=second.pk).update(position=1)
    assert services.study_problems(study) == [
        "The raters' orders differ from the protocol.",
        "The key differs from the one committed to at freeze.",
    ]
