"""The audit itself: for every pair of arms, how well classifiers tell them by presentation, and by which features."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from annotation.leaks.auc import Auc, area, area_interval
from annotation.leaks.classify import Flags, Floats, Ints, out_of_fold
from annotation.leaks.page import SPREAD, ShownPage, presentation, text_shape, words
from annotation.leaks.wording import word_scores, word_table

FEWEST = 20  # neurons of an arm: with fewer, chance alone gives areas far from 0.5
REST = "all others"
NAMED = 8  # features named for each comparison
SHUFFLES = 99  # of the arms over neurons
ENOUGH = 10  # shuffles that reach the area found: more would not change what follows from it


@dataclass(frozen=True, slots=True)
class FeatureLeak:
    """How well one feature tells two arms by itself, and how well the linear classifier does without it.

    Attributes
    ----------
    name : str
    alone : Auc
        Without direction, 0.5 … 1: which arm has more of it is not told.
    without : float
        Area of the linear classifier without this feature and its spread over snippets.
    """

    name: str
    alone: Auc
    without: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two arms, or one arm and all others.

    Attributes
    ----------
    first, second : str
    neurons : tuple of int
        Of the first and of the second.
    presentation : Auc or None
        Both classifiers together, by all that the display chose. None: too few neurons to say.
    linear, stumps : Auc or None
        Each classifier by itself.
    text_shape, words, drawing_time : Auc or None
        Information: what texts alone tell by their shape and by their words, and the time that a page took to draw.
    features : tuple of FeatureLeak
        Those that tell most, most first.
    """

    first: str
    second: str
    neurons: tuple[int, int]
    presentation: Auc | None = None
    linear: Auc | None = None
    stumps: Auc | None = None
    text_shape: Auc | None = None
    words: Auc | None = None
    drawing_time: Auc | None = None
    features: tuple[FeatureLeak, ...] = ()

    @property
    def is_pair(self) -> bool:
        return self.second != REST


@dataclass(frozen=True, slots=True)
class LeakNumbers:
    """What an audit found; holds no item.

    Attributes
    ----------
    items : int
    comparisons : tuple of Comparison
    p_value : float or None
        Chance of a largest area over all comparisons as large as the one found, if the arms were shuffled over neurons
        within sizes. None: nothing could be measured.
    shuffles : int
        How many of them the chance was counted over.
    """

    items: int
    comparisons: tuple[Comparison, ...]
    p_value: float | None
    shuffles: int

    @property
    def largest(self) -> Auc | None:
        """The largest area by presentation; None: nothing could be measured."""
        areas = [found.presentation for found in self.comparisons if found.presentation is not None]
        return max(areas, key=lambda area: area.auc, default=None)

    @property
    def pairs(self) -> tuple[Comparison, ...]:
        return tuple(found for found in self.comparisons if found.is_pair)

    def as_json(self) -> dict[str, Any]:
        """Plain data, areas rounded to four digits."""
        return {
            "items": self.items,
            "p_value": self.p_value,
            "shuffles": self.shuffles,
            "comparisons": [_json(found) for found in self.comparisons],
        }


def _json(found: Comparison) -> dict[str, Any]:
    data = {
        name: value.as_json() if isinstance(value := getattr(found, name), Auc) else value
        for name in Comparison.__dataclass_fields__
        if name != "features"
    }
    leaks = [{"name": leak.name, "without": round(leak.without, 4), **leak.alone.as_json()} for leak in found.features]
    return data | {"neurons": list(found.neurons), "features": leaks}


def leaks_measure(pages: Sequence[ShownPage], *, seed: int = 0, shuffles: int = SHUFFLES) -> LeakNumbers:
    """Try to tell every pair of arms, and every arm from all others.

    Parameters
    ----------
    pages : sequence of ShownPage
        All items of a study, in an order that has nothing to do with arms.
    seed : int
        Of folds and shuffles.
    shuffles : int
        At most; 0: no chance is counted.
    """
    table = _Table.of(pages)
    pairs = list(combinations(table.arms, 2))
    tasks: list[tuple[str, tuple[str, ...]]] = [(first, (second,)) for first, second in pairs]
    if len(table.arms) > 2:
        tasks += [(arm, tuple(other for other in table.arms if other != arm)) for arm in table.arms]
    found = tuple(_compare(table, first, others, seed) for first, others in tasks)
    p_value, counted = _chance(table, found, seed, shuffles)
    return LeakNumbers(len(pages), found, p_value, counted)


@dataclass(frozen=True, slots=True)
class _Table:
    """All items as arrays, one row each."""

    arms: tuple[str, ...]
    arm: np.ndarray  # name per item
    size: np.ndarray
    unit: Ints  # the neuron
    twins: Ints  # the neuron and those of the same layer and number in other arms, which start from the same weights
    names: tuple[str, ...]
    presentation: Floats
    shape: Floats
    likeness: Floats  # of words
    milliseconds: Floats

    @classmethod
    def of(cls, pages: Sequence[ShownPage]) -> "_Table":
        shown, shaped = [presentation(page) for page in pages], [text_shape(page) for page in pages]
        wordings = word_table([words(page) for page in pages])
        units = _numbered([f"{page.size}|{page.arm}|{page.unit}" for page in pages])
        return cls(
            arms=tuple(sorted({page.arm for page in pages})),
            arm=np.array([page.arm for page in pages]),
            size=np.array([page.size for page in pages]),
            unit=units,
            twins=_numbered([f"{page.size}|{page.unit}" for page in pages]),
            names=tuple(shown[0]) if shown else (),
            presentation=_rows(shown),
            shape=_rows(shaped),
            likeness=wordings @ wordings.T,
            milliseconds=np.array([page.milliseconds for page in pages]),
        )


