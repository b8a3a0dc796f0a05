"""How even an allocation came out, in numbers that tell no arm."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from annotation.randomize.allocation import Unit


@dataclass(frozen=True, slots=True)
class Balance:
    """Imbalance of the neurons given to seats, pooled over all strata. Repeats and catch trials do not count.

    Attributes
    ----------
    seats : int
    least_load, most_load : int
        Neurons of a seat.
    stratum_difference : int
        Largest difference between two seats in the number of neurons of one size and arm, over all of these.
    layer_difference : int
        The same within one layer of one size and arm.
    least_overlap, most_overlap : int
        Neurons that two seats share, over all pairs of seats; 0 with one seat.
    mean_overlap : float
    """

    seats: int
    least_load: int
    most_load: int
    stratum_difference: int
    layer_difference: int
    least_overlap: int
    most_overlap: int
    mean_overlap: float


def balance_of(seats: Sequence[Sequence[Unit]]) -> Balance:
    """Measure an allocation.

    Examples
    --------
    >>> a, b, c = (Unit("x", 0, (name,)) for name in "abc")
    >>> measured = balance_of([[a, b], [b, c], [a, c]])
    >>> measured.stratum_difference, measured.least_overlap, measured.most_overlap
    (0, 1, 1)
    """
    loads = [len(seat) for seat in seats]
    sets = [frozenset(seat) for seat in seats]
    overlaps = [len(one & other) for one, other in combinations(sets, 2)] or [0]
    return Balance(
        seats=len(seats),
        least_load=min(loads, default=0),
        most_load=max(loads, default=0),
        stratum_difference=_difference([Counter(unit.stratum for unit in seat) for seat in seats]),
        layer_difference=_difference([Counter((unit.stratum, unit.layer) for unit in seat) for seat in seats]),
        least_overlap=min(overlaps),
        most_overlap=max(overlaps),
        mean_overlap=round(sum(overlaps) / len(overlaps), 3),
    )


def _difference(counts: Sequence[Counter]) -> int:
    cells = {cell for count in counts for cell in count}
    return max((max(c[cell] for c in counts) - min(c[cell] for c in counts) for cell in cells), default=0)
