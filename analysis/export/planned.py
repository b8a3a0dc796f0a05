"""The tables of a planned study, for the planner's page and command."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from analysis.export.cells import Cell, Table
from analysis.planner import Assumptions, Cost, CurvePoint, Expected
from analysis.planner.expected import Simulated


def plan_tables(
    assumed: Assumptions, expected: Expected, agreement: Sequence[float], curve: Sequence[CurvePoint]
) -> tuple[Table, ...]:
    """Arms, differences, and the curve as numbers."""
    return _arms(assumed, expected, agreement), _differences(assumed, expected), _curve(assumed, curve)


def cost_facts(assumed: Assumptions, cost: Cost, affordable: int | None) -> list[tuple[str, str]]:
    """(what, how much)."""
    facts = [
        (_("Items to judge"), _("%(all)s in all, %(each)s per rater") % {
            "all": f"{cost.items:,}", "each": f"{cost.items_per_rater:,.0f}",
        }),
        (_("Time"), _("%(all)s hours in all, %(each)s per rater") % {
            "all": f"{cost.hours:,.1f}", "each": f"{cost.hours_per_rater:,.1f}",
        }),
    ]  # fmt: skip
    if assumed.pay_per_hour:
        facts.append((_("Pay with fee"), f"{cost.money:,.2f}"))
    if affordable is not None:
        told = _("%(n)s neurons per size and arm") % {"n": f"{affordable:,}"} if affordable else _("no study at all")
        facts.append((_("The budget pays for"), told))
    return facts


def _arms(assumed: Assumptions, expected: Expected, agreement: Sequence[float]) -> Table:
    rows = tuple(
        (
            Cell(arm.arm), _number(f"{100 * arm.fraction:.0f} %"), _number(_points(arm.width)),
            _number(_share(arm.coverage)), _number(f"{100 * alike:.0f} %"),
        )
        for arm, alike in zip(expected.arms, agreement, strict=True)
    )  # fmt: skip
    note = _(
        "Width: of the %(level)s interval for the fraction. Held: how often it holds what these raters would say of "
        "all neurons. Agreement: how often two raters say the same of a neuron under these spreads."
    )
    head = (
        Cell(_("Arm")), _number(_("Expected")), _number(_("Interval width, points")), _number(_("Held")),
        _number(_("Agreement of two raters")),
    )  # fmt: skip
    return Table(_("Each arm"), note % {"level": _level(assumed)}, head, rows)


def _differences(assumed: Assumptions, expected: Expected) -> Table:
    rows = tuple(
        (
            Cell(f"{row.arm} − {row.versus}"), _number(f"{100 * row.difference:+.0f}".replace("-", "−")),
            _number(_points(row.width)), _number(_share(row.power)), _number(_share(row.coverage)),
        )
        for row in expected.differences
    )  # fmt: skip
    note = _(
        "Power: how often the %(level)s interval excludes 0; with equal fractions this is the rate of false alarms. "
        "Intervals answer the panel question: these raters, new neurons. After ± the Monte-Carlo standard error of "
        "%(n)s simulated studies."
    )
    head = (
        Cell(_("Comparison")), _number(_("Points")), _number(_("Interval width, points")), _number(_("Power")),
        _number(_("Held")),
    )  # fmt: skip
    return Table(_("Differences"), note % {"level": _level(assumed), "n": f"{expected.replicates:,}"}, head, rows)


def _curve(assumed: Assumptions, curve: Sequence[CurvePoint]) -> Table:
    rows = tuple(
        (_number(f"{point.neurons_per_arm:,}"), _number(_points(point.width)), _number(_share(point.power)))
        for point in curve
    )
    first, second = (name for name, share in assumed.fractions[:2])
    title = _("%(comparison)s by number of neurons") % {"comparison": f"{second} − {first}"}
    head = (
        _number(_("Neurons per size and arm")), _number(_("Interval width, points")), _number(_("Power")),
    )  # fmt: skip
    return Table(title, _("Each number of neurons is simulated by itself."), head, rows)


def _level(assumed: Assumptions) -> str:
    return f"{100 * assumed.level:g} %"


def _number(text: str) -> Cell:
    return Cell(text, number=True)


def _points(width: Simulated) -> str:
    return f"{100 * width.mean:.1f} ± {100 * width.error:.2f}"


def _share(share: Simulated) -> str:
    return f"{100 * share.mean:.1f} ± {100 * share.error:.1f} %"
