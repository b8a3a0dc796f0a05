"""Two shares fitted by maximum likelihood under a fixed difference, ratio or odds ratio: what score statistics need.

All functions take one table or one array element per stratum: `x1` yes of `n1`, `x0` yes of `n0`, every `n` positive.
"""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def given_difference(x1: Array, n1: Array, x0: Array, n0: Array, difference: float) -> tuple[Array, Array]:
    """Shares p1, p0 of greatest likelihood among those with p1 - p0 = `difference`.

    Parameters
    ----------
    x1, n1, x0, n0 : ndarray of float
        Counts.
    difference : float
        In [-1, 1].

    Returns
    -------
    p1, p0 : ndarray of float
        In [0, 1].

    Notes
    -----
    The one admissible root of a cubic, in closed form. In its linear coefficient (n0 d - N - 2 x0) d + C some printed
    and programmed versions have x0 in place of the first n0; that is wrong.

    References
    ----------
    Miettinen, O. & Nurminen, M. (1985). Comparative analysis of two rates. Stat. Med. 4, 213-226.
    Farrington, C. P. & Manning, G. (1990). Test statistics and sample size formulae for comparative binomial trials
    with null hypothesis of non-zero risk difference or non-unity relative risk. Stat. Med. 9, 1447-1454.

    Examples
    --------
    >>> table = [np.array([count], dtype=float) for count in (36, 60, 12, 60)]
    >>> p1, p0 = given_difference(*table, 0.4)
    >>> round(float(p1[0]), 4), round(float(p0[0]), 4)
    (0.6, 0.2)
    """
    total, yes = n1 + n0, x1 + x0
    square = ((n1 + 2 * n0) * difference - total - yes) / (3 * total)
    linear = ((n0 * difference - total - 2 * x0) * difference + yes) / total
    constant = x0 * difference * (1 - difference) / total
    q = square**3 - square * linear / 2 + constant / 2
    radius = np.sqrt(np.maximum(square**2 - linear / 3, 0.0))
    p = np.where(q >= 0, radius, -radius)
    cosine = np.divide(q, p**3, out=np.ones_like(q), where=np.abs(p) > 1e-15)
    angle = (np.pi + np.arccos(np.clip(cosine, -1.0, 1.0))) / 3
    p0 = np.clip(2 * p * np.cos(angle) - square, max(0.0, -difference), min(1.0, 1.0 - difference))
    return np.clip(p0 + difference, 0.0, 1.0), p0


def given_ratio(x1: Array, n1: Array, x0: Array, n0: Array, ratio: float) -> tuple[Array, Array]:
    """Shares p1, p0 of greatest likelihood among those with p1 = `ratio` p0.

    Parameters
    ----------
    x1, n1, x0, n0 : ndarray of float
        Counts.
    ratio : float
        Positive.

    Returns
    -------
    p1, p0 : ndarray of float
        In [0, 1].

    References
    ----------
    Miettinen, O. & Nurminen, M. (1985). Comparative analysis of two rates. Stat. Med. 4, 213-226.

    Examples
    --------
    >>> table = [np.array([count], dtype=float) for count in (36, 60, 12, 60)]
    >>> p1, p0 = given_ratio(*table, 3.0)
    >>> round(float(p1[0]), 4), round(float(p0[0]), 4)
    (0.6, 0.2)
    """
    yes = x1 + x0
    square = (n1 + n0) * ratio
    linear = (n1 + x0) * ratio + n0 + x1
    root = np.sqrt(np.maximum(linear**2 - 4 * square * yes, 0.0))
    # The smaller root, written so that nothing cancels.
    p0 = np.clip(2 * yes / (linear + root), 0.0, min(1.0, 1.0 / ratio))
    return np.clip(p0 * ratio, 0.0, 1.0), p0


def expected_given_odds_ratio(n1: Array, n0: Array, yes: Array, odds_ratio: float) -> Array:
    """Expected yes answers in the first arm if the margins stay and the odds ratio is as given.

    Parameters
    ----------
    n1, n0 : ndarray of float
        Sizes of the two arms.
    yes : ndarray of float
        Yes answers in both arms together.
    odds_ratio : float
        Positive.

    Returns
    -------
    ndarray of float
        Between max(0, yes - n0) and min(n1, yes).

    Notes
    -----
    The admissible root of a quadratic; of its two ways of writing the one is taken in which nothing cancels, and the
    discriminant is written as a sum of terms that are never negative, so that very large odds ratios lose no digits.

    References
    ----------
    Breslow, N. E. & Day, N. E. (1980). Statistical Methods in Cancer Research I, section 4.4. IARC.

    Examples
    --------
    >>> counts = [np.array([count], dtype=float) for count in (60, 60, 48)]
    >>> round(float(expected_given_odds_ratio(*counts, 6.0)[0]), 4)
    36.0
    """
    middle = odds_ratio * (n1 + yes) + n0 - yes
    product = odds_ratio * n1 * yes
    cross = n1 * n0 + yes * (n1 + n0 - yes)
    root = np.sqrt((odds_ratio * (n1 - yes)) ** 2 + 2 * odds_ratio * cross + (n0 - yes) ** 2)
    ahead = middle > 0
    below = np.where(ahead, middle + root, 1.0)
    # `middle` is negative only below an odds ratio of 1.
    above = np.where(ahead, 0.0, middle - root) / (2 * (odds_ratio - 1) if odds_ratio < 1 else 1.0)
    return np.clip(np.where(ahead, 2 * product / below, above), np.maximum(0.0, yes - n0), np.minimum(n1, yes))


def hypergeometric_variance(n1: Array, n0: Array, yes: Array, expected: Array) -> Array:
    """Large-sample variance of the yes answers in the first arm around `expected`, the margins fixed.

    Parameters
    ----------
    n1, n0, yes : ndarray of float
        Margins, as in `expected_given_odds_ratio`.
    expected : ndarray of float
        As `expected_given_odds_ratio` gives it.

    Returns
    -------
    ndarray of float
        0 where one of the four expected counts is 0.

    Examples
    --------
    >>> counts = [np.array([count], dtype=float) for count in (60, 60, 48, 36)]
    >>> round(float(hypergeometric_variance(*counts)[0]), 4)
    5.76
    """
    cells = np.stack([expected, n1 - expected, yes - expected, n0 - yes + expected])
    positive = np.all(cells > 0, axis=0)
    reciprocals = np.where(positive, 1 / np.where(cells > 0, cells, 1.0), 1.0).sum(axis=0)
    return np.where(positive, 1 / reciprocals, 0.0)
