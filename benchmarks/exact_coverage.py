"""How often intervals for independent answers cover, summed over all outcomes: exact, not simulated.

Run with `python -m benchmarks.exact_coverage` (half a minute). The tables stand in docs/tables.md.
"""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import binom, hypergeom

from analysis.stats.anytime import confidence_sequence, confidence_sequence_difference
from analysis.stats.contrasts import newcombe
from analysis.stats.exact import clopper_pearson, jeffreys
from analysis.stats.finite import finite_mean, hypergeometric
from analysis.stats.proportions import binomial_mean, cluster_wilson, normal_quantile, wilson
from analysis.stats.results import Interval
from analysis.stats.score import miettinen_nurminen

SHARES = np.linspace(0.05, 0.95, 181)
PAIRS = list(itertools.product(np.linspace(0.05, 0.95, 19), repeat=2))
ROUNDING = 1e-12
ONE = {"Wilson": wilson, "Clopper-Pearson": clopper_pearson, "Jeffreys": jeffreys}


def wald(x1: int, n1: int, x0: int, n0: int) -> Interval:
    """What the score intervals stand in for."""
    p1, p0 = x1 / n1, x0 / n0
    half = normal_quantile(0.95) * (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0) ** 0.5
    return Interval(p1 - p0, p1 - p0 - half, p1 - p0 + half, 0.95, "Wald", "", n1 + n0, n1 + n0)


TWO = {
    "Newcombe": lambda x1, n1, x0, n0: newcombe(wilson(x1, n1), wilson(x0, n0)),
    "Miettinen-Nurminen": miettinen_nurminen,
    "Wald": wald,
    "anytime-valid": confidence_sequence_difference,
}


def summary(name: str, covered: Sequence[float], widths: Sequence[float]) -> str:
    return f"{name:34} mean {100 * np.mean(covered):5.1f} least {100 * min(covered):5.1f} width {np.mean(widths):.3f}"


def one_share(name: str, n: int) -> str:
    low, high = np.array([(found.low, found.high) for found in (ONE[name](yes, n) for yes in range(n + 1))]).T
    chances = [binom.pmf(range(n + 1), n, share) for share in SHARES]
    held = [(low - ROUNDING <= share) & (share <= high + ROUNDING) for share in SHARES]
    covered = [chance @ inside for chance, inside in zip(chances, held, strict=True)]
    return summary(f"{name}, n = {n}", covered, [chance @ (high - low) for chance in chances])


def two_shares(name: str, n: int) -> str:
    table = [[TWO[name](x1, n, x0, n) for x0 in range(n + 1)] for x1 in range(n + 1)]
    low, high = (np.array([[getattr(found, end) for found in row] for row in table]) for end in ("low", "high"))
    covered, widths = [], []
    for p1, p0 in PAIRS:
        first, second = binom.pmf(range(n + 1), n, p1), binom.pmf(range(n + 1), n, p0)
        covered.append(first @ ((low - ROUNDING <= p1 - p0) & (p1 - p0 <= high + ROUNDING)) @ second)
        widths.append(first @ (high - low) @ second)
    return summary(f"{name}, n = {n}", covered, widths)


def finite_layer(name: str, make: Callable[[int], Interval], n: int, size: int) -> str:
    low, high = np.array([(found.low, found.high) for found in map(make, range(n + 1))]).T
    covered, widths = [], []
    for count in range(size // 20, size - size // 20 + 1):
        chance = hypergeom.pmf(range(n + 1), size, count, n)
        covered.append(chance @ ((low - ROUNDING <= count / size) & (count / size <= high + ROUNDING)))
        widths.append(chance @ (high - low))
    return summary(f"{name}, {n} of {size}", covered, widths)


def ever_missed(make: Callable[[int, int], Interval], share: float, looks: Sequence[int]) -> float:
    """Chance that the interval of at least one look leaves out the share."""
    alive, missed = np.ones(1), 0.0
    for n in range(1, max(looks) + 1):
        alive = np.append(alive * (1 - share), 0) + np.append(0, alive * share)
        if n in looks:
            for yes in range(n + 1):
                found = make(yes, n)
                if not found.low <= share <= found.high:
                    missed, alive[yes] = missed + alive[yes], 0.0
    return missed


def main() -> None:
    for n in (20, 60):
        print("\n".join(one_share(name, n) for name in ONE))
        print("\n".join(two_shares(name, n) for name in TWO))
    for size in (120, 1024):
        print(finite_layer("hypergeometric", lambda yes, size=size: hypergeometric(yes, 60, size), 60, size))
        corrected = lambda yes, size=size: cluster_wilson(finite_mean(binomial_mean(yes, 60), size))  # noqa: E731
        print(finite_layer("Wilson, corrected", corrected, 60, size))
        print(finite_layer("Wilson", lambda yes: wilson(yes, 60), 60, size))
    for name, make in (("Wilson", wilson), ("anytime-valid", confidence_sequence)):
        for words, looks in (
            ("3 looks, at 20, 40 and 60", (20, 40, 60)),
            ("51 looks, at every neuron from 10 to 60", range(10, 61)),
            ("291 looks, at every neuron from 10 to 300", range(10, 301)),
        ):
            print(f"{name:14} {words:44} ever missed {100 * ever_missed(make, 0.35, looks):4.1f} %")


if __name__ == "__main__":
    main()
