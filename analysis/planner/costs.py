"""What a planned study costs in items, hours and money."""

from dataclasses import dataclass, replace

from analysis.planner.assumptions import WHOLE, Assumptions, PlanRefused


@dataclass(frozen=True, slots=True)
class Cost:
    """Attributes
    ----------
    items : int
        Items judged in all, with repeats, catch trials and training.
    items_per_rater : float
    hours, hours_per_rater : float
    money : float
        Pay and fee, in the currency of the assumptions; 0 without pay.
    """

    items: int
    items_per_rater: float
    hours: float
    hours_per_rater: float
    money: float


def cost_of(assumed: Assumptions) -> Cost:
    """The cost of the whole study.

    Examples
    --------
    >>> cost = cost_of(Assumptions(pay_per_hour=12.0, extra_items=0.0, minutes_per_item=1.5))
    >>> cost.items, cost.hours, cost.money
    (360, 9.0, 108.0)
    """
    items = round(assumed.answers * (1 + assumed.extra_items))
    hours = items * assumed.minutes_per_item / 60
    money = hours * assumed.pay_per_hour * (1 + assumed.fee)
    return Cost(items, items / assumed.raters, hours, hours / assumed.raters, money)


def most_neurons(assumed: Assumptions) -> int | None:
    """Neurons per size and arm that the budget pays for: None without pay or budget, 0 if not even two.

    Examples
    --------
    >>> most_neurons(Assumptions(pay_per_hour=12.0, extra_items=0.0, budget=200.0))
    111
    """
    if not assumed.budget or not assumed.pay_per_hour:
        return None
    least, most = WHOLE["neurons_per_arm"]
    if _money(assumed, least) > assumed.budget:
        return 0
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if _money(assumed, middle) <= assumed.budget else (least, middle - 1)
    return least


def _money(assumed: Assumptions, neurons: int) -> float:
    try:
        return cost_of(replace(assumed, neurons_per_arm=neurons)).money
    except PlanRefused:  # too large to be simulated
        return float("inf")
