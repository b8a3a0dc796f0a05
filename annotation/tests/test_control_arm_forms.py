"""Control arms in the staff's forms: offered where something was harvested for them, kept however they are called."""

from unittest.mock import patch

import pytest
from django.urls import reverse

from annotation.design import design_to_dict
from annotation.models import Study
from annotation.services import study_create
from annotation.tests.factories import make_design, make_harvest_run, make_user
from annotation.tests.test_staff_pages import typed
from neurons import tasks
from neurons.models import HarvestRun, Network

pytestmark = pytest.mark.django_db

DIRECTIONS = "random:64:7"
CONTROLS = {
    "solu_post_ln": "tiny-solu-ln|post_ln|neurons",
    "untrained": "tiny-gelu-untrained",
    "random_directions": f"tiny-solu-ln|post_act|{DIRECTIONS}",
}
ARMS = {
    "baseline": "tiny-gelu",
    "solu": "tiny-solu-ln",
    "solu_post_ln": {"network": "tiny-solu-ln", "site": "post_ln"},
    "untrained": "tiny-gelu-untrained",
    "random_directions": {"network": "tiny-solu-ln", "kind": "random_directions", "basis": DIRECTIONS},
    "random_snippets": {"kind": "random_snippets"},
    "features": "tiny-gelu-ln",
    "floor_of_gelu": {"network": "tiny-gelu", "kind": "random_directions", "basis": "random:9:1"},
}


@pytest.fixture
def admin(client):
    client.force_login(make_user(group="admin"))
    return client


@pytest.fixture
def harvested():
    for network in ("tiny-gelu", "tiny-solu-ln", "tiny-gelu-ln", "tiny-gelu-untrained"):
        make_harvest_run(network)
    Network.objects.filter(name="tiny-gelu-untrained").update(tokens_trained=0)
    make_harvest_run("tiny-solu-ln", site="post_ln")
    make_harvest_run("tiny-solu-ln", basis=DIRECTIONS)
    make_harvest_run("tiny-gelu", basis="random:9:1")


def controls_typed(**changes):
    chosen = {f"pair-0-arm_{arm}": value for arm, value in CONTROLS.items()}
    return typed(**(chosen | {"pair-0-arm_random_snippets": "on"} | changes))


def pair_form(admin, **data):
    return admin.get(reverse("staff:create"), **data).context["form"].pair_forms[0]


def test_each_control_is_offered_what_was_harvested_for_it(admin, harvested):
    form = pair_form(admin)
    offered = {arm: [value for value, _ in form.fields[f"arm_{arm}"].choices] for arm in ("baseline", *CONTROLS)}
    assert offered == {
        "baseline": ["", "tiny-gelu", "tiny-gelu-ln", "tiny-gelu-untrained", "tiny-solu-ln"],
        "solu_post_ln": ["", "tiny-solu-ln|post_ln|neurons"],
        "untrained": ["", "tiny-gelu-untrained"],
        "random_directions": ["", "tiny-gelu|post_act|random:9:1", f"tiny-solu-ln|post_act|{DIRECTIONS}"],
    }
    assert not form.shows_controls
    assert (
        "64 random directions (seed 7)"
        in dict(form.fields["arm_random_directions"].choices)[offered["random_directions"][2]]
    )


def test_a_control_for_which_nothing_was_harvested_says_how_to(admin):
    make_harvest_run("tiny-gelu")
    fields = pair_form(admin).fields
    assert fields["arm_random_directions"].choices == [("", "none harvested yet")]
    assert "harvest_run NETWORK --basis random:1024:1" in str(fields["arm_random_directions"].help_text)


def test_controls_that_are_chosen_stand_in_the_design(admin, harvested):
    admin.post(reverse("staff:create"), controls_typed())
    (pair,) = Study.objects.get().design["pairs"]
    expected = {name: told for name, told in ARMS.items() if name in {*CONTROLS, "random_snippets"}}
    design = make_design(pairs=[{"size": "tiny", "layers": [0], "arms": {"baseline": "tiny-gelu"} | expected}])
    wanted = {arm["name"]: arm for arm in design_to_dict(design)["pairs"][0]["arms"]}
    found = {arm["name"]: arm for arm in pair["arms"]}
    assert {name: found[name] for name in expected} == {name: wanted[name] for name in expected}


def test_a_draft_with_every_kind_of_arm_is_edited_without_losing_one(admin, harvested):
    pairs = [{"size": "tiny", "layers": [0], "arms": ARMS | {"my_floor": {"kind": "random_snippets"}}}]
    del pairs[0]["arms"]["random_snippets"]
    study = study_create(design=make_design(pairs=pairs, slug="kept"))
    address = reverse("staff:edit", args=["kept"])
    form = admin.get(address).context["form"]
    pair = form.pair_forms[0]
    assert pair.shows_controls
    sent = {pair.add_prefix(name): pair[name].value() for name in pair.fields}
    sent = {name: value for name, value in sent.items() if value not in (None, False, "")}
    admin.post(
        address,
        {name: field.value() for name, field in ((f, form[f]) for f in form.fields) if field.value() is not None}
        | sent,
    )
    before = {arm["name"]: arm for arm in study.design["pairs"][0]["arms"]}
    study.refresh_from_db()
    assert {arm["name"]: arm for arm in study.design["pairs"][0]["arms"]} == before


def test_an_arm_whose_harvest_is_gone_is_kept_and_named(admin, harvested):
    pairs = [{"size": "tiny", "layers": [0], "arms": {"baseline": "tiny-gelu", "solu": "gone"}}]
    study_create(design=make_design(pairs=pairs, slug="kept"))
    page = admin.get(reverse("staff:edit", args=["kept"]))
    assert page.context["form"].pair_forms[0]["arm_solu"].value() == "gone"
    assert "gone (no finished harvest)" in page.content.decode()


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"other_0_shows": "tiny-gelu-ln"}, "other_0_name", "Give this arm a name"),
        ({"other_0_name": "features"}, "other_0_shows", "Choose what this arm shows"),
        ({"other_0_name": "My Arm", "other_0_shows": "tiny-gelu-ln"}, "other_0_name", "Use small letters"),
        ({"other_1_name": "solu", "other_1_shows": "tiny-gelu-ln"}, "other_1_name", "There is an arm of this name"),
    ],
)
def test_an_arm_of_ones_own_needs_a_name_and_something_to_show(admin, harvested, changes, field, message):
    answer = admin.post(reverse("staff:create"), typed(**{f"pair-0-{name}": value for name, value in changes.items()}))
    pair = answer.context["form"].pair_forms[0]
    assert message in str(pair.errors[field])
    assert pair.shows_controls
    assert not Study.objects.exists()


def test_the_harvest_form_asks_for_site_and_random_directions(admin):
    run = make_harvest_run("tiny-gelu", corpus="tiny")
    asked = {"network": run.network_id, "corpus": run.corpus_id, "workers": 1}
    with patch.object(tasks.harvest_task, "delay_on_commit"):
        admin.post(reverse("staff:harvest_start"), asked | {"site": "post_ln"})
        admin.post(reverse("staff:harvest_start"), asked | {"directions": 512, "directions_seed": 3})
    waiting = HarvestRun.objects.filter(status="waiting").order_by("id")
    assert [(one.site, one.basis) for one in waiting] == [("post_ln", "neurons"), ("post_act", "random:512:3")]
    answer = admin.post(reverse("staff:harvest_start"), asked | {"directions": 0})
    assert answer.context["form"].errors["directions"]
