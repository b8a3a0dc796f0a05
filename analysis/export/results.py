"""What was found, as paragraphs to paste: flow, primary contrast, sensitivity, agreement, the blind."""

from analysis.export.blocks import FLOW, NUMBERS, RATERS, Paragraph, Piece
from analysis.export.kinds import kind_words
from analysis.export.prose import frozen_here, joined, raters_said, total
from analysis.export.words import formatted, level, p_value, planned_test, spelt, value
from analysis.reports import Report
from analysis.stats.results import Number

# One of each kind; the table of the report has all.
COEFFICIENTS = ("agreement", "fleiss_kappa", "gwet_ac1", "alpha")


def results_paragraphs(report: Report) -> tuple[Paragraph, ...]:
    """What was found: flow, primary contrast, other contrasts, sensitivity, agreement, the blind."""
    first = [_who(report), _came_through(report), _primary(report), _p(report), _new_raters(report)]
    second = [_others(report), _sensitivity(report), _agreement(report), _guesses(report)]
    made = (tuple(joined(part)) for part in (first, second))
    return tuple(Paragraph(pieces) for pieces in made if pieces)


def _who(report: Report) -> list[Piece]:
    return [Piece("These are answers of simulated raters; no person judged.")] if report.simulated else []


def _came_through(report: Report) -> list[Piece]:
    drawn, shown, unanswered = (total(report, field) for field in ("drawn", "shown", "unanswered"))
    came = [
        Piece("Of "), Piece(spelt(drawn, "drawn neuron"), FLOW), Piece(", "),
        Piece(f"{total(report, 'rejected'):,}", FLOW), Piece(" could not be shown; the others came to "),
    ]  # fmt: skip
    if not frozen_here(report):
        came = [Piece(spelt(drawn, "neuron"), FLOW), Piece(" came to ")]
    pieces = [
        *came, Piece(spelt(shown - unanswered, "answer"), FLOW), Piece(" by "), Piece(raters_said(report), RATERS),
        Piece(", of which "), Piece(f"{total(report, 'excluded'):,}", FLOW),
        Piece(" were excluded by the frozen rules"),
    ]  # fmt: skip
    if not report.scored:
        pieces += [Piece(" and "), Piece(f"{total(report, 'cannot'):,}", FLOW), Piece(" were “cannot judge”")]
    return [*pieces, Piece(".")]


def _primary(report: Report) -> list[Piece]:
    contrast = main_contrast(report)
    if contrast is None:
        return [*_shares(report), Piece("There is no contrast between arms in this study.")]
    shares = {number.arm: number for number in report.select(report.main[0]) if number.size == contrast.size}
    found = "of questions were answered rightly" if report.scored else "of neurons were called interpretable"
    treatment, baseline = shares.get(contrast.arm), shares.get(contrast.versus)
    if not contrast.defined or treatment is None or baseline is None:
        return [Piece(f"{_contrast_said(report)}, {contrast.arm} − {contrast.versus}, could not be computed, "
                      "because one of the two arms has no judgments.")]  # fmt: skip
    place = f"In {contrast.size}," if contrast.size else "Over all sizes with equal weights"
    return [
        Piece(f"{place} "), *_told(treatment), Piece(f" {found} in {treatment.arm} and "), *_told(baseline),
        Piece(f" in {baseline.arm}. {_contrast_said(report)}, {contrast.arm} − {contrast.versus}, was "),
        *_told(contrast, " points"), Piece("."),
    ]  # fmt: skip


def _shares(report: Report) -> list[Piece]:
    """The fractions of a study with one arm."""
    found = "of questions were answered rightly" if report.scored else "of neurons were called interpretable"
    shares = [number for number in report.select(report.main[0]) if number.size == report.plan.place]
    return [piece for number in shares for piece in (*_told(number), Piece(f" {found} in {number.arm}. "))]


def main_contrast(report: Report) -> Number | None:
    """The contrast that was promised; else the first difference of the main kind."""
    size = report.plan.place
    first = (number for number in report.select(report.main[1]) if number.size == size)
    return report.primary or next(first, None)


def _contrast_said(report: Report) -> str:
    return "The primary contrast" if report.primary else "The difference"


def _told(number: Number, unit: str = "") -> list[Piece]:
    """Estimate and interval, both of one row; or why there is no interval."""
    if not number.defined:
        return [Piece("undefined for these data", number.id)]
    estimate = value(number) + unit
    if number.bounded:
        low, high = (formatted(end, number.unit) for end in (number.low, number.high))
        return [Piece(f"{estimate} ({level(number.level)} interval {low} to {high})", number.id)]
    refused = [Piece(f" (no interval: {number.refused.rstrip('.')})")] if number.refused else []
    return [Piece(estimate, number.id), *refused]


