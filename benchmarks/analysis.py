"""How long a whole report takes, which part takes how much, and the same statistics by other packages.

Run with `make bench-analysis`; `PEERS=1` makes an environment of its own for statsmodels and irrCAC and compares with
them too. Two studies from a fixed seed, each in a process of its own, so that its largest memory is its own: the SoLU
paper's 660 neurons with three raters, and 1,000,000 showings of 10,000 neurons to 100 raters, 5 % of them without a yes
or a no, with 10,000 permutations and resamples. A third has 20,000 neurons of which each goes to 50 of the 100 raters.
The tables are made up; the report is the one that a study would get.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.reports import Report, report_make
from analysis.reports.build import PARTS
from analysis.reports.material import Material
from benchmarks.analysis_table import PAPER, TWO_ARMS, Shape, Tables, tables_made
from benchmarks.peers.compare_statistics import compare

STUDIES = {
    "paper": Shape(PAPER, neurons=60, raters=3, per_neuron=3),
    "million": Shape(TWO_ARMS, neurons=1_000, raters=100, per_neuron=100),
    "blocks": Shape(TWO_ARMS, neurons=2_000, raters=100, per_neuron=50),
}
MANY = 10_000  # permutations, and resamples
FEW_RESAMPLES = 2_000  # as a design has them unless it says otherwise
GOALS = {"paper": 3.0, "million": 60.0, "blocks": 60.0}  # seconds of the processor
MOST_MEMORY = 4.0  # GiB


def measured(name: str, peers: bool) -> int:
    """One study: its report, the shares of its parts, and other packages beside it."""
    shape = STUDIES[name]
    tables = tables_made(shape, permutations=MANY, resamples=FEW_RESAMPLES if name == "paper" else MANY)
    print(f"{name}: {len(tables.judgments):,} showings of {len(tables.neurons):,} neurons to {shape.raters} raters")
    report, wall, processor = timed(lambda: whole(tables))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"  whole report {wall:6.2f} s wall {processor:6.2f} s processor; {len(report.numbers):,} numbers")
    print(f"  largest memory of the process {memory:.2f} GiB, the table among it")
    shares(tables)
    with tempfile.TemporaryDirectory() as folder:
        compare(tables, Path(folder), peers=peers)
    # On one thread the processor's time is the wall clock of a machine that does nothing else.
    return int(processor > GOALS[name] or memory > MOST_MEMORY)


def whole(tables: Tables) -> Report:
    return report_make(
        tables.judgments,
        tables.neurons,
        tables.draws,
        tables.raters,
        tables.plan,
        tables.strata,
        input_sha256="0" * 64,
    )


def timed(run: Callable[[], Any]) -> tuple[Any, float, float]:
    """What it gives, and its seconds by the clock and of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    result = run()
    return result, time.perf_counter() - wall, time.process_time() - processor


def shares(tables: Tables) -> None:
    """The parts again, one by one."""
    material, _, seconds = timed(lambda: Material.of(tables.judgments, tables.raters, tables.plan, tables.strata))
    spent = {"codes, exclusions and counts": (seconds, 0)}
    for name, part in PARTS.items():
        numbers, _, seconds = timed(lambda part=part: list(part(material)))
        spent[name] = seconds, len(numbers)
    total = sum(seconds for seconds, _ in spent.values())
    for name, (seconds, numbers) in spent.items():
        print(f"    {name:<32} {seconds:7.3f} s processor {seconds / total:6.1%} {numbers:6,} numbers")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=STUDIES, help="one of the studies, in this process")
    parser.add_argument("--peers", action="store_true", help="packages of the environment .venv-peers/statistics too")
    arguments = parser.parse_args()
    if arguments.only:
        return measured(arguments.only, arguments.peers)
    missed = []
    for name in STUDIES:
        command = [sys.executable, "-m", "benchmarks.analysis", "--only", name]
        if subprocess.run(command + ["--peers"] * arguments.peers, check=False).returncode != 0:
            missed.append(name)
        print(flush=True)
    limits = ", ".join(f"{name} {seconds:g} s" for name, seconds in GOALS.items())
    outcome = f"Missed by: {', '.join(missed)}." if missed else "All met."
    print(f"Goals: {limits} of the processor, {MOST_MEMORY:g} GiB. {outcome}")
    return len(missed)


if __name__ == "__main__":
    sys.exit(main())
