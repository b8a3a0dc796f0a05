"""Our statistics beside statsmodels, krippendorff and irrCAC where they compute the same thing.

krippendorff is among the packages that tests need. The others run in an environment of their own, because irrCAC pins
an old SciPy: `.venv-peers/statistics`, made by `make bench-analysis PEERS=1`. Whatever is not there is left out, with a
line that says so.
"""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from analysis.reports.cells import NeuronCounts
from analysis.reports.material import Material
from analysis.reports.ratings import Ratings
from analysis.stats.agreement import alpha_linearised, fleiss_kappa, gwet_ac1, krippendorff_alpha
from analysis.stats.results import Interval
from analysis.stats.stratified import mantel_haenszel_odds_ratio
from benchmarks.analysis_table import Tables

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-peers" / "statistics" / "bin" / "python"
PEER = ROOT / "benchmarks" / "peers" / "statistics_peer.py"
LONGEST_SECONDS = 1_800
REPEATS = 3  # the fastest of them counts
CLOSE = 2e-5  # irrCAC prints five decimals

Values = list[float]  # estimate, and limits or standard error if there are any


def compare(tables: Tables, folder: Path, *, peers: bool) -> None:
    """Print each statistic with its seconds, ours and theirs, and whether the values agree."""
    material = Material.of(tables.judgments, tables.raters, tables.plan, tables.strata)
    votes = np.concatenate([counts.votes for counts in material.counts.values()])
    cells = majority_tables(material)
    ours = {
        "alpha": best(lambda: [krippendorff_alpha(votes)]),
        "alpha with its error": best(lambda: limits(alpha_linearised(votes))),
        "Fleiss' kappa with its error": best(lambda: limits(fleiss_kappa(votes))),
        "AC1 with its error": best(lambda: limits(gwet_ac1(votes))),
        "Mantel-Haenszel odds ratio": best(lambda: limits(mantel_haenszel_odds_ratio(cells))),
    }
    theirs = {("krippendorff", "alpha"): best(lambda: [_krippendorff(votes)])}
    if peers:
        np.savez(folder / "job.npz", votes=votes, cells=cells, matrix=matrix(material.frozen))
        theirs |= others(folder)
    for (package, name), (values, seconds) in theirs.items():
        value, own = ours[name]
        same = "same" if np.allclose(value, values, atol=CLOSE, rtol=0) else f"ours {value}, theirs {values}"
        times = f"{seconds / own:,.0f} times ours" if seconds >= own else f"{own / seconds:,.0f} times faster"
        print(f"    {name:<30} ours {own:9.5f} s, {package:<12} {seconds:9.5f} s ({times}); {same}")


def majority_tables(material: Material) -> np.ndarray:
    """x1, n1, x0, n0 of the majority vote by size, of the primary contrast."""
    plan, rows = material.plan, []
    for size in plan.sizes:
        pair = [material.counts.get((size, arm), NeuronCounts.empty()) for arm in (plan.compared, plan.baseline)]
        means = [counts.majority() for counts in pair]
        rows.append([number for mean in means for number in (round(mean.estimate * mean.n), mean.n)])
    return np.array(rows)


def matrix(ratings: Ratings) -> np.ndarray:
    """Neurons by raters, NaN where there is no yes or no."""
    table = np.full((len(ratings.names), len(ratings.raters)), np.nan)
    judged = ratings.where(ratings.judged)
    table[judged.neuron, judged.rater] = judged.verdict
    return table


def best(run: Callable[[], Values]) -> tuple[Values, float]:
    """What it gives, and the fastest of some runs in seconds of the processor."""
    spent = []
    for _ in range(REPEATS):
        begin = time.process_time()
        values = run()
        spent.append(time.process_time() - begin)
    return values, max(min(spent), 1e-6)


def limits(interval: Interval) -> Values:
    return [interval.estimate, interval.low, interval.high]


def others(folder: Path) -> dict[tuple[str, str], tuple[Values, float]]:
    """What the packages of the other environment give."""
    if not PYTHON.exists():
        print("    statsmodels and irrCAC were left out: there is no .venv-peers/statistics (PEERS=1 makes it)")
        return {}
    done = subprocess.run(
        [str(PYTHON), str(PEER), str(folder)], capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False
    )
    if done.returncode != 0:
        print(f"    statsmodels and irrCAC were left out: {done.stderr.strip().splitlines()[-1]}")
        return {}
    rows = json.loads(done.stdout.splitlines()[-1])
    return {(row["package"], row["name"]): (row["values"], row["seconds"]) for row in rows}


def _krippendorff(votes: np.ndarray) -> float:
    import krippendorff

    return float(krippendorff.alpha(value_counts=votes[votes.sum(axis=1) > 0], level_of_measurement="nominal"))
