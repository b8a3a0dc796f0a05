"""The admins' pages over HTTP: who may enter, what a launch takes, and each step from draft to unblinding."""

import hashlib
import re
from unittest.mock import patch

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from annotation.models import Evaluator, Study, Unblinding
from annotation.protocols.first_glance import QUESTION
from annotation.sealed.models import SealedKey
from annotation.tests.factories import (
    ARMS,
    PASSWORD,
    fake_harvests,
    make_closed_study,
    make_evaluator,
    make_frozen_study,
    make_harvest_run,
    make_open_study,
    make_rater,
    make_study,
    make_unblinded_study,
    make_user,
)
from neurons import tasks
from neurons.models import HarvestRun

pytestmark = pytest.mark.django_db

TOML = """\
title = "From a file"
slug = "from-a-file"
seed = 20261121
corpus = "tiny"
neurons_per_arm = 4
[[pairs]]
size = "tiny"
layers = [0]
[pairs.arms]
baseline = "tiny-gelu"
solu = "tiny-solu-ln"
"""


def make_client(group: str = "") -> Client:
    client = Client()
    if group:
        client.force_login(make_user(group=group))
    return client


@pytest.fixture
def admin() -> Client:
    """An owner, who has every role of the staff; who may do what is tested in evalsite/tests/test_access.py."""
    return make_client("owner")


@pytest.fixture
def harvested() -> None:
    for network in ARMS.values():
        make_harvest_run(network)


def typed(**changes: object) -> dict[str, object]:
    """What an admin sends with the form for a new study."""
    values: dict[str, object] = {
        "title": "First look",
        "slug": "",
        "corpus": "tiny",
        "neurons_per_arm": 4,
        "snippets_per_neuron": 5,
        "context_before": 20,
        "context_after": 10,
        "display": "peak",
        "marked_per_snippet": 3,
        "bands": 5,
        "rater_kind": "human",
        "raters": 2,
        "raters_per_neuron": 2,
        "instructions": "Read.\n\nThen judge.",
        "contact": "ask Ada",
        "seed": 11,
        "pair-0-include": "on",
        "pair-0-layers": ["0"],
        **{f"pair-0-arm_{arm}": network for arm, network in ARMS.items()},
    }
    return values | changes


def errors_of(page: str) -> str:
    found = re.findall(r'class="(?:errorlist|error-text|message error)[^"]*".*?</(?:ul|p)>', page, flags=re.DOTALL)
    return re.sub(r"<[^>]+>|\s+", " ", " ".join(found)).replace("&#x27;", "'")


def step_url(study: Study, name: str) -> str:
    return reverse("staff:step", args=[study.slug, name])


def study_page(client: Client, study: Study) -> str:
    return client.get(reverse("staff:study", args=[study.slug])).content.decode()


# -- Doors -------------------------------------------------------------------------------------------------------------


def staff_addresses(study: Study) -> list[str]:
    named = ("study", "edit", "protocol", "preview", "seats")
    return [
        *(reverse(f"staff:{name}") for name in ("list", "create", "create_toml", "harvest_start")),
        *(reverse(f"staff:{name}", args=[study.slug]) for name in named),
    ]


def test_admins_can_open_every_page(admin):
    study = make_frozen_study()
    for address in staff_addresses(study):
        assert admin.get(address).status_code == 200, address


@pytest.mark.parametrize("group", ["evaluators", "no role"])
def test_other_roles_find_no_page_and_can_change_nothing(group):
    study = make_frozen_study()
    client = make_client(group)
    for address in [*staff_addresses(study), step_url(study, "open")]:
        assert client.get(address).status_code == 404, address
        assert client.post(address, {}).status_code == 404, address
    study.refresh_from_db()
    assert study.state == Study.State.FROZEN


def test_strangers_are_sent_to_the_sign_in_page():
    for address in staff_addresses(make_frozen_study()):
        assert make_client().get(address).headers["Location"].startswith("/accounts/login/?next="), address


