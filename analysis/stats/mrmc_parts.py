"""How much of an estimate's variance comes from raters and how much from neurons, in any design (MRMC)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Parts:
    """Estimate of a contrast between cells, and its variance for new raters and new neurons.

    Parameters
    ----------
    estimate : float
        Mean over raters of each rater's own contrast, sizes with equal weights. NaN without answers.
    rater : float
        Part of the variance that is read off the spread between raters' own contrasts.
    neuron : float
        Part that all raters share because they judged the same neurons; 0 where no neuron has two raters.
    df : float
        Degrees of freedom of `rater`; 0 when raters could not be compared.
    compared, left_out : int
        Raters whose contrasts were compared, and raters who judged but could not be.
    groups : int
        Sets of raters who judged the same sizes; raters are compared within a set.
    neurons, judgments : int
        Behind the estimate.
    problem : str
        Why there is no variance although there is an estimate; empty where there is one.
    """

    estimate: float
    rater: float
    neuron: float
    df: float
    compared: int
    left_out: int
    groups: int
    neurons: int
    judgments: int
    problem: str = ""

    @property
    def variance(self) -> float:
        return self.rater + self.neuron


@dataclass(frozen=True, slots=True)
class Cells:
    """Answers in the cells of a contrast. A cell is one size and side; all arrays but `signs` are (answers,).

    `said` is 0/1 or a score in [0, 1]; `neuron` and `rater` are codes without gaps at the top; `cell` is
    size × sides + side; `signs` (sides,) is what each side counts for; `population` (cells,) is how many neurons the
    cell's were drawn from, infinite for neurons that stand for others.
    """

    said: Array
    neuron: Codes
    rater: Codes
    cell: Codes
    signs: Array
    sizes: int
    population: Array

    @property
    def raters(self) -> int:
        return int(self.rater.max()) + 1 if len(self.rater) else 0

    def by_rater(self, values: Array | None) -> Array:
        """Sums (counts without values) per rater, size and side."""
        cells = self.sizes * len(self.signs)
        sums = np.bincount(self.rater * cells + self.cell, weights=values, minlength=self.raters * cells)
        return sums.astype(float).reshape(self.raters, self.sizes, len(self.signs))

    def by_cell(self, values: Array) -> Array:
        return np.bincount(self.cell, weights=values, minlength=self.sizes * len(self.signs)).astype(float)

    def only(self, kept: Mask) -> "Cells":
        said, neuron, rater, cell = self.said[kept], self.neuron[kept], self.rater[kept], self.cell[kept]
        return Cells(said, neuron, rater, cell, self.signs, self.sizes, self.population)


def contrast_parts(cells: Cells) -> Parts:
    """Estimate and variance parts of a contrast, from complete and incomplete designs.

    Parameters
    ----------
    cells : Cells

    Returns
    -------
    Parts

    Notes
    -----
    z_j is rater j's own contrast times the weight of the rater. For raters who judged the same sizes,
    Var(sum z) = R Var_j(z_j) + what they share; the first is estimated by the sample variance over raters, with R - 1
    degrees of freedom, the second by the neuron variance of each cell times the overlap of the raters' lists. The
    neuron variance is half the mean squared difference of two raters' answers about two neurons minus that about one,
    never below 0: an unbiased estimate for every pattern of missing answers, and in a complete table
    (MSN - MSNR) / R. Then this is the method of Obuchowski and Rockette with the degrees of freedom of Hillis.

    Assumed: who judged what does not depend on what would have been said (lists are drawn at random), raters answer
    independently given the neuron, and raters are a random sample of those to whom the answer is generalised.

    References
    ----------
    Obuchowski, N. A. & Rockette, H. E. (1995). Commun. Stat. Simul. Comput. 24, 285-308.
    Hillis, S. L. (2007). A comparison of denominator degrees of freedom methods for multiple observer ROC analysis.
    Stat. Med. 26, 596-619. Hillis, S. L. (2014). Stat. Med. 33, 330-360 (cases nested in arms).
    Gallas, B. D., Bandos, A., Samuelson, F. W. & Wagner, R. F. (2009). A framework for random-effects ROC analysis.
    Commun. Stat. Theory Methods 38, 2586-2603 (unbiased components without a complete table).
    """
    counts = cells.by_rater(None)
    seen: Mask = np.all(counts > 0, axis=2)
    group, sizes_of = _groups(seen)
    judged = int((counts.sum(axis=(1, 2)) > 0).sum())
    neurons, first = np.unique(cells.neuron, return_index=True)
    if np.bincount(cells.cell[first], minlength=seen.shape[1] * len(cells.signs)).min(initial=2) < 2:
        why = "one neuron in a size and arm; how much neurons differ must be seen between two at least."
        return _without_variance(cells, counts, judged, len(neurons), why)
    if not len(neurons) or not seen[group >= 0].any(axis=0).all():
        why = (
            f"{judged} rater{'' if judged == 1 else 's'}, and in some size no two who judged the same sizes and arms; "
            "how much raters differ must be seen between those who judged alike."
        )
        return _without_variance(cells, counts, judged, len(neurons), why)
    used = cells.only((group[cells.rater] >= 0) & seen[cells.rater, cells.cell // len(cells.signs)])
    return _compared(used, group, sizes_of, judged)


def _groups(seen: Mask) -> tuple[Codes, Codes]:
    """Group code of every rater (-1: cannot be compared with anyone) and how many raters each group has."""
    _, code, number = np.unique(seen, axis=0, return_inverse=True, return_counts=True)
    code = code.reshape(-1)
    comparable = seen.any(axis=1) & (number[code] > 1)
    kept, group = np.unique(code[comparable], return_inverse=True)
    codes = np.full(len(seen), -1, dtype=np.int64)
    codes[comparable] = group
    return codes, number[kept]


def _without_variance(cells: Cells, counts: Array, judged: int, neurons: int, problem: str) -> Parts:
    """The estimate alone: every cell's mean over the raters who judged it."""
    raters = np.maximum((counts > 0).sum(axis=0), 1)
    means = (cells.by_rater(cells.said) / np.maximum(counts, 1)).sum(axis=0) / raters
    estimate = float((means * cells.signs).sum() / cells.sizes) if cells.sizes else np.nan
    return Parts(estimate, np.nan, np.nan, 0.0, 0, 0, 0, neurons, len(cells.said), problem)


