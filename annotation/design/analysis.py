"""What the report is asked before the first answer: question, contrast, level, and number of looks.

Everything else that a report computes is labelled exploratory or a sensitivity analysis.
"""

from dataclasses import dataclass
from typing import ClassVar

from annotation.design.fields import Problems, Section

PANEL, GENERALISING = "panel", "generalising"
MEAN, MAJORITY = "mean", "majority"
SUPERPOPULATION, FINITE = "superpopulation", "finite"
OBRIEN_FLEMING, POCOCK = "obrien_fleming", "pocock"
# With two raters no interval for new raters is both honest and useful (Obuchowski & Rockette 1995; docs/statistics.md).
LEAST_RATERS_TO_GENERALISE = 3


@dataclass(frozen=True, slots=True)
class AnalysisDesign(Section):
    """Attributes
    ----------
    question : {"panel", "generalising"}
        Whether the primary interval is about these raters and new neurons, or about new raters too.
    vote : {"mean", "majority"}
        What counts for a neuron: the share of its raters who said yes, or whether more than half of them did.
    population : {"superpopulation", "finite"}
        Whether neurons stand for others drawn in the same way, or for the counted neurons of these layers only.
    baseline, treatment : str
        Arms of the primary contrast, treatment minus baseline. Empty: "baseline" if there is one, else the first arm;
        and the first of the others.
    size : str
        Size of the primary contrast; empty: all sizes with equal weights.
    level : float
        Of every interval, 0.8 … 0.999.
    looks : int
        How often the contrast is looked at, equally spaced, the last one included.
    spending : {"obrien_fleming", "pocock"}
        How the error is spent over several looks; see `analysis.stats.sequential`.
    permutations : int
        Of arms over neurons, for the primary p value.
    resamples : int
        Of neurons, where an interval is a bootstrap.
    bayesian_answers : int
        Up to how many answers a contrast is also fitted by the Bayesian model: about 1 second for 250 answers, 4 for
        2,000. 0: never.
    """

    CHOICES: ClassVar = {
        "question": (PANEL, GENERALISING),
        "vote": (MEAN, MAJORITY),
        "population": (SUPERPOPULATION, FINITE),
        "spending": (OBRIEN_FLEMING, POCOCK),
    }
    TEXTS: ClassVar = {"baseline": (True, 60), "treatment": (True, 60), "size": (True, 60)}
    SHARES: ClassVar = {"level": (0.8, 0.999)}
    RANGES: ClassVar = {
        "looks": (1, 10),
        "permutations": (100, 1_000_000),
        "resamples": (100, 100_000),
        "bayesian_answers": (0, 1_000_000),
    }

    question: str = PANEL
    vote: str = MEAN
    population: str = SUPERPOPULATION
    baseline: str = ""
    treatment: str = ""
    size: str = ""
    level: float = 0.95
    looks: int = 1
    spending: str = OBRIEN_FLEMING
    permutations: int = 10_000
    resamples: int = 2_000
    bayesian_answers: int = 250

    def baseline_among(self, arms: tuple[str, ...]) -> str:
        """The arm that others are compared with."""
        return self.baseline or ("baseline" if "baseline" in arms else next(iter(arms), ""))

    def joint_problems(self) -> Problems:
        if self.question == GENERALISING and self.vote == MAJORITY:
            # A majority is of one panel: it moves with the number of raters, and no interval carries it to others.
            return [("vote", f"Received {MAJORITY!r} with the {GENERALISING} question; give {MEAN!r}.")]
        return []

    def problems_among(self, arms: tuple[str, ...], sizes: tuple[str, ...], raters: int, per_neuron: int) -> Problems:
        """Faults that show only beside the rest of the design."""
        found = [
            (f"analysis.{field}", f"Received {value!r}; choose one of: {', '.join(known)}, or leave it empty.")
            for field, value, known in (
                ("baseline", self.baseline, arms), ("treatment", self.treatment, arms), ("size", self.size, sizes),
            )
            if value and value not in known
        ]  # fmt: skip
        if self.treatment and self.treatment == self.baseline_among(arms):
            found.append(("analysis.treatment", f"Received {self.treatment!r}, the baseline too; name another arm."))
        if self.question == GENERALISING and raters < LEAST_RATERS_TO_GENERALISE:
            found.append(("analysis.question", f"Received {GENERALISING!r} with {raters} raters; it takes at least 3."))
        if self.vote == MAJORITY and per_neuron % 2 == 0:
            found.append(
                ("analysis.vote", f"Received {MAJORITY!r} with {per_neuron} raters per neuron; give odd ones.")
            )
        return found
