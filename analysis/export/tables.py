"""The report's tables, ready to print: cells of text, each number with the id of its row in report.json."""

from collections.abc import Iterable, Mapping, Sequence

from analysis.export.cells import ALL_SIZES, Cell, Table, count_cell, head, number_cell, table
from analysis.export.kinds import kind_words
from analysis.export.words import NOTHING, level, seconds, value
from analysis.reports import Report, TimeRow
from analysis.reports.bands import DIFFERENCE, FRACTION
from analysis.stats.results import Number

SCORES = (("score", "Right answers"), ("precision", "Precision of predictions"), ("recall", "Recall of predictions"))
READINGS = {
    "fraction": "Mean of raters",
    "majority_fraction": "Majority vote",
    "fraction_cannot_as_no": "Cannot judge = no",
    "fraction_cannot_as_yes": "Cannot judge = yes",
}
MAJORITIES = {"difference": "Mean of raters", "majority_difference": "Majority vote"}
EXCLUSIONS = {"": "As frozen", "_excluding_nobody": "Nobody excluded", "_excluding_strict": "Strict"}
BANDS_NOTE = (
    "Rank shares of all harvested tokens, 0 % weakest. Each rater wrote one rule and said of each band whether it "
    "holds there; without a rule it holds nowhere. A rule that holds where the neuron is silent is too wide."
)
VERDICTS = {"": "all", "_yes": "called interpretable", "_no": "called not interpretable"}


