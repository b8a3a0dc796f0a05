"""Snippets that do not give the answer away: each of another text, unmarked, or marked as a firing one would be."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from annotation.protocols.display import NUL_SHOWN, UNMARKED_BAND, Marked, mark_peak
from annotation.protocols.options import TOP
from annotation.protocols.task import CannotCompose, Marker, Material, Reading

RankRange = str | Sequence[float]  # "top", or [low, high) in rank shares of all harvested tokens, 0 weakest


@dataclass(slots=True)
class FreshTexts:
    """Hands out snippets of one neuron and never two of the same document, whatever they are asked for.

    Attributes
    ----------
    material : Material
    rng : numpy.random.Generator
    used : set of int
        Documents handed out so far.
    """

    material: Material
    rng: np.random.Generator
    used: set[int] = field(default_factory=set)

    def firing(self, rank_range: RankRange, count: int) -> list[Reading]:
        """`count` snippets in random order at whose peak the neuron fires. Raises CannotCompose if there are fewer.

        Parameters
        ----------
        rank_range : "top" or two shares
            The strongest of all, or random ones whose peak has its rank there.
        """
        chosen = self._fresh(
            lambda asked: self._fires(rank_range, asked),
            count,
            f"snippets of rank {range_name(rank_range)} at which it fires",
        )
        return [chosen[int(i)] for i in self.rng.permutation(count)]

    def silent(self, count: int) -> list[Reading]:
        """`count` random snippets at whose peak the neuron does not fire. Raises CannotCompose if there are fewer."""
        return self._fresh(
            lambda asked: self.material.silent(asked, self.rng), count, "snippets at which it does not fire"
        )

    def _fires(self, rank_range: RankRange, asked: int) -> Sequence[Reading]:
        if rank_range == TOP:
            return self.material.top(asked)
        low, high = (float(share) for share in rank_range)
        found = self.material.between(low, high, asked, self.rng)
        return [reading for reading in found if reading.pieces[reading.peak][1] > 0]

    def _fresh(self, read: Callable[[int], Sequence[Reading]], count: int, wanted: str) -> list[Reading]:
        """The first `count` of other documents than those handed out.

        So many more are asked for as could be used already, and then more again, as some may not fire; where there are
        not so many, just enough.
        """
        for times in (1, 2, 4):
            with suppress(CannotCompose):
                found = read((count + len(self.used)) * times)
                if self._unused(found) >= count:
                    return self.fresh_of(found, count)
        found = read(count)  # raises with the material's own reason
        if self._unused(found) < count:
            raise CannotCompose(f"{self._unused(found)} of {count} {wanted}, each of another text")
        return self.fresh_of(found, count)

    def _unused(self, found: Iterable[Reading]) -> int:
        return len({reading.doc for reading in found} - self.used)

    def fresh_of(self, found: Iterable[Reading], count: int) -> list[Reading]:
        """The first of other documents than those handed out, at most `count`; from now on they are handed out, too."""
        fresh: list[Reading] = []
        for reading in found:
            if len(fresh) < count and reading.doc not in self.used:
                fresh.append(reading)
                self.used.add(reading.doc)
        return fresh


def range_name(rank_range: RankRange) -> str:
    """A rank range in words.

    Examples
    --------
    >>> range_name("top"), range_name([0.99, 1.0])
    ('top', '0.99 to 1')
    """
    return TOP if rank_range == TOP else " to ".join(f"{float(share):g}" for share in rank_range)


def unmarked(reading: Reading) -> Marked:
    """The bare text of a snippet.

    Examples
    --------
    >>> unmarked(Worn(doc=1, peak=0, pieces=(("a", 9.0), ("b", 0.0))))
    [('ab', 0)]
    """
    return [("".join(text for text, _ in reading.pieces).replace("\x00", NUL_SHOWN), UNMARKED_BAND)]


def peak_alone(reading: Reading) -> Marked:
    """Only the token in question marked, in the same band whether the neuron fires at it or not."""
    return mark_peak(reading.pieces, reading.peak, 1)


@dataclass(frozen=True, slots=True)
class Worn:
    """The text of one snippet with the activations of another."""

    doc: int
    peak: int
    pieces: tuple[tuple[str, float], ...]


def worn(text: Reading, donor: Reading) -> Worn:
    """Lay the activations of a firing snippet over the text of another, so that marks tell nothing about the text.

    Parameters
    ----------
    text : Reading
        The snippet whose words are shown.
    donor : Reading
        The snippet whose activations are shown. They keep their distance from the peak; what would fall off the edge
        goes to the nearest free piece, strongest first.

    Notes
    -----
    The number of marks is the donor's. Their place is, too, because a firing snippet has its strongest token at a known
    place: marks strewn at random would tell the fake at once. Delphi (EleutherAI) equalises the number alone.

    Examples
    --------
    >>> donor = Worn(doc=1, peak=1, pieces=(("a", 0.0), ("b", 9.0), ("c", 4.0)))
    >>> worn(Worn(doc=2, peak=1, pieces=(("x", 0.0), ("y", -1.0))), donor).pieces
    (('x', 4.0), ('y', 9.0))
    """
    values = [min(0.0, *(value for _, value in donor.pieces))] * len(text.pieces)
    free = set(range(len(values)))
    for place in sorted(range(len(donor.pieces)), key=lambda i: (i != donor.peak, -donor.pieces[i][1], i)):
        if not free:
            break
        wanted = place - donor.peak + text.peak
        nearest = min(free, key=lambda here: (abs(here - wanted), here))
        values[nearest] = donor.pieces[place][1]
        free.remove(nearest)
    return Worn(text.doc, text.peak, tuple(zip((piece for piece, _ in text.pieces), values, strict=True)))


def bands_of(marked: Marked) -> list[int]:
    """The bands of the marked pieces, weakest first.

    Examples
    --------
    >>> bands_of([("a", 0), ("b", 2), ("c", 1)])
    [1, 2]
    """
    return sorted(band for _, band in marked if band != UNMARKED_BAND)


def disguised(text: Reading, firing: Sequence[Reading], marker: Marker, rng: np.random.Generator) -> Marked | None:
    """A silent snippet with exactly as many marks, in the same bands, as one of the firing ones, drawn at random.

    None if the text is too short for the marks of any of them.
    """
    for place in rng.permutation(len(firing)):
        donor = firing[int(place)]
        shown = marker(worn(text, donor))
        if bands_of(shown) == bands_of(marker(donor)):
            return shown
    return None
