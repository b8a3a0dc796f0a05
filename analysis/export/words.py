"""Numbers as people read them."""

import math
from collections.abc import Iterator

from analysis.reports import Report
from analysis.stats.results import Number

NOTHING = "–"
GAP = "\u00a0"  # a space that does not break the line


def value(number: Number) -> str:
    """The estimate alone: "60.0 %", "+25.0", "0.743"."""
    return _format(number.estimate, number.unit)


def limits(number: Number) -> str:
    """The interval alone: "[47.4, 71.4]"."""
    if not number.bounded:
        return NOTHING
    low, high = (_format(bound, number.unit).removesuffix(GAP + "%") for bound in (number.low, number.high))
    return f"[{low},{GAP}{high}]"


def both(number: Number) -> str:
    """Estimate and interval."""
    return f"{value(number)} {limits(number)}" if number.defined else NOTHING


def seconds(amount: float) -> str:
    """Seconds with about two digits."""
    if math.isnan(amount):
        return NOTHING
    return f"{amount:.1f}" if amount < 10 else f"{amount:.0f}"


def level(share: float) -> str:
    return f"{100 * share:g}{GAP}%"


def headline(report: Report) -> Iterator[str]:
    """One sentence per comparison: what was found, and how sure it is."""
    size = "" if report.pooled else report.plan.sizes[0]
    share, differences = report.main
    baseline = report.number(f"{share}/{size or 'all'}/{report.plan.baseline}/all/all")
    for difference in report.select(differences):
        if difference.size != size:
            continue
        treatment = report.number(f"{share}/{size or 'all'}/{difference.arm}/all/all")
        yield _headline_sentence(report, treatment, baseline, difference)


def _headline_sentence(report: Report, treatment: Number, baseline: Number, difference: Number) -> str:
    if not difference.defined:
        return f"{treatment.arm} against {baseline.arm}: no judgments in one of the two arms."
    found = "of questions answered rightly" if report.scored else "of neurons interpretable"
    return (
        f"{treatment.arm}: {value(treatment)} {found}, {baseline.arm}: {value(baseline)}. "
        f"Difference {value(difference)} points, {level(report.plan.level)} interval {limits(difference)}."
    )


def _format(amount: float, unit: str) -> str:
    if math.isnan(amount):
        return NOTHING
    if unit == "share":
        return f"{100 * amount:.1f}{GAP}%"
    if unit == "difference":
        return _signed(f"{100 * amount:+.1f}")
    return f"{amount:.3f}".replace("-", "−")


def _signed(text: str) -> str:
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")
