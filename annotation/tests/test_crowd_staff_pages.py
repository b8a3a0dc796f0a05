"""Staff pages about raters from elsewhere: the crowd's intake, tokens, machine raters."""

import re
from decimal import Decimal

import pytest

from annotation.models import ApiToken, CrowdIntake, CrowdSubmission, MachineRater, Study
from annotation.services.crowd import Arrival, crowd_enter, crowd_leave
from annotation.services.tokens import token_create
from annotation.tests.factories import make_open_study, make_user
from annotation.tests.test_crowd_entry import make_intake

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    user = make_user(group="admin")
    client.force_login(user)
    return user


@pytest.fixture
def study(admin) -> Study:
    return make_open_study(raters=3, guess={"items": 0}, assignment={"machine_raters": 1})


def form_of(page) -> dict[str, str]:
    """The values of the settings form as the browser would send them."""
    form = page.context["form"]
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value not in (None, False)}


# -- Intake ------------------------------------------------------------------------------------------------------------


def test_an_intake_is_set_up_with_what_prolific_asks_for(client, study):
    address = f"/studies/{study.slug}/crowd/"
    values = form_of(client.get(address)) | {"code_complete": "CDONE", "reward": "4.50"}
    assert client.post(address, values).status_code == 302
    intake = CrowdIntake.objects.get(study=study)
    assert (intake.audience, intake.signed, intake.code_complete) == ("testserver", True, "CDONE")
    entry = (
        f"http://testserver/enter/{intake.token}/?PROLIFIC_PID={{{{%PROLIFIC_PID%}}}}&amp;STUDY_ID={{{{%STUDY_ID%}}}}"
    )
    assert entry in client.get(address).content.decode()
    assert study.events.filter(action="crowd intake made").exists()


def test_a_setting_that_would_send_people_elsewhere_is_refused_beside_its_field(client, study):
    address = f"/studies/{study.slug}/crowd/"
    values = form_of(client.get(address)) | {"return_url": "https://evil.example/{code}", "code_complete": "KEPT"}
    page = client.post(address, values)
    assert page.status_code == 200
    assert "evil.example" in page.context["form"].errors["return_url"][0]
    assert 'value="KEPT"' in page.content.decode()
    assert not CrowdIntake.objects.exists()


def test_who_came_what_it_costs_and_what_does_not_fit_stands_on_one_page(client, study):
    intake = make_intake(study, reward=Decimal("4.50"))
    for number in range(4):
        crowd_enter(intake=intake, arrival=Arrival(f"p{number}", "s", f"x{number}", signed=False))
    first = CrowdSubmission.objects.first()
    crowd_leave(submission=first, status="returned")
    CrowdSubmission.objects.filter(status="started").update(status="complete", provider_status="APPROVED")
    intake.differences = [{"submission": 2, "here": "complete", "there": "RETURNED", "problem": "They differ."}]
    intake.reconciled_at = study.opened_at
    intake.save()
    page = " ".join(client.get(f"/studies/{study.slug}/crowd/").content.decode().split())
    for said in ("<dt>Complete</dt><dd>2</dd>", "<dt>No seat was free</dt><dd>1</dd>", "9.00 GBP", "They differ."):
        assert said in page
    assert "<dt>Of these not signed</dt><dd>4</dd>" in page
    assert "anybody who has the link" in page


def test_the_studys_page_leads_to_both_for_admins_only(client, study):
    links = (f"/studies/{study.slug}/crowd/", f"/studies/{study.slug}/tokens/")
    page = client.get(f"/studies/{study.slug}/").content.decode()
    assert all(link in page for link in links)
    client.force_login(make_user(group="monitor"))
    page = client.get(f"/studies/{study.slug}/").content.decode()
    assert not any(link in page for link in links)
    assert [client.get(link).status_code for link in links] == [404, 404]


# -- Tokens and machines -----------------------------------------------------------------------------------------------


def key_on(page) -> str:
    return re.search(r"bsk_[\w-]+", page.content.decode())[0]


def test_a_key_is_shown_once_and_then_only_its_first_characters(client, study):
    address = f"/studies/{study.slug}/tokens/"
    page = client.post(address, {"act": "token", "role": "monitor", "label": "dashboard", "days": "5"})
    key = key_on(page)
    assert page["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
    assert client.get(f"/api/v1/studies/{study.slug}", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    listed = client.get(address).content.decode()
    assert key not in listed
    assert key[:10] in listed


def test_a_token_that_is_taken_back_opens_nothing_and_stays_in_the_list(client, study, admin):
    token, key = token_create(role="monitor", label="x", days=3, study=study, by=admin)
    reply = client.post(f"/studies/-/tokens/{token.pk}/revoke/")
    assert (reply.status_code, reply["Location"]) == (302, f"/studies/{study.slug}/tokens/")
    assert client.get(f"/api/v1/studies/{study.slug}", headers={"Authorization": f"Bearer {key}"}).status_code == 401
    assert "taken back" in client.get(f"/studies/{study.slug}/tokens/").content.decode()
    assert study.events.filter(action="token revoked").count() == 1


def test_a_machine_is_declared_seated_and_labelled_wherever_it_appears(client, study):
    address = f"/studies/{study.slug}/tokens/"
    values = {"act": "machine", "name": "Reader", "version": "3", "model": "gpt-x", "days": "5"}
    key = key_on(client.post(address, values))
    assert client.get("/api/v1/rate/status", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    page = client.get(address).content.decode()
    assert "Reader 3" in page
    assert "gpt-x" in page
    assert '<span class="badge">machine</span>' in client.get(f"/studies/{study.slug}/").content.decode()
    assert MachineRater.objects.get().evaluator.seats.get().kind == "machine"


def test_a_study_without_seats_for_machines_offers_none(client, admin):
    study = make_open_study()
    page = client.get(f"/studies/{study.slug}/tokens/").content.decode()
    assert "no seats for machines" in page
    assert 'value="machine"' not in page


def test_a_token_that_makes_new_studies_is_made_on_the_sites_page(client, admin, study):
    token_create(role="monitor", label="of a study", days=3, study=study, by=admin)
    key = key_on(client.post("/studies/-/tokens/", {"label": "pipeline", "days": "5"}))
    page = client.get("/studies/-/tokens/").content.decode()
    assert key not in page
    assert "of a study" in page
    assert study.title in page
    assert ApiToken.objects.get(label="pipeline").role == "creator"


def test_a_form_with_a_fault_comes_back_with_what_was_typed(client, study):
    page = client.post(f"/studies/{study.slug}/tokens/", {"act": "token", "role": "monitor", "label": "x", "days": "0"})
    assert page.context["token_form"].errors["days"]
    assert not ApiToken.objects.exists()
