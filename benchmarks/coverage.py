"""How often each interval covers its true value, and how wide it is, in simulated studies.

Run with `make bench-coverage` (RUNS=20000, CELLS="raters=3 neurons=20 pair=35-60 spread=strong", PROCESSES=2). Every
cell of `benchmarks.coverage_studies` is simulated; the intervals are made by the very formulas of `analysis.stats`. The
bootstraps are made for the first 1,000 studies of a cell only. What is finished is kept in var/coverage/ and not done
again, unless an interval has changed; stop whenever you like. At the end stand the tables; `--write` puts them into
docs/statistics.md and docs/coverage.csv.
"""

import argparse
import json
import multiprocessing
import os
import platform
import time
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from benchmarks.coverage_methods import Outcome, bootstraps, fingerprint, outcomes
from benchmarks.coverage_studies import NEURON_SD, Cell, draw, grid, in_parts
from benchmarks.coverage_tables import tables, tables_write

RESULTS = Path(__file__).resolve().parents[1] / "var" / "coverage"
BOOTSTRAP_STUDIES = 1000
SEED = 20261121


def simulated(cell: Cell, runs: int) -> list[Outcome]:
    """Every method on one cell; the same cell and number of studies give the same result."""
    generator = np.random.default_rng([SEED, zlib.crc32(cell.name.encode())])
    sums: dict[tuple[str, str, str], Outcome] = {}
    for studies in in_parts(cell, runs):
        for outcome in outcomes(cell, draw(cell, generator, studies)):
            add(sums, outcome)
    for studies in in_parts(cell, min(runs, BOOTSTRAP_STUDIES)):
        for outcome in bootstraps(cell, draw(cell, generator, studies, keep=True), generator):
            add(sums, outcome)
    return list(sums.values())


def add(sums: dict[tuple[str, str, str], Outcome], new: Outcome) -> None:
    """Arms of the same fraction count as one quantity."""
    key = (new.question, new.method, new.quantity)
    old = sums.get(key, Outcome(*key, 0, 0, 0.0))
    sums[key] = Outcome(*key, old.studies + new.studies, old.covered + new.covered, old.width + new.width)


def result_of(task: tuple[Cell, int, str]) -> dict[str, Any]:
    """One line of the result file."""
    cell, runs, formulas = task
    started = time.perf_counter()
    rows = [asdict(outcome) for outcome in simulated(cell, runs)]
    seconds = round(time.perf_counter() - started, 2)
    return {"cell": asdict(cell), "runs": runs, "formulas": formulas, "seconds": seconds, "outcomes": rows}


def kept(path: Path, formulas: str) -> list[dict[str, Any]]:
    """Finished cells under the formulas that are in force; a last line cut short by an interruption is left out."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return [result for result in found if result["formulas"] == formulas]


def chosen(words: str, neuron_sd: float = NEURON_SD) -> Iterator[Cell]:
    """Cells whose properties are all among those named."""
    wanted = dict(word.split("=", 1) for word in words.split())
    for cell in grid(neuron_sd):
        pair = f"{100 * cell.first:.0f}-{100 * cell.second:.0f}"
        spread = cell.spread.replace(", ", "-").replace(" ", "-")
        told = {"raters": str(cell.raters), "neurons": str(cell.neurons), "pair": pair, "spread": spread}
        if all(told.get(key) in value.split(",") for key, value in wanted.items()):
            yield cell


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20_000, help="studies a cell (default 20000)")
    parser.add_argument("--cells", default="", help='only these, as "raters=3,5 neurons=20 pair=35-60 spread=strong"')
    parser.add_argument(
        "--neuron-sd", type=float, default=NEURON_SD, help="how much neurons differ, in logits (default 2)"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--write", action="store_true", help="put the tables into docs/statistics.md and docs/coverage.csv"
    )
    arguments = parser.parse_args()
    formulas, wanted = fingerprint(), list(chosen(arguments.cells, arguments.neuron_sd))
    path = RESULTS / f"{arguments.runs}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    finished = kept(path, formulas)
    done = {Cell(**result["cell"]) for result in finished}
    missing = [cell for cell in wanted if cell not in done]
    print(f"{len(wanted)} cells of {arguments.runs:,} studies; {len(wanted) - len(missing)} are in {path}", flush=True)
    try:
        simulate(missing, arguments.runs, formulas, path, arguments.processes)
    except KeyboardInterrupt:
        print("\nInterrupted; the same command goes on from here.")
    results = [result for result in kept(path, formulas) if Cell(**result["cell"]) in set(wanted)]
    print(tables(results))
    if arguments.write:
        tables_write(results, machine=machine())
    return 0


def machine() -> str:
    return (
        f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, NumPy {np.__version__}"
    )


def simulate(cells: list[Cell], runs: int, formulas: str, path: Path, processes: int) -> None:
    """Work on the cells and keep each as soon as it is finished."""
    started = time.perf_counter()
    tasks = [(cell, runs, formulas) for cell in cells]
    with path.open("a", encoding="utf-8") as file, multiprocessing.Pool(processes, initializer=_quiet) as pool:
        for number, result in enumerate(pool.imap_unordered(result_of, tasks), start=1):
            file.write(json.dumps(result) + "\n")
            file.flush()
            minutes = (time.perf_counter() - started) / 60
            print(f"  {number} of {len(cells)}, {minutes:.1f} min: {Cell(**result['cell']).name}", flush=True)


def _quiet() -> None:
    """An interruption is told by the first process alone."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    raise SystemExit(main())
