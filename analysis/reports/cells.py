"""Counts per neuron, by size and arm, taken from the codes once and read by every estimate."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from analysis.reports.ratings import CANNOT, UNANSWERED, YES, Codes, Mask, Ratings
from analysis.stats.proportions import ClusterMean, binomial_mean, cluster_mean

Place = tuple[str, str]  # size, arm


@dataclass(frozen=True, slots=True)
class NeuronCounts:
    """Answers per neuron of one size and arm; each array has one entry per neuron."""

    yes: Codes
    judged: Codes  # yes and no
    cannot: Codes
    unanswered: Codes  # shown, and no answer came
    layer: Codes

    @classmethod
    def empty(cls) -> "NeuronCounts":
        nothing = np.zeros(0, dtype=np.int64)
        return cls(nothing, nothing, nothing, nothing, nothing)

    @property
    def votes(self) -> Codes:
        """No and yes answers per neuron, shape (neurons, 2)."""
        return np.column_stack([self.judged - self.yes, self.yes])

    @property
    def skipped(self) -> Codes:
        """Shown, and neither yes nor no was said."""
        return self.cannot + self.unanswered

    def where(self, neurons: Mask) -> "NeuronCounts":
        """Some of the neurons."""
        return NeuronCounts(*(getattr(self, field.name)[neurons] for field in fields(self)))

    def mean(self) -> ClusterMean:
        return cluster_mean(self.yes, self.judged)

    def mean_with_cannot(self, *, as_yes: bool) -> ClusterMean:
        return cluster_mean(self.yes + (self.cannot if as_yes else 0), self.judged + self.cannot)

    def mean_with_skipped(self, *, as_yes: bool) -> ClusterMean:
        return cluster_mean(self.yes + (self.skipped if as_yes else 0), self.judged + self.skipped)

    def majority(self) -> ClusterMean:
        """Share of neurons with more yes than no; a tie is no majority and is left out."""
        return _share(2 * self.yes > self.judged, 2 * self.yes != self.judged)

    def unanimous(self) -> ClusterMean:
        """Share of neurons to which every rater who judged them said yes."""
        return _share(self.yes == self.judged, self.judged > 0)

    def anybody(self) -> ClusterMean:
        """Share of neurons to which at least one rater said yes."""
        return _share(self.yes > 0, self.judged > 0)

    @property
    def ties(self) -> int:
        return int(((2 * self.yes == self.judged) & (self.judged > 0)).sum())


Counts = Mapping[Place, NeuronCounts]


def neuron_counts(ratings: Ratings) -> dict[Place, NeuronCounts]:
    """Answers per neuron by size and arm; a neuron shown on several corpora is one neuron."""
    return _counted(ratings, ratings.neuron, ratings.place, ratings.layer)


def _counted(ratings: Ratings, unit: Codes, place: Codes, layer: Codes) -> dict[Place, NeuronCounts]:
    groups = {"yes": YES, "cannot": CANNOT, "unanswered": UNANSWERED}
    totals = {name: _totals(unit[ratings.verdict == code], len(place)) for name, code in groups.items()}
    counts = NeuronCounts(
        yes=totals["yes"],
        judged=_totals(unit[ratings.judged], len(place)),
        cannot=totals["cannot"],
        unanswered=totals["unanswered"],
        layer=layer,
    )
    return {
        (ratings.sizes[code // len(ratings.arms)], ratings.arms[code % len(ratings.arms)]): counts.where(place == code)
        for code in np.unique(place[place >= 0]).tolist()
    }


def rater_means(ratings: Ratings) -> dict[str, dict[Place, ClusterMean]]:
    """Each rater's own share of yes by size and arm."""
    places = len(ratings.sizes) * len(ratings.arms)
    cell = ratings.rater * places + ratings.place[ratings.neuron]
    judged, yes = (
        _totals(cell[rows], len(ratings.raters) * places).reshape(-1, places)
        for rows in (ratings.judged, ratings.verdict == YES)
    )
    return {
        rater: {
            (ratings.sizes[code // len(ratings.arms)], ratings.arms[code % len(ratings.arms)]): binomial_mean(
                int(yes[row, code]), int(judged[row, code])
            )
            for code in np.flatnonzero(judged[row]).tolist()
        }
        for row, rater in enumerate(ratings.raters)
        if judged[row].any()
    }


def _totals(codes: Codes, length: int) -> Codes:
    return np.bincount(codes, minlength=length).astype(np.int64)


def _share(said: Mask, counted: Mask) -> ClusterMean:
    return binomial_mean(int((said & counted).sum()), int(counted.sum()))
