"""Counts per size and arm, taken from the long table once and read by every estimate."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.stats.proportions import ClusterMean, binomial_mean, cluster_mean

Place = tuple[str, str]  # size, arm


@dataclass(frozen=True, slots=True)
class NeuronCounts:
    """Answers per neuron of one size and arm; each array has one entry per neuron."""

    yes: npt.NDArray[np.int64]
    judged: npt.NDArray[np.int64]  # yes and no
    cannot: npt.NDArray[np.int64]

    @classmethod
    def empty(cls) -> "NeuronCounts":
        nothing = np.zeros(0, dtype=np.int64)
        return cls(nothing, nothing, nothing)

    @property
    def votes(self) -> npt.NDArray[np.int64]:
        """No and yes answers per neuron, shape (neurons, 2)."""
        return np.column_stack([self.judged - self.yes, self.yes])

    def mean(self) -> ClusterMean:
        return cluster_mean(self.yes, self.judged)

    def mean_with_cannot(self, *, as_yes: bool) -> ClusterMean:
        return cluster_mean(self.yes + (self.cannot if as_yes else 0), self.judged + self.cannot)

    def majority(self) -> ClusterMean:
        """Share of neurons with more yes than no; a tie is no majority and is left out."""
        decided = 2 * self.yes != self.judged
        return binomial_mean(int((2 * self.yes > self.judged)[decided].sum()), int(decided.sum()))

    @property
    def ties(self) -> int:
        return int(((2 * self.yes == self.judged) & (self.judged > 0)).sum())


def neuron_counts(judgments: pd.DataFrame, unit: str = "neuron_id") -> dict[Place, NeuronCounts]:
    """Answers per neuron by size and arm; a neuron shown on several corpora is one neuron.

    `unit="item"` takes each showing by itself: agreement is about the same page.
    """
    marked = pd.DataFrame(
        {
            "size": judgments["size"],
            "arm": judgments["arm"],
            "unit": judgments[unit],
            "yes": judgments["verdict"].eq("yes"),
            "judged": judgments["verdict"].isin(["yes", "no"]),
            "cannot": judgments["verdict"].eq("cannot"),
        }
    )
    per_neuron = marked.groupby(["size", "arm", "unit"], sort=True)[["yes", "judged", "cannot"]].sum().astype(np.int64)
    return {
        (str(size), str(arm)): NeuronCounts(*(group[column].to_numpy() for column in ("yes", "judged", "cannot")))
        for (size, arm), group in per_neuron.groupby(level=["size", "arm"])
    }


def rater_means(judgments: pd.DataFrame) -> dict[str, dict[Place, ClusterMean]]:
    """Each rater's own share of yes by size and arm."""
    answered = judgments[judgments["verdict"].isin(["yes", "no"])]
    counts = answered["verdict"].eq("yes").groupby([answered["rater"], answered["size"], answered["arm"]])
    means: dict[str, dict[Place, ClusterMean]] = {}
    for (rater, size, arm), row in counts.agg(["sum", "count"]).iterrows():
        means.setdefault(str(rater), {})[(str(size), str(arm))] = binomial_mean(int(row["sum"]), int(row["count"]))
    return means


def stacked_votes(counts: dict[Place, NeuronCounts], places: Iterator[Place]) -> npt.NDArray[np.int64]:
    """No and yes answers of all neurons of some places, shape (neurons, 2)."""
    tables = [counts[place].votes for place in places if place in counts]
    return np.concatenate(tables) if tables else np.zeros((0, 2), dtype=np.int64)