def test_a_post_without_the_forms_token_changes_nothing():
    study = make_frozen_study()
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user(group="admin"))
    assert client.post(step_url(study, "open")).status_code == 403
    study.refresh_from_db()
    assert study.state == Study.State.FROZEN


# -- Launch ------------------------------------------------------------------------------------------------------------


def test_the_form_offers_the_papers_values_the_best_blind_and_the_usual_network_for_each_arm(admin, harvested):
    form = admin.get(reverse("staff:create")).context["form"]
    assert (form["neurons_per_arm"].value(), form["snippets_per_neuron"].value()) == (60, 20)
    assert (form["display"].value(), form["even_characters"].value()) == ("matched", 136)
    pair = form.pair_forms[0]
    assert {arm: pair[f"arm_{arm}"].value() for arm in ARMS} == ARMS
    assert pair["include"].value()


def test_every_new_form_has_a_fresh_seed(admin):
    seeds = {admin.get(reverse("staff:create")).context["form"]["seed"].value() for _ in range(5)}
    assert len(seeds) == 5


def test_a_launch_makes_a_draft_with_everything_typed(admin, harvested):
    answer = admin.post(reverse("staff:create"), typed())
    study = Study.objects.get()
    assert answer.headers["Location"] == reverse("staff:study", args=["first-look"])
    assert study.state == Study.State.DRAFT
    assert study.design["seed"] == 11
    assert study.design["contact"] == "ask Ada"
    (pair,) = study.design["pairs"]
    assert {arm["name"]: arm["network"] for arm in pair["arms"]} == ARMS


def test_a_plan_is_part_of_the_design_and_can_be_taken_away_again(admin, harvested):
    admin.post(reverse("staff:create"), typed(**{"plan.closing_rule": "After four weeks."}))
    study = Study.objects.get()
    assert study.design["plan"] == {"closing_rule": "After four weeks.", "analysis": "", "data_licence": "CC-BY-4.0"}
    admin.post(reverse("staff:edit", args=[study.slug]), typed(slug=study.slug, **{"plan.closing_rule": ""}))
    study.refresh_from_db()
    assert study.design["plan"]["closing_rule"] == ""


def test_a_refused_launch_keeps_everything_typed_and_says_why_at_the_field(admin, harvested):
    answer = admin.post(reverse("staff:create"), typed(raters=2, raters_per_neuron=3, contact="ask Grace"))
    form = answer.context["form"]
    assert "Received 3; at most the number of raters, 2." in form.errors["raters_per_neuron"]
    assert 'value="ask Grace"' in answer.content.decode()
    assert not Study.objects.exists()


def test_a_launch_needs_two_arms_and_a_layer(admin, harvested):
    answer = admin.post(reverse("staff:create"), typed(**{"pair-0-arm_solu": "", "pair-0-arm_ln_only": ""}))
    assert "at least two arms" in errors_of(answer.content.decode())
    answer = admin.post(reverse("staff:create"), typed(**{"pair-0-layers": []}))
    assert "at least one layer" in errors_of(answer.content.decode())
    answer = admin.post(reverse("staff:create"), typed(**{"pair-0-include": ""}))
    assert "at least one size" in errors_of(answer.content.decode())
    assert not Study.objects.exists()


def test_a_network_that_was_not_harvested_over_the_corpus_is_refused_at_its_arm(admin, harvested):
    make_harvest_run("tiny-gelu", corpus="other")
    answer = admin.post(reverse("staff:create"), typed(corpus="other"))
    pair = answer.context["form"].pair_forms[0]
    assert set(pair.errors) == {"arm_solu", "arm_ln_only"}


def test_a_short_name_is_taken_once(admin, harvested):
    admin.post(reverse("staff:create"), typed())
    answer = admin.post(reverse("staff:create"), typed())
    assert "There is a study “first-look” already" in errors_of(answer.content.decode())


