"""How much credit two different answers get: weights for categories that have an order."""

import numpy as np

from analysis.stats.agreement.counts import Counts

IDENTITY, LINEAR, QUADRATIC, ORDINAL = "identity", "linear", "quadratic", "ordinal"


class UnknownWeights(ValueError):
    """A scheme of weights that is not known."""


def agreement_weights(categories: int, scheme: str = IDENTITY) -> Counts:
    """Weights of agreement between categories 0 … `categories` - 1.

    Parameters
    ----------
    categories : int
        At least 2, in their order.
    scheme : str
        "identity" (only the same answer counts), "linear" and "quadratic" (by distance and its square), or "ordinal"
        (by how many pairs of categories lie from one to the other).

    Returns
    -------
    ndarray of float, shape (categories, categories)
        1 on the diagonal, in [0, 1] beside it.

    Raises
    ------
    UnknownWeights

    References
    ----------
    Gwet, K. L. (2021). Handbook of Inter-Rater Reliability, 5th ed., volume 1, chapter 4. AgreeStat Analytics.

    Examples
    --------
    >>> agreement_weights(3, "ordinal").round(3).tolist()
    [[1.0, 0.667, 0.0], [0.667, 1.0, 0.667], [0.0, 0.667, 1.0]]
    """
    place = np.arange(categories, dtype=float)
    apart = np.abs(place[:, None] - place[None, :])
    if scheme == IDENTITY:
        return np.eye(categories)
    if scheme == LINEAR:
        return 1 - apart / (categories - 1)
    if scheme == QUADRATIC:
        return 1 - (apart / (categories - 1)) ** 2
    if scheme == ORDINAL:
        return 1 - apart * (apart + 1) / (categories * (categories - 1))
    known = ", ".join((IDENTITY, LINEAR, QUADRATIC, ORDINAL))
    raise UnknownWeights(f"There are no weights {scheme!r}; choose one of {known}.")