def score_tables(report: Report) -> list[Table]:
    """Shares and differences of what has right answers in this study."""
    return [
        made
        for kind, title in SCORES
        if report.select(kind)
        for made in (
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
    return [
        matrix_table(report, {f"{begin}{band}": band for band in bands}, title, BANDS_NOTE) for begin, title in titles
    ]


def fraction_table(
    report: Report, kind: str = "fraction", title: str = "Fractions", column: str = "Interpretable"
) -> Table:
    numbers = shown(report, kind)
    rows = [
        (*_place(number), number_cell(number), count_cell(number.n), count_cell(number.judgments), Cell(number.method))
        for number in numbers
    ]
    heads = head("Size", "Arm", f"#{column} [{level(report.plan.level)}]", "#Neurons", "#Answers", "Method")
    return table(title, question(numbers), heads, rows)


def difference_table(report: Report, kind: str = "difference", title: str = "Differences") -> Table:
    numbers = shown(report, kind)
    rows = [(*_place(number), number_cell(number), Cell(number.method)) for number in numbers]
    heads = head("Size", "Comparison", f"#Points [{level(report.plan.level)}]", "Method")
    return table(title, question(numbers), heads, rows)


def rater_table(report: Report) -> Table:
    """Every rater's own fractions and differences, a column for each arm and comparison."""
    plan = report.plan
    fractions, differences = shown(report, "rater_fraction"), shown(report, "rater_difference")
    found = {(number.rater, number.size, number.arm, number.versus): number for number in (*fractions, *differences)}
    sizes = [*plan.sizes, *([""] if report.pooled else [])]
    rows = []
    for rater in dict.fromkeys(number.rater for number in fractions):
        for size in sizes:
            places = [(arm, "") for arm in plan.arms] + [(arm, plan.baseline) for arm in plan.treatments]
            cells = [number_cell(found.get((rater, size, *place))) for place in places]
            rows.append((Cell(rater), Cell(size or ALL_SIZES), *cells))
    arms = [f"#{arm}" for arm in plan.arms] + [f"#{arm} − {plan.baseline}" for arm in plan.treatments]
    note = question(fractions) + f" Method: Wilson and Newcombe, {level(plan.level)} intervals."
    return table("Each rater alone", note, head("Rater", "Size", *arms), rows)


def readings_tables(report: Report) -> list[Table]:
    """The same judgments read in other ways, beside the main reading."""
    note = "Majority vote: " + question(shown(report, "majority_fraction"))
    bound = " The last two columns bound what 'cannot judge' can hide."
    return [
        matrix_table(report, READINGS, "Other readings of the same judgments", note + bound),
        matrix_table(report, MAJORITIES, "Differences in other readings", note),
    ]


def agreement_table(report: Report, kinds: Sequence[str]) -> Table:
    """All coefficients over all arms and in each, a column for each kind."""
    note = (
        f"{level(report.plan.level)} intervals; {report.plan.resamples:,} resamples where they are drawn. 1 is perfect "
        "agreement and 0 chance, but for raw agreement, a share. Kappa and alpha also depend on how common yes is."
    )
    return matrix_table(report, {kind: kind_words(kind) for kind in kinds}, "Agreement between raters", note)


def time_table(report: Report) -> Table:
    found = {(row.measure, row.arm, row.third): row for row in report.times}
    rows = []
    for arm in ("", *report.plan.arms):
        active, wall = found[("active", arm, 0)], found[("wall", arm, 0)]
        parts = [Cell(seconds(found[("active", arm, third)].median), number=True) for third in (1, 2, 3)]
        ends = (Cell(_with_middle(wall), number=True), count_cell(max(active.n, wall.n)))
        rows.append((Cell(arm or "all arms"), Cell(_with_middle(active), number=True), *parts, *ends))
    note = (
        "Median seconds per neuron, and in brackets the middle half of the answers (no confidence interval). Active: "
        "the page was in view and in use; by thirds of each rater's list. Wall: from shown to submitted, with breaks."
    )
    heads = head("Arm", "#Active", "#First third", "#Middle third", "#Last third", "#Wall", "#Answers")
    return table("Response times", note, heads, rows)


def flow_table(report: Report) -> Table:
    fields = ("drawn", "rejected", "neurons", "assigned", "shown", "yes", "no", "cannot", "scored", "excluded",
              "unanswered", "not_shown")  # fmt: skip
    rows = [
        (Cell(row.size), Cell(row.arm), *(count_cell(getattr(row, field)) for field in fields)) for row in report.flow
    ]
    total = [count_cell(sum(getattr(row, field) for row in report.flow)) for field in fields]
    heads = head(
        "Size", "Arm", "#Drawn", "#Rejected", "#Neurons", "#Assigned", "#Shown", "#Yes", "#No", "#Cannot judge",
        "#Without verdict", "#Excluded", "#No answer", "#Not shown",
    )  # fmt: skip
    note = (
        "From the draw of neurons to the answers. Drawn to neurons count neurons; assigned and after count judgments."
    )
    return table("Counts", note, heads, (*rows, (Cell("all"), Cell("all"), *total)))


def exclusions_tables(report: Report) -> list[Table]:
    """The main numbers as frozen, without any exclusion, and under stricter ones."""
    limits = report.plan.thresholds
    note = (
        f"As frozen: raters with fewer than {100 * limits.least_catches_right:g} % of catch trials right are left out"
        f"{', and answers outside the credible times' if limits.exclude_beyond_times else ''}. Strict: every catch "
        "trial right, no answer outside the credible times, at most a tenth of a rater's. The last two columns are "
        "sensitivity analyses."
    )
    titles = {"fraction": "Fractions under other exclusions", "difference": "Differences under other exclusions"}
    return [
        matrix_table(report, {f"{kind}{end}": words for end, words in EXCLUSIONS.items()}, title, note)
        for kind, title in titles.items()
    ]


def blinding_table(report: Report) -> Table | None:
    """Indices of the blind, over all verdicts and within one; None if nobody was asked to guess."""
    if not report.select("james"):
        return None
    rows = []
    for verdict, words in VERDICTS.items():
        named = [("all arms", "James", number) for number in report.select(f"james{verdict}")]
        named += [(number.arm, "Bang", number) for number in report.select(f"bang{verdict}")]
        rows += [
            (Cell(words), Cell(arm), Cell(name), number_cell(number), count_cell(number.n),
             count_cell(number.judgments))
            for arm, name, number in named
        ]  # fmt: skip
    note = (
        "Raters guessed the arm when their verdicts were locked. James: 1 complete blinding, 0.5 random guessing, 0 "
        "every guess right. Bang: 0 random guessing, 1 every guess right, −1 every guess wrong; within ±0.2 is often "
        "read as blinded. Whoever believes that one arm is clearer guesses it for clear neurons: compare within one "
        "verdict."
    )
    tests = report.select("guess_p")
    if tests:
        rows.append(
            (Cell("all"), Cell("all arms"), Cell("Permutation test, p"), number_cell(tests[0]), count_cell(tests[0].n),
             count_cell(tests[0].judgments))
        )  # fmt: skip
        note += f" Permutation test of any knowledge: p = {value(tests[0])}."
    heads = head("Neurons", "Arm", "Index", f"#Value [{level(report.plan.level)}]", "#Neurons or guesses", "#Guesses")
    return table("Did the blind hold?", note, heads, rows)


def rejected_table(report: Report) -> Table:
    rows = [(Cell(row.size), Cell(row.arm), Cell(row.reason), count_cell(row.count)) for row in report.rejected]
    note = "Draws that could not be shown; each was replaced by the next draw."
    return table("Rejected draws", note, head("Size", "Arm", "Reason", "#Draws"), rows)


def excluded_table(report: Report) -> Table:
    rows = [
        (Cell(row.size), Cell(row.arm), Cell(row.reason), count_cell(row.raters), count_cell(row.count))
        for row in report.excluded
    ]
    note = "Answers that the frozen thresholds leave out of every planned number."
    return table("Excluded answers", note, head("Size", "Arm", "Reason", "#Raters", "#Answers"), rows)


def population_table(report: Report) -> Table:
    """Neurons that there are, and that were drawn, layer by layer."""
    rows = [
        (Cell(row.size), Cell(row.arm), Cell(str(row.layer), number=True),
         Cell(NOTHING, number=True) if row.neurons is None else count_cell(row.neurons), count_cell(row.drawn))
        for row in report.populations
    ]  # fmt: skip
    note = "How many neurons of each layer could be shown, and how many were drawn."
    return table("Layers", note, head("Size", "Arm", "#Layer", "#Neurons", "#Drawn"), rows)


def matrix_table(report: Report, columns: Mapping[str, str], title: str, note: str) -> Table:
    """One row for each place that has numbers, one column for each kind."""
    found = {kind: {_key(number): number for number in shown(report, kind)} for kind in columns}
    places = dict.fromkeys(key for numbers in found.values() for key in numbers)
    asked = [bool(any(key[index] for key in places)) for index in range(5)]
    rows = [
        (*_row_heads(key, asked), *(number_cell(found[kind].get(key)) for kind in columns)) for key in places
    ]  # fmt: skip
    names = ["Size"] * asked[0] + ["Arm"] + ["Rater"] * asked[3] + ["Part"] * asked[4]
    return table(title, note, head(*names, *(f"#{words}" for words in columns.values())), rows)


def _key(number: Number) -> tuple[str, ...]:
    return number.size, number.arm, number.versus, number.rater, number.part


def _row_heads(key: tuple[str, ...], asked: Sequence[bool]) -> list[Cell]:
    size, arm, versus, rater, part = key
    cells = [Cell(size or ALL_SIZES)] if asked[0] else []
    cells.append(Cell(compared(arm, versus)))
    return cells + [Cell(words) for words, wanted in ((rater, asked[3]), (part, asked[4])) if wanted]


def compared(arm: str, versus: str) -> str:
    """ "solu", "solu − baseline", or "all arms"."""
    return f"{arm} − {versus}" if versus else arm or "all arms"


def shown(report: Report, kind: str) -> list[Number]:
    """Numbers of a kind; with one size the pooled rows would only repeat it."""
    numbers = report.select(kind)
    if report.pooled or not any(number.size for number in numbers):
        return list(numbers)
    return [number for number in numbers if number.size]


def question(numbers: Iterable[Number]) -> str:
    first = next(iter(numbers), None)
    if first is None:
        return "There are no judgments."
    return first.estimand[0].upper() + first.estimand[1:] + "."


def _place(number: Number) -> tuple[Cell, Cell]:
    return Cell(number.size or ALL_SIZES), Cell(compared(number.arm, number.versus))


def _with_middle(row: TimeRow) -> str:
    if row.n == 0:
        return NOTHING
    return f"{seconds(row.median)} ({seconds(row.first_quartile)} to {seconds(row.third_quartile)})"