def test_proportional_shading_comes_with_its_warning(admin, harvested):
    assert "AUC of 0.96" in admin.get(reverse("staff:create")).content.decode()


def test_without_a_finished_harvest_the_form_says_what_to_do_first(admin):
    assert "Harvest at least two networks" in admin.get(reverse("staff:create")).content.decode()


def test_a_pasted_toml_file_makes_a_draft(admin):
    answer = admin.post(reverse("staff:create_toml"), {"toml": TOML})
    assert answer.headers["Location"] == reverse("staff:study", args=["from-a-file"])
    assert Study.objects.get(slug="from-a-file").design["seed"] == 20261121


@pytest.mark.parametrize(
    ("text", "said"),
    [("title = ", "not valid TOML"), (TOML.replace('"tiny"', '"tiny"\ndisplay = "neon"', 1), "choose one of: peak")],
)
def test_a_toml_file_that_cannot_be_used_is_kept_with_the_reason(admin, text, said):
    answer = admin.post(reverse("staff:create_toml"), {"toml": text})
    assert said in errors_of(answer.content.decode())
    assert answer.context["form"]["toml"].value() == text
    assert not Study.objects.exists()


def test_a_draft_can_be_changed_and_keeps_what_was_not_touched(admin, harvested):
    admin.post(reverse("staff:create"), typed(**{"pair-0-arm_ln_only": ""}))
    address = reverse("staff:edit", args=["first-look"])
    form = admin.get(address).context["form"]
    assert form["contact"].value() == "ask Ada"
    assert form.pair_forms[0]["arm_ln_only"].value() == ""
    admin.post(address, typed(title="Second look", slug="first-look"))
    assert Study.objects.get().title == "Second look"


def test_a_frozen_design_cannot_be_changed(admin, harvested):
    study = make_frozen_study()
    answer = admin.post(reverse("staff:edit", args=[study.slug]), typed(slug=study.slug))
    assert "it must be draft" in errors_of(answer.content.decode())
    before = study.protocol_sha256
    study.refresh_from_db()
    assert (study.protocol_sha256, study.title) == (before, "Tiny study")


# -- Steps -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "name"),
    [(make_study, "freeze"), (make_frozen_study, "open"), (make_open_study, "close"), (make_closed_study, "unblind")],
)
def test_each_state_offers_one_next_step_which_asks_before_it_acts(admin, make, name):
    study = make()
    page = study_page(admin, study)
    assert re.findall(r"/step/(\w+)/", page) == [name]
    assert admin.get(step_url(study, name)).status_code == 200
    before = study.state
    study.refresh_from_db()
    assert study.state == before


def test_an_admin_leads_a_study_from_draft_to_open(admin):
    study = make_study()
    with fake_harvests():
        admin.post(step_url(study, "freeze"), {"reason": "The pilot is over.", "password": PASSWORD})
    admin.post(step_url(study, "open"))
    study.refresh_from_db()
    assert study.state == Study.State.OPEN
    assert study.seats.count() == 2


def test_a_freeze_that_finds_too_few_neurons_says_so_and_leaves_the_draft(admin):
    study = make_study(neurons_per_arm=39)
    with fake_harvests():
        answer = admin.post(step_url(study, "freeze"), {"reason": "The pilot is over.", "password": PASSWORD})
    assert "tiny-gelu" in errors_of(answer.content.decode())
    study.refresh_from_db()
    assert study.state == Study.State.DRAFT


def test_a_step_out_of_turn_does_nothing(admin):
    study = make_frozen_study()
    answer = admin.post(step_url(study, "unblind"), {"reason": "All are done.", "typed_slug": study.slug}, follow=True)
    assert "Nothing was done: the study is frozen." in answer.content.decode()
    assert not Unblinding.objects.exists()


def test_a_step_sent_twice_is_taken_once(admin):
    study = make_frozen_study()
    admin.post(step_url(study, "open"))
    admin.post(step_url(study, "open"))
    assert study.events.filter(action="opened").count() == 1