def _p(report: Report) -> list[Piece]:
    contrast = main_contrast(report)
    test = planned_test(report, contrast) if contrast else None
    if test is None:
        return []
    about = ", about these raters," if report.plan.asks == "generalising" else ""
    return [Piece(f"The planned test of no difference{about} gave "), Piece(f"p {p_value(test.estimate)}", test.id),
            Piece(f" ({test.method}).", test.id)]  # fmt: skip


def _new_raters(report: Report) -> list[Piece]:
    """What is known beyond this panel, where the plan asks about the panel."""
    contrast = main_contrast(report)
    if contrast is None or report.plan.asks != "panel":
        return []
    kind = f"generalising_{report.main[1]}"
    found = [
        number
        for number in report.select(kind)
        if (number.arm, number.versus, number.size) == (contrast.arm, contrast.versus, contrast.size)
    ]
    if not found:
        return []
    if not found[0].bounded:
        why = found[0].refused.rstrip(".") or "undefined for these data"
        return [Piece("No interval is given for "), Piece("new raters", found[0].id), Piece(f": {why}.")]
    return [Piece("For new raters too, the difference was "), *_told(found[0], " points"), Piece(".")]


def _others(report: Report) -> list[Piece]:
    contrast = main_contrast(report)
    rest = [
        number
        for number in report.select(report.main[1])
        if contrast and number.id != contrast.id and number.defined and (number.size or report.pooled)
    ]
    if not rest:
        return []
    pieces = [Piece("Further differences, not promised: ")]
    for index, number in enumerate(rest):
        where = f" in {number.size}" if number.size else " over all sizes"
        before = f"{'; ' if index else ''}{number.arm} − {number.versus}{where if report.pooled else ''} "
        pieces += [Piece(before), *_told(number, " points")]
    return [*pieces, Piece(".")]


def _sensitivity(report: Report) -> list[Piece]:
    contrast = main_contrast(report)
    found = [
        number
        for number in report.numbers
        if contrast and number.status == "sensitivity" and number.unit == "difference" and number.defined
        and (number.arm, number.versus, number.size) == (contrast.arm, contrast.versus, contrast.size)
        and not number.rater
    ]  # fmt: skip
    if len(found) < 2:
        return []
    least, most = min(found, key=lambda row: row.estimate), max(found, key=lambda row: row.estimate)
    return [
        Piece("Over "), Piece(f"{len(found)}", NUMBERS),
        Piece(" sensitivity analyses the same contrast lay between "),
        Piece(value(least), least.id), Piece(f" points ({_cell_said(least)}) and "),
        Piece(value(most), most.id), Piece(f" points ({_cell_said(most)})."),
    ]  # fmt: skip


def _cell_said(number: Number) -> str:
    """Which analysis it was."""
    words = kind_words(number.kind)
    return number.part or words[:1].lower() + words[1:]


def _agreement(report: Report) -> list[Piece]:
    if report.scored:
        return []
    if len(report.raters) < 2:
        return [Piece("With fewer than two raters no agreement is defined.")]
    found = [
        (kind, number)
        for kind in COEFFICIENTS
        for number in report.select(kind)
        if number.defined and not (number.arm or number.size or number.rater or number.part)
    ]
    if not found:
        return []
    pieces = [Piece("Agreement between raters: ")]
    for index, (kind, number) in enumerate(found):
        pieces += [Piece("; " if index else ""), Piece(f"{kind_words(kind)} "), *_told(number)]
    return [*pieces, Piece(".")]


def _guesses(report: Report) -> list[Piece]:
    james = [number for number in report.select("james") if number.defined]
    if not james:
        return []
    pieces = [Piece("Asked at the end to guess the arm, raters reached a James index of "), *_told(james[0])]
    bangs = [number for number in report.select("bang") if number.defined and number.arm]
    for index, number in enumerate(bangs):
        pieces += [Piece(", " if index else "; Bang's index was "), *_told(number), Piece(f" in {number.arm}")]
    tests = [number for number in report.select("guess_p") if number.defined]
    if tests:
        pieces += [Piece("; test of any knowledge: "), Piece(f"p {p_value(tests[0].estimate)}", tests[0].id)]
    return [*pieces, Piece(".")]
