"""Tables of the coverage benchmark: for the screen, for docs/statistics.md and, cell by cell, for docs/coverage.csv."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.coverage_methods import GENERALISING, METHODS, OURS, PANEL
from benchmarks.coverage_studies import NEURONS, RATERS, SPREADS, Cell

DOCS = Path(__file__).resolve().parents[1] / "docs"
BEGIN, END = "<!-- coverage: written by benchmarks/coverage.py -->", "<!-- coverage: end -->"
FRACTION, DIFFERENCE = "fraction", "difference"
GOALS = {PANEL: (0.94, 0.96), GENERALISING: (0.935, 0.965)}
GOAL_OF_FEW = (0.945, 1.0)  # three and four raters, for new raters too
MANY = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One method on one quantity of one cell."""

    cell: Cell
    question: str
    method: str
    quantity: str  # "difference", or a fraction in percent
    studies: int
    coverage: float
    width: float

    @property
    def kind(self) -> str:
        return DIFFERENCE if self.quantity == DIFFERENCE else FRACTION

    @property
    def error(self) -> float:
        """Monte Carlo standard error of the coverage."""
        return (self.coverage * (1 - self.coverage) / self.studies) ** 0.5

    @property
    def within_range(self) -> bool:
        """Whether its fractions lie between 10 and 90 %, for which the goals are set."""
        shares = (self.cell.first, self.cell.second) if self.kind == DIFFERENCE else (int(self.quantity) / 100,)
        return all(0.1 <= share <= 0.9 for share in shares)

    @property
    def goal(self) -> tuple[float, float]:
        return GOAL_OF_FEW if self.question == GENERALISING and self.cell.raters < MANY else GOALS[self.question]

    @property
    def inside(self) -> bool:
        """Within the goal as it was counted, chance included."""
        return self.goal[0] <= self.coverage <= self.goal[1]

    @property
    def met(self) -> bool:
        """Within the goal, as far as three Monte Carlo errors can tell."""
        low, high = self.goal
        return low - 3 * self.error <= self.coverage <= high + 3 * self.error


def lines(results: list[dict[str, Any]]) -> Iterator[Line]:
    for result in results:
        cell = Cell(**result["cell"])
        for row in result["outcomes"]:
            studies = row["studies"]
            yield Line(
                cell, row["question"], row["method"], row["quantity"], studies, row["covered"] / studies,
                row["width"] / studies,
            )  # fmt: skip


def tables(results: list[dict[str, Any]]) -> str:
    """The summary as Markdown."""
    found = list(lines(results))
    parts = [_table(found, question, kind) for question in METHODS for kind in (FRACTION, DIFFERENCE)]
    misses = [_misses(found, question) for question in METHODS]
    return "\n\n".join(filter(None, [*parts, *misses, _beyond(found)]))


def tables_write(results: list[dict[str, Any]], *, machine: str) -> None:
    """Put the summary between its two marks in docs/statistics.md, and every cell into docs/coverage.csv."""
    page = DOCS / "statistics.md"
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    runs, seconds = max(result["runs"] for result in results), sum(result["seconds"] for result in results)
    head = (
        f"{len(results)} cells of {runs:,} simulated studies, {seconds / 60:.0f} processor minutes ({machine}): "
        f"`make bench-coverage RUNS={runs}`. Every cell: [coverage.csv](coverage.csv)."
    )
    page.write_text(f"{before}{BEGIN}\n{head}\n\n{tables(results)}\n{END}{after}", encoding="utf-8")
    _write_cells(list(lines(results)), DOCS / "coverage.csv")


def _write_cells(found: list[Line], path: Path) -> None:
    columns = [(question, method) for question in METHODS for method in METHODS[question]]
    rows: dict[tuple[Cell, str], dict[tuple[str, str], Line]] = {}
    for line in found:
        rows.setdefault((line.cell, line.quantity), {})[line.question, line.method] = line
    order = sorted(rows, key=lambda key: (key[0].raters, key[0].neurons, key[0].first, key[0].spread, key[1]))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        named = [f"{question} {method} {what}" for question, method in columns for what in ("coverage", "width")]
        writer.writerow(["raters", "neurons", "fractions", "spread", "quantity", *named])
        for cell, quantity in order:
            told = [rows[cell, quantity].get(column) for column in columns]
            numbers = [
                text for line in told for text in ((f"{line.coverage:.4f}", f"{line.width:.4f}") if line else ("", ""))
            ]
            pair = f"{100 * cell.first:.0f}-{100 * cell.second:.0f}"
            writer.writerow([cell.raters, cell.neurons, pair, cell.spread, quantity, *numbers])


