"""The report's tables, ready to print: cells of text, each number with the id of its row in report.json."""

from collections.abc import Iterable
from dataclasses import dataclass

from analysis.export.words import NOTHING, both, level, seconds, value
from analysis.reports import Report, TimeRow
from analysis.reports.bands import DIFFERENCE, FRACTION
from analysis.stats.results import Number

ALL_SIZES = "all sizes, equally weighted"


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    number: bool = False
    id: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`note` says which question the intervals answer."""

    title: str
    note: str
    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]


SCORES = (("score", "Right answers"), ("precision", "Precision of predictions"), ("recall", "Recall of predictions"))


def score_tables(report: Report) -> list[Table]:
    """Shares and differences of what has right answers in this study."""
    return [
        table
        for kind, title in SCORES
        if report.select(kind)
        for table in (
            fraction_table(report, kind, title, "Share"),
            difference_table(report, f"{kind}_difference", f"{title}: differences"),
        )
    ]


def band_tables(report: Report) -> list[Table]:
    """Fractions and differences by band of activation, a column for each; none if no bands were shown."""
    bands = [kind.removeprefix(FRACTION) for kind in dict.fromkeys(number.kind for number in report.numbers)
             if kind.startswith(FRACTION)]  # fmt: skip
    if not bands:
        return []
    titles = ((FRACTION, "Interpretable by band of activation"), (DIFFERENCE, "Differences by band of activation"))
    return [_band_table(report, begin, bands, title) for begin, title in titles]


def _band_table(report: Report, begin: str, bands: list[str], title: str) -> Table:
    columns = [_shown(report, f"{begin}{band}") for band in bands]
    rows = [
        (
            Cell(group[0].size or ALL_SIZES),
            Cell(f"{group[0].arm} − {group[0].versus}" if group[0].versus else group[0].arm),
            *(_number_cell(number) for number in group),
        )
        for group in zip(*columns, strict=True)
    ]
    note = (
        "Rank shares of all harvested tokens, 0 % weakest. Each rater wrote one rule and said of each band whether it "
        "holds there; without a rule it holds nowhere. A rule that holds where the neuron is silent is too wide."
    )
    return Table(title, note, _head("Size", "Arm", *(f"#{band}" for band in bands)), tuple(rows))


def fraction_table(
    report: Report, kind: str = "fraction", title: str = "Fractions", column: str = "Interpretable"
) -> Table:
    numbers = _shown(report, kind)
    rows = [
        (
            Cell(number.size or ALL_SIZES), Cell(number.arm), _number_cell(number),
            _count(number.n), _count(number.judgments), Cell(number.method),
        )
        for number in numbers
    ]  # fmt: skip
    head = _head("Size", "Arm", f"#{column} [{level(report.plan.level)}]", "#Neurons", "#Answers", "Method")
    return Table(title, _question(numbers), head, tuple(rows))


def difference_table(report: Report, kind: str = "difference", title: str = "Differences") -> Table:
    numbers = _shown(report, kind)
    rows = [
        (
            Cell(number.size or ALL_SIZES), Cell(f"{number.arm} − {number.versus}"), _number_cell(number),
            Cell(number.method),
        )
        for number in numbers
    ]  # fmt: skip
    head = _head("Size", "Comparison", f"#Points [{level(report.plan.level)}]", "Method")
    return Table(title, _question(numbers), head, tuple(rows))


def rater_table(report: Report) -> Table:
    plan = report.plan
    fractions, differences = _shown(report, "rater_fraction"), _shown(report, "rater_difference")
    found = {(number.rater, number.size, number.arm, number.versus): number for number in (*fractions, *differences)}
    sizes = [*plan.sizes, *([""] if report.pooled else [])]
    rows = []
    for rater in dict.fromkeys(number.rater for number in fractions):
        for size in sizes:
            places = [(arm, "") for arm in plan.arms] + [(arm, plan.baseline) for arm in plan.treatments]
            cells = [_number_cell(found.get((rater, size, *place))) for place in places]
            rows.append((Cell(rater), Cell(size or ALL_SIZES), *cells))
    arms = [f"#{arm}" for arm in plan.arms] + [f"#{arm} − {plan.baseline}" for arm in plan.treatments]
    note = _question(fractions) + f" Method: Wilson and Newcombe, {level(plan.level)} intervals."
    return Table("Each rater alone", note, _head("Rater", "Size", *arms), tuple(rows))


def readings_table(report: Report) -> Table:
    """The same judgments read in other ways, beside the main reading."""
    kinds = ("fraction", "majority_fraction", "fraction_cannot_as_no", "fraction_cannot_as_yes")
    columns = [_shown(report, kind) for kind in kinds]
    rows = [
        (Cell(group[0].size or ALL_SIZES), Cell(group[0].arm), *(_number_cell(number) for number in group))
        for group in zip(*columns, strict=True)
    ]
    head = _head("Size", "Arm", "#Mean of raters", "#Majority vote", "#Cannot judge = no", "#Cannot judge = yes")
    note = "Majority vote: " + _question(columns[1]) + " The last two columns bound what 'cannot judge' can hide."
    return Table("Other readings of the same judgments", note, head, (*rows, *_majority_differences(report)))


def _majority_differences(report: Report) -> Iterable[tuple[Cell, ...]]:
    pairs = zip(_shown(report, "difference"), _shown(report, "majority_difference"), strict=True)
    for mean, majority in pairs:
        place = (Cell(mean.size or ALL_SIZES), Cell(f"{mean.arm} − {mean.versus}"))
        yield (
            *place,
            _number_cell(mean),
            _number_cell(majority),
            Cell(NOTHING, number=True),
            Cell(NOTHING, number=True),
        )


def agreement_table(report: Report) -> Table:
    rows = []
    raw, alphas = report.select("agreement"), report.select("alpha")
    for agreement, alpha in zip(raw, alphas, strict=True):
        rows.append((Cell(agreement.arm or "all arms"), _number_cell(agreement), _number_cell(alpha), _count(alpha.n)))
    note = (
        f"Raw agreement: {_question(raw)} Alpha: 1 is perfect, 0 is chance; it also depends on how common yes is. "
        f"Intervals: {level(report.plan.level)}; {raw[0].method}; {alphas[0].method}, "
        f"{report.plan.resamples} resamples, seed {report.plan.seed}."
    )
    head = _head("Arm", "#Raw agreement", "#Krippendorff's alpha", "#Neurons with two or more answers")
    return Table("Agreement between raters", note, head, tuple(rows))


def time_table(report: Report) -> Table:
    found = {(row.measure, row.arm, row.third): row for row in report.times}
    rows = []
    for arm in ("", *report.plan.arms):
        active, wall = found[("active", arm, 0)], found[("wall", arm, 0)]
        parts = [_cell(seconds(found[("active", arm, third)].median)) for third in (1, 2, 3)]
        whole = (_cell(_with_middle(active)), *parts, _cell(_with_middle(wall)), _count(max(active.n, wall.n)))
        rows.append((Cell(arm or "all arms"), *whole))
    note = (
        "Median seconds per neuron, and in brackets the middle half of the answers (no confidence interval). Active: "
        "the page was in view and in use; by thirds of each rater's list. Wall: from shown to submitted, with breaks."
    )
    head = _head("Arm", "#Active", "#First third", "#Middle third", "#Last third", "#Wall", "#Answers")
    return Table("Response times", note, head, tuple(rows))


def flow_table(report: Report) -> Table:
    fields = (
        "drawn",
        "rejected",
        "neurons",
        "assigned",
        "shown",
        "yes",
        "no",
        "cannot",
        "scored",
        "excluded",
        "unanswered",
        "not_shown",
    )
    rows = [(Cell(row.size), Cell(row.arm), *(_count(getattr(row, field)) for field in fields)) for row in report.flow]
    total = [_count(sum(getattr(row, field) for row in report.flow)) for field in fields]
    head = _head(
        "Size", "Arm", "#Drawn", "#Rejected", "#Neurons", "#Assigned", "#Shown", "#Yes", "#No", "#Cannot judge",
        "#Without verdict", "#Excluded", "#No answer", "#Not shown",
    )  # fmt: skip
    note = (
        "From the draw of neurons to the answers. Drawn to neurons count neurons; assigned and after count judgments."
    )
    return Table("Counts", note, head, (*rows, (Cell("all"), Cell("all"), *total)))


def exclusions_table(report: Report) -> Table:
    """The main numbers as frozen, without any exclusion, and under stricter ones."""
    rows = []
    for kind in ("fraction", "difference"):
        columns = [_shown(report, name) for name in (kind, f"{kind}_excluding_nobody", f"{kind}_excluding_strict")]
        for frozen, nobody, strict in zip(*columns, strict=True):
            place = frozen.arm if kind == "fraction" else f"{frozen.arm} − {frozen.versus}"
            cells = (_number_cell(frozen), _number_cell(nobody), _number_cell(strict))
            rows.append((Cell(frozen.size or ALL_SIZES), Cell(place), *cells))
    limits = report.plan.thresholds
    note = (
        f"As frozen: raters with fewer than {100 * limits.least_catches_right:g} % of catch trials right are left out"
        f"{', and answers outside the credible times' if limits.exclude_beyond_times else ''}. Strict: every catch "
        "trial right, no answer outside the credible times, at most a tenth of a rater's. The last two columns are "
        "sensitivity analyses."
    )
    return Table("Under other exclusions", note, _head("Size", "Arm", "#As frozen", "#Nobody", "#Strict"), tuple(rows))


def blinding_table(report: Report) -> Table | None:
    """Indices of the blind, over all verdicts and within one; None if nobody was asked to guess."""
    if not report.select("james"):
        return None
    rows = []
    for verdict, words in (("", "all"), ("_yes", "called interpretable"), ("_no", "called not interpretable")):
        named = [("all arms", "James", report.select(f"james{verdict}"))]
        named += [(number.arm, "Bang", (number,)) for number in report.select(f"bang{verdict}")]
        rows += [
            (Cell(words), Cell(arm), Cell(name), _number_cell(number), _count(number.n), _count(number.judgments))
            for arm, name, numbers in named
            for number in numbers
        ]
    (test,) = report.select("guess_p")
    note = (
        "Raters guessed the arm when their verdicts were locked. James: 1 complete blinding, 0.5 random guessing, 0 "
        "every guess right. Bang: 0 random guessing, 1 every guess right, −1 every guess wrong; within ±0.2 is often "
        "read as blinded. Whoever believes that one arm is clearer guesses it for clear neurons: compare within one "
        f"verdict. Permutation test of any knowledge: p = {value(test)}."
    )
    head = _head("Neurons", "Arm", "Index", f"#Value [{level(report.plan.level)}]", "#Neurons or guesses", "#Guesses")
    return Table("Did the blind hold?", note, head, tuple(rows))


def rejected_table(report: Report) -> Table:
    rows = [(Cell(row.size), Cell(row.arm), Cell(row.reason), _count(row.count)) for row in report.rejected]
    note = "Draws that could not be shown; each was replaced by the next draw."
    return Table("Rejected draws", note, _head("Size", "Arm", "Reason", "#Draws"), tuple(rows))


def _shown(report: Report, kind: str) -> list[Number]:
    """Numbers of a kind; with one size the pooled rows would only repeat it."""
    return [number for number in report.select(kind) if number.size or report.pooled]


def _question(numbers: Iterable[Number]) -> str:
    first = next(iter(numbers), None)
    if first is None:
        return "There are no judgments."
    return first.estimand[0].upper() + first.estimand[1:] + "."


def _with_middle(row: TimeRow) -> str:
    if row.n == 0:
        return NOTHING
    return f"{seconds(row.median)} ({seconds(row.first_quartile)} to {seconds(row.third_quartile)})"


def _number_cell(number: Number | None) -> Cell:
    return Cell(NOTHING, number=True) if number is None else _cell(both(number), number)


def _cell(text: str, number: Number | None = None) -> Cell:
    return Cell(text, number=True, id=number.id.replace(" ", "_") if number else "")


def _count(count: int) -> Cell:
    return Cell(f"{count:,}", number=True)


def _head(*names: str) -> tuple[Cell, ...]:
    """Column heads; a leading # marks a column of figures."""
    return tuple(Cell(name.removeprefix("#"), number=name.startswith("#")) for name in names)
