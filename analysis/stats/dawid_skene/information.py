"""How sure the shares of a fitted latent class model are: Louis' observed information."""

from dataclasses import dataclass

import numpy as np

from analysis.stats.dawid_skene.answers import Answers, Codes, Floats
from analysis.stats.dawid_skene.climb import Fit
from analysis.stats.results import UNDEFINED

MOST_PARAMETERS = 2_500  # whose information is inverted
EDGE = 1e-6  # probabilities nearer to 0 or 1 lie on the boundary and have no information of their own
FLAT = "the data do not fix the model: its observed information cannot be inverted"
TOO_MANY = "too many raters for the observed information"
UNSETTLED = "the iterations did not come to rest"


@dataclass(frozen=True, slots=True)
class _Free:
    """Parameters off the boundary on the logit scale: group or rater, class, category (classes of a group: -1)."""

    group: Codes
    class_of_group: Codes
    rater: Codes
    class_of_rater: Codes
    category: Codes

    @classmethod
    def of(cls, fit: Fit) -> "_Free":
        return cls(*_off_the_edge(fit.prevalence), *_off_the_edge(fit.rates))

    def __len__(self) -> int:
        return len(self.group) + len(self.rater)


def _off_the_edge(shares: Floats) -> list[Codes]:
    """Indices of shares that are free: not the largest of its kind, which the others leave over, and not 0."""
    free = shares > EDGE
    np.put_along_axis(free, shares.argmax(axis=-1)[..., None], False, axis=-1)
    return list(np.nonzero(free))


def covariance(data: Answers, fit: Fit) -> tuple[Floats, str]:
    """Covariance of the last class's shares by group."""
    groups = len(fit.prevalence)
    nothing = np.full((groups, groups), UNDEFINED)
    free = _Free.of(fit)
    if not fit.converged:
        return nothing, UNSETTLED
    if len(free) > MOST_PARAMETERS:
        return nothing, TOO_MANY
    information = _information(data, fit, free)
    scale = np.sqrt(np.maximum(np.diag(information), np.finfo(float).tiny))
    correlation = information / np.outer(scale, scale)
    if len(free) == 0 or np.linalg.eigvalsh(correlation)[0] < 1e-8:
        return nothing, FLAT
    last = fit.prevalence[free.group, -1]
    is_last = free.class_of_group == fit.prevalence.shape[1] - 1
    slope = np.zeros((groups, len(free)))
    slope[free.group, np.arange(len(free.group))] = last * (is_last - fit.prevalence[free.group, free.class_of_group])
    slope /= scale
    return slope @ np.linalg.solve(correlation, slope.T), ""


def _information(data: Answers, fit: Fit, free: _Free) -> Floats:
    """Louis' observed information: that of complete data, less what not knowing the classes takes away."""
    information = _complete_information(data, fit, free)
    answers = data.answers.toarray()
    columns = free.rater * data.categories + free.category
    total = answers.reshape(len(answers), data.raters, data.categories).sum(axis=2)
    surprise = answers[:, columns] - total[:, free.rater] * fit.rates[free.rater, free.class_of_rater, free.category]
    inside = data.group[:, None] == free.group[None, :]
    expected = np.zeros((len(answers), len(free)))
    for code in range(data.categories):
        share = fit.prevalence[free.group, free.class_of_group]
        of_groups = inside * ((free.class_of_group == code) - share)
        score = np.hstack([of_groups, surprise * (free.class_of_rater == code)])
        weight = data.often * fit.posterior[:, code]
        information -= score.T @ (weight[:, None] * score)
        expected += fit.posterior[:, [code]] * score
    return information + expected.T @ (data.often[:, None] * expected)


def _complete_information(data: Answers, fit: Fit, free: _Free) -> Floats:
    """What the parameters would be known by if the classes were: blocks of multinomial variances."""
    weighted = fit.posterior * data.often[:, None]
    counts = (data.answers.T @ weighted).reshape(data.raters, data.categories, -1).sum(axis=1)  # raters, classes
    shares = np.concatenate(
        [
            fit.prevalence[free.group, free.class_of_group],
            fit.rates[free.rater, free.class_of_rater, free.category],
        ]
    )
    known = np.concatenate([data.neurons[free.group], counts[free.rater, free.class_of_rater]])
    classes = fit.prevalence.shape[1]
    block = np.concatenate([free.group, len(fit.prevalence) + free.rater * classes + free.class_of_rater])
    together = block[:, None] == block[None, :]
    return together * known[:, None] * (np.diag(shares) - np.outer(shares, shares))
