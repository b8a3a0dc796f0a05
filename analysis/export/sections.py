"""A report from top to bottom: what was asked, what became of it, what was found, and whether it holds up."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from analysis.export import tables
from analysis.export.blocks import Block, Chart, Folded, Listing, Paragraph, Section
from analysis.export.cells import Cell, Table, anchor, count_cell, head, number_cell, table
from analysis.export.charts import EXCLUSIONS, agreement_kinds, report_charts, sensitivity_grid, sensitivity_numbers
from analysis.export.kinds import kind_words, section_of
from analysis.export.methods import ASKED, exclusion_rules, methods_paragraphs
from analysis.export.others import other_blocks, questions_table, repeated_table
from analysis.export.prose import frozen_here
from analysis.export.results import results_paragraphs
from analysis.export.sources import Facts
from analysis.export.words import headline, level, spelt
from analysis.reports import Report
from analysis.stats.results import Number

TITLES = {
    "found": "What was found",
    "plan": "What was asked and frozen",
    "flow": "From draw to answer",
    "fractions": "Fractions and differences",
    "scores": "Right answers",
    "agreement": "Agreement",
    "blind": "The blind",
    "sensitivity": "Sensitivity analyses",
    "spectrum": "Away from the top: bands of activation",
    "order": "Order and time",
    "layers": "Parts of the network",
    "raters": "Raters",
    "strata": "Stratified analyses",
    "looks": "Looking more than once",
    "further": "Further numbers",
    "paste": "Methods and results to paste",
    "how": "How it was done",
}
DRAWN = (
    "Neurons were drawn at random within size and arm, live and dead alike, and shown in an order of their own to each "
    "rater, who did not know the arm. "
)
ELSEWHERE = (
    "The ratings were made elsewhere: how the neurons were drawn and shown, and whether the raters knew the arm, is "
    "not known here. "
)
METHOD = (
    "The neuron is the unit of every interval, because several raters judge the same "
    "neuron and their answers are not independent. Fractions: Wilson's interval on the effective number of independent "
    "answers (cluster Wilson; plain Wilson where each neuron has one answer). Differences: Newcombe's hybrid score "
    "interval made from two of these. For new raters: multi-reader multi-case intervals, with Welch's limits. Over "
    "sizes: equal weights. “Cannot judge” is counted and left out of the main numbers; the other readings show what it "
    "could change."
)
STATUSES = (
    "Status: primary is the contrast that was promised; planned are its parts and its test; sensitivity analyses ask "
    "the same under other choices; everything else is exploratory, and its intervals are not adjusted for their number "
    "unless their method says so."
)
ASKS = {"panel": "panel question", "generalising": "generalising question"}
VOTES = {"mean": "mean over neurons of the share of raters who say yes", "majority": "majority of the raters"}
POPULATIONS = {
    "superpopulation": "neurons stand for others drawn in the same way",
    "finite": "neurons stand for the counted neurons of these layers and no others",
}


def report_sections(report: Report, facts: Facts) -> tuple[Section, ...]:
    """Every section that has something to tell; together they hold every number of the report."""
    charts = report_charts(report)
    made: dict[str, list[Block]] = {name: [] for name in TITLES}
    made["found"] = [*map(Paragraph.of, headline(report)), Paragraph.of(_asked(report), small=True)]
    made["plan"] = [*_plan(report, facts)]
    made["flow"] = [charts["flow"], tables.flow_table(report), *_flow_details(report)]
    made["fractions"] = [charts["fractions"], charts["differences"], *_main_tables(report)]
    made["agreement"] = [] if report.scored else [*_figure(charts, "agreement"), *_agreement(report)]
    made["blind"] = [*_figure(charts, "blinding"), *_blind(report), *_leaks(facts)]
    made["sensitivity"] = [*_figure(charts, "sensitivity"), *_sensitivity(report)]
    made["spectrum"] = [*_figure(charts, "spectrum"), *tables.band_tables(report)]
    made["order"] = [charts["times"], tables.time_table(report)]
    made["layers"] = [*_figure(charts, "layers")]
    made["raters"] = [] if report.scored else [*_figure(charts, "raters"), tables.rater_table(report)]
    made["scores"] = [] if report.scored else [*tables.score_tables(report)]
    made["paste"] = [*methods_paragraphs(report, facts), *results_paragraphs(report)]
    made["how"] = [
        Paragraph.of((DRAWN if frozen_here(report) else ELSEWHERE) + METHOD),
        Paragraph.of(STATUSES),
        Listing(_made_with(report)),
    ]
    _add_others(report, made)
    met: set[str] = set()
    titles = TITLES if frozen_here(report) else {**TITLES, "plan": "What was asked"}
    return tuple(
        Section(name, titles[name], tuple(_anchored(block, met) for block in blocks))
        for name, blocks in made.items()
        if blocks
    )


def _anchored(block: Block, met: set[str]) -> Block:
    """The same block, in which a number that stood further up has no anchor of its own."""
    if isinstance(block, Folded):
        return replace(block, tables=tuple(_anchored_table(sheet, met) for sheet in block.tables))
    return _anchored_table(block, met) if isinstance(block, Table) else block


def _anchored_table(sheet: Table, met: set[str]) -> Table:
    rows = []
    for row in sheet.rows:
        rows.append(tuple(replace(cell, id="") if cell.id in met else cell for cell in row))
        met |= {cell.id for cell in row if cell.id}
    return replace(sheet, rows=tuple(rows))


def _figure(charts: dict[str, Chart], name: str) -> list[Block]:
    return [charts[name]] if name in charts else []


def _asked(report: Report) -> str:
    plan = report.plan
    if report.scored:
        counted = "The shares are means over neurons of the share of questions that were answered rightly."
    else:
        counted = "The fractions are means over neurons of the share of raters who said yes."
    asked = f"The raters were asked: “{plan.question}” " if plan.question else ""
    return (
        f"{asked}{counted} The {level(plan.level)} intervals answer the "
        f"{ASKS[plan.asks]}: they hold for {ASKED[plan.asks]}."
    )


def _plan(report: Report, facts: Facts) -> Iterator[Block]:
    plan = report.plan
    contrast = f"{plan.compared} − {plan.baseline}" if plan.compared else "none: there is one arm"
    rows = [
        ("Question to the raters", f"“{plan.question}”" if plan.question else ""),
        ("Shown", facts.shown),
        ("Arms and sizes", f"{', '.join(plan.arms)}; {', '.join(plan.sizes)}"),
        ("Estimand", "share of right answers" if report.scored else VOTES[plan.vote]),
        ("Intervals are about", f"{ASKED[plan.asks]} ({ASKS[plan.asks]}); {POPULATIONS[plan.population]}"),
        ("Primary contrast", f"{contrast}, {plan.place or 'all sizes with equal weights'}"),
        ("Confidence level", level(plan.level)),
        ("Looks", _looks(report)),
        ("Exclusions", "; ".join(exclusion_rules(report)) or "nobody and nothing"),
        ("Frozen", facts.frozen_at),
        ("Frozen protocol (sha256)", plan.protocol_sha256),
        (
            "Amendments",
            ""
            if not frozen_here(report)
            else "none"
            if not facts.amendments
            else spelt(len(facts.amendments), "amendment"),
        ),
    ]
    yield Listing(tuple((name, told) for name, told in rows if told))
    if facts.amendments:
        yield _amendments(facts)


def _looks(report: Report) -> str:
    if report.plan.looks == 1:
        return "one, at the end"
    return f"{report.plan.looks}, equally spaced; error spent as {report.plan.spending.replace('_', ' ')}"


def _amendments(facts: Facts) -> Table:
    rows = [
        (Cell(str(row.version), number=True), Cell(row.at), count_cell(row.judgments_before),
         Cell(row.reason, long=True), Cell(row.sha256[:16] + "…"))
        for row in facts.amendments
    ]  # fmt: skip
    heads = head("#Version", "In force since", "#Answers before", "Reason", "sha256")
    note = "Every later version of the protocol, and how many answers were in by then."
    return table("Amendments", note, heads, rows)


def _flow_details(report: Report) -> Iterator[Block]:
    if report.rejected:
        yield tables.rejected_table(report)
    if report.excluded:
        yield tables.excluded_table(report)
    if report.populations:
        yield Folded("Neurons in each layer", (tables.population_table(report),))


def _main_tables(report: Report) -> list[Table]:
    if report.scored:
        return tables.score_tables(report)
    share, difference = report.main
    mean = [tables.fraction_table(report), tables.difference_table(report)]
    if share == "fraction":
        return mean
    asked = [
        tables.fraction_table(report, share, kind_words(share)),
        tables.difference_table(report, difference, kind_words(difference)),
    ]
    return asked + mean


def _agreement(report: Report) -> list[Block]:
    if len(report.raters) < 2:
        return [Paragraph.of("With fewer than two raters no agreement is defined.")]
    kinds = agreement_kinds(report)
    asked = questions_table("Agreement: questions and methods", {kind: report.select(kind) for kind in kinds})
    return [tables.agreement_table(report, kinds), Folded(asked.title, (asked,))]


def _blind(report: Report) -> list[Block]:
    made = tables.blinding_table(report)
    return [Paragraph.of("Nobody was asked to guess the arm.")] if made is None else [made]


def _leaks(facts: Facts) -> list[Block]:
    told = [Paragraph.of(f"Leak audit: {facts.leaks.rstrip('.')}.")] if facts.leaks else []
    return [*told, *([_leak_table(facts)] if facts.leak_areas else [])]


def _leak_table(facts: Facts) -> Table:
    rows = [
        (Cell(area.arms), Cell(area.by), Cell(f"{area.area:.2f} [{area.low:.2f}, {area.high:.2f}]", number=True),
         count_cell(area.neurons), Cell("yes" if area.counts else "no"))
        for area in facts.leak_areas
    ]  # fmt: skip
    note = (
        "Classifiers that saw every page before the study opened. Area under the ROC curve: 0.5 chance, 1 always "
        "right. Words and the shape of texts are what raters judge; only how items are shown is held against the limit."
    )
    heads = head("Arms", "Told by", "#Area [95 %]", "#Neurons", "Held against the limit")
    return table("Leak audit", note, heads, rows)


def _sensitivity(report: Report) -> list[Block]:
    if report.scored:
        return []
    folded = (*tables.readings_tables(report), *tables.exclusions_tables(report))
    return [*_grids(report), *(Folded(sheet.title, (sheet,)) for sheet in folded)]


def _grids(report: Report) -> list[Table]:
    """The primary contrast under every other choice; a column for each choice of exclusions."""
    rows, lanes = sensitivity_grid(report)
    first = next(iter(sensitivity_numbers(report)), None)
    if not rows or first is None:
        return []
    where = f"{tables.compared(first.arm, first.versus)}, {first.size or 'all sizes with equal weights'}"
    asked = tables.question(report.select("sensitivity"))
    note = f"{where}, in points: whatever else could have been counted, asked or excluded. {asked}"
    cells = [(Cell(row.group), Cell(row.label), *map(number_cell, row.numbers)) for row in rows]
    heads = head("Question, population", "Reading or model", *(f"#{EXCLUSIONS.get(lane, lane)}" for lane in lanes))
    return [table("Sensitivity grid", note, heads, cells)]


def _made_with(report: Report) -> tuple[tuple[str, str], ...]:
    return (
        ("Raters", f"{report.rater_label}: {', '.join(report.raters)}"),
        ("Answers", f"{report.judgments:,}"),
        ("Input tables (sha256)", report.input_sha256),
        ("Analysis code", report.code_version),
        ("Seed of the random numbers", str(report.plan.seed)),
    )


def _add_others(report: Report, made: dict[str, list[Block]]) -> None:
    """Give every number that stands in no table yet a place, by its kind; say again at the end what only repeats."""
    own = {_place(number) for number in report.numbers if number.size}
    repeated = []
    left: dict[str, list[Number]] = {}
    for number in _untold(report, made):
        if not report.pooled and not number.size and _place(number) in own:
            repeated.append(number)
        else:
            left.setdefault(section_of(number.kind, number.status), []).append(number)
    for name, numbers in left.items():
        tests = all(number.unit == "p" for number in numbers)
        made[name] += other_blocks(numbers, "Tests" if tests else "More numbers" if made[name] else TITLES[name])
    if repeated:
        made["further"].append(Folded("The same, pooled over one size", (repeated_table(repeated),)))


def _untold(report: Report, made: dict[str, list[Block]]) -> Iterator[Number]:
    told = {cell.id for cell in _cells(block for blocks in made.values() for block in blocks)}
    for number in report.numbers:
        # Where a study never asks whether a neuron is interpretable, those rows are empty and say nothing.
        if anchor(number.id) not in told and (number.defined or not report.scored):
            yield number


def _cells(blocks: Iterable[Block]) -> Iterator[Cell]:
    for made in Section("", "", tuple(blocks)).tables:
        yield from (cell for row in made.rows for cell in row)


def _place(number: Number) -> tuple[str, ...]:
    """Where a number stands but for its size."""
    return number.kind, number.arm, number.versus, number.rater, number.part