def test_a_step_that_does_not_exist_is_not_found(admin):
    assert admin.get(step_url(make_study(), "delete")).status_code == 404


def test_closing_wants_a_reason(admin):
    study = make_open_study()
    assert admin.post(step_url(study, "close"), {"reason": "", "password": PASSWORD}).context["form"].errors["reason"]
    admin.post(step_url(study, "close"), {"reason": "All raters are done.", "password": PASSWORD})
    study.refresh_from_db()
    assert study.state == Study.State.CLOSED
    assert study.events.get(action="closed").reason == "All raters are done."


@pytest.mark.parametrize(
    ("reason", "slug", "field"), [("too short", None, "reason"), ("All judgments are in.", "another", "typed_slug")]
)
def test_unblinding_wants_a_reason_and_the_studys_name(admin, reason, slug, field):
    study = make_closed_study(raters=1)
    sent = {"reason": reason, "typed_slug": slug or study.slug, "password": PASSWORD}
    answer = admin.post(step_url(study, "unblind"), sent)
    assert set(answer.context["form"].errors) == {field}
    assert not Unblinding.objects.exists()


def test_unblinding_is_recorded_with_who_and_why(admin):
    study = make_closed_study(raters=1)
    sent = {"reason": "All judgments are in.", "typed_slug": study.slug, "password": PASSWORD}
    admin.post(step_url(study, "unblind"), sent)
    unblinding = Unblinding.objects.get(study=study)
    assert unblinding.by == get_user_model().objects.get(groups__name="owner")
    assert "All judgments are in." in study_page(admin, study)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (make_study, "freeze the design"),
        (make_frozen_study, "seat raters"),
        (lambda: make_open_study(rater_kind="simulated"), "simulate the raters"),
        (lambda: _seated(make_open_study(raters=1)), "wait for 12 more answers"),
        (lambda: _seated(make_frozen_study(raters=1)), "open for rating"),
        (make_closed_study, "unblind"),
        (make_unblinded_study, "read the report"),
    ],
)
def test_the_list_says_what_each_study_waits_for(admin, make, said):
    make()
    assert f"<strong>Next:</strong> {said}<" in admin.get(reverse("staff:list")).content.decode()


def _seated(study: Study) -> None:
    make_rater(study, practised=False)


# -- One study's page --------------------------------------------------------------------------------------------------


def test_the_downloaded_protocol_has_the_hash_on_the_page(admin):
    study = make_frozen_study()
    protocol = admin.get(reverse("staff:protocol", args=[study.slug])).content
    digest = hashlib.sha256(protocol).hexdigest()
    assert digest == study.protocol_sha256
    assert digest in study_page(admin, study)


def test_a_draft_has_no_protocol_and_no_preview(admin):
    study = make_study()
    assert admin.get(reverse("staff:protocol", args=[study.slug])).status_code == 404
    assert admin.get(reverse("staff:preview", args=[study.slug])).status_code == 404


def test_the_page_shows_progress_by_seat_and_all_arms_together(admin):
    study = make_closed_study(raters=2)
    page = admin.get(reverse("staff:study", args=[study.slug]))
    assert (page.context["progress"].done, page.context["progress"].total) == (24, 24)
    assert [(seat.done, seat.total) for seat in page.context["seats"]] == [(12, 12), (12, 12)]


@pytest.mark.parametrize("make", [make_frozen_study, make_closed_study])
def test_exchanging_the_arms_of_all_items_changes_no_byte_of_the_studys_page(admin, make):
    study = make()
    before = study_page(admin, study)
    keys = list(SealedKey.objects.filter(study=study))
    others = {"baseline": "solu", "solu": "ln_only", "ln_only": "baseline"}
    for key in keys:
        key.arm, key.neuron = others[key.arm], 39 - key.neuron
    SealedKey.objects.bulk_update(keys, ["arm", "neuron"])
    after = study_page(admin, study)
    token = r'name="csrfmiddlewaretoken" value="\w+"'
    assert re.sub(token, "", after) == re.sub(token, "", before)


