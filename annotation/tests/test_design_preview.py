"""The preview of a design that is not frozen: an item as a rater gets it, or what is missing; nothing is stored."""

import pytest
from django.test import Client
from django.urls import reverse

from annotation.models import Item, Study
from annotation.protocols import TASKS
from annotation.services.preview import design_preview
from annotation.staff.item_preview import preview_page
from annotation.tests.factories import ARMS, fake_harvests, make_design, make_harvest_run, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    client = Client()
    client.force_login(make_user(group="admin"))
    return client


def posted(**changes):
    fields = {
        "title": "A study", "corpus": "tiny", "protocol": "first_glance", "neurons_per_arm": 4,
        "snippets_per_neuron": 5,
        "context_before": 8, "context_after": 4, "display": "peak", "marked_per_snippet": 3, "bands": 5,
        "even_characters": 0, "rater_kind": "human", "raters": 2, "raters_per_neuron": 2, "seed": 7,
        "pair-0-include": "on", "pair-0-layers": ["0"], "consent.required": "",
    }  # fmt: skip
    arms = {f"pair-0-arm_{arm}": network for arm, network in ARMS.items()}
    return fields | arms | changes


def preview(admin, **changes):
    for network in ARMS.values():
        make_harvest_run(network)
    with fake_harvests():
        return admin.post(reverse("staff:design_preview"), posted(**changes))


@pytest.mark.parametrize("protocol", TASKS)
def test_every_task_can_be_previewed_as_the_rater_gets_it(protocol):
    with fake_harvests(kept=30):
        page = preview_page(make_design(protocol=protocol))
    assert page.snippets
    assert page.task in TASKS


def test_the_form_shows_an_item_without_an_arm_and_stores_nothing(admin):
    reply = preview(admin)
    text = reply.content.decode()
    assert reply.status_code == 200, text
    assert text.count("snippet-text") == 5
    assert not any(arm in text for arm in ("ln_only", *ARMS.values()))
    assert (Study.objects.count(), Item.objects.count()) == (0, 0)


def test_what_is_missing_is_said_and_every_fault_is_named(admin):
    reply = preview(admin, title="", snippets_per_neuron=0, options="bands =")
    assert reply.status_code == 422
    text = reply.content.decode()
    assert "Nothing can be shown yet" in text
    assert "Title" in text
    assert "no list of name = value" in text


def test_another_neuron_comes_with_every_call():
    with fake_harvests():
        design = make_design()
        shown = {(item.stratum.name, item.neuron) for item in (design_preview(design) for _ in range(30))}
    assert len({name for name, _ in shown}) == 3
    assert len(shown) > 10