def _compared(cells: Cells, group: Codes, sizes_of: Codes, judged: int) -> Parts:
    counts = np.zeros((len(group), cells.sizes, len(cells.signs)))
    counts[: cells.raters] = cells.by_rater(None)
    sums = np.zeros_like(counts)
    sums[: cells.raters] = cells.by_rater(cells.said)
    with np.errstate(invalid="ignore", divide="ignore"):
        # What one answer weighs: signs / sizes, shared among the raters of the size and the rater's answers.
        weight = cells.signs / cells.sizes / (counts[:, :, :1] > 0).sum(axis=0) / counts
    weight = np.where(counts > 0, weight, 0.0)
    own = (weight * sums).sum(axis=(1, 2))
    answers = weight.reshape(-1)[cells.rater * counts[0].size + cells.cell]
    between = np.array([own[group == number].var(ddof=1) for number in range(len(sizes_of))])
    shared, within_group = _overlaps(cells, answers, group, sizes_of)
    sigma = neuron_variances(cells)
    sampled = (cells.signs / cells.sizes) ** 2
    neuron = float((sigma * (shared - np.tile(sampled, cells.sizes) / cells.population)).sum())
    noise = (weight**2 * counts * _spread(cells).reshape(cells.sizes, -1)).sum(axis=(1, 2))
    df = _degrees(own, between, noise, (sigma * within_group).sum(axis=1), group, sizes_of)
    return Parts(
        estimate=float(own.sum()),
        rater=float((sizes_of * between).sum()),
        neuron=max(0.0, neuron),
        df=df,
        compared=int(sizes_of.sum()),
        left_out=judged - int(sizes_of.sum()),
        groups=len(sizes_of),
        neurons=len(np.unique(cells.neuron)),
        judgments=len(cells.said),
    )


