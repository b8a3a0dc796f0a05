"""The planner's page and command."""

import re

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from analysis.planner import Assumptions
from analysis.tests.factories import make_study, make_user
from analysis.views.plan_form import PlanForm

pytestmark = pytest.mark.django_db


@pytest.fixture
def planner(client):
    client.force_login(make_user("planner", "statistician"))
    return client


def values(**changes):
    form = PlanForm()
    return {name: form[name].initial for name in form.fields} | {"replicates": 200} | changes


def test_the_page_asks_first_and_simulates_when_it_is_told(planner):
    empty = planner.get(reverse("plan")).content.decode()
    assert "Simulate" in empty
    assert "What to expect" not in empty
    page = planner.get(reverse("plan"), values()).content.decode()
    assert "What to expect" in page
    assert "<svg" in page
    assert "solu − baseline" in page


def test_every_assumption_can_be_filled_in_and_the_defaults_are_those_of_the_planner():
    form = PlanForm(values())
    assert form.assumptions() == Assumptions(replicates=200)
    assert {name for _, names in form.groups for name in [field.name for field in names]} == set(form.fields)


def test_a_fault_stands_at_its_field_and_the_rest_is_kept(planner):
    page = planner.get(reverse("plan"), values(raters=2, raters_per_neuron=3, budget=77)).content.decode()
    assert "at most the number of raters, 2" in page
    assert 'value="77"' in page
    assert "What to expect" not in page


def test_a_studys_design_fills_in_the_numbers(planner):
    study = make_study(sizes=("1L-256", "2L-256"), neurons=2, raters=2)
    page = planner.get(reverse("plan"), {"study": study.slug}).content.decode()
    assert "baseline=0.35, solu=0.6" in page
    assert re.search(r'name="sizes" value="2"', page)
    assert re.search(r'name="neurons_per_arm" value="2"', page)


def test_the_command_prints_the_same_tables(capsys):
    call_command("study_plan", "--replicates", "200", "--fractions", "a=20%, b=0.5", "--pay-per-hour", "12")
    printed = capsys.readouterr().out
    assert "b − a" in printed
    assert "Pay with fee: " in printed


def test_the_command_names_what_it_cannot_plan():
    with pytest.raises(CommandError, match="fractions: Received a; give two to eight"):
        call_command("study_plan", "--fractions", "a=0.2")
