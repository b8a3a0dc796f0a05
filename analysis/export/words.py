"""Numbers as people read them."""

import math
from collections.abc import Iterator

from analysis.reports import Report
from analysis.stats.results import Number

NOTHING = "–"
GAP = "\u00a0"  # a space that does not break the line


def value(number: Number) -> str:
    """The estimate alone: "60.0 %", "+25.0", "0.743"."""
    return formatted(number.estimate, number.unit)


def limits(number: Number) -> str:
    """The interval alone: "[47.4, 71.4]"."""
    if not number.bounded:
        return NOTHING
    low, high = (formatted(bound, number.unit).removesuffix(GAP + "%") for bound in (number.low, number.high))
    return f"[{low},{GAP}{high}]"


def both(number: Number) -> str:
    """Estimate and interval, as far as they are given."""
    if not number.defined:
        return NOTHING
    if number.refused and not number.bounded:
        return f"{value(number)} (no interval)"
    return f"{value(number)} {limits(number)}" if number.bounded else value(number)


def p_value(p: float) -> str:
    """A p value with its sign, two decimals or three, never 0: "= 0.35", "= 0.006", "< 0.001".

    Examples
    --------
    >>> [p_value(p).replace(GAP, " ") for p in (0.3512, 0.0499, 0.0061, 0.00001, 0.999)]
    ['= 0.35', '= 0.050', '= 0.006', '< 0.001', '> 0.99']
    """
    if math.isnan(p):
        return NOTHING
    if p < 0.001:
        return f"<{GAP}0.001"
    if p > 0.99:
        return f">{GAP}0.99"
    return f"={GAP}{p:.2f}" if p >= 0.095 else f"={GAP}{p:.3f}"


def spelt(count: int, one: str, many: str = "") -> str:
    """ "1 rater", "3 raters"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def seconds(amount: float) -> str:
    """Seconds with about two digits."""
    if math.isnan(amount):
        return NOTHING
    return f"{amount:.1f}" if amount < 10 else f"{amount:.0f}"


def level(share: float) -> str:
    return f"{100 * share:g}{GAP}%"


def headline(report: Report) -> Iterator[str]:
    """One sentence per comparison: what was found, and how sure it is."""
    share, differences = report.main
    size = report.plan.place
    shares = {number.arm: number for number in report.select(share) if number.size == size}
    if not report.plan.compared:
        for number in shares.values():
            yield f"{number.arm}: {both(number)} {_found(report)}."
    for difference in report.select(differences):
        if difference.size == size and {difference.arm, difference.versus} <= shares.keys():
            yield _headline_sentence(report, shares[difference.arm], shares[difference.versus], difference)


def _headline_sentence(report: Report, treatment: Number, baseline: Number, difference: Number) -> str:
    if not difference.defined:
        return f"{treatment.arm} against {baseline.arm}: no judgments in one of the two arms."
    sure = f"{level(report.plan.level)} interval {limits(difference)}"
    if not difference.bounded:
        sure = f"no interval: {difference.refused}" if difference.refused else "no interval"
    test = planned_test(report, difference)
    about = " for these raters" if report.plan.asks == "generalising" else ""
    p = f", p{GAP}{p_value(test.estimate)}{about}" if test else ""
    return (
        f"{treatment.arm}: {value(treatment)} {_found(report)}, {baseline.arm}: {value(baseline)}. "
        f"Difference {value(difference)} points, {sure.rstrip('.')}{p}."
    )


def _found(report: Report) -> str:
    return "of questions answered rightly" if report.scored else "of neurons interpretable"


def planned_test(report: Report, contrast: Number) -> Number | None:
    """The test of no difference that was planned with a contrast."""
    place = (contrast.size, contrast.arm, contrast.versus)
    found = (
        number
        for number in report.numbers
        if number.unit == "p" and number.status in ("primary", "planned") and number.defined
        and (number.size, number.arm, number.versus) == place
    )  # fmt: skip
    return next(found, None)


def formatted(amount: float, unit: str) -> str:
    """One amount in its unit: a share in per cent, a difference in points with its sign."""
    if math.isnan(amount):
        return NOTHING
    if unit == "share":
        return f"{100 * amount:.1f}{GAP}%"
    if unit == "difference":
        return _signed(f"{100 * amount:+.1f}")
    if unit in ("p", "level"):
        return p_value(amount).removeprefix(f"={GAP}")
    return f"{amount:.3f}".replace("-0.000", "0.000").replace("-", "−")


def _signed(text: str) -> str:
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")