def neuron_variances(cells: Cells) -> Array:
    """Variance between neurons of what a rater would say on average, per cell; 0 where it cannot be told apart.

    Returns
    -------
    ndarray of float, shape (cells,)
        Never below 0. 0 too where no neuron has two answers: it is then part of the spread between raters.
    """
    neurons = int(cells.neuron.max()) + 1
    place = np.zeros(neurons, dtype=np.int64)
    place[cells.neuron] = cells.cell
    number = len(cells.signs) * cells.sizes
    judged, yes = np.bincount(cells.neuron), np.bincount(cells.neuron, weights=cells.said)
    counts, sums = cells.by_rater(None), cells.by_rater(cells.said)
    total, square = cells.by_cell(np.ones_like(cells.said)), cells.said**2
    own = counts.reshape(len(counts), -1)[cells.rater, cells.cell]
    partners = judged[cells.neuron] - 1.0  # answers about the same neuron
    strangers = total[cells.cell] - judged[cells.neuron] - own + 1  # about another neuron, by another rater
    alike = np.bincount(place, weights=yes**2, minlength=number) - cells.by_cell(square)
    apart = cells.by_cell(cells.said) ** 2 - (sums**2).sum(axis=0).reshape(-1) - alike

    def half_squares(others: npt.NDArray[Any], products: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Half the mean squared difference over pairs of answers; NaN without pairs."""
        pairs = cells.by_cell(others)
        return np.where(pairs > 0, (cells.by_cell(square * others) - products) / np.maximum(pairs, 1.0), np.nan)

    found = half_squares(strangers, apart) - half_squares(partners, alike)
    return np.nan_to_num(np.maximum(found, 0.0), nan=0.0)


def _overlaps(cells: Cells, answers: Array, group: Codes, sizes_of: Codes) -> tuple[Array, Array]:
    """Weight of the neurons that raters have in common: what raters share per cell, (cells,), and the mean over pairs
    of raters of one group, (groups, cells)."""
    place = np.zeros(int(cells.neuron.max()) + 1, dtype=np.int64)
    place[cells.neuron] = cells.cell
    number = len(cells.signs) * cells.sizes

    def pairs(chosen: Mask | slice) -> Array:
        neuron, weight = cells.neuron[chosen], answers[chosen]
        both = np.bincount(neuron, weights=weight, minlength=len(place)) ** 2
        both -= np.bincount(neuron, weights=weight**2, minlength=len(place))
        return np.bincount(place, weights=both, minlength=number).astype(float)

    groups = np.stack([pairs(group[cells.rater] == code) for code in range(len(sizes_of))])
    per_pair = groups / (sizes_of * (sizes_of - 1))[:, None]
    return pairs(slice(None)) + (per_pair * sizes_of[:, None]).sum(axis=0), per_pair


def _spread(cells: Cells) -> Array:
    """Variance of one rater's answers within a cell, (cells,)."""
    counts, sums = cells.by_rater(None), cells.by_rater(cells.said)
    inside = cells.by_cell(cells.said**2).reshape(sums.shape[1:]) - (sums**2 / np.maximum(counts, 1)).sum(axis=0)
    return np.maximum(inside / np.maximum(np.maximum(counts - 1, 0).sum(axis=0), 1), 0.0).reshape(-1)


def _degrees(own: Array, between: Array, noise: Array, common: Array, group: Codes, sizes_of: Codes) -> float:
    """Satterthwaite's degrees of freedom of the spread between raters, fewer than R - 1 when loads are unequal."""
    total, spent = 0.0, 0.0
    for code, raters in enumerate(sizes_of):
        chance = np.maximum(noise[group == code] - common[code], 0.0)
        variances = max(0.0, between[code] - chance.mean()) + chance
        trace = (1 - 1 / raters) * variances.sum()
        square = (1 - 2 / raters) * (variances**2).sum() + (variances.sum() / raters) ** 2
        part = raters * between[code]
        total += part
        spent += part**2 * (square / trace**2 if trace > 0 else 1 / (raters - 1))
    return float(total**2 / spent) if spent > 0 else float((sizes_of - 1).sum())