def test_the_preview_shows_one_neuron_without_saying_which(admin):
    study = make_frozen_study(neurons_per_arm=1)
    page = admin.get(reverse("staff:preview", args=[study.slug])).content.decode()
    assert page.count('class="snippet"') == 5
    assert "<mark" in page
    assert QUESTION in page.replace("&amp;", "&")
    assert not any(word in page for word in ("baseline", "ln_only", "tiny-gelu", "tiny-solu-ln"))


def test_the_check_against_the_protocol_finds_what_was_changed_behind_its_back(admin):
    study = make_frozen_study()
    address = reverse("staff:check", args=[study.slug])
    assert "matches the frozen protocol" in admin.post(address, follow=True).content.decode()
    Study.objects.filter(pk=study.pk).update(rater_text=study.rater_text | {"question": "Another one?"})
    assert "What raters read differs from the protocol." in admin.post(address, follow=True).content.decode()


def test_a_study_with_simulated_raters_says_so_on_every_page(admin):
    study = make_frozen_study(rater_kind="simulated")
    for name in ("study", "preview", "seats"):
        assert "simulated raters" in admin.get(reverse(f"staff:{name}", args=[study.slug])).content.decode(), name
    assert "simulated raters" in admin.get(reverse("staff:list")).content.decode()
    assert "simulated raters" in admin.get(step_url(study, "open")).content.decode()


def test_an_unblinded_study_leads_to_its_report(admin):
    page = study_page(admin, make_unblinded_study())
    assert "Read the report" in page
    assert "/step/" not in page


# -- Seats -------------------------------------------------------------------------------------------------------------


def test_a_rater_with_an_account_gets_the_next_free_seat(admin):
    study, evaluator = make_open_study(), make_evaluator()
    admin.post(reverse("staff:seats", args=[study.slug]), {"act": "seat", "evaluator": evaluator.pk})
    assert study.seats.get(evaluator=evaluator).number == 1
    assert evaluator.pseudonym in study_page(admin, study)


def test_a_new_raters_password_is_shown_once_and_lets_them_in(admin):
    study = make_open_study()
    answer = admin.post(reverse("staff:seats", args=[study.slug]), {"act": "new", "username": "ada"})
    password = answer.context["password"]
    assert password in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert password not in study_page(admin, study)
    assert Client().login(username="ada", password=password)
    assert study.seats.filter(evaluator__user__username="ada").exists()


def test_a_taken_user_name_is_refused_at_its_field(admin):
    study = make_open_study()
    make_user("ada")
    answer = admin.post(reverse("staff:seats", args=[study.slug]), {"act": "new", "username": "ada"})
    assert answer.context["new_form"].errors["username"]
    assert not Evaluator.objects.exists()


def test_no_account_is_made_when_no_seat_is_free(admin):
    study = make_open_study(raters=1)
    address = reverse("staff:seats", args=[study.slug])
    admin.post(address, {"act": "new", "username": "ada"})
    admin.post(address, {"act": "new", "username": "grace"})
    assert not get_user_model().objects.filter(username="grace").exists()


def test_people_are_not_offered_seats_among_simulated_raters(admin):
    study, person = make_frozen_study(rater_kind="simulated"), make_evaluator()
    address = reverse("staff:seats", args=[study.slug])
    assert 'name="username"' not in admin.get(address).content.decode()
    admin.post(address, {"act": "seat", "evaluator": person.pk})
    admin.post(address, {"act": "new", "username": "ada"})
    assert not study.seats.filter(evaluator__isnull=False).exists()
    assert not get_user_model().objects.filter(username="ada").exists()


