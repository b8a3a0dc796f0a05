"""Looking more than once as planned: group-sequential bounds. For unplanned looks see `analysis.stats.anytime`."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

Array = npt.NDArray[np.float64]
OBRIEN_FLEMING, POCOCK = "obrien_fleming", "pocock"
FAR = 8.5  # standard deviations beyond which a normal density is nothing in double precision
PANEL, NODES = 0.75, 12  # width of a quadrature panel in steps of the process, and its Gauss-Legendre points
ROWS = 256  # of the transition matrix at a time
LARGEST_Z = 40.0


class BadLooks(ValueError):
    """Looks or an error that no plan can have."""


@dataclass(frozen=True, slots=True)
class SpendingBounds:
    """When to stop: at look k, if |z| is at least `z[k]`.

    Parameters
    ----------
    fractions : tuple of float
        Share of the full information at each look.
    z : tuple of float
        Bound for the standardised difference; infinite where next to nothing may be spent.
    nominal : tuple of float
        P value that reaches the bound, of as many sides as the plan has.
    spent : tuple of float
        Error spent up to and with each look, over all sides.
    alpha : float
        Error in all, over all sides.
    spending : str
        "obrien_fleming" or "pocock".
    sides : int
        2: stop for a difference in either direction; 1: in the positive direction only.
    """

    fractions: tuple[float, ...]
    z: tuple[float, ...]
    nominal: tuple[float, ...]
    spent: tuple[float, ...]
    alpha: float
    spending: str
    sides: int


def spending_bounds(
    fractions: npt.ArrayLike, *, alpha: float = 0.05, spending: str = OBRIEN_FLEMING, sides: int = 2
) -> SpendingBounds:
    """Bounds of Lan and DeMets for looks at given shares of the information.

    Parameters
    ----------
    fractions : array_like of float, shape (looks,)
        Rising, in (0, 1]; the last is 1 when the study is complete.
    alpha : float
        Error in all, in (0, 1), over both sides together when there are two.
    spending : {"obrien_fleming", "pocock"}
        Spent on one side up to t: 2(1 - Phi(z / sqrt(t))) with z the quantile that spends it all at t = 1, or
        a ln(1 + (e - 1) t).
    sides : {1, 2}
        With 2 the error is halved, and the bounds are symmetric.

    Returns
    -------
    SpendingBounds

    Raises
    ------
    BadLooks
        When fractions do not rise within (0, 1], or another argument is not as said.

    Notes
    -----
    The statistic is taken for a Brownian motion at the given times. The density of what has not stopped is carried from
    look to look by Gauss-Legendre quadrature, and each bound is the root at which just the next share of error crosses
    (Armitage, McPherson & Rowe 1969). With two sides nothing that crossed below counts as crossing above later.

    References
    ----------
    Lan, K. K. G. & DeMets, D. L. (1983). Discrete sequential boundaries for clinical trials. Biometrika 70, 659-663.
    Jennison, C. & Turnbull, B. W. (2000). Group Sequential Methods, chapters 7 and 19. Chapman & Hall.

    Examples
    --------
    >>> [round(z, 4) for z in spending_bounds([0.25, 0.5, 0.75, 1.0]).z]
    [4.3326, 2.9631, 2.359, 2.0141]
    """
    times = _times(fractions)
    if not 0 < alpha < 1 or sides not in (1, 2) or spending not in (OBRIEN_FLEMING, POCOCK):
        raise BadLooks(
            f"alpha {alpha}, sides {sides}, spending {spending!r}; give alpha in (0, 1), sides 1 or 2, and "
            f"{OBRIEN_FLEMING} or {POCOCK}."
        )
    spent = _spent(times, alpha / sides, spending)
    z = _bounds(times, np.diff(spent, prepend=0.0), sides)
    return SpendingBounds(
        fractions=tuple(times.tolist()),
        z=tuple(z),
        nominal=tuple(float(sides * stats.norm.sf(bound)) for bound in z),
        spent=tuple((sides * spent).tolist()),
        alpha=alpha,
        spending=spending,
        sides=sides,
    )


def _times(fractions: npt.ArrayLike) -> Array:
    times = np.asarray(fractions, dtype=float).ravel()
    if not len(times) or np.any(np.isnan(times)) or times[0] <= 0 or times[-1] > 1 or np.any(np.diff(times) <= 0):
        raise BadLooks(f"looks at {times.tolist()} of the information; they must rise within (0, 1].")
    return times


def _spent(times: Array, alpha: float, spending: str) -> Array:
    if spending == POCOCK:
        return np.asarray(alpha * np.log1p((math.e - 1) * times))
    return np.asarray(2 * stats.norm.sf(stats.norm.isf(alpha / 2) / np.sqrt(times)))


def _bounds(times: Array, increments: Array, sides: int) -> list[float]:
    """One bound after the other, each on what has not stopped before."""
    steps = np.diff(times, prepend=0.0)
    bounds, points, mass = [], np.zeros(1), np.ones(1)
    for look, (time, step, increment) in enumerate(zip(times, steps, increments, strict=True)):
        bound = _bound(points, mass, float(time), float(step), float(increment))
        bounds.append(bound)
        if look + 1 < len(times):
            finer = min(step, steps[look + 1])
            points, mass = _carried(points, mass, float(time), float(step), bound, float(finer), sides)
    return bounds


def _bound(points: Array, mass: Array, time: float, step: float, increment: float) -> float:
    """The z above which just `increment` lies at this look."""

    def surplus(z: float) -> float:
        return float((mass * stats.norm.sf((z * math.sqrt(time) - points) / math.sqrt(step))).sum()) - increment

    if surplus(LARGEST_Z) >= 0:
        return math.inf
    return float(optimize.brentq(surplus, -LARGEST_Z, LARGEST_Z, xtol=1e-13))


def _carried(
    points: Array, mass: Array, time: float, step: float, bound: float, finer: float, sides: int
) -> tuple[Array, Array]:
    """Quadrature points between the bounds and the chance that goes with each, for what has not stopped."""
    spread = math.sqrt(time)
    high = min(bound, FAR) * spread
    low = -high if sides == 2 else -FAR * spread
    panels = math.ceil((high - low) / (PANEL * math.sqrt(finer)))
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    edges = np.linspace(low, high, panels + 1)
    half = (edges[1] - edges[0]) / 2
    new = ((edges[:-1] + half)[:, None] + half * nodes).ravel()
    parts = np.split(new, range(ROWS, len(new), ROWS))
    density = np.concatenate([stats.norm.pdf(part[:, None], points, math.sqrt(step)) @ mass for part in parts])
    return new, density * np.tile(half * weights, panels)
