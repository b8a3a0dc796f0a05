"""Sampling and lists in the form for a study, and the panel that says how even the allocation came out."""

import pytest
from django.urls import reverse

from annotation import services
from annotation.models import Assignment, Study
from annotation.tests.factories import PASSWORD, make_design, make_frozen_study, make_harvest_run
from annotation.tests.test_staff_pages import ARMS, errors_of, make_client, typed

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return make_client("owner")


@pytest.fixture
def harvested():
    for network in ARMS.values():
        for corpus in ("tiny", "other"):
            make_harvest_run(network, corpus)


def test_sampling_and_lists_that_are_filled_in_reach_the_design(admin, harvested):
    filled = {
        "sampling.layers": "equal",
        "sampling.reserve": 3,
        "sampling.more_corpora": ["other"],
        "assignment.repeats": 0.1,
        "assignment.block": 12,
        "assignment.machine_raters": 2,
    }
    sent = admin.post(reverse("staff:create"), typed(**filled))
    assert sent.status_code == 302, errors_of(sent.content.decode())
    design = Study.objects.get().design
    assert design["sampling"].items() >= {"sizes": "equal", "layers": "equal", "reserve": 3}.items()
    assert design["sampling"]["more_corpora"] == ["other"]
    assert (design["assignment"]["repeats"], design["assignment"]["block"]) == (0.1, 12)
    assert (design["assignment"]["machine_raters"], design["assignment"]["repeat_distance"]) == (2, 10)


@pytest.mark.parametrize(
    ("filled", "said"),
    [
        ({"assignment.block": 1}, "a block of one item is no block"),
        ({"assignment.repeats": 0.9}, "less than or equal to 0.5"),
        ({"sampling.more_corpora": ["tiny"]}, "the study's own corpus"),
    ],
)
def test_a_refusal_stands_at_the_field_of_its_section(admin, harvested, filled, said):
    page = admin.post(reverse("staff:create"), typed(**filled)).content.decode()
    assert said in errors_of(page)
    assert not Study.objects.exists()


def test_changing_a_draft_keeps_what_the_form_does_not_ask_for(admin, harvested):
    design = make_design(
        protocol="spectrum",
        options={"bands": ["top", "silent"]},
        blinding={"unblinders": 1},
        assignment={"calibration": 1},
        sampling={"reserve": 2},
    )
    study = services.study_create(design=design)
    shown = admin.get(reverse("staff:edit", args=[study.slug])).content.decode()
    assert 'name="sampling.reserve" value="2"' in shown
    admin.post(
        reverse("staff:edit", args=[study.slug]),
        typed(slug=study.slug, protocol="spectrum", options='bands = ["top", "silent"]', **{"sampling.reserve": 5}),
    )
    study.refresh_from_db()
    assert study.title == "First look"
    assert (study.design["protocol"], study.design["options"]) == ("spectrum", {"bands": ["top", "silent"]})
    assert study.design["blinding"]["unblinders"] == 1
    assert study.design["sampling"]["reserve"] == 5
    assert study.design["assignment"]["calibration"] == 1


def test_the_page_of_a_frozen_study_tells_how_even_its_lists_are_and_no_arm(admin):
    study = make_frozen_study(raters=4, raters_per_neuron=2, assignment={"machine_raters": 1})
    page = admin.get(reverse("staff:study", args=[study.slug])).content.decode()
    panel = page[page.index('id="allocation"') : page.index("</section>", page.index('id="allocation"'))]
    assert "Raters (4)" in panel
    assert "Machine raters (1)" in panel
    assert not any(arm in panel for arm in ARMS)


def test_a_draft_leads_to_the_planner_with_its_numbers(admin):
    study = services.study_create(design=make_design())
    page = admin.get(reverse("staff:study", args=[study.slug])).content.decode()
    assert f"{reverse('plan')}?study={study.slug}" in page


def test_an_admin_brings_a_round_of_the_reserve_into_use(admin):
    study = make_frozen_study(sampling={"reserve": 2})
    address = reverse("staff:amend", args=[study.slug])
    page = admin.get(address).content.decode()
    assert 'name="reserve_used" value="0"' in page
    quality = {name: value for name, value in study.design["quality"].items() if not isinstance(value, bool)}
    filled = {"reserve_used": 1, "reason": "Two neurons could not be read.", "password": PASSWORD}
    reply = admin.post(address, {**quality, **study.design["plan"], **filled}, follow=True)
    assert "sampling.reserve_used" in reply.content.decode()
    assert Assignment.objects.filter(seat__study=study, seat__number=1).count() == 12 + 3


def test_a_study_without_a_reserve_is_not_asked_for_its_use(admin):
    study = make_frozen_study()
    assert "reserve_used" not in admin.get(reverse("staff:amend", args=[study.slug])).content.decode()
