"""Locks on the key: schema and time."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import FieldError

from annotation.models import Item, Study, StudyEvent
from annotation.sealed import keys
from annotation.sealed.keys import StudyStillBlinded
from annotation.sealed.models import SealedKey
from annotation.tests.factories import make_closed_study, make_frozen_study, make_unblinded_study
from neurons.models import HarvestRun

SEALED = list(apps.get_app_config("sealed").get_models())


def test_no_model_outside_the_sealed_app_has_a_way_to_it():
    for model in apps.get_models():
        if model not in SEALED:
            for relation in model._meta.get_fields(include_hidden=False):
                assert relation.related_model not in SEALED, f"{model.__name__}.{relation.name}"


@pytest.mark.parametrize("name", ["sealedkey", "sealed_key", "key", "+", "no__way__to_key", "no", "no__way__to_draw"])
@pytest.mark.parametrize("model", [Item, Study, HarvestRun])
def test_no_join_leads_from_an_item_a_study_or_a_harvest_to_an_arm(model, name):
    with pytest.raises(FieldError):
        model.objects.filter(**{f"{name}__arm": "solu"})


@pytest.mark.parametrize("model", SEALED, ids=lambda model: model.__name__)
def test_no_lookup_can_spell_the_way_back_of_a_sealed_relation(model):
    relations = [field for field in model._meta.get_fields() if field.is_relation]
    assert relations
    for field in relations:
        assert field.remote_field.hidden
        assert "__" in field.related_query_name()


def test_django_admin_shows_no_sealed_table_no_item_and_no_judgment():
    shown = {model._meta.label for model in admin.site._registry}
    assert not shown & {model._meta.label for model in SEALED}
    assert not shown & {"annotation.Item", "annotation.Judgment", "annotation.Assignment"}


@pytest.mark.django_db
@pytest.mark.parametrize("read", [keys.keys_read, keys.draws_read, keys.salt_read, keys.disclosure])
def test_the_key_stays_closed_until_unblinding_even_when_the_study_is_closed(read):
    for study in (make_frozen_study(), make_closed_study()):
        with pytest.raises(StudyStillBlinded, match="unblinded"):
            read(study)
    assert read(make_unblinded_study())


@pytest.mark.django_db
def test_a_study_that_only_says_it_is_unblinded_stays_blinded():
    study = make_closed_study()
    Study.objects.filter(pk=study.pk).update(state=Study.State.UNBLINDED)
    study.refresh_from_db()
    with pytest.raises(StudyStillBlinded):
        keys.keys_read(study)


@pytest.mark.django_db
def test_the_key_has_one_row_per_item_after_unblinding():
    study = make_unblinded_study()
    rows = keys.keys_read(study)
    assert {row.item_id for row in rows} == set(Item.objects.filter(study=study).values_list("id", flat=True))
    assert {row.arm for row in rows} == {"baseline", "solu", "ln_only"}


@pytest.mark.django_db
def test_the_commitment_in_the_protocol_fits_the_disclosed_key_and_no_changed_one():
    import json

    study = make_unblinded_study()
    committed = json.loads(study.protocol)["key_commitment"]
    assert keys.commitment(keys.disclosure(study)) == committed
    row = SealedKey.objects.filter(study=study).first()
    SealedKey.objects.filter(pk=row.pk).update(neuron=row.neuron + 1)
    assert keys.commitment(keys.disclosure(study)) != committed


@pytest.mark.django_db
def test_a_simulation_gets_the_key_of_a_simulated_study_only_and_on_record():
    with pytest.raises(StudyStillBlinded, match="rated by people"):
        keys.keys_read_for_simulation(make_frozen_study())
    study = make_frozen_study(rater_kind="simulated")
    assert len(keys.keys_read_for_simulation(study)) == 12
    assert StudyEvent.objects.filter(study=study, action=keys.OPENED_FOR_SIMULATION).count() == 1
