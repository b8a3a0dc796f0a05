"""The judgments as integer codes: made once from the long table, read by every part of the report.

One million rows of text are slow to group again and again; as arrays of codes they are counted in milliseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TypedDict, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.reports.document import AnalysisPlan

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

NO, YES, CANNOT, SCORED, UNANSWERED = 0, 1, 2, 3, 4  # codes of `verdict`
VERDICTS = ("no", "yes", "cannot")
DONT_KNOW, NOT_ASKED = -1, -2  # codes of `guess` beside the arms'
NO_LAYER = -1


class OffPlan(ValueError):
    """Judgments of a size or an arm that the plan does not have."""


class PlainArrays(TypedDict):
    """The arguments that functions of `analysis.stats` take for single answers."""

    said: Codes
    neuron: Codes
    rater: Codes
    arm: Codes
    size: Codes


@dataclass(frozen=True, slots=True)
class Answers:
    """Yes/no answers with neurons and raters numbered from 0 without gaps, as `analysis.stats` takes them.

    Attributes
    ----------
    said, neuron, rater : ndarray of int, shape (answers,)
    arm, size : ndarray of int, shape (neurons,)
        Codes of the plan's arms and sizes.
    names, raters : which neurons and raters the codes are
    """

    said: Codes
    neuron: Codes
    rater: Codes
    arm: Codes
    size: Codes
    names: npt.NDArray[np.object_]
    raters: tuple[str, ...]

    @property
    def plain(self) -> PlainArrays:
        """As keyword arguments."""
        return {"said": self.said, "neuron": self.neuron, "rater": self.rater, "arm": self.arm, "size": self.size}


@dataclass(frozen=True, slots=True)
class Ratings:
    """Every showing of a neuron to a rater of the plan's kind, sorted by neuron, rater and order.

    Attributes
    ----------
    sizes, arms, raters : tuple of str
        What the codes of `size`, `arm` and `guess`, and `rater` mean: sizes and arms in the order of the plan.
    names : ndarray of str, shape (neurons,)
        `neuron_id`, sorted by size, arm and name. A name is a neuron of its size and arm.
    size, arm, layer : ndarray of int, shape (neurons,)
        `layer` is -1 where it is not known.
    verdict : ndarray of int, shape (rows,)
        0 no, 1 yes, 2 cannot judge, 3 answered without a verdict, 4 shown without an answer.
    neuron, rater, item : ndarray of int, shape (rows,)
    order, length : ndarray of int, shape (rows,)
        Place on the rater's list, from 1 (0: not known), and the length of the list.
    repeat : ndarray of bool, shape (rows,)
        Whether the rater had been shown the item before.
    confidence, seconds, active : ndarray of float, shape (rows,)
        NaN where not given or not measured; times in seconds.
    guess : ndarray of int, shape (rows,)
        Guessed arm, -1 don't know, -2 not asked.
    row : ndarray of int, shape (rows,)
        Place of the row in the table that was read, for whoever needs another column of it.
    """

    sizes: tuple[str, ...]
    arms: tuple[str, ...]
    raters: tuple[str, ...]
    names: npt.NDArray[np.object_]
    size: Codes
    arm: Codes
    layer: Codes
    verdict: Codes
    neuron: Codes
    rater: Codes
    item: Codes
    order: Codes
    length: Codes
    repeat: Mask
    confidence: Floats
    seconds: Floats
    active: Floats
    guess: Codes
    row: Codes

    def __len__(self) -> int:
        return len(self.verdict)

    @property
    def judged(self) -> Mask:
        """Rows with a yes or a no."""
        judged: Mask = self.verdict <= YES
        return judged

    @property
    def answered(self) -> Mask:
        """Rows with any answer, "cannot judge" included."""
        answered: Mask = self.verdict != UNANSWERED
        return answered

    @property
    def place(self) -> Codes:
        """Size and arm of every neuron as one code: size × number of arms + arm."""
        return self.size * len(self.arms) + self.arm

    def where(self, rows: Mask) -> "Ratings":
        """Some of the rows; the codes of neurons and raters stay."""
        if rows.all():
            return self
        return replace(self, **{name: getattr(self, name)[rows] for name in ROW_FIELDS})

    def first_showings(self) -> "Ratings":
        """Without repeats, which are for self-agreement only."""
        return self.where(~self.repeat)

    def with_verdicts(self, verdict: Codes) -> "Ratings":
        """The same rows with other verdicts, as codes."""
        return replace(self, verdict=verdict)

    def with_scores(self, score: Floats) -> "Ratings":
        """The same rows with scores in [0, 1] in the place of no and yes, for methods that take both."""
        return replace(self, verdict=cast(Codes, score))

    def answers(self, *, arms: Sequence[str] = (), size: str = "") -> Answers:
        """Yes/no answers about neurons of some arms (none named: all) and of one size (empty: all)."""
        wanted = np.ones(len(self.names), dtype=bool)
        if arms:
            wanted &= np.isin(self.arm, [self.arms.index(arm) for arm in arms])
        if size:
            wanted &= self.size == self.sizes.index(size)
        rows = self.judged & wanted[self.neuron]
        kept, neuron = _renumbered(self.neuron[rows], len(self.names))
        panel, rater = _renumbered(self.rater[rows], len(self.raters))
        return Answers(
            said=self.verdict[rows],
            neuron=neuron,
            rater=rater,
            arm=self.arm[kept],
            size=self.size[kept],
            names=self.names[kept],
            raters=tuple(self.raters[code] for code in panel),
        )


PER_NEURON = {"names", "size", "arm", "layer"}
ROW_FIELDS = tuple(
    field.name for field in fields(Ratings) if field.name not in {"sizes", "arms", "raters", *PER_NEURON}
)


def ratings_read(judgments: pd.DataFrame, plan: AnalysisPlan) -> Ratings:
    """Codes of a long table.

    Parameters
    ----------
    judgments : DataFrame
        As `analysis.frames` makes it, with the rows that shall count.

    Raises
    ------
    OffPlan
        When a row names a size or an arm that the plan does not have, or a size without that arm.
    """
    size, arm = (_planned(judgments, name, known) for name, known in (("size", plan.sizes), ("arm", plan.arms)))
    label, labels = pd.factorize(judgments["neuron_id"], sort=True)
    place = size * len(plan.arms) + arm
    keys, first, neuron = np.unique(place * max(1, len(labels)) + label, return_index=True, return_inverse=True)
    rater, raters = pd.factorize(judgments["rater"], sort=True)
    order = _whole(judgments, "order")
    verdict = _verdicts(judgments)
    item = pd.factorize(judgments["item"], sort=True)[0].astype(np.int64)
    sorting = np.lexsort([verdict, item, order, rater, neuron])
    rows = {
        "verdict": verdict,
        "neuron": neuron.astype(np.int64),
        "rater": rater.astype(np.int64),
        "item": item,
        "order": order,
        "length": _whole(judgments, "list_length"),
        "repeat": judgments["repeat"].to_numpy(dtype=bool),
        "confidence": _measured(judgments, "confidence"),
        "seconds": _measured(judgments, "seconds"),
        "active": _measured(judgments, "active_seconds"),
        "guess": _guesses(judgments, plan.arms),
        "row": np.arange(len(judgments)),
    }
    return Ratings(
        sizes=plan.sizes,
        arms=plan.arms,
        raters=tuple(str(name) for name in raters),
        names=np.asarray(labels, dtype=object)[keys % max(1, len(labels))],
        size=size[first],
        arm=arm[first],
        layer=_whole(judgments, "layer", NO_LAYER)[first],
        **{name: values[sorting] for name, values in rows.items()},
    )


def _planned(judgments: pd.DataFrame, column: str, known: tuple[str, ...]) -> Codes:
    codes = _codes(judgments[column], known)
    if (codes < 0).any():
        strange = judgments[column][codes < 0].iloc[0]
        raise OffPlan(f"A judgment names the {column} {strange!r}; the plan has {', '.join(known) or 'none'}.")
    return codes


def _codes(texts: pd.Series, known: Sequence[str]) -> Codes:
    """Places in `known`; -1 for any other text and for none."""
    found, names = pd.factorize(texts)
    places = {name: place for place, name in enumerate(known)}
    table = np.array([*(places.get(name, -1) for name in names), -1], dtype=np.int64)
    codes: Codes = table[found]
    return codes


def _verdicts(judgments: pd.DataFrame) -> Codes:
    codes = _codes(judgments["verdict"], VERDICTS)
    without = (judgments["responses"] == "").to_numpy(dtype=bool)
    return np.where(codes >= 0, codes, np.where(without, UNANSWERED, SCORED))


def _guesses(judgments: pd.DataFrame, arms: Sequence[str]) -> Codes:
    if "guess_arm" not in judgments:
        return np.full(len(judgments), NOT_ASKED, dtype=np.int64)
    asked = (judgments["guess_arm"].fillna("") != "").to_numpy(dtype=bool)
    return np.where(asked, _codes(judgments["guess_arm"], arms), NOT_ASKED)


def _measured(judgments: pd.DataFrame, column: str) -> Floats:
    if column not in judgments:
        return np.full(len(judgments), np.nan)
    numbers: Floats = judgments[column].to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers


def _whole(judgments: pd.DataFrame, column: str, missing: int = 0) -> Codes:
    numbers = _measured(judgments, column)
    return np.where(np.isnan(numbers), missing, numbers).astype(np.int64)


def _renumbered(codes: Codes, count: int) -> tuple[Codes, Codes]:
    """Codes that occur, in order, and the same entries numbered from 0 without gaps."""
    present = np.bincount(codes, minlength=count) > 0
    return np.flatnonzero(present), (np.cumsum(present) - 1)[codes]