# -- Harvests ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def sent():
    """Runs handed to a worker; nothing is harvested."""
    with patch.object(tasks.harvest_task, "delay_on_commit") as send:
        yield send


def harvest_choice(run: HarvestRun) -> dict[str, int]:
    return {"network": run.network_id, "corpus": run.corpus_id, "workers": 1}


def test_an_admin_starts_a_harvest_and_can_cancel_it(admin, sent):
    done = make_harvest_run("tiny-gelu")
    other = make_harvest_run("tiny-solu-ln", corpus="other")
    admin.post(reverse("staff:harvest_start"), harvest_choice(done) | {"corpus": other.corpus_id})
    run = HarvestRun.objects.get(status="waiting")
    assert (run.network, run.corpus) == (done.network, other.corpus)
    sent.assert_called_once_with(run.pk)
    admin.post(reverse("staff:harvest_cancel", args=[run.pk]))
    run.refresh_from_db()
    assert run.status == "cancelled"


def test_a_harvest_is_handed_to_as_many_workers_as_were_asked_for(admin, sent):
    done = make_harvest_run("tiny-gelu")
    other = make_harvest_run("tiny-solu-ln", corpus="other")
    answer = admin.post(
        reverse("staff:harvest_start"), harvest_choice(done) | {"corpus": other.corpus_id, "workers": 3}
    )
    run = HarvestRun.objects.get(status="waiting")
    assert run.workers == sent.call_count == 3
    assert answer.url == reverse("neurons:run", args=[run.pk])


@pytest.mark.parametrize("status", ["failed", "cancelled", "running"])
def test_a_harvest_goes_on_when_workers_are_asked_for(admin, sent, status):
    run = make_harvest_run("tiny-gelu")
    HarvestRun.objects.filter(pk=run.pk).update(status=status)
    admin.post(reverse("staff:harvest_send", args=[run.pk]), {"workers": 2})
    run.refresh_from_db()
    assert run.status == ("running" if status == "running" else "waiting")
    assert [call.args for call in sent.call_args_list] == [(run.pk,)] * 2


@pytest.mark.parametrize("workers", ["0", "many", "", "100000"])
def test_a_wrong_number_of_workers_is_refused_with_a_sentence(admin, sent, workers):
    run = make_harvest_run("tiny-gelu")
    HarvestRun.objects.filter(pk=run.pk).update(status="failed")
    answer = admin.post(reverse("staff:harvest_send", args=[run.pk]), {"workers": workers}, follow=True)
    assert "Give a number of workers from 1 to 1000." in answer.content.decode()
    assert not sent.called


def test_no_worker_is_sent_to_a_finished_harvest(admin, sent):
    run = make_harvest_run("tiny-gelu")
    answer = admin.post(reverse("staff:harvest_send", args=[run.pk]), {"workers": 1}, follow=True)
    assert "done already" in answer.content.decode()
    assert not sent.called


def test_a_finished_harvest_is_not_started_again(admin, sent):
    run = make_harvest_run("tiny-gelu")
    answer = admin.post(reverse("staff:harvest_start"), harvest_choice(run), follow=True)
    assert "this harvest is done already" in answer.content.decode()
    assert not sent.called
    assert HarvestRun.objects.count() == 1


@pytest.mark.parametrize("group", ["statistician", "evaluators", ""])
def test_nobody_else_starts_or_cancels_a_harvest(group, sent):
    done = make_harvest_run("tiny-gelu")
    running = HarvestRun.objects.create(
        network=done.network, corpus=done.corpus, site="post_ln", config={}, status="running"
    )
    client = make_client(group)
    client.post(reverse("staff:harvest_start"), harvest_choice(done))
    client.post(reverse("staff:harvest_cancel", args=[running.pk]))
    client.post(reverse("staff:harvest_send", args=[running.pk]), {"workers": 1})
    running.refresh_from_db()
    assert running.status == "running"
    assert not sent.called
    assert HarvestRun.objects.count() == 2