def _numbered(names: Sequence[str]) -> Ints:
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _rows(found: Sequence[dict[str, float]]) -> Floats:
    return np.array([list(row.values()) for row in found], dtype=np.float64).reshape(len(found), -1)


def _compare(table: _Table, first: str, others: tuple[str, ...], seed: int) -> Comparison:
    rows = np.flatnonzero(np.isin(table.arm, (first, *others)))
    second, unit = table.arm[rows] != first, table.twins[rows]
    neurons = len(np.unique(table.unit[rows][~second])), len(np.unique(table.unit[rows][second]))
    name = others[0] if len(others) == 1 else REST
    if min(neurons) < FEWEST:
        return Comparison(first, name, neurons)

    def interval(scores: Floats) -> Auc:
        return area_interval(scores, second, unit)

    shown = table.presentation[rows]
    scores = out_of_fold(shown, second, unit, _rng(seed))
    shape = out_of_fold(table.shape[rows], second, unit, _rng(seed), full=False)
    likeness = table.likeness[np.ix_(rows, rows)]
    return Comparison(
        first,
        name,
        neurons,
        presentation=interval(scores.both),
        linear=interval(scores.linear),
        stumps=interval(scores.stumps),
        text_shape=interval(shape.linear),
        words=interval(word_scores(likeness, second, unit, _rng(seed))),
        drawing_time=interval(table.milliseconds[rows]).folded,
        features=_features(table.names, shown, interval, second, unit, seed),
    )


def _features(
    names: Sequence[str], shown: Floats, interval: Callable[[Floats], Auc], second: Flags, unit: Ints, seed: int
) -> tuple[FeatureLeak, ...]:
    """The features that tell most by themselves, those that never vary left out."""
    varying = np.flatnonzero(np.ptp(shown, axis=0) > 0).tolist()
    alone = sorted(((interval(shown[:, i]).folded, names[i]) for i in varying), key=lambda pair: -pair[0].auc)
    leaks = []
    for found, name in alone[:NAMED]:
        stem = name.removesuffix(SPREAD)
        rest = [i for i, other in enumerate(names) if other.removesuffix(SPREAD) != stem]
        scores = out_of_fold(shown[:, rest], second, unit, _rng(seed), full=False).linear
        leaks.append(FeatureLeak(name, found, area(scores, second)))
    return tuple(leaks)


def _chance(table: _Table, compared: Sequence[Comparison], seed: int, shuffles: int) -> tuple[float | None, int]:
    """The chance of so large a largest area, with arms shuffled over neurons within sizes, and the shuffles it took.

    Notes
    -----
    Shuffling stops early once `ENOUGH` shuffles reached the area found (Besag & Clifford 1991, Biometrika 78).
    """
    measured = [one for one in compared if one.presentation is not None]
    if not measured or not shuffles:
        return None, 0
    found, rng, reached = max(one.presentation.auc for one in measured if one.presentation), _rng(seed + 1), 0
    for done in range(1, shuffles + 1):
        arms = _shuffled(table, rng)
        largest = max(_area_of(table, arms, one, seed) for one in measured)
        reached += largest >= found
        if reached == ENOUGH:
            return round(reached / done, 4), done
    return round((reached + 1) / (shuffles + 1), 4), shuffles


def _shuffled(table: _Table, rng: np.random.Generator) -> np.ndarray:
    """Arms dealt anew to the neurons of each size."""
    first_of = np.unique(table.unit, return_index=True)[1]
    arm_of, size_of = table.arm[first_of].copy(), table.size[first_of]
    for size in np.unique(size_of):
        own = np.flatnonzero(size_of == size)
        arm_of[own] = arm_of[rng.permutation(own)]
    return arm_of[table.unit]


def _area_of(table: _Table, arms: np.ndarray, compared: Comparison, seed: int) -> float:
    rows = np.flatnonzero(np.isin(arms, (compared.first, compared.second) if compared.is_pair else table.arms))
    second = arms[rows] != compared.first
    return area(out_of_fold(table.presentation[rows], second, table.twins[rows], _rng(seed)).both, second)


def _rng(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def numbers_read(data: dict[str, Any]) -> LeakNumbers:
    """The numbers of a stored audit."""
    return LeakNumbers(
        items=data["items"],
        comparisons=tuple(_read(found) for found in data["comparisons"]),
        p_value=data["p_value"],
        shuffles=data["shuffles"],
    )


def _read(found: dict[str, Any]) -> Comparison:
    areas = {name: Auc(**value) for name, value in found.items() if isinstance(value, dict)}
    plain = {name: value for name, value in found.items() if name not in areas and name not in ("features", "neurons")}
    leaks = tuple(
        FeatureLeak(leak["name"], Auc(leak["auc"], leak["low"], leak["high"]), leak["without"])
        for leak in found["features"]
    )
    neurons = (found["neurons"][0], found["neurons"][1])
    return Comparison(**{**plain, **areas, "neurons": neurons, "features": leaks})
