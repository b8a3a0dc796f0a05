"""What a study can be expected to find out, before it is launched: interval widths and power by simulation. Pure."""

from analysis.planner.assumptions import Assumptions, PlanRefused, fractions_read
from analysis.planner.costs import Cost, cost_of, most_neurons
from analysis.planner.expected import ArmExpected, CurvePoint, Difference, Expected, plan_curve, plan_expected
from analysis.planner.model import implied_agreement

__all__ = [
    "ArmExpected",
    "Assumptions",
    "Cost",
    "CurvePoint",
    "Difference",
    "Expected",
    "PlanRefused",
    "cost_of",
    "fractions_read",
    "implied_agreement",
    "most_neurons",
    "plan_curve",
    "plan_expected",
]
