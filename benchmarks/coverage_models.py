"""How often the intervals of the logistic mixed models hold the truth: `python -m benchmarks.coverage_models [RUNS]`.

Two arms, 35 % against 60 %; on the logit scale neurons vary with a standard deviation of 2, raters of 0.5 or 1, and
raters within an arm of 0.3 or 0.5. The panel model is judged by the difference between these raters' own shares, the
generalising one by that of new raters. A model is a sensitivity line of the report; `benchmarks.coverage` holds the
intervals that come first.
"""

import math
import sys

import numpy as np
from scipy import optimize

from analysis.stats.mixed import crossed_logistic, marginal_share

SHARES = (0.35, 0.60)
RATERS = (3, 5, 10)
CELLS = ((60, (2.0, 0.5, 0.3)), (300, (2.0, 1.0, 0.5)))  # neurons of an arm; spreads of neurons, raters, raters in arms


def logit_of(share: float, spread: float) -> float:
    """The middle logit whose share over new neurons and raters is this."""
    return optimize.brentq(lambda logit: float(marginal_share(np.array(logit), spread)[0]) - share, -10, 10)


def covered(
    raters: int, neurons: int, spreads: tuple[float, float, float], rng: np.random.Generator
) -> tuple[bool, bool] | None:
    """Whether the panel's and the generalising difference lie in their intervals; None where one is refused."""
    arm = np.repeat([0, 1], neurons)
    neuron, rater = (codes.ravel() for codes in np.indices((2 * neurons, raters)))
    middle = np.array([logit_of(share, math.hypot(*spreads)) for share in SHARES])
    of_cell = middle + spreads[1] * rng.standard_normal((raters, 1)) + spreads[2] * rng.standard_normal((raters, 2))
    logit = of_cell[rater, arm[neuron]] + (spreads[0] * rng.standard_normal(2 * neurons))[neuron]
    data = {
        "said": rng.random(len(logit)) < 1 / (1 + np.exp(-logit)), "neuron": neuron, "rater": rater, "arm": arm,
        "size": np.zeros(2 * neurons, dtype=int), "treatment": 1, "baseline": 0,
    }  # fmt: skip
    panel, drawn = (crossed_logistic(**data, question=asks).marginal_difference for asks in ("panel", "generalising"))
    if not (panel.defined and drawn.defined):
        return None
    own = marginal_share(of_cell, spreads[0])[0]
    truths = float((own[:, 1] - own[:, 0]).mean()), SHARES[1] - SHARES[0]
    return panel.low <= truths[0] <= panel.high, drawn.low <= truths[1] <= drawn.high


def main(runs: int) -> None:
    print(f"neurons  raters  rater spreads  panel  generalising  refused   ({runs} runs)")
    for neurons, spreads in CELLS:
        for raters in RATERS:
            rng = np.random.default_rng([20261121, neurons, raters])
            found = [covered(raters, neurons, spreads, rng) for _ in range(runs)]
            kept = np.array([pair for pair in found if pair is not None])
            panel, drawn = 100 * kept.mean(axis=0)
            place = f"{neurons:7} {raters:7} {spreads[1]:9} {spreads[2]}"
            print(f"{place} {panel:7.1f} {drawn:13.1f} {runs - len(kept):8}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
