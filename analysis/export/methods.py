"""What was done, as a paragraph to paste: sample, raters, blinding, what was frozen, and how the numbers were made."""

from analysis.export.blocks import FLOW, LEAKS, PLAN, RATERS, Paragraph, Piece
from analysis.export.prose import frozen_here, joined, listed, raters_said, total
from analysis.export.sources import Facts
from analysis.export.words import level, spelt
from analysis.reports import Report

ASKED = {
    "panel": "these raters and new neurons drawn in the same way",
    "generalising": "new raters and new neurons drawn in the same way",
}
COUNTED = {"mean": "the share of its raters who said yes", "majority": "whether more than half of its raters said yes"}
METHODS_OF = {
    ("panel", "majority"): (
        "Each neuron has one vote: Wilson's interval for fractions, Newcombe's hybrid score interval for differences."
    ),
    ("panel", "mean"): (
        "The neuron was the unit of every interval: Wilson's interval on the effective number of independent answers "
        "for fractions (cluster Wilson), Newcombe's hybrid score interval made from two of these for differences."
    ),
    ("generalising", "mean"): (
        "Neurons and raters were both taken as drawn from larger populations (multi-reader, multi-case analysis of "
        "variance), so that the interval holds for new raters too."
    ),
}
FINITE = (
    " They hold for the counted neurons of these layers and no others, and are narrower by the share of them that was "
    "drawn."
)
UNKNOWN = (
    " were judged. The ratings were made elsewhere: how the neurons were drawn, and whether the raters knew the arm, "
    "is not known here."
)
NOT_PEOPLE = (
    "The raters were simulated: programs and no persons judged these neurons, so nothing here is evidence of how "
    "people judge them."
)


def methods_paragraphs(report: Report, facts: Facts) -> tuple[Paragraph, ...]:
    """What was done: sample, raters, blinding, what was frozen, and how the numbers were made."""
    sentences = [_sample(report), _raters(report), _blind(facts), _frozen(report, facts), _asked(report)]
    sentences += [_intervals(report), _exclusions(report)]
    return (Paragraph(tuple(joined(sentences))),)


def _sample(report: Report) -> list[Piece]:
    plan = report.plan
    sizes = f"{spelt(len(plan.sizes), 'model size')} ({listed(plan.sizes)})"
    which = [
        Piece(f"{total(report, 'neurons'):,}", FLOW), Piece(" neurons of "),
        Piece(f"{spelt(len(plan.arms), 'arm')} ({listed(plan.arms)})", PLAN), Piece(" in "), Piece(sizes, PLAN),
    ]  # fmt: skip
    if not frozen_here(report):
        return [*which, Piece(UNKNOWN)]
    return [
        *which, Piece(" were drawn at random within size and arm, live and dead alike; "),
        Piece(f"{total(report, 'rejected'):,}", FLOW), Piece(" draws could not be shown and were replaced."),
    ]  # fmt: skip


def _raters(report: Report) -> list[Piece]:
    plan = report.plan
    blind = ", each in an order of their own and without knowing the arm" if frozen_here(report) else ""
    asked = f" They were asked: “{plan.question}”" if plan.question else ""
    pieces = [Piece(raters_said(report), RATERS), Piece(f" judged them{blind}.{asked}")]
    return [*pieces, Piece(" " + NOT_PEOPLE)] if report.simulated else pieces


def _blind(facts: Facts) -> list[Piece]:
    if not facts.leaks:
        return []
    return [Piece("Leak audit before the answers came in: "), Piece(f"{facts.leaks.rstrip('.')}.", LEAKS)]


def _frozen(report: Report, facts: Facts) -> list[Piece]:
    if not report.plan.protocol_sha256 or not facts.frozen_at:
        return []
    pieces = [
        Piece("Question, contrast, level, looks and exclusions were frozen before the first answer, "),
        Piece(facts.frozen_at, PLAN), Piece(" (sha256 of the protocol: "),
        Piece(report.plan.protocol_sha256[:16], PLAN), Piece("…)"),
    ]  # fmt: skip
    if facts.amendments:
        pieces += [Piece(", and amended "), Piece(spelt(len(facts.amendments), "time"), PLAN)]
    return [*pieces, Piece(".")]


def _asked(report: Report) -> list[Piece]:
    plan = report.plan
    if report.scored:
        counted = "the share of its questions that were answered rightly"
    else:
        counted = COUNTED[plan.vote]
    pieces = [Piece(f"What counts for a neuron is {counted}, averaged over neurons. ")]
    if plan.compared:
        place = plan.place or "all sizes with equal weights"
        where = f"{'in' if plan.place else 'over'} {place}"
        pieces.append(Piece(f"The primary contrast is {plan.compared} − {plan.baseline} {where}, about "))
    else:
        pieces.append(Piece("Intervals are about "))
    pieces.append(Piece(ASKED[plan.asks]))
    if plan.looks > 1:
        pieces += [Piece(", with "), Piece(spelt(plan.looks, "planned look"), PLAN)]
    return [*pieces, Piece(".")]


def _intervals(report: Report) -> list[Piece]:
    plan = report.plan
    finite = FINITE if plan.population == "finite" else ""
    method = METHODS_OF[plan.asks, "mean" if report.scored else plan.vote]
    return [Piece(f"{method}{finite} Intervals have a level of "), Piece(level(plan.level), PLAN), Piece(".")]


def _exclusions(report: Report) -> list[Piece]:
    rules = exclusion_rules(report)
    end = "" if report.scored else " “Cannot judge” was counted and left out of the fractions."
    if not rules:
        return [Piece(f"No rater and no answer was to be excluded.{end}")]
    return [Piece("By the frozen rules these were excluded: "), Piece(listed(rules), PLAN), Piece(f".{end}")]


def exclusion_rules(report: Report) -> list[str]:
    """Whom and what the frozen thresholds leave out, in words; empty: nobody and nothing."""
    limits, rules = report.plan.thresholds, []
    if limits.least_catches_right > 0:
        rules.append(f"raters with fewer than {100 * limits.least_catches_right:g} % of catch trials right")
    if limits.most_beyond_times < 1:
        share = f"{100 * limits.most_beyond_times:g} %"
        rules.append(f"raters with more than {share} of answers outside the credible times")
    if limits.exclude_beyond_times:
        rules.append(f"answers given in less than {limits.least_seconds:g} s or more than {limits.most_seconds:g} s")
    return rules