def _table(found: list[Line], question: str, kind: str) -> str:
    chosen = [line for line in found if line.question == question and line.kind == kind and line.within_range]
    if not chosen:
        return ""
    title = {PANEL: "These raters, new neurons", GENERALISING: "New raters and new neurons"}[question]
    heads = [f"**{method}**" if method == OURS[question] else method for method in METHODS[question]]
    rows = [
        f"| {raters} | {neurons} | {' | '.join(_cells(chosen, question, raters, neurons))} |"
        for raters in RATERS
        for neurons in NEURONS
        if any((line.cell.raters, line.cell.neurons) == (raters, neurons) for line in chosen)
    ]
    what = {FRACTION: "fraction of one arm", DIFFERENCE: "difference between arms"}[kind]
    return "\n".join([
        f"**{title}: {what}.** Mean coverage in percent (least–most over prevalences and spreads), mean width.", "",
        f"| raters | neurons | {' | '.join(heads)} |", "|--:|--:|" + "---|" * len(heads), *rows,
    ])  # fmt: skip


def _cells(chosen: list[Line], question: str, raters: int, neurons: int) -> Iterator[str]:
    for method in METHODS[question]:
        here = [
            line for line in chosen
            if (line.cell.raters, line.cell.neurons, line.method) == (raters, neurons, method)
        ]  # fmt: skip
        covered = [100 * line.coverage for line in here]
        mean, width = sum(covered) / len(covered), sum(line.width for line in here) / len(here)
        text = f"{mean:.1f} ({min(covered):.1f}–{max(covered):.1f}), {width:.3f}"
        refused = question == GENERALISING and raters < 3 and method == OURS[question]
        yield f"refused (would be {text})" if refused else text


def _misses(found: list[Line], question: str) -> str:
    """Which of our intervals miss their goal, grouped so that the reader sees where."""
    ours = [
        line for line in found
        if line.question == question and line.method == OURS[question] and line.within_range
        and not (question == GENERALISING and line.cell.raters < 3)
    ]  # fmt: skip
    if not ours:
        return ""
    out = [line for line in ours if not line.met]
    inside = sum(line.inside for line in ours)
    head = f"Of {len(ours)} {question} intervals of ours {len(ours) - len(out)} keep their goal ({inside} as counted)"
    if not out:
        return head + "."
    groups: dict[tuple[int, int, str, bool], list[Line]] = {}
    for line in out:
        groups.setdefault((line.cell.neurons, line.cell.raters, line.kind, line.coverage > 0.95), []).append(line)
    rows = []
    for (neurons, raters, kind, above), here in sorted(groups.items()):
        places = sorted({f"{_place(line)} {100 * line.coverage:.1f}" for line in here})
        rows.append(f"| {neurons} | {raters} | {kind} | {'above' if above else 'below'} | {', '.join(places)} |")
    return "\n".join(
        [f"{head}; the others:", "", "| neurons | raters | | | where, and coverage |", "|--:|--:|---|---|---|", *rows]
    )


def _place(line: Line) -> str:
    pair = f"{100 * line.cell.first:.0f} v {100 * line.cell.second:.0f}"
    spread = "" if len(SPREADS) == 1 else f", {line.cell.spread}"
    return f"{pair if line.kind == DIFFERENCE else line.quantity} %{spread}:"


def _beyond(found: list[Line]) -> str:
    """Ours where a fraction lies beyond 90 %, for which no goal is set."""
    beyond = [line for line in found if not line.within_range and line.method == OURS[line.question]]
    if not beyond:
        return ""
    rows = []
    for question in METHODS:
        for kind in (FRACTION, DIFFERENCE):
            here = [line for line in beyond if (line.question, line.kind) == (question, kind)]
            here = [line for line in here if question == PANEL or line.cell.raters > 2]
            for neurons in sorted({line.cell.neurons for line in here}):
                covered = [100 * line.coverage for line in here if line.cell.neurons == neurons]
                what = "97 %" if kind == FRACTION else "90 v 97 %"
                mean = sum(covered) / len(covered)
                rows.append(f"| {question} | {what} | {neurons} | {mean:.1f} ({min(covered):.1f}–{max(covered):.1f}) |")
    head = "Beyond the range of the goals, over numbers of raters and spreads:"
    return "\n".join([head, "", "| question | | neurons | coverage |", "|---|---|--:|---|", *rows])
