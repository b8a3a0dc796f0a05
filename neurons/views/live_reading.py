"""A reading of somebody's own text as the page shows it: shaded tokens, what is out of range, and tables."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from django.utils.safestring import SafeString

from neurons.inference import Maxima, Piece, Reading
from neurons.store.harvest import HarvestStore
from neurons.templatetags.live import activation, piece_html
from neurons.views.shading import band

TOP_OF_LAYER = 8  # neurons shown of each layer
MOST_DROPS = 128  # tokens dropped in turn


@dataclass(frozen=True, slots=True)
class PieceRow:
    """One piece of the text, to be clicked."""

    position: int  # counted from 1
    piece: Piece
    band: int  # 0 hardly firing … 5 at the end of the range
    percent: float | None  # of the range; None if the activation is not finite
    is_over: bool  # above the range

    @property
    def html(self) -> SafeString:
        return piece_html(self.piece.text)

    @property
    def name(self) -> str:
        """The text to be read out: white space alone would be silent."""
        named = self.piece.text.replace("\n", "↵").replace("\t", "⇥")
        return named if named.strip() else "space " * len(named)

    @property
    def ends_line(self) -> bool:
        return "\n" in self.piece.text

    @property
    def place(self) -> str:
        """Its characters, as the form sends them."""
        return f"{self.piece.start}-{self.piece.end}"

    @property
    def value(self) -> str:
        return activation(self.piece.values[0])


@dataclass(frozen=True)
class ShownReading:
    """A reading against a range of activations."""

    reading: Reading
    scale: float

    @cached_property
    def rows(self) -> list[PieceRow]:
        return [self._row(place, piece) for place, piece in enumerate(self.reading.pieces, start=1)]

    @cached_property
    def peak_row(self) -> PieceRow | None:
        """The piece with the strongest activation, the first of equal ones."""
        finite = [row for row in self.rows if math.isfinite(row.piece.values[0])]
        return max(finite, key=lambda row: row.piece.values[0], default=None)

    @cached_property
    def peak(self) -> float:
        return self.peak_row.piece.values[0] if self.peak_row else 0.0

    @cached_property
    def over(self) -> list[PieceRow]:
        return [row for row in self.rows if row.is_over]

    @cached_property
    def lowest(self) -> float:
        return min((value for row in self.rows if math.isfinite(value := row.piece.values[0])), default=0.0)

    @cached_property
    def not_finite(self) -> int:
        return sum(not math.isfinite(row.piece.values[0]) for row in self.rows)

    @property
    def peak_percent(self) -> float | None:
        return self.peak_row.percent if self.peak_row else None

    def _row(self, place: int, piece: Piece) -> PieceRow:
        value = piece.values[0]
        known = math.isfinite(value)
        percent = 100 * value / self.scale if known and self.scale > 0 else None
        return PieceRow(
            place, piece, band(value, self.scale) if known else 0, percent, known and 0 < self.scale < value
        )


@dataclass(frozen=True, slots=True)
class DropRow:
    """What dropping one piece does to the peak."""

    row: PieceRow
    before: float  # the peak with it
    after: float  # and without
    is_peak: bool


def pieces_to_drop(shown: ShownReading) -> list[PieceRow]:
    """The pieces up to the peak, the nearest if there are many. What comes later cannot change the peak's activation:
    a token sees only what stands before it."""
    if shown.peak_row is None:
        return []
    return shown.rows[: shown.peak_row.position][-MOST_DROPS:]


def drop_rows(shown: ShownReading, dropped: Sequence[PieceRow], peaks: Sequence[float]) -> list[DropRow]:
    """The largest fall first."""
    rows = [DropRow(row, shown.peak, peak, row is shown.peak_row) for row, peak in zip(dropped, peaks, strict=True)]
    return sorted(rows, key=lambda row: row.after)


@dataclass(frozen=True, slots=True)
class FiringRow:
    """A neuron that fires on the text."""

    index: int
    value: float
    percent: float  # of its own maximum on the harvested text
    token: SafeString
    url: str


@dataclass(frozen=True, slots=True)
class FiringLayer:
    layer: int
    rows: tuple[FiringRow, ...]


def firing_layers(store: HarvestStore, maxima: Maxima, reading: Reading, address: str) -> list[FiringLayer]:
    """Of each layer the neurons that come nearest to their own harvested maximum; `address` is the network's."""
    tokens = np.repeat(np.arange(len(reading.pieces)), [piece.tokens for piece in reading.pieces])
    layers = []
    for layer in range(store.n_layers):
        columns = slice(layer * store.d_mlp, (layer + 1) * store.d_mlp)
        values, where, own = maxima.values[0, columns], maxima.positions[0, columns], store.maxima(layer)
        shares = np.where((own > 0) & np.isfinite(values), values / np.where(own > 0, own, 1), 0)
        order = [int(index) for index in np.argsort(-shares, kind="stable")[:TOP_OF_LAYER] if shares[index] > 0]
        rows = tuple(
            FiringRow(
                index=index,
                value=float(values[index]),
                percent=100 * float(shares[index]),
                token=piece_html(reading.pieces[tokens[where[index]]].text),
                url=f"{address}{layer}/{index}/",
            )
            for index in order
        )
        layers.append(FiringLayer(layer, rows))
    return layers
