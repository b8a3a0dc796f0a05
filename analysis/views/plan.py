"""The precision planner: what a study can be expected to show, before it is launched. Reads nothing of any answer."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from analysis.export.planned import cost_facts, plan_tables
from analysis.figures import curve_figure
from analysis.planner import Assumptions, cost_of, implied_agreement, most_neurons, plan_curve, plan_expected
from analysis.views.plan_form import DEFAULTS, PlanForm
from annotation.models import Study


@require_safe
def plan(request: HttpRequest) -> HttpResponse:
    """A form that is sent by GET, so that a plan is a link; `?study=NAME` takes the numbers of a study's design."""
    asked = request.GET.dict()
    study = Study.objects.filter(slug=asked.pop("study", "")).first()
    form = PlanForm(asked or None, initial=_from_design(study.design) if study else None)
    assumed = form.assumptions() if asked else None
    return render(request, "analysis/plan.html", {"form": form, "study": study, **(_found(assumed) if assumed else {})})


def _from_design(design: dict[str, Any]) -> dict[str, Any]:
    """What a design says of the numbers; arms keep the expected fractions that are known for their names."""
    known = dict(DEFAULTS["fractions"])
    arms = list(dict.fromkeys(arm["name"] for pair in design["pairs"] for arm in pair["arms"]))
    return {
        "fractions": ", ".join(f"{arm}={known.get(arm, 0.5):g}" for arm in arms),
        "sizes": len(design["pairs"]),
        **{name: design[name] for name in ("neurons_per_arm", "raters", "raters_per_neuron")},
    }


def _found(assumed: Assumptions) -> dict[str, Any]:
    expected, curve = plan_expected(assumed), plan_curve(assumed)
    first, second = (name for name, share in assumed.fractions[:2])
    arms, differences, by_number = plan_tables(assumed, expected, implied_agreement(assumed), curve)
    return {
        "tables": (differences, arms),
        "by_number": by_number,
        "figure": curve_figure(curve, planned=assumed.neurons_per_arm, compared=f"{second} − {first}"),
        "costs": cost_facts(assumed, cost_of(assumed), most_neurons(assumed)),
    }
